from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats import FittedReference, wasserstein_distance


def slow_distance(reference: np.ndarray, current: np.ndarray) -> Fraction:
    """Integrate |F_reference - F_current| from value to value, in whole fractions."""
    values = sorted(Fraction(float(x)) for x in {*reference, *current})
    total = Fraction(0)
    for left, right in pairwise(values):
        gap = Fraction(int((reference <= float(left)).sum()), len(reference))
        gap -= Fraction(int((current <= float(left)).sum()), len(current))
        total += abs(gap) * (right - left)
    return total


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40))
def test_the_distance_equals_the_integral_in_fractions(hard_pair, seed, n, m):
    reference, current = hard_pair(seed, n, m)
    result = wasserstein_distance(reference, current)
    for column in range(reference.shape[1]):
        left, right = reference[:, column], current[:, column]
        scale = max(np.abs(left).max(), np.abs(right).max(), 1e-300)
        assert abs(result[column] - float(slow_distance(left, right))) <= 1e-14 * scale
    np.testing.assert_array_equal(wasserstein_distance(FittedReference().fit(reference), current), result)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 900), st.integers(1, 900))
def test_the_distance_equals_scipy(hard_pair, seed, n, m):
    reference, current = hard_pair(seed, n, m)
    result = wasserstein_distance(reference, current)
    for column in range(reference.shape[1]):
        left, right = reference[:, column], current[:, column]
        scale = max(np.abs(left).max(), np.abs(right).max())
        assert abs(result[column] - stats.wasserstein_distance(left, right)) <= 1e-12 * scale


@pytest.mark.parametrize(("n", "m"), [(50_000, 10_000), (9_973, 5_000), (1_000, 12_345)])
def test_large_samples_equal_scipy(hard_pair, n, m):
    reference, current = hard_pair(n, n, m)
    result = wasserstein_distance(FittedReference().fit(reference), current)
    for column in range(reference.shape[1]):
        left, right = reference[:, column], current[:, column]
        scale = max(np.abs(left).max(), np.abs(right).max())
        assert abs(result[column] - stats.wasserstein_distance(left, right)) <= 1e-12 * scale


def test_a_shift_costs_what_it_is_long():
    values = np.random.default_rng(0).normal(size=777)
    np.testing.assert_allclose(wasserstein_distance(values, values + 3.0), 3.0, rtol=1e-13)
    assert wasserstein_distance(values, values) == 0.0


def test_a_fitted_reference_serves_batches_of_changing_size():
    rng = np.random.default_rng(1)
    reference = rng.normal(size=(500, 3))
    fitted = FittedReference().fit(reference)
    for size in (40, 7, 40, 1):
        current = rng.normal(size=(size, 3))
        np.testing.assert_array_equal(wasserstein_distance(fitted, current), wasserstein_distance(reference, current))


def test_samples_farther_apart_than_float64_reaches_have_distance_infinity():
    assert wasserstein_distance([-1.5e308, -1.5e308], [1.5e308, 1.4e308, 1.3e308]) == np.inf


def test_a_constant_column_has_distance_zero_and_no_nan():
    assert wasserstein_distance(np.full(50, 2.5), np.full(30, 2.5)) == 0.0


@pytest.mark.parametrize("bad", [[1.0, np.nan], [np.inf], [[1.0, 2.0]], []])
def test_bad_samples_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        wasserstein_distance([1.0, 2.0], bad)
