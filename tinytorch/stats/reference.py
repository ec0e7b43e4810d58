"""A reference sample fitted once: sorted and binned, reused for every later batch, kept in an `.npz` without pickle.

    F(x) = share of reference values <= x, read off the sorted values;  bins = between its quantiles
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice, check_integer
from tinytorch._storage import load_npz, save_npz
from tinytorch.stats._bins import BINNINGS, inner_edges, sorted_bin_counts
from tinytorch.stats._columns import sorted_columns
from tinytorch.stats._coupling import Runs, meet
from tinytorch.stats._inputs import as_columns, as_table, check_finite
from tinytorch.stats.ks_grid import RankGrid, rank_grid

DEFAULT_BINS = 10
"""Deciles: what the rules of thumb for PSI are stated for."""
FORMAT = "tinytorch reference 1"


class FittedReference:
    """A reference sample, sorted and binned once; `ks_2samp`, `psi` and `wasserstein_distance` accept it.

    Parameters
    ----------
    bins : int
        Number of bins per column, at least 2. Fewer are in use where a value repeats so often that quantiles
        coincide.
    binning : {"quantile", "width"}
        Bins of equal reference counts, or of equal width over the reference's range. The outer bins are open.

    Attributes
    ----------
    n_samples_, n_features_ : int
    sorted_ : ndarray of shape (n_features, n_samples)
        Each column in rising order.
    edges_ : ndarray of shape (n_features, bins - 1)
        Upper ends, included, of all bins but the last.
    bin_counts_ : ndarray of shape (n_features, bins)
    rank_grid_ : RankGrid
        Values spread over the ranks, from which Kolmogorov-Smirnov starts.

    Examples
    --------
    >>> reference = FittedReference(bins=2).fit([[3.0], [1.0], [2.0], [4.0]])
    >>> reference.sorted_
    array([[1., 2., 3., 4.]])
    >>> reference.bin_counts_
    array([[2, 2]])
    """

    n_samples_: int
    n_features_: int
    sorted_: np.ndarray
    edges_: np.ndarray
    bin_counts_: np.ndarray
    rank_grid_: RankGrid
    _runs: Runs | None

    def __init__(self, *, bins: int = DEFAULT_BINS, binning: str = "quantile") -> None:
        self.bins = check_integer(bins, "bins", minimum=2)
        self.binning = check_choice(binning, "binning", BINNINGS)

    def fit(self, reference: ArrayLike) -> FittedReference:
        """Sort and bin `reference`, an array of shape (n_samples, n_features) or (n_samples,).

        Raises
        ------
        ValueError
            If it is not a table of finite numbers.
        """
        return self._take_sorted(sorted_columns(as_columns(reference, "reference")))

    def runs(self, n_current: int) -> Runs:
        """Return what each of `n_current` sorted values meets when it is coupled with the reference.

        The Wasserstein distance needs it; the last size asked for is kept, since batches tend to have one size.

        Raises
        ------
        ValueError
            If the reference has not been fitted or the size is not an integer of at least 1.
        """
        self._check_fitted("used")
        check_integer(n_current, "n_current", minimum=1)
        if self._runs is None or self._runs.means.shape[1] != n_current:
            self._runs = meet(self.sorted_, n_current)
        return self._runs

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the reference to exactly `path`, whole or not at all (a temporary file is renamed).

        Raises
        ------
        ValueError
            If it has not been fitted.
        """
        self._check_fitted("saved")
        settings = {"format": np.array(FORMAT), "bins": np.array(self.bins), "binning": np.array(self.binning)}
        save_npz(path, settings | {"sorted": self.sorted_})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FittedReference:
        """Read what `save` wrote; edges and counts are worked out again, so that a file cannot contradict itself.

        Raises
        ------
        ValueError
            If the file is no such reference, or its columns are not sorted finite numbers.
        """
        arrays = load_npz(path)
        if str(arrays.get("format")) != FORMAT or not {"bins", "binning", "sorted"} <= arrays.keys():
            raise ValueError(f"{os.fspath(path)} must hold a {FORMAT!r}, got something else.")
        fitted = cls(bins=int(arrays["bins"]), binning=str(arrays["binning"]))
        columns = np.ascontiguousarray(as_columns(arrays["sorted"], "sorted"))
        if (columns[:, 1:] < columns[:, :-1]).any():
            raise ValueError(f"{os.fspath(path)} must hold sorted columns, got unsorted ones.")
        return fitted._take_sorted(columns)

    def _check_fitted(self, action: str) -> None:
        """Raise ValueError if `fit` has not been called."""
        if not hasattr(self, "sorted_"):
            raise ValueError(f"reference must be fitted before it is {action}, got an unfitted one.")

    def _take_sorted(self, columns: np.ndarray) -> FittedReference:
        """Derive everything else from sorted columns."""
        self.n_features_, self.n_samples_ = columns.shape
        self.sorted_ = columns
        self.edges_ = inner_edges(columns, self.bins, self.binning)
        self.bin_counts_ = sorted_bin_counts(columns, self.edges_)
        self.rank_grid_ = rank_grid(columns)
        self._runs = None
        return self


def as_current(current: ArrayLike, reference: FittedReference) -> np.ndarray:
    """Return `current` as a table of finite numbers with the columns of a fitted reference.

    Raises
    ------
    ValueError
        If it is no table of finite numbers, its width differs, or the reference has not been fitted.

    Examples
    --------
    >>> as_current([1.0, 2.0], FittedReference().fit([0.0, 5.0])).shape
    (2, 1)
    """
    table = current_table(current, reference)
    check_finite(table, "current")
    return table


def current_table(current: ArrayLike, reference: FittedReference) -> np.ndarray:
    """Return `current` like `as_current`, its values unchecked: for callers whose `column_blocks` check them.

    Examples
    --------
    >>> current_table([1.0, 2.0], FittedReference().fit([0.0, 5.0])).shape
    (2, 1)
    """
    reference._check_fitted("used")
    table = as_table(current, "current")
    if table.shape[1] != reference.n_features_:
        raise ValueError(f"current must have the {reference.n_features_} columns of reference, got {table.shape[1]}.")
    return table
