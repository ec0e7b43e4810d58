from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from tinytorch.stats.sequential import (
    SequentialDesign,
    SequentialTwoProportion,
    sequential_two_proportion,
)

LOOKS = 30


def cumulative_counts(rng, rates, per_look, repetitions, looks=LOOKS):
    """Successes and rows so far on both sides, each of shape (repetitions, looks)."""
    counts = []
    for rate, n in zip(rates, per_look, strict=True):
        counts += [np.cumsum(rng.binomial(n, rate, (repetitions, looks)), axis=1), n * np.arange(1, looks + 1)]
    return counts


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1), st.floats(-3, -0.5))
def test_the_pvalue_is_one_over_the_mixed_likelihood_ratio(n, m, share_left, share_right, log_deviation):
    left, right, deviation = round(n * share_left), round(m * share_right), 10.0**log_deviation
    pooled = (left + right + 0.5) / (n + m + 1)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    difference = right / m - left / n
    null = stats.norm.logpdf(difference, 0, error)

    def integrand(true_difference):  # the ratio at one alternative, times the chance of that alternative
        return math.exp(stats.norm.logpdf(difference, true_difference, error) - null) * stats.norm.pdf(
            true_difference, 0, deviation
        )

    peak = difference * deviation**2 / (deviation**2 + error**2)
    reach = 12 * deviation * error / math.hypot(deviation, error)
    whole = integrate.quad(integrand, peak - reach, peak + reach, limit=200)[0]
    result = sequential_two_proportion(left, n, right, m, SequentialDesign(mixture_variance=deviation**2))
    np.testing.assert_allclose(result.pvalue, min(1.0, 1 / whole), rtol=1e-6)
    if -reach < peak < reach:
        half = integrate.quad(integrand, 0, max(peak, 0) + reach, limit=200)[0] * 2
        design = SequentialDesign(mixture_variance=deviation**2, alternative="greater")
        np.testing.assert_allclose(
            sequential_two_proportion(left, n, right, m, design).pvalue, min(1.0, 1 / half), rtol=1e-5
        )


def test_trap_looking_every_minute_does_not_inflate_the_error_and_one_point_is_caught(binomial_limits):
    rng = np.random.default_rng(0)
    repetitions = 2000
    rolled_back = {}
    for rise in (0.0, 0.01):
        left, n, right, m = cumulative_counts(rng, (0.02, 0.02 + rise), (1800, 200), repetitions)
        result = sequential_two_proportion(left, n, right, m)
        worse = (result.pvalue <= 0.05) & (result.difference > 0)
        rolled_back[rise] = worse.any(axis=1).mean()
        if rise:
            assert 8 < (worse.argmax(axis=1) + 1)[worse.any(axis=1)].mean() < 14
        pooled = (left + right) / (n + m)
        z = (right / m - left / n) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        if not rise:  # the peeking z-test that this replaces
            assert (abs(z) > 1.96).any(axis=1).mean() > 0.2
    assert rolled_back[0.0] <= 0.02
    assert rolled_back[0.01] >= 0.95


@pytest.mark.parametrize(("rate", "per_look"), [(0.02, (20, 20)), (0.5, (50, 10)), (0.1, (90, 10))])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_false_alarm_rate_over_two_hundred_looks_is_at_most_alpha(rate, per_look, alternative, binomial_limits):
    left, n, right, m = cumulative_counts(np.random.default_rng(1), (rate, rate), per_look, 1500, looks=200)
    design = SequentialDesign(alternative=alternative)
    pvalues = sequential_two_proportion(left, n, right, m, design).pvalue
    assert (pvalues <= 0.05).any(axis=1).mean() <= binomial_limits(0.05, 1500)[1]


def test_the_confidence_sequence_holds_at_all_looks_at_once(binomial_limits):
    left, n, right, m = cumulative_counts(np.random.default_rng(2), (0.05, 0.08), (200, 100), 1500, looks=100)
    result = sequential_two_proportion(left, n, right, m)
    ever_missed = ((result.low > 0.03) | (result.high < 0.03)).any(axis=1).mean()
    assert ever_missed <= binomial_limits(0.05, 1500)[1]
    assert ((result.high - result.low)[:, -1] < (result.high - result.low)[:, 0]).all()


def test_batches_keep_the_smallest_pvalue_and_the_narrowest_bounds():
    left, n, right, m = cumulative_counts(np.random.default_rng(3), (0.03, 0.05), (300, 100), 4)
    whole = sequential_two_proportion(left, n, right, m)
    stream = SequentialTwoProportion()
    for look in range(LOOKS):
        before = (left[:, look - 1], right[:, look - 1]) if look else (0, 0)
        result = stream.update(left[:, look] - before[0], 300, right[:, look] - before[1], 100)
        np.testing.assert_array_equal(result.pvalue, whole.pvalue[:, : look + 1].min(axis=1))
        np.testing.assert_array_equal(result.low, whole.low[:, : look + 1].max(axis=1))
        np.testing.assert_array_equal(result.high, whole.high[:, : look + 1].min(axis=1))
        np.testing.assert_array_equal(result.difference, whole.difference[:, look])


def test_trap_without_traffic_nothing_is_known():
    stream = SequentialTwoProportion()
    for _ in range(5):
        result = stream.update(3, 100, 0, 0)
        assert (result.pvalue, result.low, result.high, result.difference) == (1, -1, 1, 0)
    late = stream.update(0, 0, 200, 200)
    assert late.pvalue < 0.05 and late.low > 0


def test_all_successes_or_none_give_finite_answers():
    for successes in (0, 50):
        result = sequential_two_proportion(successes, 50, successes, 50)
        assert result.pvalue == 1 and -1 <= result.low < 0 < result.high <= 1


def test_a_failed_update_leaves_the_counts_as_they_were():
    stream = SequentialTwoProportion()
    stream.update(1, 10, 2, 10)
    for wrong in ((1, 10, 11, 10), (-1, 10, 0, 10), (0.5, 10, 0, 10), (1, 0, 0, 10), (0, -1, 0, 10)):
        with pytest.raises(ValueError, match=r"successes_|n_"):
            stream.update(*wrong)
    assert (stream.successes_reference_, stream.n_reference_, stream.n_current_) == (1, 10, 10)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"alpha": 0}, "alpha must be in"),
        ({"mixture_variance": 0}, "mixture_variance must be > 0"),
        ({"alternative": "up"}, "alternative must be one of"),
    ],
)
def test_a_design_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        SequentialDesign(**wrong)
