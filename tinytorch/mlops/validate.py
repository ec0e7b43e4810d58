"""Floor 1: how every stage reads arrays that come from outside. May import numpy, the cellar and nothing else.

A TinyTorch `Tensor` is accepted wherever an array is: anything with a `.numpy()` method is asked for its array
first. Every function returns a new or read-only view of its input, never changes it, and says name, rule and value
when it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from tinytorch._arguments import check_in_range

# Probabilities come out of float32 networks: a row may miss 1 by a rounding of this size, not by more.
PROBABILITY_TOLERANCE = 1e-3
# Whole numbers up to 2**53 are exact in float64; a larger class index would silently become another one.
LARGEST_LABEL = 2**53
# Booleans, whole numbers and floats; texts, dates and complex numbers are not read as numbers in silence.
NUMERIC_KINDS = "biuf"


class NotFittedError(ValueError):
    """A detector was asked to judge before it was given a reference.

    It is a ValueError, so whoever catches those need not know it.

    Examples
    --------
    >>> from tinytorch.mlops.drift.univariate import UnivariateDetector
    >>> try:
    ...     UnivariateDetector().detect_drift(np.zeros((40, 2)), now=0.0)
    ... except NotFittedError as error:
    ...     print("call fit first" if "fit(reference)" in str(error) else error)
    call fit first
    """


def to_array(values: Any, name: str = "values") -> np.ndarray:
    """Return the array inside a Tensor, or `values` as an array.

    Raises
    ------
    ValueError
        If the rows are ragged.

    Examples
    --------
    >>> from tinytorch.core.tensor import Tensor
    >>> to_array(Tensor([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    try:
        return np.asarray(values.numpy() if hasattr(values, "numpy") else values)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array, got ragged rows.") from error


def as_features(values: Any, name: str = "features", *, allow_missing: bool = False) -> np.ndarray:
    """Return a float64 table of shape (n, n_features); a 1-D array is one feature.

    Parameters
    ----------
    values : Tensor or array_like
    name : str
        What the caller calls the argument; it stands in the error.
    allow_missing : bool
        Let NaN through, which stands for a missing value.

    Raises
    ------
    ValueError
        If the rows are ragged, not numeric, or not finite, or there are no columns.

    Examples
    --------
    >>> as_features([[1, 2], [3, 4]]).shape
    (2, 2)
    >>> as_features([[1.0], [float("nan")]], "features")
    Traceback (most recent call last):
    ...
    ValueError: features must be finite, got 1 values that are not.
    """
    table = _as_floats(values, name)
    if table.ndim == 1:
        table = table[:, np.newaxis]
    if table.ndim != 2 or table.shape[1] == 0:
        raise ValueError(f"{name} must have shape (n, n_features), got {table.shape}.")
    _check_finite(table[~np.isnan(table)] if allow_missing else table, name)
    return table


def as_values(values: Any, name: str) -> np.ndarray:
    """Return one finite float64 value per row, shape (n,).

    Examples
    --------
    >>> as_values([0.5, 1], "latency_ms")
    array([0.5, 1. ])
    """
    array = _as_floats(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), got {array.shape}.")
    _check_finite(array, name)
    return array


def as_values_within(values: Any, name: str, low: float, high: float) -> np.ndarray:
    """Return one float64 value per row, each in [low, high], shape (n,).

    Examples
    --------
    >>> as_values_within([0.5, 1.5], "pvalue", 0.0, 1.0)
    Traceback (most recent call last):
    ...
    ValueError: pvalue must be in [0, 1], got 1.5.
    """
    array = as_values(values, name)
    outside = array[(array < low) | (array > high)]
    if outside.size:
        raise ValueError(f"{name} must be in [{low:g}, {high:g}], got {outside[0]:g}.")
    return array


def as_labels(values: Any, name: str = "labels", n_classes: int | None = None) -> np.ndarray:
    """Return class indices as int64 of shape (n,), each at least 0 and, if given, below `n_classes`.

    Examples
    --------
    >>> as_labels([0.0, 2.0])
    array([0, 2])
    >>> as_labels([0, 12], n_classes=10)
    Traceback (most recent call last):
    ...
    ValueError: labels must be class indices below 10, got 12.
    """
    array = as_values(values, name)
    bad = array[(array < 0) | (array > LARGEST_LABEL) | (array != np.floor(array))]
    if bad.size:
        raise ValueError(f"{name} must be class indices 0, 1, 2, ..., got {bad[0]:g}.")
    if n_classes is not None and array.size and array.max() >= n_classes:
        raise ValueError(f"{name} must be class indices below {n_classes}, got {int(array.max())}.")
    return array.astype(np.int64)


def as_probabilities(values: Any, name: str = "probabilities") -> np.ndarray:
    """Return class probabilities of shape (n, n_classes): finite, in [0, 1], each row adding up to 1.

    Examples
    --------
    >>> as_probabilities([[0.25, 0.75]])
    array([[0.25, 0.75]])
    >>> as_probabilities([[0.25, 0.25]])
    Traceback (most recent call last):
    ...
    ValueError: probabilities must add up to 1 in every row, got 0.5 in row 0.
    """
    table = as_features(values, name)
    outside = table[(table < 0) | (table > 1)]
    if outside.size:
        raise ValueError(f"{name} must be in [0, 1], got {outside[0]:g}.")
    sums = table.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1.0) > PROBABILITY_TOLERANCE)
    if wrong.size:
        raise ValueError(f"{name} must add up to 1 in every row, got {sums[wrong[0]]:g} in row {wrong[0]}.")
    return table


def as_request_ids(values: Any, name: str = "request_ids") -> np.ndarray:
    """Return distinct request ids of shape (n,), integers or strings.

    Examples
    --------
    >>> as_request_ids([7, 8])
    array([7, 8])
    >>> as_request_ids([7, 7])
    Traceback (most recent call last):
    ...
    ValueError: request_ids must be distinct, got 7 twice.
    """
    array = to_array(values, name)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iuUS":
        raise ValueError(f"{name} must be integers or strings of shape (n,), got {array.dtype} {array.shape}.")
    distinct, counts = np.unique(array, return_counts=True)
    if len(distinct) < len(array):
        raise ValueError(f"{name} must be distinct, got {distinct[counts.argmax()]} twice.")
    return array


def check_same_length(arrays: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError unless all named arrays have the same number of rows.

    Examples
    --------
    >>> check_same_length({"labels": np.zeros(2), "request_ids": np.zeros(3)})
    Traceback (most recent call last):
    ...
    ValueError: labels, request_ids must have the same length, got 2, 3.
    """
    lengths = [len(array) for array in arrays.values()]
    if len(set(lengths)) > 1:
        raise ValueError(f"{', '.join(arrays)} must have the same length, got {', '.join(map(str, lengths))}.")


def check_columns(features: np.ndarray, n_features: int, name: str = "features") -> None:
    """Raise ValueError unless a table has `n_features` columns.

    Examples
    --------
    >>> check_columns(np.zeros((5, 3)), 64)
    Traceback (most recent call last):
    ...
    ValueError: features must have 64 columns, got 3.
    """
    if features.shape[1] != n_features:
        raise ValueError(f"{name} must have {n_features} columns, got {features.shape[1]}.")


def check_rows(features: np.ndarray, name: str, minimum: int = 1) -> None:
    """Raise ValueError unless an array has at least `minimum` rows.

    Examples
    --------
    >>> check_rows(np.zeros((0, 3)), "current")
    Traceback (most recent call last):
    ...
    ValueError: current must have at least 1 row(s), got 0.
    """
    if len(features) < minimum:
        raise ValueError(f"{name} must have at least {minimum} row(s), got {len(features)}.")


def check_moment(moment: float, name: str) -> float:
    """Return a moment in seconds if it is a finite number; before 1970 it is negative.

    Examples
    --------
    >>> check_moment(60.0, "timestamp")
    60.0
    >>> check_moment(float("nan"), "timestamp")
    Traceback (most recent call last):
    ...
    ValueError: timestamp must be in [-inf, inf], got nan.
    """
    return check_in_range(moment, name, -np.inf, np.inf)


def check_text(text: str, name: str, *, allow_empty: bool = False) -> str:
    """Return `text` if it is a text, and not an empty one unless that is allowed.

    Examples
    --------
    >>> check_text("digits", "model_name")
    'digits'
    >>> check_text(None, "model_name")
    Traceback (most recent call last):
    ...
    ValueError: model_name must be a text, got None.
    """
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a text, got {text!r}.")
    if not text and not allow_empty:
        raise ValueError(f"{name} must not be empty, got {text!r}.")
    return text


def check_distinct(names: Sequence[str], name: str) -> None:
    """Raise ValueError if a name occurs twice.

    Examples
    --------
    >>> check_distinct(("a", "b", "a"), "feature_names")
    Traceback (most recent call last):
    ...
    ValueError: feature_names must be distinct, got 'a' twice.
    """
    if len(set(names)) < len(names):
        raise ValueError(f"{name} must be distinct, got {max(names, key=list(names).count)!r} twice.")


def _as_floats(values: Any, name: str) -> np.ndarray:
    """Return `values` as a float64 array, or say which argument holds something else. None becomes NaN."""
    array = to_array(values, name)
    if array.dtype.kind == "O":
        odd = next((value for value in array.flat if not isinstance(value, (Real, type(None)))), None)
        if odd is not None:
            raise ValueError(f"{name} must be numbers, got {odd!r}.")
    elif array.dtype.kind not in NUMERIC_KINDS:
        raise ValueError(f"{name} must be numbers, got an array of {array.dtype}.")
    return array.astype(np.float64)


def _check_finite(array: np.ndarray, name: str) -> None:
    """Raise ValueError if any value is NaN or infinite."""
    n_bad = int(array.size - np.isfinite(array).sum())
    if n_bad:
        raise ValueError(f"{name} must be finite, got {n_bad} values that are not.")
