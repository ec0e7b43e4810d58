from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.intervals import clopper_pearson_interval, wilson_interval

COUNTS = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, derandomize=True, max_examples=80)
@given(COUNTS, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_intervals_equal_scipy(counts, confidence):
    k, n = counts
    for ours, method in ((wilson_interval, "wilson"), (clopper_pearson_interval, "exact")):
        expected = stats.binomtest(k, n).proportion_ci(confidence, method=method)
        np.testing.assert_allclose(ours(k, n, confidence), (expected.low, expected.high), rtol=1e-9, atol=1e-12)


def test_wilson_bounds_solve_their_definition():
    low, high = wilson_interval([1, 30, 99], [20, 40, 100])
    share = np.array([1 / 20, 30 / 40, 99 / 100])
    z = stats.norm.ppf(0.975)
    for bound in (low, high):
        np.testing.assert_allclose(abs(share - bound), z * np.sqrt(bound * (1 - bound) / np.array([20, 40, 100])))


def test_clopper_pearson_bounds_solve_their_definition():
    low, high = clopper_pearson_interval(np.array([1, 30, 99]), np.array([20, 40, 100]))
    np.testing.assert_allclose(stats.binom.sf([0, 29, 98], [20, 40, 100], low), 0.025)
    np.testing.assert_allclose(stats.binom.cdf([1, 30, 99], [20, 40, 100], high), 0.025)


def test_the_ends_are_exactly_zero_and_one_and_huge_counts_work():
    for interval in (wilson_interval, clopper_pearson_interval):
        low, high = interval([0, 7, 10**9], [7, 7, 10**12])
        assert low[0] == 0 and high[1] == 1
        assert 0.00099 < low[2] < 0.001 < high[2] < 0.00101


def test_clopper_pearson_covers_at_least_its_confidence_and_wilson_about_it():
    k = np.arange(41)
    rates = np.linspace(0.01, 0.99, 99)
    coverage = {}
    for interval in (wilson_interval, clopper_pearson_interval):
        low, high = interval(k, 40)
        inside = (low[:, None] <= rates) & (rates <= high[:, None])
        coverage[interval] = (inside * stats.binom.pmf(k[:, None], 40, rates)).sum(axis=0)  # exact, not sampled
    assert coverage[clopper_pearson_interval].min() >= 0.95
    assert abs(coverage[wilson_interval].mean() - 0.95) < 0.01


def test_single_counts_give_plain_bounds_and_arrays_broadcast():
    low, high = wilson_interval(3, 10)
    assert low.shape == high.shape == ()
    assert wilson_interval([[1], [2]], [10, 20, 30]).low.shape == (2, 3)


@pytest.mark.parametrize(
    ("k", "n", "message"),
    [(3, 2, "successes must be in"), (-1, 2, "successes"), (0, 0, "n must be >= 1"), (0.5, 2, "whole numbers"),
     (np.nan, 2, "whole numbers"), (1, np.inf, "whole numbers")],
)  # fmt: skip
def test_impossible_counts_are_refused(k, n, message):
    for interval in (wilson_interval, clopper_pearson_interval):
        with pytest.raises(ValueError, match=message):
            interval(k, n)


@pytest.mark.parametrize("confidence", [0, 1, -0.1, np.nan, 95])
def test_a_confidence_outside_zero_to_one_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence must be in"):
        wilson_interval(1, 2, confidence)
