from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats.permutation import permutation_test


def exact_pvalue(reference: np.ndarray, current: np.ndarray, alternative: str) -> float:
    """Share of all ways to split the pooled rows that are at least as extreme."""
    pooled = np.concatenate([reference, current])
    observed = current.mean() - reference.mean()
    extreme = []
    for chosen in combinations(range(len(pooled)), len(current)):
        rest = np.delete(pooled, chosen)
        difference = pooled[list(chosen)].mean() - rest.mean()
        ordered = {"two-sided": abs(difference) - abs(observed), "greater": difference - observed,
                   "less": observed - difference}  # fmt: skip
        extreme.append(ordered[alternative] >= -1e-9)
    return float(np.mean(extreme))


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_pvalues_estimate_the_share_over_all_splits(alternative, binomial_limits):
    rng = np.random.default_rng(1)
    reference = np.column_stack([rng.normal(size=5), rng.integers(0, 3, 5)])
    current = np.column_stack([rng.normal(1, 1, 4), rng.integers(0, 3, 4)])
    result = permutation_test(reference, current, rng=rng, n_permutations=4000, alternative=alternative)
    for column in range(2):
        low, high = binomial_limits(exact_pvalue(reference[:, column], current[:, column], alternative), 4000)
        assert low <= result.pvalue[column] <= high + 1 / 4000


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 30))
def test_statistic_and_effect_size_equal_the_plain_formulas(hard_pair, seed, n, m):
    reference, current = hard_pair(seed, n, m)
    result = permutation_test(reference, current, rng=np.random.default_rng(seed), n_permutations=9)
    difference = current.mean(axis=0) - reference.mean(axis=0)
    scale = np.abs(np.concatenate([reference, current])).max(axis=0)
    np.testing.assert_array_less(np.abs(result.statistic - difference), 1e-12 * scale + 1e-300)
    assert result.statistic[2] == 0 and result.pvalue[2] == 1 and result.effect_size[2] == 0
    assert np.isfinite(result.pvalue).all() and (result.pvalue >= 0.1).all()
    if n + m > 2:
        squares = n * reference[:, 0].var() + m * current[:, 0].var()
        np.testing.assert_allclose(result.effect_size[0], difference[0] / np.sqrt(squares / (n + m - 2)))


def test_trap_permutation_pvalues_are_never_zero():
    result = permutation_test(np.zeros(50), np.ones(50), rng=np.random.default_rng(0), n_permutations=199)
    np.testing.assert_array_equal(result.pvalue, [1 / 200])


def test_trap_a_constant_column_gives_p_one_never_nan():
    result = permutation_test(np.full((7, 2), 0.1), np.full((5, 2), 0.1), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(result.pvalue, [1.0, 1.0])
    np.testing.assert_array_equal(result.effect_size, [0.0, 0.0])


def test_trap_a_tiny_shift_in_many_rows_has_a_tiny_effect_size_beside_its_pvalue():
    rng = np.random.default_rng(2)
    result = permutation_test(rng.normal(0, 1, 40_000), rng.normal(0.05, 1, 40_000), rng=rng, n_permutations=99)
    assert result.pvalue[0] == 0.01
    assert abs(result.effect_size[0] - 0.05) < 4 * np.sqrt(2 / 40_000)


def test_false_alarm_rate_is_the_level_at_unequal_tiny_samples(binomial_limits):
    rng = np.random.default_rng(3)
    columns = 3000  # columns share the shuffles, but each shuffle treats independent columns independently enough
    for n, m in ((5, 20), (40, 40)):
        result = permutation_test(
            rng.exponential(size=(n, columns)), rng.exponential(size=(m, columns)), rng=rng, n_permutations=399
        )
        low, high = binomial_limits(0.05, columns)
        assert low <= (result.pvalue <= 0.05).mean() <= high


def test_a_huge_offset_changes_no_pvalue():
    rng = np.random.default_rng(4)
    reference, current = rng.integers(0, 5, 20).astype(float), rng.integers(0, 5, 30).astype(float)
    plain = permutation_test(reference, current, rng=np.random.default_rng(9))
    moved = permutation_test(reference + 2.0**50, current + 2.0**50, rng=np.random.default_rng(9))
    np.testing.assert_array_equal(plain.pvalue, moved.pvalue)


def test_bad_arguments_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="n_permutations must be"):
        permutation_test([1.0], [2.0], rng=rng, n_permutations=0)
    with pytest.raises(ValueError, match="alternative must be one of"):
        permutation_test([1.0], [2.0], rng=rng, alternative="both")
    with pytest.raises(ValueError, match=r"rng must be a numpy.random.Generator"):
        permutation_test([1.0], [2.0], rng=None)
    with pytest.raises(ValueError, match="columns"):
        permutation_test(np.ones((3, 2)), np.ones((3, 3)), rng=rng)
    with pytest.raises(ValueError, match="NaN"):
        permutation_test([np.nan], [2.0], rng=rng)
