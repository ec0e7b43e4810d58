"""Floor 3, the marking room: how the contract checks call an implementation, and how they say what went wrong.

It may import numpy, the standard library and the records; it knows no stage.
"""

from __future__ import annotations

import reprlib
import traceback
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from tinytorch.mlops.contracts import Record

# An array of more numbers than this is named by its shape: its numbers would hide the rest of the sentence.
MOST_NUMBERS_IN_WORDS = 12
NOT_YET_WRITTEN = "not yet written"

Part = TypeVar("Part")


class ContractError(AssertionError):
    """An implementation breaks its contract: what was called, what was expected, what came back.

    Where a blank of a lesson is unfinished the sentence begins with "not yet written: ".

    Examples
    --------
    >>> raise ContractError("monitor.observe(40 predictions by version 1): expected a tuple of Alert, got None.")
    Traceback (most recent call last):
    ...
    tinytorch.checks.calls.ContractError: monitor.observe(40 predictions by version 1): expected a tuple of Alert, got None.
    """  # noqa: E501

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook, where a traceback would lead into the checks."""
        return [f"Not yet right. {self}"]


class _Watched:
    """Stands in front of an implementation and turns whatever it raises into a sentence."""

    def __init__(self, part: Any, name: str) -> None:
        self._part = part
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        name = f"{self._name}.{attribute}"
        try:
            value = getattr(self._part, attribute)
        except Exception as error:  # a property runs the implementation's code
            raise _explained(name, error) from error
        return _Watched(value, name) if callable(value) else value

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self._part(*arguments)
        except ContractError:
            raise
        except Exception as error:  # whatever an implementation can raise becomes a sentence
            call = f"{self._name}({', '.join(in_words(argument) for argument in arguments)})"
            raise _explained(call, error) from error


def watch(part: Part, name: str) -> Part:
    """Return `part` behind a guard: whatever its methods raise becomes a `ContractError` that names the call.

    Examples
    --------
    >>> watch(len, "len")(3)
    Traceback (most recent call last):
    ...
    tinytorch.checks.calls.ContractError: len(3): expected an answer, but TypeError was raised: object of type 'int' has no len().
    """  # noqa: E501
    return cast(Part, _Watched(part, name))


def require(holds: bool, call: str, expected: str, got: Any) -> None:
    """Raise `ContractError` unless `holds`.

    Parameters
    ----------
    holds : bool
    call : str
        What was called, and in which situation.
    expected : str
    got : object
        What came back, whatever it is.

    Raises
    ------
    ContractError
        With one sentence made of the three.

    Examples
    --------
    >>> require(2 + 2 == 4, "2 + 2", "4", 2 + 2)
    >>> require(False, "split of no requests", "no answers", np.zeros(3, dtype=bool))
    Traceback (most recent call last):
    ...
    tinytorch.checks.calls.ContractError: split of no requests: expected no answers, got [False, False, False].
    """
    if not holds:
        raise ContractError(f"{call}: expected {expected}, got {in_words(got)}.")


def must_refuse(action: Callable[[], Any], call: str) -> None:
    """Run `action`, which calls a watched part with bad input, and demand a `ValueError` with a message.

    Raises
    ------
    ContractError
        If another error was raised, or none, or one without a message.

    Examples
    --------
    >>> must_refuse(lambda: watch(float, "float")("seven"), "float of a word")
    >>> must_refuse(lambda: watch(float, "float")([]), "float of a list")
    Traceback (most recent call last):
    ...
    tinytorch.checks.calls.ContractError: float of a list: expected a ValueError, but TypeError was raised: float() argument must be a string or a real number, not 'list'.
    """  # noqa: E501
    try:
        got = action()
    except ContractError as error:
        cause = error.__cause__
        if cause is None or isinstance(cause, NotImplementedError):
            raise
        if not isinstance(cause, ValueError):
            said = f"expected a ValueError, but {type(cause).__name__} was raised: {_end(str(cause))}"
            raise ContractError(f"{call}: {said}") from cause
        require(bool(str(cause)), call, "a ValueError that says which rule was broken", "one without a message")
        return
    raise ContractError(f"{call}: expected a ValueError, got {in_words(got)}.")


def in_words(value: Any) -> str:
    """Return a short text for an argument or an answer: records and text as they read, large arrays by their shape.

    Examples
    --------
    >>> in_words(np.zeros((600, 5))), in_words(np.array([True, False])), in_words("none")
    ('an array of shape (600, 5)', '[ True, False]', 'none')
    """
    if isinstance(value, (Record, str)):
        return str(value)
    if isinstance(value, np.ndarray):
        return _array_in_words(value)
    if isinstance(value, tuple) and any(isinstance(item, Record) for item in value):
        return f"({', '.join(in_words(item) for item in value)})"
    if repr(value) == object.__repr__(value):  # its address in memory helps nobody
        return f"a {type(value).__name__}"
    return reprlib.repr(value)


def _array_in_words(array: np.ndarray) -> str:
    """Return the numbers of a small array, or the shape of a large one."""
    if array.size > MOST_NUMBERS_IN_WORDS:
        return f"an array of shape {array.shape}"
    return np.array2string(array, separator=", ", formatter={"float_kind": lambda number: f"{number:.4g}"})


def require_unchanged(now: np.ndarray, before: np.ndarray, call: str) -> None:
    """Raise `ContractError` unless an array that was handed in still holds what it held.

    Examples
    --------
    >>> require_unchanged(np.array([1.0, np.nan]), np.array([1.0, np.nan]), "fit")
    """
    if not np.array_equal(now, before, equal_nan=before.dtype.kind == "f"):
        raise ContractError(f"{call} changed the array it was given: work on a copy, the caller still needs it.")


def malformed_tables(good: np.ndarray) -> dict[str, Any]:
    """Return tables that no part takes, by what is wrong with them; `good` is one of shape (n, n_features) to spoil.

    Examples
    --------
    >>> sorted(malformed_tables(np.zeros((3, 2))))
    ['an infinite value', 'no rows', 'ragged rows', 'text']
    """
    infinite = np.array(good, dtype=np.float64)
    infinite[0, 0] = np.inf
    return {
        "ragged rows": [*good[:2].tolist(), good[2, :-1].tolist()],
        "text": [["text"] * good.shape[1]] * len(good),
        "no rows": good[:0],
        "an infinite value": infinite,
    }


def _explained(call: str, error: Exception) -> ContractError:
    """Return the sentence for an error that a call raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    if isinstance(error, NotImplementedError):
        return ContractError(f"{NOT_YET_WRITTEN}: {frame.name}, which {call} needs.")
    inside = frame.line if frame.filename != __file__ else None
    where = f" in the line `{inside}`" if inside else ""
    raised = f"{type(error).__name__} was raised{where}"
    return ContractError(f"{call}: expected an answer, but {raised}: {_end(str(error))}")


def _end(statement: str) -> str:
    """Return the statement with one full stop at its end."""
    return f"{statement.rstrip('.')}."
