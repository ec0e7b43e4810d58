"""Lag-1 autocorrelation and effective sample size against loops and against AR(1) series."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from tinytorch.stats.autocorrelation import (
    effective_sample_size,
    lag1_autocorrelation,
    pooled_lag1_autocorrelation,
)


def ar1(rng, phi, n_rows, n_series):
    """Stationary AR(1) series of variance 1, one per column."""
    noise = rng.normal(size=(n_rows, n_series)) * np.sqrt(1 - phi**2)
    noise[0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=0)


def slow_autocorrelation(values):
    mean = sum(values) / len(values)
    products = sum((values[t] - mean) * (values[t + 1] - mean) for t in range(len(values) - 1))
    return products / sum((value - mean) ** 2 for value in values)


def test_it_is_the_definition(rng):
    table = rng.normal(size=(40, 3)).cumsum(axis=0) + 1e6
    expected = [slow_autocorrelation(list(column)) for column in table.T]
    np.testing.assert_allclose(lag1_autocorrelation(table), expected, rtol=1e-9)


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.5, 0.8])
def test_ar1_series_give_their_own_correlation(phi, rng):
    """Mean over 200 series of 400 rows: standard error about sqrt((1 - phi^2) / 400 / 200), bias (1 + 3 phi) / 400."""
    estimates = lag1_autocorrelation(ar1(rng, phi, 400, 200))
    assert estimates.mean() == pytest.approx(phi - (1 + 3 * phi) / 400, abs=5 * np.sqrt((1 - phi**2) / 400 / 200))


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_the_effective_size_predicts_the_spread_of_the_mean(phi, rng):
    """Over 2,000 series the variance of the mean, 1 / n_eff, is known to 2 sqrt(2 / 2000) = 6%; bias adds some."""
    series = ar1(rng, phi, 1000, 2000)
    assert np.median(effective_sample_size(series)) * series.mean(axis=0).var() == pytest.approx(1.0, abs=0.12)


def test_trap_a_constant_column_gives_no_correlation_and_never_nan():
    table = np.full((10, 2), 0.1)
    assert (lag1_autocorrelation(table) == 0).all()
    assert (effective_sample_size(table) == 10).all()


def test_the_effective_size_lies_between_one_and_n():
    alternating = np.tile([1.0, -1.0], 20)
    assert effective_sample_size(alternating)[0] == 40
    assert effective_sample_size(np.arange(3.0))[0] >= 1
    assert effective_sample_size([5.0])[0] == 1


def test_stretches_are_each_centred_at_their_own_mean(rng):
    left, right = rng.normal(size=(200, 1)), rng.normal(size=(200, 1)) + 50
    assert abs(pooled_lag1_autocorrelation(left, right)[0]) < 0.2
    assert lag1_autocorrelation(np.concatenate([left, right]))[0] > 0.9


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="values must hold no NaN"):
        effective_sample_size([1.0, np.nan])
