from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.trend import trend_test

SERIES = st.lists(st.one_of(st.integers(-3, 3), st.floats(-1e6, 1e6)), min_size=2, max_size=60)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(SERIES)
def test_trend_equals_scipy_kendall_and_theil_sen(values):
    series = np.array(values, dtype=float)
    result = trend_test(series)
    np.testing.assert_allclose(result.slope, stats.theilslopes(series).slope, rtol=1e-12, atol=1e-300)
    if len(set(series)) == 1:
        assert result.statistic == 0 and result.pvalue == 1
        return
    expected = stats.kendalltau(np.arange(len(series)), series)
    np.testing.assert_allclose(result.statistic, expected.statistic, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(result.pvalue, expected.pvalue, rtol=0, atol=1e-9)


def test_small_pvalues_are_the_share_of_all_orders_that_are_as_extreme():
    def excess(values):
        return sum(np.sign(values[j] - values[i]) for i in range(len(values)) for j in range(i + 1, len(values)))

    series = (1.0, 3.0, 2.0, 4.0, 6.0, 5.0)
    share = np.mean([abs(excess(order)) >= abs(excess(series)) for order in permutations(series)])
    np.testing.assert_allclose(trend_test(series).pvalue, share, rtol=1e-12)


def test_columns_are_tested_one_by_one():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(40, 3)).round(1)
    together = trend_test(table)
    for column in range(3):
        alone = trend_test(table[:, column])
        assert alone.pvalue == together.pvalue[column] and alone.slope == together.slope[column]


@pytest.mark.parametrize("n_steps", [8, 50])
def test_false_alarm_rate_is_at_most_the_level(n_steps, binomial_limits):
    pvalues = trend_test(np.random.default_rng(1).standard_cauchy((n_steps, 2000))).pvalue
    rate = (pvalues <= 0.05).mean()
    low, high = binomial_limits(0.05, 2000)
    assert rate <= high
    assert rate >= (low if n_steps > 8 else 0.02)  # of few steps, only so many p-values are possible


def test_a_slow_decay_is_found_and_its_slope_is_close():
    rng = np.random.default_rng(2)
    accuracy = 0.95 - 0.002 * np.arange(40) + rng.normal(0, 0.01, 40)
    result = trend_test(accuracy)
    assert result.pvalue[0] < 1e-6
    assert abs(result.slope[0] + 0.002) < 4 * 0.01 * np.sqrt(12 / 40**3)  # 4 standard errors of a fitted slope


def test_trap_a_constant_column_gives_p_one_never_nan():
    result = trend_test(np.full((12, 2), 0.9))
    np.testing.assert_array_equal(result.pvalue, [1, 1])
    np.testing.assert_array_equal(result.slope, [0, 0])


def test_one_value_is_no_series():
    with pytest.raises(ValueError, match="at least 2 rows"):
        trend_test([1.0])
    with pytest.raises(ValueError, match="NaN"):
        trend_test([1.0, np.nan])
