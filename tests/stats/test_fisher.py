from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.fisher import fisher_exact, fisher_exact_counts

ALTERNATIVES = ("two-sided", "less", "greater")
COUNTS = st.sampled_from([1, 5, 30, 1000, 10**6]).flatmap(lambda top: st.integers(1, top)).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.just(n))
)  # fmt: skip


def slow_pvalue(a: int, n: int, b: int, m: int) -> float:
    """Sum whole-number counts of outcomes."""
    yes = a + b
    ways = {k: math.comb(m, k) * math.comb(n, yes - k) for k in range(max(0, yes - n), min(yes, m) + 1)}
    return sum(count for count in ways.values() if count <= ways[b]) / math.comb(n + m, yes)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(COUNTS, COUNTS, st.sampled_from(ALTERNATIVES))
def test_pvalue_and_odds_equal_scipy(reference, current, alternative):
    (a, n), (b, m) = reference, current
    result = fisher_exact_counts(a, n, b, m, alternative)
    expected = stats.fisher_exact([[b, m - b], [a, n - a]], alternative)
    np.testing.assert_allclose(result.pvalue, expected.pvalue, rtol=1e-8, atol=1e-12)
    if not np.isnan(expected.statistic):
        np.testing.assert_allclose(result.statistic, expected.statistic, rtol=1e-12)
    assert result.effect_size == b / m - a / n


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6))
def test_pvalue_equals_the_count_of_outcomes(n, m, seed):
    rng = np.random.default_rng(seed)
    a, b = int(rng.integers(0, n + 1)), int(rng.integers(0, m + 1))
    np.testing.assert_allclose(fisher_exact_counts(a, n, b, m).pvalue, slow_pvalue(a, n, b, m), rtol=1e-11)


def test_tables_are_counted_by_their_larger_value_column_by_column():
    rng = np.random.default_rng(0)
    reference, current = rng.random((60, 3)) < 0.3, rng.random((40, 3)) < 0.5
    result = fisher_exact(np.where(reference, 7.0, -2.0), np.where(current, 7.0, -2.0))
    expected = fisher_exact_counts(reference.sum(axis=0), 60, current.sum(axis=0), 40)
    for name in ("statistic", "pvalue", "effect_size"):
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))


def test_a_value_that_only_one_sample_holds_is_counted():
    assert fisher_exact(np.zeros(20), np.ones(20)).effect_size == 1.0


def test_false_alarm_rate_never_exceeds_the_level():
    for n, m, share in ((10, 10, 0.5), (50, 20, 0.1), (200, 200, 0.02)):  # computed exactly from both binomials
        counts = [(a, b) for a in range(n + 1) for b in range(m + 1)]
        a, b = np.array(counts).T
        probability = stats.binom.pmf(a, n, share) * stats.binom.pmf(b, m, share)
        likely = probability > 1e-9
        pvalues = fisher_exact_counts(a[likely], n, b[likely], m).pvalue
        assert probability[likely][pvalues <= 0.05].sum() <= 0.05


def test_trap_a_constant_column_gives_p_one_never_nan():
    for alternative in ALTERNATIVES:
        result = fisher_exact(np.ones((5, 1)), np.ones((8, 1)), alternative)
        assert (result.statistic, result.pvalue, result.effect_size) == (1, 1, 0)


def test_trap_a_value_outside_the_reference_is_refused_here_with_its_column_named():
    with pytest.raises(ValueError, match="current must have two values per column, got more in column 1"):
        fisher_exact(np.array([[0, 0], [1, 1]]), np.array([[0, 0.5], [1, 1]]))


def test_bad_counts_are_refused():
    with pytest.raises(ValueError, match="successes_current must be in"):
        fisher_exact_counts(1, 2, 3, 2)
    with pytest.raises(ValueError, match="alternative must be one of"):
        fisher_exact_counts(1, 2, 1, 2, "both")
