"""What the tests of the stream detectors share: values that change now and then, and limits for measured shares."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

QUOTED_STREAMS = 1000
"""Streams behind every share of false alarms that a docstring quotes."""


def _changing_values(seed: int, n: int = 1200) -> np.ndarray:
    """Normal values whose mean and spread change at a few random places."""
    rng = np.random.default_rng(seed)
    pieces = [rng.normal(2 * rng.normal(), rng.uniform(0.2, 3), rng.integers(20, 500)) for _ in range(12)]
    return np.concatenate(pieces)[:n]


def _changing_errors(seed: int, n: int = 3000) -> np.ndarray:
    """Errors (0 or 1) whose rate changes at a few random places, no errors and only errors included."""
    rng = np.random.default_rng(seed)
    rates = (0.0, 0.02, 0.1, 0.3, 0.6, 1.0)
    pieces = [rng.random(rng.integers(40, 900)) < rng.choice(rates) for _ in range(16)]
    return np.concatenate(pieces)[:n].astype(float)


@pytest.fixture(scope="session")
def changing_values() -> Callable[..., np.ndarray]:
    return _changing_values


@pytest.fixture(scope="session")
def changing_errors() -> Callable[..., np.ndarray]:
    return _changing_errors


@pytest.fixture(scope="session")
def shares_agree() -> Callable[[float, float, int], bool]:
    """Whether a share measured over some streams agrees with a quoted one, both taken as binomial."""

    def agree(measured: float, quoted: float, n_streams: int) -> bool:
        likely = min(max(quoted, 2 / QUOTED_STREAMS), 1 - 2 / QUOTED_STREAMS)  # a quoted 0 may have been 2 in 1000
        deviation = math.sqrt(likely * (1 - likely) * (1 / n_streams + 1 / QUOTED_STREAMS))
        return abs(measured - quoted) <= 4 * deviation + 0.005  # docstrings round to whole per cent

    return agree


@pytest.fixture(scope="session")
def run_length_agrees() -> Callable[[int, int, float], bool]:
    """Whether `n_alarms` in `n_observations` agree with an average run length.

    Run lengths of these charts are close to geometric, so alarms are counted like a Poisson number: the mean run
    length is known to a relative 1 / sqrt(n_alarms).
    """

    def agree(n_alarms: int, n_observations: int, run_length: float) -> bool:
        expected = n_observations / run_length
        return abs(n_alarms - expected) <= 4 * math.sqrt(expected) + 1  # one run is cut off at the end

    return agree
