"""Bins of a column and the counts in them. Imports numpy only.

Bin k holds the values in (edge[k-1], edge[k]]; the first and the last bin are open to infinity, so that nothing
falls outside. A value that several edges fall on (an atom) gets a bin of its own.
"""

from __future__ import annotations

import numpy as np

BINNINGS = ("quantile", "width")
# Up to this many edges one comparison pass per edge is faster than a binary search per value.
EDGES_BY_PASSES = 64
# Words of eight comparisons that are added up before a byte could pass 255, and the comparisons in them.
WORDS_PER_SUM = 250
BYTES_PER_SUM = 8 * WORDS_PER_SUM
# Rows compared at once: a whole number of sums, and some 100 kB of values, so that all passes find them in the cache.
ROWS_PER_PASS = 6 * BYTES_PER_SUM


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
    if edges.shape[1] > EDGES_BY_PASSES:
        below = np.array([_below_by_search(column, edge) for column, edge in zip(columns, edges, strict=True)])
    else:
        below = _below_by_passes(columns, edges)
    return np.diff(below, axis=1, prepend=0, append=columns.shape[1])


def _below_by_search(column: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count the values at or below each edge by looking every value up."""
    counts = np.bincount(edges.searchsorted(column, side="left"), minlength=edges.size + 1)
    return np.asarray(np.cumsum(counts)[:-1])


def _below_by_passes(columns: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count the values at or below each edge by comparing every value with every edge, some rows at a time.

    A comparison is a byte of 0 or 1, so eight of them add up at once as one 64-bit word, as long as none of its
    bytes passes 255. The bytes of these sums are added up once for all columns.
    """
    n_edges, n_rows = edges.shape[1], columns.shape[1]
    width = min(n_rows + -n_rows % BYTES_PER_SUM, ROWS_PER_PASS)
    is_below = np.zeros((n_edges, width), dtype=bool)
    words = is_below.view(np.uint64).reshape(n_edges, -1, WORDS_PER_SUM)
    sums = np.empty((len(columns), *words.shape[:2]), dtype=np.uint64)
    below = np.zeros(edges.shape, dtype=np.int64)
    for start in range(0, n_rows, ROWS_PER_PASS):
        stop = min(start + ROWS_PER_PASS, n_rows)
        is_below[:, stop - start :] = False  # the last rows may not fill what those before them filled
        filled = is_below[:, : stop - start]
        for total, column, edge in zip(sums, columns[:, start:stop], edges[:, :, np.newaxis], strict=True):
            np.less_equal(column, edge, out=filled)
            np.add.reduce(words, axis=-1, out=total)
        below += np.add.reduce(sums.view(np.uint8), axis=-1, dtype=np.int64)
    return below
