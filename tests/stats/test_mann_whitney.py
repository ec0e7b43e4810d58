from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.mann_whitney import mannwhitneyu

ALTERNATIVES = ("two-sided", "less", "greater")


def slow_u(reference: np.ndarray, current: np.ndarray) -> float:
    """Count the pairs."""
    return sum(1.0 if x > y else 0.5 if x == y else 0.0 for x in reference for y in current)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40), st.sampled_from(ALTERNATIVES), st.booleans())
def test_statistic_and_pvalue_equal_scipy(hard_pair, seed, n, m, alternative, use_continuity):
    reference, current = hard_pair(seed, n, m)
    result = mannwhitneyu(reference, current, use_continuity, alternative)
    for column in range(reference.shape[1]):
        left, right = reference[:, column], current[:, column]
        assert result.statistic[column] == slow_u(left, right)
        if len(set(left) | set(right)) == 1:
            assert result.pvalue[column] == 1 and result.effect_size[column] == 0
            continue
        expected = stats.mannwhitneyu(left, right, use_continuity, alternative)
        assert result.statistic[column] == expected.statistic
        np.testing.assert_allclose(result.pvalue[column], expected.pvalue, rtol=1e-9, atol=1e-15)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 60), st.sampled_from(ALTERNATIVES))
def test_the_exact_law_on_request_equals_scipy_also_with_ties(seed, n, m, alternative):
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 50, n).astype(float), rng.integers(0, 50, m).astype(float)
    expected = stats.mannwhitneyu(left, right, alternative=alternative, method="exact").pvalue
    if len(set(left) | set(right)) > 1:
        ours = mannwhitneyu(left, right, alternative=alternative, method="exact").pvalue
        np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_small_pvalues_are_the_share_of_all_splits():
    pooled = np.array([0.3, 1.1, 2.0, 2.9, 3.5, 4.4, 5.2])
    us = np.array([slow_u(pooled[list(chosen)], np.delete(pooled, chosen)) for chosen in combinations(range(7), 3)])
    for chosen in combinations(range(7), 3):
        left, right = pooled[list(chosen)], np.delete(pooled, chosen)
        u = slow_u(left, right)
        expected = min(1.0, 2 * min((us >= u).mean(), (us <= u).mean()))
        np.testing.assert_allclose(mannwhitneyu(left, right).pvalue, expected, rtol=1e-12)


def test_effect_size_is_the_rank_biserial_correlation():
    np.testing.assert_array_equal(mannwhitneyu([1, 2], [[3], [4]]).effect_size, [1.0])
    np.testing.assert_array_equal(mannwhitneyu([3, 4], [1, 2]).effect_size, [-1.0])
    np.testing.assert_array_equal(mannwhitneyu([1, 4], [2, 3]).effect_size, [0.0])


@pytest.mark.parametrize(("n", "m"), [(6, 9), (12, 200), (100, 100)])
def test_false_alarm_rate_is_close_below_the_level(n, m, binomial_limits):
    rng = np.random.default_rng(n)
    rate = (mannwhitneyu(rng.standard_cauchy((n, 3000)), rng.standard_cauchy((m, 3000))).pvalue <= 0.05).mean()
    low, high = binomial_limits(0.05, 3000)
    assert rate <= high
    assert rate >= low - 0.01  # discreteness and the continuity correction cost at most a point


def test_trap_ties_need_ranks_on_both_sides(binomial_limits):
    rng = np.random.default_rng(1)
    reference, current = rng.integers(0, 3, (80, 3000)), rng.integers(0, 3, (60, 3000))
    low, high = binomial_limits(0.05, 3000)
    assert low - 0.005 <= (mannwhitneyu(reference, current).pvalue <= 0.05).mean() <= high
    swapped = mannwhitneyu(current, reference)
    np.testing.assert_array_equal(swapped.statistic, 80 * 60 - mannwhitneyu(reference, current).statistic)


def test_trap_a_constant_column_gives_p_one_never_nan():
    for alternative in ALTERNATIVES:
        result = mannwhitneyu(np.full((9, 1), 2.0), np.full((11, 1), 2.0), alternative=alternative)
        assert result.pvalue == 1 and result.effect_size == 0


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="alternative must be one of"):
        mannwhitneyu([1.0], [2.0], alternative="both")
    with pytest.raises(ValueError, match="method must be one of"):
        mannwhitneyu([1.0], [2.0], method="normal")
    with pytest.raises(ValueError, match="NaN"):
        mannwhitneyu([1.0, np.nan], [2.0])
