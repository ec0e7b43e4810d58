"""Two samples laid on one axis: what every rank test of this floor counts. Imports numpy only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Merged:
    """One column of two samples, counted at each distinct value of both together, in rising order.

    Attributes
    ----------
    values : ndarray of shape (n_distinct,)
    in_reference, in_current : ndarray of int64, shape (n_distinct,)
        How often each value occurs in either sample.
    reference_upto, current_upto : ndarray of int64, shape (n_distinct,)
        How many of either sample are at most that value.

    Examples
    --------
    >>> column = merge(np.array([1.0, 2.0, 2.0]), np.array([2.0, 3.0]))
    >>> column.values, column.reference_upto, column.in_current
    (array([1., 2., 3.]), array([1, 3, 3]), array([0, 1, 1]))
    """

    values: np.ndarray
    in_reference: np.ndarray
    in_current: np.ndarray
    reference_upto: np.ndarray
    current_upto: np.ndarray


def merge(reference: np.ndarray, current: np.ndarray) -> Merged:
    """Count two 1-D samples at each of their distinct values.

    Examples
    --------
    >>> merge(np.array([1.0]), np.array([1.0])).values
    array([1.])
    """
    left, right = np.sort(reference), np.sort(current)
    pooled = np.sort(np.concatenate([left, right]), kind="stable")  # merges two sorted runs in one pass
    is_last = np.append(pooled[1:] != pooled[:-1], True)
    values = pooled[is_last]
    pooled_upto = np.flatnonzero(is_last) + 1
    reference_upto = np.searchsorted(left, values, side="right")
    current_upto = pooled_upto - reference_upto
    return Merged(
        values, np.diff(reference_upto, prepend=0), np.diff(current_upto, prepend=0), reference_upto, current_upto
    )


def merged_columns(reference: np.ndarray, current: np.ndarray) -> Iterator[Merged]:
    """Yield the columns of two tables, merged one by one, so that memory stays that of one column.

    Examples
    --------
    >>> [len(column.values) for column in merged_columns(np.zeros((3, 2)), np.eye(2))]
    [2, 2]
    """
    for left, right in zip(reference.T, current.T, strict=True):
        yield merge(np.ascontiguousarray(left), np.ascontiguousarray(right))
