"""Histograms against np.histogram and a loop."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.stats.summaries import Histogram, fixed_edges, quantile_edges


def test_counts_are_those_of_a_loop_with_edges_belonging_to_the_left_bin(rng):
    table = rng.integers(0, 10, size=(200, 2)).astype(float)
    table[:10, 1] = np.nan
    edges = np.array([[2.0, 5.0, 5.0], [0.5, 3.0, 8.0]])
    counts = np.zeros((2, 4), dtype=int)
    for column in range(2):
        for value in table[:, column]:
            if not np.isnan(value):
                counts[column, sum(edge < value for edge in edges[column])] += 1
    np.testing.assert_array_equal(Histogram.from_batch(table, edges=edges).counts, counts)


def test_counts_between_fixed_edges_are_numpys(rng):
    values = rng.normal(size=1000)
    ours = Histogram.from_batch(values, edges=fixed_edges([-3.0], [3.0], n_bins=20)).counts[0]
    np.testing.assert_array_equal(ours[1:-1], np.histogram(values, np.linspace(-3, 3, 21))[0][1:-1])


def test_trap_values_outside_the_reference_range_are_counted(rng):
    edges = quantile_edges(rng.normal(size=500))
    far = Histogram.from_batch([1e9, -1e9, 1e300], edges=edges)
    assert far.counts[0, 0] == 1 and far.counts[0, -1] == 2 and far.counts.sum() == 3


def test_quantile_edges_give_equal_counts_and_the_asked_number_of_bins(rng):
    values = rng.normal(size=1000)
    values[:100] = np.nan
    counts = Histogram.from_batch(values, edges=quantile_edges(values, n_bins=9)).counts[0]
    assert counts.shape == (9,) and counts.sum() == 900 and np.ptp(counts) <= 1


def test_trap_ties_and_constants_still_give_the_asked_number_of_bins():
    histogram = Histogram.from_batch(np.ones(50), edges=quantile_edges(np.ones(50), n_bins=5))
    assert histogram.counts.shape == (1, 5) and histogram.counts.max() == 50
    nothing = Histogram.from_batch([np.nan], edges=quantile_edges([np.nan, np.nan]))
    assert nothing.counts.sum() == 0


def test_parts_with_other_edges_are_refused():
    with pytest.raises(ValueError, match="other must have the same edges"):
        Histogram.from_batch([1.0], edges=[0.0]).merge(Histogram.from_batch([1.0], edges=[0.5]))


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([2.0, 1.0], "edges must be finite and rise"),
        ([np.nan], "edges must be finite and rise"),
        ([], r"edges must have shape \(1, n_bins - 1\), got \(1, 0\)"),
        ([[1.0], [2.0]], r"edges must have shape \(1, n_bins - 1\), got \(2, 1\)"),
    ],
)
def test_bad_edges_are_named(edges, message):
    with pytest.raises(ValueError, match=message):
        Histogram.from_batch([1.0, 2.0], edges=edges)


def test_bad_ranges_are_named():
    with pytest.raises(ValueError, match=r"low must be < high, got 2.0 and 1.0 in column 1"):
        fixed_edges([0.0, 2.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="n_bins must be an integer >= 2, got 1"):
        quantile_edges([1.0, 2.0], n_bins=1)
    with pytest.raises(ValueError, match="high must have the shape of low"):
        fixed_edges([0.0], [1.0, 2.0])
