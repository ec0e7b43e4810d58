from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tinytorch.stats.bootstrap import bootstrap_interval, percentile_interval

INTERVALS = {"BCa": bootstrap_interval, "percentile": percentile_interval}


def column_medians(samples: np.ndarray) -> np.ndarray:
    return np.median(samples, axis=-2)


def column_deviations(samples: np.ndarray) -> np.ndarray:
    return samples.std(axis=-2)


@settings(deadline=None, derandomize=True, max_examples=15)
@given(st.integers(0, 10**6), st.integers(5, 60), st.sampled_from(["BCa", "percentile"]), st.sampled_from([0.8, 0.95]))
def test_intervals_equal_scipy_with_the_same_draws(seed, n, method, confidence):
    values = np.random.default_rng(seed).lognormal(size=n)
    for ours, theirs in ((column_medians, np.median), (column_deviations, np.std)):
        expected = stats.bootstrap(
            (values,), theirs, n_resamples=300, confidence_level=confidence, method=method,
            rng=np.random.default_rng(seed), vectorized=True,
        ).confidence_interval  # fmt: skip
        interval = INTERVALS[method](
            values, ours, rng=np.random.default_rng(seed), n_resamples=300, confidence=confidence
        )
        np.testing.assert_allclose(interval, np.array([expected]).T, rtol=1e-9)


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_the_mean_is_covered_about_as_often_as_it_says(method, binomial_limits):
    rng = np.random.default_rng(1)
    low, high = INTERVALS[method](rng.exponential(size=(60, 1500)), rng=rng, n_resamples=400)
    covered = ((low <= 1) & (high >= 1)).mean()
    lowest, highest = binomial_limits(0.95, 1500)
    assert lowest - 0.025 <= covered <= highest  # 60 skewed rows: both cover one to three points less


def test_bca_moves_towards_the_long_tail_of_a_skewed_mean():
    rng = np.random.default_rng(2)
    values = rng.exponential(size=(40, 200))
    plain = percentile_interval(values, rng=np.random.default_rng(3), n_resamples=500)
    corrected = bootstrap_interval(values, rng=np.random.default_rng(3), n_resamples=500)
    assert (corrected.high > plain.high).mean() > 0.9
    assert (corrected.low > plain.low).mean() > 0.9


def test_blocks_of_resamples_draw_what_one_block_draws(monkeypatch):
    values = np.random.default_rng(4).normal(size=(50, 2))
    whole = bootstrap_interval(values, rng=np.random.default_rng(5), n_resamples=200)
    monkeypatch.setattr("tinytorch.stats._permutations.BLOCK_NUMBERS", 1000)
    np.testing.assert_array_equal(bootstrap_interval(values, rng=np.random.default_rng(5), n_resamples=200), whole)


def test_trap_a_constant_column_gives_a_point_never_nan():
    low, high = bootstrap_interval(np.full((8, 2), 0.1), rng=np.random.default_rng(0), n_resamples=50)
    np.testing.assert_allclose([low, high], 0.1, rtol=1e-15)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_resamples": 0}, "n_resamples must be"),
        ({"confidence": 1.0}, "confidence must be in"),
        ({"rng": 3}, "rng must be"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    for interval in INTERVALS.values():
        with pytest.raises(ValueError, match=message):
            interval([1.0, 2.0], **{"rng": np.random.default_rng(0), **wrong})


def test_bca_of_a_single_row_is_refused_and_its_percentile_interval_is_a_point():
    with pytest.raises(ValueError, match="at least 2 rows"):
        bootstrap_interval([1.0], rng=np.random.default_rng(0))
    assert percentile_interval([1.0], rng=np.random.default_rng(0)).low == 1
