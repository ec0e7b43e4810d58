"""Floor 3, the marking room: how calls, arguments and answers are written in a message to a student. Imports numpy."""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

import numpy as np

# An array of more numbers than this is named by its shape: its numbers would hide the rest of the sentence.
MOST_NUMBERS_SHOWN = 16
# From so many arguments on a reader no longer knows which is which, and each stands with its name.
ARGUMENTS_TO_NAME = 3


def write_call(function: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> str:
    """Return a call as it could be typed, with the arguments' names where there are many.

    Examples
    --------
    >>> def weigh(bread, salt, water):
    ...     return bread + salt + water
    >>> write_call(weigh, "weigh", (1, 2.5, (3, 4)))
    'weigh(bread=1, salt=2.5, water=(3, 4))'
    >>> write_call(abs, "abs", (-2,))
    'abs(-2)'
    """
    shown = [show(argument) for argument in arguments]
    names = _parameter_names(function)
    if ARGUMENTS_TO_NAME <= len(shown) <= len(names):
        shown = [f"{parameter}={value}" for parameter, value in zip(names, shown, strict=False)]
    return f"{name}({', '.join(shown)})"


def _parameter_names(function: Callable[..., Any]) -> list[str]:
    """Return the names under which arguments can be handed over, or none where they are not known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [item.name for item in parameters if item.kind is item.POSITIONAL_OR_KEYWORD]


def show(value: Any) -> str:
    """Return a short text for an argument or an answer.

    Examples
    --------
    >>> show(np.array([0.5, 1.0])), show(ValueError)
    ('[0.5, 1]', 'a ValueError')
    >>> show(np.random.default_rng(0))
    'rng'
    """
    if is_exception(value):
        return f"a {value.__name__}"
    if isinstance(value, (tuple, list)) and len(value) <= MOST_NUMBERS_SHOWN:
        return _show_items(value)
    if is_dataclass(value):
        return f"<{value}>"
    if isinstance(value, np.random.Generator):
        return "rng"  # what it is called everywhere; its own text is an address in memory
    if not (isinstance(value, np.ndarray) or is_numeric(value)):
        return reprlib.repr(value)
    return _show_numbers(np.asarray(value))


def _show_numbers(array: np.ndarray) -> str:
    """Return the numbers on one line, or the shape of a table that is too large or empty."""
    if array.size > MOST_NUMBERS_SHOWN or (array.size == 0 and array.ndim > 1):
        return f"<array of shape {array.shape}>"
    text = np.array2string(array, separator=", ", formatter={"float_kind": lambda number: f"{number:.6g}"})
    return " ".join(text.split())


def _show_items(items: tuple[Any, ...] | list[Any]) -> str:
    """Return a tuple or list as Python writes it, so that a call can be copied from the message."""
    inside = ", ".join(map(show, items))
    if isinstance(items, list):
        return f"[{inside}]"
    return f"({inside},)" if len(items) == 1 else f"({inside})"


def show_shape(array: np.ndarray) -> str:
    """Return the shape of an array in words, or the number.

    Examples
    --------
    >>> show_shape(np.zeros((2, 3))), show_shape(np.array(4.0))
    ('an array of shape (2, 3)', 'one number (4)')
    """
    return f"an array of shape {array.shape}" if array.ndim else f"one number ({show(array)})"


def is_numeric(value: Any) -> bool:
    """Tell whether `value` is a number, a bool or a rectangular array of them (a Tensor counts as one).

    Examples
    --------
    >>> is_numeric([1, 2.5]), is_numeric("1"), is_numeric([[1], [2, 3]])
    (True, False, False)
    """
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:  # ragged
        return False


def is_bool(array: np.ndarray) -> bool:
    """Tell whether an array holds truth values.

    Examples
    --------
    >>> is_bool(np.array([True])), is_bool(np.array([1]))
    (True, False)
    """
    return array.dtype.kind == "b"


def is_exception(value: Any) -> bool:
    """Tell whether `value` is a class of exceptions, as a case names what must be raised.

    Examples
    --------
    >>> is_exception(ValueError), is_exception(ValueError("no"))
    (True, False)
    """
    return isinstance(value, type) and issubclass(value, Exception)
