from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.comparisons import mcnemar_test, paired_bootstrap, two_proportion_test

COUNTS = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def answers(won: int, lost: int, both: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Right/wrong of two models where the second alone is right `won` times and alone wrong `lost` times."""
    return np.repeat([0, 1, 1], [won, lost, both]), np.repeat([1, 0, 1], [won, lost, both])


@settings(deadline=None, derandomize=True, max_examples=80)
@given(COUNTS, COUNTS)
def test_two_proportions_equal_scipy_chi_square_without_correction(reference, current):
    (k1, n1), (k2, n2) = reference, current
    result = two_proportion_test(k1, n1, k2, n2)
    if k1 + k2 in (0, n1 + n2):
        assert result.pvalue == 1 and result.statistic == 0
        return
    expected = stats.chi2_contingency([[k1, n1 - k1], [k2, n2 - k2]], correction=False)
    np.testing.assert_allclose(result.statistic**2, expected.statistic, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.pvalue, expected.pvalue, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(result.effect_size, k2 / n2 - k1 / n1, rtol=1e-12)


def test_one_sided_two_proportion_pvalues_add_up_and_point_the_right_way():
    greater = two_proportion_test(20, 1000, [40, 10], 1000, "greater").pvalue
    less = two_proportion_test(20, 1000, [40, 10], 1000, "less").pvalue
    np.testing.assert_allclose(greater + less, 1.0)
    assert greater[0] < 0.01 < less[0] and less[1] < 0.05 < greater[1]


def test_false_alarm_rate_of_two_proportions_is_near_the_level(binomial_limits):
    rng = np.random.default_rng(0)
    for n, m in ((200, 200), (2000, 100)):
        pvalues = two_proportion_test(rng.binomial(n, 0.3, 20_000), n, rng.binomial(m, 0.3, 20_000), m).pvalue
        low, high = binomial_limits(0.05, 20_000)
        # counts are discrete: the true size is 0.047 to 0.053 at these sizes, computed exactly from both laws
        assert low - 0.004 <= (pvalues <= 0.05).mean() <= high + 0.004


@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_exact_is_the_binomial_test_on_the_rows_that_differ(won, lost):
    reference, current = answers(won, lost)
    for alternative in ("two-sided", "less", "greater"):
        result = mcnemar_test(reference, current, alternative=alternative)
        expected = 1.0 if won + lost == 0 else stats.binomtest(won, won + lost, alternative=alternative).pvalue
        np.testing.assert_allclose(result.pvalue, expected, rtol=1e-9)
    assert result.statistic == won
    assert result.effect_size == (won - lost) / (won + lost + 3)


def test_mcnemar_mid_p_equals_the_slow_definition():
    for won, lost in ((0, 1), (1, 7), (12, 5), (4, 4), (40, 22)):
        n = won + lost
        tail = sum(math.comb(n, k) for k in range(min(won, lost))) + math.comb(n, min(won, lost)) / 2
        result = mcnemar_test(*answers(won, lost), method="mid-p")
        np.testing.assert_allclose(result.pvalue, min(1.0, 2 * tail / 2**n), rtol=1e-12)


def test_mcnemar_compares_several_challengers_at_once_and_takes_booleans():
    reference, current = answers(9, 1)
    table = mcnemar_test(
        np.column_stack([reference, current, reference]) == 1, np.column_stack([current, reference, reference]) == 1
    )
    np.testing.assert_array_equal(table.pvalue, [*mcnemar_test(reference, current).pvalue] * 2 + [1.0])
    np.testing.assert_allclose(table.effect_size, [8 / 13, -8 / 13, 0])


def test_false_alarm_rate_of_mcnemar_exact_is_at_most_the_level_and_mid_p_is_closer_to_it():
    sizes = {"exact": [], "mid-p": []}
    for n_differing in range(10, 50, 3):  # the size computed exactly from the binomial, not sampled
        won = np.arange(n_differing + 1)
        pmf = stats.binom.pmf(won, n_differing, 0.5)
        for method, found in sizes.items():
            pvalues = np.array([mcnemar_test(*answers(k, n_differing - k), method=method).pvalue[0] for k in won])
            found.append(pmf[pvalues <= 0.05].sum())
    assert max(sizes["exact"]) <= 0.05
    assert max(sizes["mid-p"]) <= 0.078  # with 16 differing rows: what the docstring admits
    assert abs(np.mean(sizes["mid-p"]) - 0.05) < abs(np.mean(sizes["exact"]) - 0.05)


def test_mcnemar_sees_what_an_unpaired_test_of_the_same_answers_misses():
    rng = np.random.default_rng(1)
    reference = rng.random(400) < 0.8
    current = reference | (rng.random(400) < 0.15)
    unpaired = two_proportion_test(reference.sum(), 400, current.sum(), 400).pvalue[0]
    assert mcnemar_test(reference, current).pvalue[0] < 1e-2 * unpaired


def test_paired_bootstrap_is_close_to_the_normal_interval_on_many_rows():
    rng = np.random.default_rng(2)
    reference = rng.normal(size=(2000, 2))
    current = reference + rng.normal([0.0, 0.3], 1.0, size=(2000, 2))
    result = paired_bootstrap(reference, current, rng=rng, n_resamples=4000)
    error = (current - reference).std(axis=0) / np.sqrt(2000)
    np.testing.assert_allclose(result.difference, (current - reference).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose((result.difference - result.low) / error, 1.96, atol=0.15)
    np.testing.assert_allclose((result.high - result.difference) / error, 1.96, atol=0.15)


def test_paired_bootstrap_covers_the_true_difference_about_as_often_as_it_says(binomial_limits):
    rng = np.random.default_rng(3)
    differences = rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.7, 0.2], size=(200, 1000))  # 1,000 comparisons of 200 rows
    result = paired_bootstrap(np.zeros((200, 1000)), differences, rng=rng, n_resamples=500)
    covered = ((result.low <= 0.1) & (result.high >= 0.1)).mean()
    low, high = binomial_limits(0.95, 1000)
    assert low - 0.01 <= covered <= high  # a percentile interval from 200 rows covers a little less


def test_paired_bootstrap_of_equal_scores_is_a_point():
    result = paired_bootstrap(np.full(5, 1e9), np.full(5, 1e9), rng=np.random.default_rng(0))
    assert result.low == result.high == result.difference == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mcnemar_test([0, 1, 2], [0, 1, 1]), "reference_correct must hold only 0 and 1"),
        (lambda: mcnemar_test([0, 1], [0, 1, 1]), "rows of reference"),
        (lambda: mcnemar_test([0, 1], [0, 1], method="fast"), "method must be one of"),
        (lambda: mcnemar_test([0, 1], [0, 1], alternative="up"), "alternative must be one of"),
        (lambda: two_proportion_test(2, 1, 1, 1), "successes_reference must be in"),
        (lambda: two_proportion_test(1, 1, 1, 0), "n_current must be >= 1"),
        (lambda: paired_bootstrap([1.0], [1.0], rng=7), "rng must be"),
        (lambda: paired_bootstrap([1.0], [1.0], rng=np.random.default_rng(0), confidence=1.0), "confidence must be"),
        (lambda: paired_bootstrap([1.0], [1.0], rng=np.random.default_rng(0), n_resamples=0), "n_resamples must be"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
