"""Ground floor: the checks that `tinytorch.core` repeats, in the words TinyTorch's users know. Imports nothing."""

from __future__ import annotations

import math


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


def _usable(number: float) -> bool:
    """Tell whether `number` is finite and at least 0."""
    return math.isfinite(number) and number >= 0
