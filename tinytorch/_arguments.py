"""The cellar: checks of single arguments, shared by every floor. Imports numpy only.

Every check returns the value it was given, so that a constructor can check and store in one line, and every
message says the name, the rule and the value: `threshold must be > 0, got -1.`
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection

import numpy as np


def check_positive(value: float, name: str) -> float:
    """Return `value` if it is a finite number above 0.

    Examples
    --------
    >>> check_positive(0.5, "threshold")
    0.5
    >>> check_positive(-1, "threshold")
    Traceback (most recent call last):
    ...
    ValueError: threshold must be > 0, got -1.
    """
    if not _is_number(value) or not value > 0:
        raise ValueError(f"{name} must be > 0, got {value!r}.")
    return value


def check_in_range(value: float, name: str, low: float, high: float, *, open_ends: bool = False) -> float:
    """Return `value` if it lies in [low, high], or in (low, high) with `open_ends`.

    Examples
    --------
    >>> check_in_range(1.0, "severity", 0.0, 1.0)
    1.0
    >>> check_in_range(1.0, "alpha", 0, 1, open_ends=True)
    Traceback (most recent call last):
    ...
    ValueError: alpha must be in (0, 1), got 1.0.
    """
    inside = _is_number(value) and (low < value < high if open_ends else low <= value <= high)
    if not inside:
        interval = f"({low}, {high})" if open_ends else f"[{low}, {high}]"
        raise ValueError(f"{name} must be in {interval}, got {value!r}.")
    return value


def check_integer(value: int, name: str, minimum: int = 0) -> int:
    """Return `value` as a Python int if it is a whole number of at least `minimum`.

    Examples
    --------
    >>> check_integer(3, "patience", minimum=1)
    3
    >>> check_integer(2.5, "patience", minimum=1)
    Traceback (most recent call last):
    ...
    ValueError: patience must be an integer >= 1, got 2.5.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = minimum - 1
    if isinstance(value, bool) or number < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}.")
    return number


def check_choice(value: str, name: str, choices: Collection[str]) -> str:
    """Return `value` if it is one of `choices`.

    Examples
    --------
    >>> check_choice("holm", "method", ("holm", "bonferroni"))
    'holm'
    >>> check_choice("none", "method", ("holm", "bonferroni"))
    Traceback (most recent call last):
    ...
    ValueError: method must be one of 'holm', 'bonferroni', got 'none'.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}.")
    return value


def check_generator(rng: np.random.Generator) -> np.random.Generator:
    """Return `rng` if it is a numpy Generator; a seed or None would hide where randomness comes from.

    Examples
    --------
    >>> check_generator(7)
    Traceback (most recent call last):
    ...
    ValueError: rng must be a numpy.random.Generator, got 7.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {rng!r}.")
    return rng


def _is_number(value: object) -> bool:
    """Tell whether `value` is a finite real number (a bool is not)."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return real and math.isfinite(value)  # type: ignore[arg-type]
