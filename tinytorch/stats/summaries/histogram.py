"""How many values of each column fall into each bin, between edges that all parts share. Imports numpy only.

With edges e_1 < ... < e_k the bins are (-inf, e_1], (e_1, e_2], ..., (e_k, inf): the outer ones are open, so nothing
lies outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_integer
from tinytorch.stats._bins import bin_counts, inner_edges
from tinytorch.stats._columns import feature_major, sorted_columns
from tinytorch.stats._inputs import as_columns
from tinytorch.stats.summaries._checks import check_same_kind, check_same_width, split_missing

# PSI's usual ten bins.
DEFAULT_BINS = 10


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts per bin and column; missing values are left out.

    Attributes
    ----------
    edges : ndarray of shape (n_features, n_bins - 1)
        Inner edges, rising; an edge belongs to the bin on its left. Equal edges make a bin that stays empty.
    counts : ndarray of int64, shape (n_features, n_bins)
        Values in each bin.

    Examples
    --------
    >>> edges = fixed_edges([0.0], [10.0], n_bins=5)
    >>> first, second = Histogram.from_batch([1.0, 2.0, 99.0], edges=edges), Histogram.from_batch([5.0], edges=edges)
    >>> first.merge(second).counts
    array([[2, 0, 1, 0, 1]])
    """

    edges: np.ndarray
    counts: np.ndarray

    @classmethod
    def from_batch(cls, batch: ArrayLike, *, edges: ArrayLike) -> Histogram:
        """Count a batch of numbers of shape (n_samples, n_features) or (n_samples,), NaN for missing.

        Parameters
        ----------
        batch : array_like of shape (n_samples, n_features) or (n_samples,)
        edges : array_like of shape (n_features, n_bins - 1) or (n_bins - 1,)
            Inner edges, for each column or for all; see `fixed_edges` and `quantile_edges`. Parts can be merged only
            at equal edges.

        Raises
        ------
        ValueError
            If `batch` is no table of numbers, is empty, or holds an infinity, or `edges` do not rise or fit it.
        """
        table, absent = split_missing(batch)
        inner = _checked_edges(edges, table.shape[1])
        columns = feature_major(np.where(absent, np.inf, table))  # infinity lies above every edge
        counts = bin_counts(columns, inner)
        counts[:, -1] -= absent.sum(axis=0)
        return cls(inner, counts)

    def merge(self, other: Histogram) -> Histogram:
        """Count both.

        Raises
        ------
        ValueError
            If `other` is no Histogram with the same edges.
        """
        check_same_kind(self, other)
        check_same_width(len(self.edges), len(other.edges))
        if not np.array_equal(self.edges, other.edges):
            raise ValueError("other must have the same edges, got other ones: give every part the edges of the first.")
        return Histogram(self.edges, self.counts + other.counts)


def fixed_edges(low: ArrayLike, high: ArrayLike, n_bins: int = DEFAULT_BINS) -> np.ndarray:
    """Inner edges of `n_bins` bins of one width from `low` to `high`, the outer two open, per column.

    Parameters
    ----------
    low, high : array_like of shape (n_features,)
        Where the values are expected; those beyond fall into the outer bins.
    n_bins : int
        At least 2.

    Returns
    -------
    ndarray of shape (n_features, n_bins - 1)

    Raises
    ------
    ValueError
        If `low` and `high` do not match, are not finite, or a `low` is not below its `high`.

    Examples
    --------
    >>> fixed_edges([0.0, 0.0], [4.0, 8.0], n_bins=4)
    array([[1., 2., 3.],
           [2., 4., 6.]])
    """
    check_integer(n_bins, "n_bins", minimum=2)
    left, right = as_columns(low, "low"), as_columns(high, "high")
    if left.shape != right.shape or left.shape[1] != 1:
        raise ValueError(f"high must have the shape of low, one value a column, got {right.size} for {left.size}.")
    if not (left < right).all():
        column = int(np.argmin(left < right))
        raise ValueError(f"low must be < high, got {left[column, 0]} and {right[column, 0]} in column {column}.")
    return np.linspace(left[:, 0], right[:, 0], n_bins + 1, axis=1)[:, 1:-1]


def quantile_edges(reference: ArrayLike, n_bins: int = DEFAULT_BINS) -> np.ndarray:
    """Inner edges that cut the reference into `n_bins` bins of equal counts, as far as its ties allow, per column.

    The edges of `psi` with its default binning: values of the reference itself, and a value that makes up more than
    a bin has a bin of its own.

    Parameters
    ----------
    reference : array_like of shape (n_reference, n_features) or (n_reference,)
        NaN for missing; a column without any value gets edges at 0.
    n_bins : int
        At least 2.

    Returns
    -------
    ndarray of shape (n_features, n_bins - 1)

    Raises
    ------
    ValueError
        If `reference` is no table of numbers or `n_bins` is below 2.

    Examples
    --------
    >>> quantile_edges(np.arange(101.0), n_bins=4)
    array([[25., 50., 75.]])
    """
    check_integer(n_bins, "n_bins", minimum=2)
    table, absent = split_missing(reference)
    if not absent.any():
        return inner_edges(sorted_columns(table), n_bins, "quantile")
    present = [np.sort(table[~absent[:, column], column]) for column in range(table.shape[1])]
    return np.concatenate(
        [inner_edges(np.atleast_2d(column if column.size else [0.0]), n_bins, "quantile") for column in present]
    )


def _checked_edges(edges: ArrayLike, n_features: int) -> np.ndarray:
    """Return edges as (n_features, n_bins - 1), or say what is wrong with them."""
    inner = np.asarray(edges, dtype=np.float64)
    if inner.ndim == 1:
        inner = np.tile(inner, (n_features, 1))
    if inner.ndim != 2 or inner.shape[0] != n_features or inner.shape[1] == 0:
        raise ValueError(f"edges must have shape ({n_features}, n_bins - 1), got {inner.shape}.")
    if not np.isfinite(inner).all() or (np.diff(inner, axis=1) < 0).any():
        raise ValueError("edges must be finite and rise, got ones that do not.")
    return inner
