"""How often each category occurs in each column: numbers or text, missing ones left out. Imports numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats.summaries._checks import check_same_kind, check_same_width

# numpy's letters for bool, whole numbers, floats, text and Python objects.
KINDS = "biufUO"


@dataclass(frozen=True, eq=False)
class CategoryCounts:
    """The categories of each column and their counts. Categories that only one part has seen are kept.

    Attributes
    ----------
    categories : tuple of ndarray, one per column
        Sorted, each once: numbers (float64) or text.
    counts : tuple of ndarray of int64, one per column
        How often each of them occurred.

    Examples
    --------
    >>> whole = CategoryCounts.from_batch(["a", "b", "a"]).merge(CategoryCounts.from_batch(["c"]))
    >>> whole.categories[0], whole.counts[0]
    (array(['a', 'b', 'c'], dtype='<U1'), array([2, 1, 1]))
    """

    categories: tuple[np.ndarray, ...]
    counts: tuple[np.ndarray, ...]

    @classmethod
    def from_batch(cls, batch: ArrayLike) -> CategoryCounts:
        """Count the categories of a batch of numbers or text, shape (n_samples, n_features) or (n_samples,).

        None and NaN are missing, and left out.

        Raises
        ------
        ValueError
            If `batch` is no table, or a column mixes numbers and text.
        """
        table = as_any_table(batch)
        absent = missing_cells(table)
        found = [_count(table[~absent[:, number], number], number) for number in range(table.shape[1])]
        return cls(tuple(categories for categories, _ in found), tuple(counts for _, counts in found))

    def merge(self, other: CategoryCounts) -> CategoryCounts:
        """Count both.

        Raises
        ------
        ValueError
            If `other` is no CategoryCounts of as many columns, or holds text where this one holds numbers.
        """
        check_same_kind(self, other)
        check_same_width(len(self.categories), len(other.categories))
        aligned = [self.align(other, column) for column in range(len(self.categories))]
        return CategoryCounts(
            tuple(categories for categories, _, _ in aligned), tuple(ours + theirs for _, ours, theirs in aligned)
        )

    def align(self, other: CategoryCounts, column: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the categories of one column that either has seen, and both their counts, 0 where unseen.

        Raises
        ------
        ValueError
            If one holds numbers and the other text.

        Examples
        --------
        >>> CategoryCounts.from_batch([1, 1]).align(CategoryCounts.from_batch([2]), 0)
        (array([1., 2.]), array([2, 0]), array([0, 1]))
        """
        ours, theirs = self.categories[column], other.categories[column]
        if ours.size and theirs.size and ours.dtype.kind != theirs.dtype.kind:
            raise ValueError(f"column {column} must hold numbers in both or text in both, got {ours[0]}, {theirs[0]}.")
        union = np.union1d(ours, theirs) if ours.size and theirs.size else (ours if ours.size else theirs)
        our_counts, their_counts = np.zeros(len(union), dtype=np.int64), np.zeros(len(union), dtype=np.int64)
        our_counts[np.searchsorted(union, ours)] = self.counts[column]
        their_counts[np.searchsorted(union, theirs)] = other.counts[column]
        return union, our_counts, their_counts


def as_any_table(batch: ArrayLike) -> np.ndarray:
    """Return numbers, text or objects as a table of shape (n_samples, n_features).

    Raises
    ------
    ValueError
        If `batch` is ragged, empty, or of more than two dimensions.

    Examples
    --------
    >>> as_any_table(["a", "b"]).shape
    (2, 1)
    """
    try:
        table = batch if isinstance(batch, np.ndarray) else _as_array(batch)
    except ValueError as error:
        raise ValueError(f"batch must be a rectangular table, got a ragged one ({error}).") from error
    if table.ndim == 1:
        table = table[:, np.newaxis]
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"batch must have 1 or 2 dimensions and a value, got shape {table.shape}.")
    if table.dtype.kind not in KINDS:
        raise ValueError(f"batch must hold numbers, text or objects, got dtype {table.dtype}.")
    return table


def missing_cells(batch: ArrayLike) -> np.ndarray:
    """Tell where a table of any dtype holds None or NaN, as bool of shape (n_samples, n_features).

    Examples
    --------
    >>> missing_cells(["a", None]).ravel()
    array([False,  True])
    """
    table = as_any_table(batch)
    if table.dtype.kind == "O":
        return np.array([value is None or value != value for value in table.ravel()], dtype=bool).reshape(table.shape)
    return np.isnan(table) if table.dtype.kind == "f" else np.zeros(table.shape, dtype=bool)


def _as_array(batch: ArrayLike) -> np.ndarray:
    """Make an array of a list; text beside None or numbers stays objects rather than becoming the text 'None'."""
    table = np.asarray(batch)
    return np.asarray(batch, dtype=object) if table.dtype.kind in "US" else table


def _count(column: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Count the categories of one column without missing values."""
    if column.dtype.kind == "O":
        column = _unboxed(column, number)
    categories, counts = np.unique(
        column if column.dtype.kind == "U" else column.astype(np.float64), return_counts=True
    )
    return categories, counts.astype(np.int64)


def _unboxed(column: np.ndarray, number: int) -> np.ndarray:
    """Turn Python objects into numbers or text."""
    is_text = np.array([isinstance(value, str) for value in column])
    if is_text.any() and not is_text.all():
        raise ValueError(f"column {number} must hold numbers only or text only, got both.")
    try:
        return column.astype(np.str_ if is_text.any() else np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {number} must hold numbers only or text only ({error}).") from error
