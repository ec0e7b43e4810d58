"""How tables are laid out inside this floor: one contiguous row per column ("feature-major"). Imports numpy only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinytorch.stats._inputs import check_finite

# Rows copied at once while a table is turned: long enough runs of the image, and still in the cache.
ROWS_AT_ONCE = 512
# Columns treated at once: 16 columns of 10,000 values fill 1.3 MB, so they stay in the cache, and the memory that a
# statistic adds does not grow with the number of columns.
COLUMNS_AT_ONCE = 16


def feature_major(table: np.ndarray) -> np.ndarray:
    """Return a contiguous copy of shape (n_features, n_samples)."""
    return _turn(table, np.empty(table.shape[::-1], dtype=table.dtype))


def _turn(table: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Copy the columns of `table` into the rows of `turned`."""
    for start in range(0, table.shape[0], ROWS_AT_ONCE):
        turned[:, start : start + ROWS_AT_ONCE] = table[start : start + ROWS_AT_ONCE].T
    return turned


def sorted_columns(table: np.ndarray) -> np.ndarray:
    """Return each column sorted, as a contiguous array of shape (n_features, n_samples)."""
    columns = feature_major(table)
    columns.sort(axis=1)
    return columns


def column_blocks(table: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield a few columns at a time: which, and their values as a contiguous copy (n_columns, n_samples).

    All copies share one memory (fresh pages cost as much as turning), so one is gone when the next is asked for.
    NaN and infinity are looked for here, while the values are in the cache: another walk over a large table would
    cost as much as a statistic.

    Raises
    ------
    ValueError
        If a value is NaN or infinite; the error calls the table `current`, since references are checked when fitted.
    """
    n_rows, n_columns = table.shape
    shared = np.empty((min(COLUMNS_AT_ONCE, n_columns), n_rows), dtype=table.dtype)
    for start in range(0, n_columns, COLUMNS_AT_ONCE):
        chosen = slice(start, min(start + COLUMNS_AT_ONCE, n_columns))
        columns = _turn(table[:, chosen], shared[: chosen.stop - start])
        if not _surely_finite(columns):
            check_finite(table, "current")
        yield chosen, columns


def sorted_blocks(table: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield a few columns at a time: which, and their sorted values; one is gone when the next is asked for."""
    for chosen, columns in column_blocks(table):
        columns.sort(axis=1)
        yield chosen, columns


def _surely_finite(columns: np.ndarray) -> bool:
    """Tell whether a sum of all values is finite, which it only is if every value is (but huge ones may overflow)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(columns.sum()))


def ranges(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the whole numbers of all half-open ranges, one range after the other.

    Examples
    --------
    >>> ranges(np.array([0, 7]), np.array([2, 10]))
    array([0, 1, 7, 8, 9])
    """
    lengths = stops - starts
    return np.repeat(stops - np.cumsum(lengths), lengths) + np.arange(lengths.sum())
