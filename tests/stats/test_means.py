from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.means import welch_t_test, z_test

ALTERNATIVES = ("two-sided", "less", "greater")


def slow_t(reference: np.ndarray, current: np.ndarray) -> float:
    """Welch's t by exact sums."""
    means, errors = [], []
    for sample in (reference, current):
        mean = math.fsum(sample) / len(sample)
        means.append(mean)
        errors.append(math.fsum((x - mean) ** 2 for x in sample) / (len(sample) - 1) / len(sample))
    return (means[1] - means[0]) / math.sqrt(sum(errors))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(2, 60), st.sampled_from(ALTERNATIVES))
def test_welch_equals_scipy(hard_pair, seed, n, m, alternative):
    reference, current = hard_pair(seed, n, m)
    result = welch_t_test(reference, current, alternative=alternative)
    for column in (0, 1, 3, 5, 6, 7):  # scipy overflows on column 9; any unit is tested below
        left, right = reference[:, column], current[:, column]
        if np.ptp(left) == 0 and np.ptp(right) == 0:
            continue
        with warnings.catch_warnings():  # scipy warns of near-constant columns
            warnings.simplefilter("ignore")
            expected = stats.ttest_ind(right, left, equal_var=False, alternative=alternative)
        np.testing.assert_allclose(result.statistic[column], expected.statistic, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(result.pvalue[column], expected.pvalue, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(result.statistic[column], slow_t(left, right), rtol=1e-11, atol=1e-13)


def test_the_z_test_is_welchs_statistic_under_the_normal_law():
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=(80, 3)), rng.normal(0.3, 2, (50, 3))
    for alternative, tail in (("greater", stats.norm.sf), ("less", stats.norm.cdf)):
        result = z_test(reference, current, alternative=alternative)
        np.testing.assert_array_equal(result.statistic, welch_t_test(reference, current).statistic)
        np.testing.assert_allclose(result.pvalue, tail(result.statistic), rtol=1e-12)
    np.testing.assert_allclose(
        z_test(reference, current).pvalue, 2 * stats.norm.sf(abs(result.statistic)), rtol=1e-12
    )


def test_a_huge_offset_and_any_unit_leave_the_result_unchanged():
    rng = np.random.default_rng(1)
    reference, current = rng.integers(-9, 9, 40) / 8, rng.integers(-9, 9, 30) / 8
    plain = welch_t_test(reference, current)
    for moved in (lambda x: x + 2.0**40, lambda x: x * 2.0**900, lambda x: x * 2.0**-900):
        other = welch_t_test(moved(reference), moved(current))
        np.testing.assert_allclose(other.statistic, plain.statistic, rtol=1e-12)
        np.testing.assert_allclose(other.effect_size, plain.effect_size, rtol=1e-12)
        np.testing.assert_allclose(other.pvalue, plain.pvalue, rtol=1e-11)


def test_the_widest_finite_columns_do_not_overflow():
    result = welch_t_test([-1.7e308, 1.7e308, 0.0], [1.7e308, -1.7e308, 1.0])
    assert np.isfinite(result.statistic).all() and result.pvalue > 0.9


@pytest.mark.parametrize(("n", "m"), [(5, 5), (10, 80), (300, 300)])
def test_false_alarm_rate_of_welch_is_near_the_level_with_unequal_spreads(n, m, binomial_limits):
    rng = np.random.default_rng(n)
    pvalues = welch_t_test(rng.normal(size=(n, 4000)), rng.normal(0, 3, (m, 4000))).pvalue
    low, high = binomial_limits(0.05, 4000)
    assert low - 0.01 <= (pvalues <= 0.05).mean() <= high + 0.005  # Welch's law is approximate in tiny samples


def test_false_alarm_rate_of_the_z_test_is_what_its_docstring_says(binomial_limits):
    rng = np.random.default_rng(2)
    for n, expected in ((10, 0.066), (200, 0.051)):
        pvalues = z_test(rng.normal(size=(n, 4000)), rng.normal(size=(n, 4000))).pvalue
        low, high = binomial_limits(expected, 4000)
        assert low <= (pvalues <= 0.05).mean() <= high


def test_trap_a_tiny_shift_in_a_million_rows_has_a_tiny_effect_size_beside_its_pvalue():
    rng = np.random.default_rng(3)
    result = welch_t_test(rng.normal(0, 1, 10**6), rng.normal(0.02, 1, 10**6))
    assert result.pvalue < 1e-15
    assert abs(result.effect_size[0] - 0.02) < 5 * math.sqrt(2e-6)


def test_trap_a_constant_column_gives_p_one_never_nan():
    for test in (welch_t_test, z_test):
        for alternative in ALTERNATIVES:
            result = test(np.full((4, 1), 0.1), np.full((9, 1), 0.1), alternative=alternative)
            assert (result.statistic, result.pvalue, result.effect_size) == (0, 1, 0)


def test_unequal_constants_differ_beyond_doubt():
    result = welch_t_test(np.ones(4), np.zeros(3))
    assert (result.statistic, result.pvalue, result.effect_size) == (-np.inf, 0, -np.inf)


def test_single_rows_and_unknown_alternatives_are_refused():
    with pytest.raises(ValueError, match="current must have at least 2 rows, got 1"):
        welch_t_test([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="alternative must be one of"):
        z_test([1.0, 2.0], [1.0, 2.0], alternative="both")
