"""What the summaries share: how they read a batch, and what two of them must have in common. Imports numpy only.

Every summary has `from_batch(batch, ...)` and `merge(other)`, which gives a new summary and changes neither part. The
merge of summaries of parts is the summary of the whole, in any order and grouping: counts to the bit, moments to 1e-12
relative, sketches within their stated rank error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch.stats._inputs import as_columns


def split_missing(batch: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch of numbers as a float64 table, and where it is missing (NaN), both (n_samples, n_features).

    Examples
    --------
    >>> split_missing([1.0, np.nan])[1]
    array([[False],
           [ True]])
    """
    table = as_columns(batch, "batch", allow_missing=True)
    return table, np.isnan(table)


def check_same_kind(one: object, other: object) -> None:
    """Raise ValueError unless both summaries are of one class.

    Examples
    --------
    >>> check_same_kind(1.0, "one")
    Traceback (most recent call last):
    ...
    ValueError: other must be a float, got str.
    """
    if type(one) is not type(other):
        raise ValueError(f"other must be a {type(one).__name__}, got {type(other).__name__}.")


def check_same_width(n_features: int, n_other: int) -> None:
    """Raise ValueError unless two summaries have the same number of columns.

    Examples
    --------
    >>> check_same_width(3, 2)
    Traceback (most recent call last):
    ...
    ValueError: other must have 3 columns, got 2.
    """
    if n_features != n_other:
        raise ValueError(f"other must have {n_features} columns, got {n_other}.")
