from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from tinytorch.stats.divergences import (
    hellinger_distance,
    jensen_shannon_distance,
    kl_divergence,
    l_infinity_distance,
    total_variation_distance,
)
from tinytorch.stats.reference import FittedReference

DISTANCES = (
    hellinger_distance,
    jensen_shannon_distance,
    kl_divergence,
    l_infinity_distance,
    total_variation_distance,
)


def slow_shares(reference: np.ndarray, current: np.ndarray, bins: int, smoothing: float) -> tuple[list, list]:
    """Count one column into the fitted reference's bins, value by value."""
    edges = FittedReference(bins=bins).fit(reference).edges_[0]
    counts = [[0] * bins, [0] * bins]
    for side, sample in enumerate((reference, current)):
        for x in sample:
            counts[side][sum(x > edge for edge in edges)] += 1
    used = [a + b > 0 for a, b in zip(*counts, strict=True)]
    raised = [[c + smoothing for c, u in zip(side, used, strict=True) if u] for side in counts]
    return tuple([c / sum(side) for c in side] for side in raised)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 60), st.integers(2, 12), st.sampled_from([0.0, 0.5]))
def test_distances_equal_scipy_and_the_plain_sums_on_the_same_bins(hard_pair, seed, n, m, bins, smoothing):
    reference, current = hard_pair(seed, n, m)
    found = {f: f(reference, current, bins=bins, smoothing=smoothing) for f in DISTANCES}
    for column in range(reference.shape[1]):
        p, q = map(np.array, slow_shares(reference[:, column], current[:, column], bins, smoothing))
        expected = {
            jensen_shannon_distance: distance.jensenshannon(p, q),
            kl_divergence: stats.entropy(q, p),
            hellinger_distance: math.sqrt(max(0.0, 1 - np.sqrt(p * q).sum())),
            total_variation_distance: distance.cityblock(p, q) / 2,
            l_infinity_distance: distance.chebyshev(p, q),
        }
        for function, value in expected.items():
            np.testing.assert_allclose(found[function][column], value, rtol=1e-9, atol=2e-8)


def test_a_fitted_reference_gives_the_same_numbers_and_brings_its_own_bins():
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=(200, 3)), rng.normal(0.5, 1, (100, 3))
    fitted = FittedReference(bins=7).fit(reference)
    for function in DISTANCES:
        np.testing.assert_array_equal(function(fitted, current), function(reference, current, bins=7))


def test_equal_samples_are_at_distance_zero_and_samples_without_a_shared_bin_at_the_largest():
    low, high = np.zeros(50), np.ones(50)
    for function, largest in (
        (hellinger_distance, 1.0),
        (jensen_shannon_distance, math.sqrt(math.log(2))),
        (kl_divergence, math.inf),
        (l_infinity_distance, 1.0),
        (total_variation_distance, 1.0),
    ):
        assert function(low, low, smoothing=0.0) == 0
        np.testing.assert_allclose(function(low, high, smoothing=0.0), largest, rtol=1e-12)


def test_trap_samples_outside_the_references_range_count():
    reference = np.random.default_rng(1).normal(size=1000)
    for function in DISTANCES:
        none, far = function(reference, reference[::2]), function(reference, reference[::2] + 100)
        assert far > 0.5 and far > 5 * none


def test_trap_a_hidden_epsilon_is_an_algorithm_so_smoothing_is_an_argument():
    rng = np.random.default_rng(2)
    reference, current = rng.normal(size=(100, 200)), rng.normal(size=(100, 200))
    half = kl_divergence(reference, current, bins=20, binning="width").mean()
    tiny = kl_divergence(reference, current, bins=20, binning="width", smoothing=1e-9).mean()
    assert tiny > 2 * half  # no drift in either
    with pytest.raises(ValueError, match="smoothing must be in"):
        kl_divergence(reference, current, smoothing=-1)


def test_chance_alone_gives_the_sizes_that_the_docstrings_name():
    rng = np.random.default_rng(3)
    n, m, bins = 2000, 1000, 10
    reference, current = rng.normal(size=(n, 400)), rng.normal(size=(m, 400))
    # quantile bins fix the reference's shares, whose chance still enters through the edges
    unit = (bins - 1) * (1 / n + 1 / m)
    for function, share, power in (
        (kl_divergence, 1 / 2, 1),
        (jensen_shannon_distance, 1 / 8, 2),
        (hellinger_distance, 1 / 8, 2),
    ):
        # each value is a scaled chi-square with 9 degrees of freedom: 400 of them have a relative error of 2.4%
        assert abs((function(reference, current) ** power).mean() / (share * unit) - 1) < 5 * math.sqrt(2 / 9 / 400)
    total = total_variation_distance(reference, current).mean()
    assert abs(total / (bins * 0.4 * math.sqrt(0.1 * 0.9 * (1 / n + 1 / m))) - 1) < 0.1


def test_trap_a_constant_column_is_at_distance_zero_never_nan():
    for function in DISTANCES:
        np.testing.assert_array_equal(function(np.full((20, 2), 3.0), np.full((10, 2), 3.0)), [0, 0])


def test_bad_input_is_refused():
    for function in DISTANCES:
        with pytest.raises(ValueError, match="bins must be"):
            function([1.0, 2.0], [1.0], bins=1)
        with pytest.raises(ValueError, match="binning must be one of"):
            function([1.0, 2.0], [1.0], binning="random")
        with pytest.raises(ValueError, match="NaN"):
            function([1.0, 2.0], [np.nan])
