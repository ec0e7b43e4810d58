"""How many values of each column are missing: NaN in numbers, None or NaN among objects. Imports numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats.summaries._checks import check_same_kind, check_same_width
from tinytorch.stats.summaries.categories import missing_cells


@dataclass(frozen=True, eq=False)
class Missing:
    """Counts of missing values, one per column.

    Attributes
    ----------
    n_rows : int
        Number of rows seen.
    n_missing : ndarray of int64, shape (n_features,)
        How many of them miss the column's value.

    Examples
    --------
    >>> first, second = Missing.from_batch([1.0, np.nan]), Missing.from_batch([2.0, 3.0])
    >>> first.merge(second).rate
    array([0.25])
    """

    n_rows: int
    n_missing: np.ndarray

    @classmethod
    def from_batch(cls, batch: ArrayLike) -> Missing:
        """Count the missing values of a batch of shape (n_samples, n_features) or (n_samples,), of any dtype.

        Raises
        ------
        ValueError
            If `batch` is no table.
        """
        absent = missing_cells(batch)
        return cls(len(absent), absent.sum(axis=0))

    def merge(self, other: Missing) -> Missing:
        """Count both.

        Raises
        ------
        ValueError
            If `other` is no Missing of as many columns.
        """
        check_same_kind(self, other)
        check_same_width(len(self.n_missing), len(other.n_missing))
        return Missing(self.n_rows + other.n_rows, self.n_missing + other.n_missing)

    @property
    def rate(self) -> np.ndarray:
        """Share of rows that miss the column's value, shape (n_features,)."""
        return self.n_missing / self.n_rows
