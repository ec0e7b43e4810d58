"""How tables are laid out inside this floor: one contiguous row per column ("feature-major"). Imports numpy only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# Rows copied at once while a table is turned: long enough runs of the image, and still in the cache.
ROWS_AT_ONCE = 512
# Columns treated at once: 32 columns of 10,000 values fill 2.6 MB, so they stay in the cache, and the memory that a
# statistic adds does not grow with the number of columns.
COLUMNS_AT_ONCE = 32


def feature_major(table: np.ndarray) -> np.ndarray:
    """Return a contiguous copy of shape (n_features, n_samples)."""
    turned = np.empty(table.shape[::-1], dtype=table.dtype)
    for start in range(0, table.shape[0], ROWS_AT_ONCE):
        turned[:, start : start + ROWS_AT_ONCE] = table[start : start + ROWS_AT_ONCE].T
    return turned


def sorted_columns(table: np.ndarray) -> np.ndarray:
    """Return each column sorted, as a contiguous array of shape (n_features, n_samples)."""
    columns = feature_major(table)
    columns.sort(axis=1)
    return columns


def column_blocks(table: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield a few columns at a time: which, and their values as a contiguous copy (n_columns, n_samples)."""
    for start in range(0, table.shape[1], COLUMNS_AT_ONCE):
        chosen = slice(start, start + COLUMNS_AT_ONCE)
        yield chosen, feature_major(table[:, chosen])


def sorted_blocks(table: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield a few columns at a time: which, and their sorted values of shape (n_columns, n_samples)."""
    for chosen, columns in column_blocks(table):
        columns.sort(axis=1)
        yield chosen, columns


def ranges(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the whole numbers of all half-open ranges, one range after the other.

    Examples
    --------
    >>> ranges(np.array([0, 7]), np.array([2, 10]))
    array([0, 1, 7, 8, 9])
    """
    lengths = stops - starts
    return np.repeat(stops - np.cumsum(lengths), lengths) + np.arange(lengths.sum())
