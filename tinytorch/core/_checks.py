"""Ground floor: the checks that `tinytorch.core` repeats, in the words TinyTorch's users know. Imports numpy only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt


def check_positive_integer(value: int, name: str) -> int:
    """Return `value` as an int if it is a whole number above 0.

    Examples
    --------
    >>> check_positive_integer(32, "batch_size")
    32
    """
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}.")
    return int(value)


def check_not_negative(value: float, name: str) -> float:
    """Return `value` as a float if it is a finite number of at least 0.

    Examples
    --------
    >>> check_not_negative(0.1, "lr")
    0.1
    """
    if not (isinstance(value, (int, float)) or hasattr(value, "__float__")) or not _usable(float(value)):
        raise ValueError(f"{name} must be finite and nonnegative, got {value!r}.")
    return float(value)


def check_real_array(value: npt.ArrayLike, name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return `value` as an array if it holds real numbers in exactly this shape.

    Examples
    --------
    >>> check_real_array(["a", "b"], "weight", (2,))
    Traceback (most recent call last):
    ...
    ValueError: weight must hold real numbers, got an array of type <U1.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers, got a ragged sequence.") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got an array of type {array.dtype}.")
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got shape {array.shape}.")
    return array


def copy_float32(value: npt.ArrayLike, name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return a float32 copy of `value` if it holds real numbers in exactly this shape.

    Examples
    --------
    >>> copy_float32([1, 2], "weight", (2,))
    array([1., 2.], dtype=float32)
    """
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, as in a Tensor
        return check_real_array(value, name, shape).astype(np.float32)


def _usable(number: float) -> bool:
    """Tell whether `number` is finite and at least 0."""
    return math.isfinite(number) and number >= 0
