"""Covariance shift against numpy's covariance matrices, and its false alarms."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.stats.covariance import covariance_shift_test

ALPHA = 0.05


def slow_statistic(reference, current):
    """The definition through `np.cov`, with the pooled variances by hand."""
    n, m = len(reference), len(current)
    left, right = np.atleast_2d(np.cov(reference.T)), np.atleast_2d(np.cov(current.T))
    pooled = np.sqrt((n * np.diag(left) + m * np.diag(right)) / (n + m))
    return float((((left - right) / np.outer(pooled, pooled)) ** 2).sum())


@pytest.mark.parametrize(("n", "m", "d"), [(2, 3, 1), (10, 25, 3), (40, 30, 7)])
def test_the_statistic_is_the_definition(n, m, d, rng):
    reference, current = rng.normal(size=(n, d)) * 5, rng.normal(size=(m, d)) + 100
    result = covariance_shift_test(reference, current, rng=rng)
    expected = slow_statistic(reference, current)
    np.testing.assert_allclose(result.statistic[0], expected, rtol=1e-11)
    np.testing.assert_allclose(result.effect_size[0], np.sqrt(expected) / d, rtol=1e-11)


@pytest.mark.parametrize(("n", "m", "d"), [(50, 50, 3), (100, 40, 2), (100, 100, 6)])
@pytest.mark.parametrize("law", ["normal", "heavy tails"])
def test_false_alarms_stay_near_their_nominal_rate(n, m, d, law, rng):
    """300 clean pairs at 0.05, with a shift of the mean that must not count: 15 expected, at most 31.

    31 is the binomial bound of probability 5e-4 at a true size of 0.06 (residuals are almost exchangeable only).
    """
    draw = rng.normal if law == "normal" else (lambda size: rng.standard_t(5, size=size))
    alarms = sum(
        covariance_shift_test(draw(size=(n, d)), draw(size=(m, d)) + 3.0, rng=rng, n_permutations=99).pvalue[0] <= ALPHA
        for _ in range(300)
    )
    assert 3 <= alarms <= 31


def test_a_correlation_that_turned_round_is_found_though_each_column_looks_the_same(rng):
    noise = rng.normal(size=(2, 200, 2))
    noise[:, :, 1] = 0.8 * noise[:, :, 1] + 0.6 * noise[:, :, 0]
    noise[1, :, 0] *= -1
    result = covariance_shift_test(noise[0], noise[1], rng=rng)
    assert result.pvalue[0] == 1 / 201
    assert result.effect_size[0] == pytest.approx(np.sqrt(2) * 1.2 / 2, abs=0.2)


def test_the_unit_of_a_column_does_not_matter(rng):
    reference, current = rng.normal(size=(60, 3)), rng.normal(size=(50, 3))
    units = np.array([1e-6, 1.0, 1e9])
    plain = covariance_shift_test(reference, current, rng=np.random.default_rng(1))
    scaled = covariance_shift_test(reference * units, current * units, rng=np.random.default_rng(1))
    np.testing.assert_allclose(scaled.statistic, plain.statistic, rtol=1e-10)
    assert scaled.pvalue == plain.pvalue


def test_trap_constant_columns_give_p_one_and_never_nan(rng):
    result = covariance_shift_test(np.full((20, 3), 0.1), np.full((30, 3), 0.1), rng=rng)
    assert (result.statistic[0], result.pvalue[0], result.effect_size[0]) == (0.0, 1.0, 0.0)
    shifted = covariance_shift_test(np.full((20, 3), 0.1), np.full((30, 3), 0.2), rng=rng)
    assert shifted.pvalue[0] == 1.0


def test_trap_a_permutation_pvalue_is_never_zero(rng):
    result = covariance_shift_test(rng.normal(size=(50, 2)), 100 * rng.normal(size=(50, 2)), rng=rng, n_permutations=19)
    assert result.pvalue[0] == 1 / 20


def test_bad_input_is_named(rng):
    with pytest.raises(ValueError, match="number of reference rows must be an integer >= 2, got 1"):
        covariance_shift_test([1.0], [2.0, 3.0], rng=rng)
    with pytest.raises(ValueError, match="n_permutations must be an integer >= 1, got 0"):
        covariance_shift_test([1.0, 2.0], [2.0, 3.0], rng=rng, n_permutations=0)
