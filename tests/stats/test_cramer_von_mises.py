from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.cramer_von_mises import _tied_shape, _untied_shape, cramervonmises_2samp


def slow_statistic(reference: np.ndarray, current: np.ndarray) -> Fraction:
    """T by its definition, in whole fractions: both step functions at every pooled row."""
    n, m = len(reference), len(current)

    def squared_gap(x: float) -> Fraction:
        return (Fraction(int((reference <= x).sum()), n) - Fraction(int((current <= x).sum()), m)) ** 2

    return Fraction(n * m, (n + m) ** 2) * sum(squared_gap(x) for x in [*reference, *current])


def all_statistics(pooled: np.ndarray, n: int) -> list[Fraction]:
    """T for every choice of n pooled rows as the reference."""
    splits = (list(chosen) for chosen in combinations(range(len(pooled)), n))
    return [slow_statistic(pooled[chosen], np.delete(pooled, chosen)) for chosen in splits]


def is_tied(left: np.ndarray, right: np.ndarray) -> bool:
    return len(set(left) | set(right)) < len(left) + len(right)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 25), st.integers(2, 25))
def test_the_statistic_is_its_definition_and_without_ties_statistic_and_pvalue_equal_scipy(hard_pair, seed, n, m):
    """Scipy's midrank formula is not T of tied rows (see the trap below): tied columns have the slow oracle alone."""
    n, m = (n, m) if max(n, m) > 20 else (min(n, 9), min(m, 9))  # the exact law of two odd sizes is slow in scipy
    reference, current = hard_pair(seed, n, m)
    result = cramervonmises_2samp(reference, current)
    for column in range(reference.shape[1]):
        left, right = reference[:, column], current[:, column]
        assert abs(result.statistic[column] - float(slow_statistic(left, right))) <= 1e-15 * (n + m)
        if not is_tied(left, right):
            expected = stats.cramervonmises_2samp(left, right)
            np.testing.assert_allclose(result.statistic[column], expected.statistic, rtol=0, atol=1e-12)
            np.testing.assert_allclose(result.pvalue[column], expected.pvalue, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ["auto", "exact"])
@pytest.mark.parametrize("n_values", [2, 3, 6])
@pytest.mark.parametrize(("n", "m"), [(1, 4), (4, 4), (7, 3), (3, 8)])
def test_with_ties_the_pvalue_is_the_share_of_all_assignments(n, m, n_values, method, rng):
    for _ in range(4):
        pooled = rng.integers(0, n_values, n + m)
        result = cramervonmises_2samp(pooled[:n], pooled[n:], method)
        observed, law = slow_statistic(pooled[:n], pooled[n:]), all_statistics(pooled, n)
        np.testing.assert_allclose(result.pvalue, np.mean([value >= observed for value in law]), rtol=1e-12)


@pytest.mark.parametrize("n_values", [2, 3, 6])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 2), (2, 2), (4, 4), (7, 3), (3, 8)])
def test_the_gamma_law_has_the_mean_and_variance_of_all_assignments(n, m, n_values, rng):
    for _ in range(4):
        pooled = rng.integers(0, n_values, n + m)
        law = np.array(all_statistics(pooled, n), dtype=float)
        mean, variance, _ = _tied_shape(np.unique(pooled, return_counts=True)[1], n, m)
        np.testing.assert_allclose([mean, variance], [law.mean(), law.var()], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 5), (50, 20), (1000, 300)])
def test_without_ties_the_mean_and_variance_are_andersons(n, m):
    np.testing.assert_allclose(_tied_shape(np.ones(n + m), n, m)[:2], _untied_shape(n, m)[:2], rtol=1e-12, atol=1e-15)


def test_the_gamma_law_is_near_the_exact_one():
    counts = (60, 55, 25, 8, 2)  # some hundred rows on five values: the exact law's steps are small
    values, n = np.repeat(np.arange(5), counts), 90
    compared = 0
    for step in range(6):
        reference = np.zeros(150, dtype=bool)
        reference[np.linspace(0, 149 - 7 * step, n).astype(int)] = True  # the farther apart the samples, the smaller p
        left, right = values[reference], values[~reference]
        exact, near = (cramervonmises_2samp(left, right, method).pvalue for method in ("exact", "asymptotic"))
        if 1e-3 < exact < 0.3:
            compared += 1
            np.testing.assert_allclose(near, exact, rtol=0.1)
    assert compared >= 2


def test_small_pvalues_are_the_share_of_all_splits():
    pooled = np.arange(8.0)
    splits = [(pooled[list(chosen)], np.delete(pooled, chosen)) for chosen in combinations(range(8), 3)]
    values = [slow_statistic(*split) for split in splits]
    for split, value in zip(splits, values, strict=True):
        expected = np.mean([other >= value for other in values])
        np.testing.assert_allclose(cramervonmises_2samp(*split).pvalue, expected, rtol=1e-12)


def test_effect_size_is_the_root_mean_square_gap_of_the_distribution_functions():
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=60), rng.normal(0.5, 1, 40)
    pooled = np.concatenate([reference, current])
    gaps = [(reference <= x).mean() - (current <= x).mean() for x in pooled]
    np.testing.assert_allclose(cramervonmises_2samp(reference, current).effect_size, np.sqrt(np.mean(np.square(gaps))))


@pytest.mark.parametrize(("n", "m"), [(8, 8), (20, 100), (200, 200)])
def test_false_alarm_rate_is_near_the_level(n, m, binomial_limits):
    rng = np.random.default_rng(n)
    rate = (cramervonmises_2samp(rng.normal(size=(n, 2000)), rng.normal(size=(m, 2000))).pvalue <= 0.05).mean()
    low, high = binomial_limits(0.05, 2000)
    assert low - 0.005 <= rate <= high  # exact p-values of few orders fall short of the level a little


@pytest.mark.parametrize(("n", "m"), [(10, 10), (50, 20), (100, 100), (1000, 300)])
@pytest.mark.parametrize("kind", ["two values", "rare", "few values", "half zeros", "rounded"])
def test_trap_midranks_alarm_on_every_tied_column_of_unequal_samples(kind, n, m, binomial_limits):
    rng = np.random.default_rng(1)
    n_columns = 800
    draw = {
        "two values": lambda rows: rng.random((rows, n_columns)) < 0.3,
        "rare": lambda rows: rng.random((rows, n_columns)) < 0.05,
        "few values": lambda rows: rng.poisson(1, (rows, n_columns)),
        "half zeros": lambda rows: rng.normal(size=(rows, n_columns)).clip(0),
        "rounded": lambda rows: rng.normal(size=(rows, n_columns)).round(1),
    }[kind]
    pvalue = cramervonmises_2samp(draw(n), draw(m)).pvalue
    for level in (0.05, 0.01):
        assert (pvalue <= level).mean() <= binomial_limits(level, n_columns)[1]


def test_trap_scipys_midranks_are_not_the_squared_gap_of_tied_unequal_samples():
    left, right = np.tile([0.0, 1.0], 25), np.tile([0.0, 1.0], 10)
    assert stats.cramervonmises_2samp(left, right).pvalue < 0.001  # though both have the same shares
    result = cramervonmises_2samp(left, right)
    np.testing.assert_array_equal([*result.statistic, *result.pvalue, *result.effect_size], [0, 1, 0])


def test_ties_of_many_rows_still_show_a_change(rng):
    left, right = rng.random((1000, 200)) < 0.3, rng.random((300, 200)) < 0.4
    pairs = zip(left.sum(axis=0), right.sum(axis=0), strict=True)
    found = [stats.fisher_exact([[a, b], [1000 - a, 300 - b]]).pvalue <= 0.05 for a, b in pairs]
    assert (cramervonmises_2samp(left, right).pvalue <= 0.05).mean() >= np.mean(found) - 0.02


def test_methods_agree_on_whether_all_assignments_are_alike():
    for method in ("auto", "exact", "asymptotic"):  # one odd row: T is the same whoever has it
        assert cramervonmises_2samp([0.0] * 30, [0.0] * 29 + [1.0], method).pvalue == 1


def test_trap_a_constant_column_gives_p_one_never_nan():
    for n in (1, 2, 30):
        result = cramervonmises_2samp(np.full((n, 2), 4.2), np.full((7, 2), 4.2))
        np.testing.assert_array_equal(result.pvalue, [1, 1])
        np.testing.assert_array_equal(result.effect_size, [0, 0])


def test_many_rows_keep_the_statistic_exact():
    rng = np.random.default_rng(2)
    reference, current = rng.normal(size=30_000), rng.normal(size=20_000)
    pooled = np.sort(np.concatenate([reference, current]))
    f = np.searchsorted(np.sort(reference), pooled, side="right") / 30_000
    g = np.searchsorted(np.sort(current), pooled, side="right") / 20_000
    slow = 30_000 * 20_000 / 50_000**2 * ((f - g) ** 2).sum()
    np.testing.assert_allclose(cramervonmises_2samp(reference, current).statistic, slow, rtol=1e-11)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method must be one of"):
        cramervonmises_2samp([1.0, 2.0], [2.0, 3.0], method="normal")
