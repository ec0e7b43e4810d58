"""Bins of a column and the counts in them. Imports numpy only.

Bin k holds the values in (edge[k-1], edge[k]]; the first and the last bin are open to infinity, so that nothing
falls outside. A value that several edges fall on (an atom) gets a bin of its own.
"""

from __future__ import annotations

import numpy as np

BINNINGS = ("quantile", "width")
# Up to this many edges one comparison pass per edge is faster than a binary search per value.
EDGES_BY_PASSES = 64


def inner_edges(columns: np.ndarray, bins: int, binning: str) -> np.ndarray:
    """Return the (n_features, bins - 1) edges between the bins of sorted columns.

    Quantile edges are values of the sample itself (the smallest with a share k / bins at or below them), equal
    widths divide its range. Where edges coincide, the first is moved just below the value, so that the value has
    a bin of its own; the others leave bins that nothing can fall into.

    Examples
    --------
    >>> inner_edges(np.array([[1.0, 2.0, 3.0, 4.0]]), 2, "quantile")
    array([[2.]])
    """
    share = np.arange(1, bins) / bins
    if binning == "quantile":
        rank = -(-np.arange(1, bins) * columns.shape[1] // bins)
        edges = columns[:, rank - 1]
    else:
        edges = columns[:, :1] * (1.0 - share) + columns[:, -1:] * share
        edges = np.where(columns[:, :1] == columns[:, -1:], columns[:, :1], edges)
    repeated = edges[:, 1:] == edges[:, :-1]
    first = repeated.copy()
    first[:, 1:] &= ~repeated[:, :-1]
    edges[:, :-1][first] = np.nextafter(edges[:, :-1][first], -np.inf)
    return edges


def sorted_bin_counts(columns: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count sorted columns into bins: (n_features, bins)."""
    below = [column.searchsorted(edge, side="right") for column, edge in zip(columns, edges, strict=True)]
    return np.diff(np.asarray(below), axis=1, prepend=0, append=columns.shape[1])


def bin_counts(columns: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count columns in any order into bins: (n_features, bins)."""
    below = np.empty(edges.shape, dtype=np.int64)
    is_below = np.empty(columns.shape[1], dtype=bool)
    for row, (column, edge) in enumerate(zip(columns, edges, strict=True)):
        if edge.size > EDGES_BY_PASSES:
            place = edge.searchsorted(column, side="left")
            below[row] = np.cumsum(np.bincount(place, minlength=edge.size + 1))[:-1]
        else:
            below[row] = [np.count_nonzero(np.less_equal(column, value, out=is_below)) for value in edge.tolist()]
    return np.diff(below, axis=1, prepend=0, append=columns.shape[1])
