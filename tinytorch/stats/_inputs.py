"""How every statistic of this floor reads its tables. Imports numpy only.

A table is `(n_samples, n_features)`; a 1-D array is one column. What comes out has one value per column, so a
1-D array gives arrays of shape `(1,)`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def as_columns(values: ArrayLike, name: str, *, allow_missing: bool = False) -> np.ndarray:
    """Return `values` as a float64 table of shape (n_samples, n_features), or say what is wrong with it.

    Parameters
    ----------
    values : array_like of shape (n_samples,) or (n_samples, n_features)
    name : str
        What the caller calls the argument; it stands in the error.
    allow_missing : bool
        Let NaN through. Infinities are never let through: ranks survive them, means and distances do not.

    Raises
    ------
    ValueError
        If the table is ragged, not numeric, empty, of more than two dimensions, or holds NaN or infinity.

    Examples
    --------
    >>> as_columns([1, 2, 3], "current").shape
    (3, 1)
    """
    table = as_table(values, name)
    check_finite(table, name, allow_missing=allow_missing)
    return table


def as_table(values: ArrayLike, name: str) -> np.ndarray:
    """Return `values` as a float64 table like `as_columns`, for callers that look for NaN and infinity later.

    Examples
    --------
    >>> as_table([[1, 2]], "current")
    array([[1., 2.]])
    """
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a rectangular array of numbers, got {_describe(values)}.") from error
    if table.ndim == 1:
        table = table[:, np.newaxis]
    if table.ndim != 2:
        raise ValueError(f"{name} must have 1 or 2 dimensions, got {table.ndim}.")
    if table.size == 0:
        raise ValueError(f"{name} must have at least one row and one column, got shape {table.shape}.")
    return table


def as_pair(reference: ArrayLike, current: ArrayLike, *, allow_missing: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return both samples as float64 tables with the same columns.

    Raises
    ------
    ValueError
        If either is not a table (see `as_columns`) or their numbers of columns differ.

    Examples
    --------
    >>> reference, current = as_pair([[1, 2], [3, 4]], [[5, 6]])
    >>> current.shape
    (1, 2)
    """
    left = as_columns(reference, "reference", allow_missing=allow_missing)
    right = as_columns(current, "current", allow_missing=allow_missing)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"current must have the {left.shape[1]} columns of reference, got {right.shape[1]}.")
    return left, right


def check_finite(table: np.ndarray, name: str, *, allow_missing: bool = False) -> None:
    """Raise ValueError if a float table holds infinity, or NaN unless `allow_missing`.

    Examples
    --------
    >>> check_finite(np.array([1.0, np.nan]), "current")
    Traceback (most recent call last):
    ...
    ValueError: current must hold no NaN (missing values have a test of their own), got 1.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(table.sum()):  # one pass in the ordinary case: a sum is finite only if every part is
            return
    n_infinite = int(np.isinf(table).sum())
    if n_infinite:
        raise ValueError(f"{name} must be finite, got {n_infinite} infinite values.")
    n_missing = int(np.isnan(table).sum())
    if n_missing and not allow_missing:
        raise ValueError(f"{name} must hold no NaN (missing values have a test of their own), got {n_missing}.")


def _describe(values: object) -> str:
    """Name a value that is no table without printing all of it."""
    text = repr(values)
    return text if len(text) <= 60 else f"{text[:57]}..."
