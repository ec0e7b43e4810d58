from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.anderson_darling import anderson_2samp


def scipy_result(left: np.ndarray, right: np.ndarray):
    with warnings.catch_warnings():  # scipy warns of its clipped p-values and of a renamed argument
        warnings.simplefilter("ignore")
        return stats.anderson_ksamp([left, right])


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(3, 40))
def test_the_statistic_equals_scipy(hard_pair, seed, n, m):
    reference, current = hard_pair(seed, n, m)
    result = anderson_2samp(reference, current)
    for column in range(reference.shape[1]):
        left, right = reference[:, column], current[:, column]
        if len(set(left) | set(right)) == 1:
            assert result.statistic[column] == 0 and result.pvalue[column] == 1
            continue
        expected = scipy_result(left, right).statistic
        np.testing.assert_allclose(result.statistic[column], expected, rtol=1e-11, atol=1e-12)


def test_the_statistic_without_ties_equals_pettitts_sum():
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=12), rng.normal(size=9)
    pooled = np.sort(np.concatenate([left, right]))
    rows = len(pooled)
    below = np.array([(left <= x).sum() for x in pooled[:-1]])
    i = np.arange(1, rows)
    plain = ((below * rows - 12 * i) ** 2 / (i * (rows - i))).sum() / (12 * 9)
    # midranks see each step from its middle, so both agree only roughly; scipy's other variant is this sum
    ours = anderson_2samp(left, right).effect_size[0] ** 2 * 12 * 9 / rows
    assert abs(ours - plain) < 0.2 * max(1.0, plain)


def test_pvalues_are_close_to_scipys_interpolated_table_where_that_has_levels():
    rng = np.random.default_rng(1)
    seen = 0
    for shift in np.linspace(0.2, 0.8, 25):
        left, right = rng.normal(size=60), rng.normal(shift, 1, 50)
        expected = scipy_result(left, right).pvalue
        if 0.0011 < expected < 0.249:
            seen += 1
            np.testing.assert_allclose(anderson_2samp(left, right).pvalue, expected, rtol=0.06)
    assert seen > 10


def test_pvalues_are_close_to_the_share_of_shuffles():
    rng = np.random.default_rng(2)
    left, right = rng.normal(size=25), rng.normal(0.5, 1, 20)
    pooled = np.concatenate([left, right])
    shuffled = np.array([rng.permutation(pooled) for _ in range(4000)]).T
    observed = anderson_2samp(left, right)
    share = (anderson_2samp(shuffled[:25], shuffled[25:]).statistic >= observed.statistic).mean()
    # 5 standard errors of the share, and 5% for the limit law at 45 rows
    assert abs(share - observed.pvalue[0]) < 5 * np.sqrt(share / 4000) + 0.05 * share


@pytest.mark.parametrize(("n", "m"), [(6, 8), (30, 60), (200, 200)])
def test_false_alarm_rate_is_near_the_level(n, m, binomial_limits):
    rng = np.random.default_rng(n)
    rate = (anderson_2samp(rng.normal(size=(n, 2000)), rng.normal(size=(m, 2000))).pvalue <= 0.05).mean()
    low, high = binomial_limits(0.05, 2000)
    assert low - 0.005 <= rate <= high + 0.005  # the limit law in place of the law of few rows


def test_it_sees_a_change_in_the_tails_better_than_cramer_von_mises():
    rng = np.random.default_rng(3)
    reference, current = rng.normal(size=(200, 200)), rng.normal(size=(200, 200)) * 1.4
    unweighted = np.mean([stats.cramervonmises_2samp(a, b).pvalue <= 0.05 for a, b in zip(reference.T, current.T)])  # noqa: B905
    assert (anderson_2samp(reference, current).pvalue <= 0.05).mean() > unweighted + 0.1


@pytest.mark.parametrize("kind", ["two values", "three values", "ten values", "half zeros", "rounded"])
def test_trap_ties_need_ranks_on_both_sides_and_a_law_of_their_own(kind, binomial_limits):
    rng = np.random.default_rng(4)
    draw = {
        "two values": lambda n: rng.random((n, 3000)) < 0.4,
        "three values": lambda n: rng.integers(0, 3, (n, 3000)),
        "ten values": lambda n: rng.poisson(4, (n, 3000)),
        "half zeros": lambda n: rng.normal(size=(n, 3000)).clip(0),
        "rounded": lambda n: rng.normal(size=(n, 3000)).round(1),
    }[kind]
    low, high = binomial_limits(0.05, 3000)
    rate = (anderson_2samp(draw(100), draw(80)).pvalue <= 0.05).mean()
    assert low - 0.005 <= rate <= high + 0.003  # limit laws at 180 rows: within half a point of the level


def test_with_two_values_the_law_is_chi_square_with_one_degree_of_freedom():
    reference, current = np.repeat([0, 1], [60, 40]), np.repeat([0, 1], [30, 50])
    squared_gap = anderson_2samp(reference, current).effect_size**2 * 100 * 80 / 180
    expected = stats.chi2_contingency([[60, 40], [30, 50]], correction=False).statistic * 179 / 180
    np.testing.assert_allclose(squared_gap, expected, rtol=1e-12)
    np.testing.assert_allclose(anderson_2samp(reference, current).pvalue, stats.chi2.sf(expected, 1), rtol=0.06)


def test_trap_a_constant_column_gives_p_one_never_nan():
    result = anderson_2samp(np.ones((6, 2)), np.ones((5, 2)))
    for values, expected in ((result.statistic, 0), (result.pvalue, 1), (result.effect_size, 0)):
        np.testing.assert_array_equal(values, [expected, expected])


def test_fewer_than_four_rows_are_refused():
    with pytest.raises(ValueError, match="at least 4 rows together, got 3"):
        anderson_2samp([1.0, 2.0], [3.0])
