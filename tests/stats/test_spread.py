from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.spread import brown_forsythe_test


def slow_f(reference: list[float], current: list[float]) -> float:
    """One-way analysis of variance on the distances from the median, by hand."""
    groups = [[abs(x - statistics.median(sample)) for x in sample] for sample in (reference, current)]
    everything = [x for group in groups for x in group]
    grand = statistics.fmean(everything)
    between = sum(len(group) * (statistics.fmean(group) - grand) ** 2 for group in groups)
    within = sum((x - statistics.fmean(group)) ** 2 for group in groups for x in group)
    return between / (within / (len(everything) - 2))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10**6), st.integers(3, 50), st.integers(2, 50))
def test_statistic_and_pvalue_equal_scipy(hard_pair, seed, n, m):
    reference, current = hard_pair(seed, n, m)
    result = brown_forsythe_test(reference, current)
    for column in (0, 1, 3, 5, 7, 9):
        left, right = reference[:, column], current[:, column]
        if np.isinf(result.statistic[column]) or result.statistic[column] == 0:
            continue  # no spread within either sample: scipy divides by zero
        expected = stats.levene(left, right, center="median")
        np.testing.assert_allclose(result.statistic[column], expected.statistic, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(result.pvalue[column], expected.pvalue, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(result.statistic[column], slow_f(list(left), list(right)), rtol=1e-9, atol=1e-12)


def test_effect_size_is_the_log_ratio_of_mean_distances_from_the_median():
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=500), 3 * rng.normal(size=400)
    expected = np.log(np.abs(current - np.median(current)).mean() / np.abs(reference - np.median(reference)).mean())
    np.testing.assert_allclose(brown_forsythe_test(reference, current).effect_size, expected, rtol=1e-12)


@pytest.mark.parametrize(("n", "m", "rate"), [(10, 10, 0.036), (100, 100, 0.048), (30, 300, 0.045)])
def test_false_alarm_rate_is_below_the_level_as_the_docstring_says(n, m, rate, binomial_limits):
    rng = np.random.default_rng(n)
    found = (brown_forsythe_test(rng.normal(size=(n, 4000)), rng.normal(5, 1, (m, 4000))).pvalue <= 0.05).mean()
    low, high = binomial_limits(rate, 4000)
    assert low <= found <= high


def test_trap_a_constant_column_gives_p_one_never_nan():
    result = brown_forsythe_test(np.full((5, 2), 0.1), np.full((6, 2), 7.0))
    for values, expected in ((result.statistic, 0), (result.pvalue, 1), (result.effect_size, 0)):
        np.testing.assert_array_equal(values, [expected, expected])


def test_a_column_that_freezes_has_an_infinite_effect_size_and_a_small_pvalue():
    result = brown_forsythe_test(np.random.default_rng(1).normal(size=50), np.full(50, 2.0))
    assert result.effect_size == -np.inf and result.pvalue < 1e-9


@pytest.mark.parametrize(("n", "m"), [(1, 10), (2, 2)])
def test_too_few_rows_are_refused(n, m):
    with pytest.raises(ValueError, match="at least 2 rows each and 5 together"):
        brown_forsythe_test(np.arange(n), np.arange(m))
