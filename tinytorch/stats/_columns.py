"""How tables are laid out inside this floor: one contiguous row per column ("feature-major"). Imports numpy only."""

from __future__ import annotations

import numpy as np

# Rows copied at once while a table is turned: a block of 64 rows and its image both fit the cache.
ROWS_AT_ONCE = 64


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
