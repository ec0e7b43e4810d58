"""What the tests of the statistics share: awkward data, and limits for rates that are measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats


def _hard_columns(rng: np.random.Generator, n: int) -> np.ndarray:
    """Columns that break careless statistics: ties, constants, heavy tails, huge offsets, tiny and huge units."""
    return np.column_stack(
        [
            rng.normal(size=n),
            rng.integers(0, 4, n),  # ties
            np.full(n, 3.7),  # constant
            rng.standard_cauchy(n),  # heavy tails
            1e9 + rng.normal(size=n),  # huge offset
            rng.lognormal(0, 2, n),
            np.where(rng.random(n) < 0.6, 0.0, rng.exponential(1.0, n)),  # zero-inflated
            rng.random(n) < 0.3,  # two values
            rng.normal(size=n) * 1e-150,
            rng.normal(size=n) * 1e120,
        ]
    )


@pytest.fixture(scope="session")
def hard_pair() -> Callable[[int, int, int], tuple[np.ndarray, np.ndarray]]:
    """A function (seed, n, m) -> reference (n, 10), current (m, 10), with every kind of awkward column."""

    def make(seed: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        reference, current = _hard_columns(rng, n), _hard_columns(rng, m)
        if rng.random() < 0.5:
            current[:, 0] += rng.normal()  # half of the pairs differ
        return reference, current

    return make


@pytest.fixture(scope="session")
def binomial_limits() -> Callable[[float, int], tuple[float, float]]:
    """A function (rate, repetitions) -> the shares that a binomial count leaves with probability 1e-6 on each side.

    A measured rate outside these limits would come up by chance once in a million runs if the true rate were `rate`.
    """

    def limits(rate: float, repetitions: int) -> tuple[float, float]:
        low, high = stats.binom.ppf([1e-6, 1 - 1e-6], repetitions, rate)
        return float(low) / repetitions, float(high) / repetitions

    return limits


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed, fresh for every test."""
    return np.random.default_rng(20_240_801)
