"""Floor 3, the marking room: run a student's function on a table of cases and say what is wrong in plain words.

The check cells of the notebooks use it. It may import the floors below; it imports numpy and the standard library.
"""

from __future__ import annotations

import contextlib
import copy
import io
import reprlib
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytorch._arguments import check_in_range

# Far above the rounding of any right formula in float64, far below the difference that a wrong one makes.
DEFAULT_TOLERANCE = 1e-6
# From this failing check of one blank on, the message carries a further hint; the first message stands alone.
FAILURES_BEFORE_HINT = 2
# An array of more numbers than this is named by its shape: its numbers would hide the rest of the sentence.
MOST_NUMBERS_SHOWN = 16

# Failing checks in a row, by the name of the blank: running a cell again defines a new function of the same name.
_failures: Counter[str] = Counter()


class CheckFailed(AssertionError):
    """A blank is unfinished or wrong; the message is written for the student.

    Examples
    --------
    >>> raise CheckFailed("share(1, 0): expected 0.0, got None.")
    Traceback (most recent call last):
    ...
    tinytorch.checks.cases.CheckFailed: share(1, 0): expected 0.0, got None.
    """

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook, where a traceback would lead into this file."""
        return [f"Not yet right. {self}"]


@dataclass(frozen=True, eq=False)
class Case:
    """One call of a blank and what it should return.

    Attributes
    ----------
    arguments : tuple
        Handed over as copies, so that no case can spoil the next one.
    expected : object
        A number, array, text, bool, None, a tuple or list of them, or an exception class that must be raised.
    tolerance : float
        Numbers may differ by this much, absolutely and relative to the expected number.
    hint : str
        One sentence that is shown if this case fails.
    mistakes : tuple of (answer, sentence)
        Answers that a typical mistake gives in this case, each with a sentence that names it; shown in place of
        `hint`. A value gives less away to a student who reads the check than the wrong formula would.

    Raises
    ------
    ValueError
        If `arguments` is not a tuple or `tolerance` is negative.

    Examples
    --------
    >>> Case(([1, 2, 3],), 2.0, mistakes=((6.0, "this is the sum; a mean divides by the number of values"),)).expected
    2.0
    """

    arguments: tuple[Any, ...]
    expected: Any
    tolerance: float = DEFAULT_TOLERANCE
    hint: str = ""
    mistakes: tuple[tuple[Any, str], ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.arguments, tuple):
            raise ValueError(f"arguments must be a tuple, one item an argument, got {self.arguments!r}.")
        check_in_range(self.tolerance, "tolerance", 0.0, float(np.finfo(np.float64).max))


def check_cases(
    function: Callable[..., Any],
    cases: Sequence[Case],
    *,
    hints: Sequence[str] = (),
    misconceptions: Mapping[Callable[..., Any], str] | None = None,
) -> None:
    """Call `function` on every case; print one line if all are right, raise `CheckFailed` at the first that is not.

    Parameters
    ----------
    function : callable
        The student's function.
    cases : sequence of Case
    hints : sequence of str
        Shown one more at a time from the second failing check of the same blank on.
    misconceptions : mapping from a wrong function to a sentence
        If a wrong answer is what the wrong function returns, the sentence says which mistake it looks like.

    Raises
    ------
    CheckFailed
        With the call, what was expected, what came back and, if one fits, a sentence about the likely mistake.
    ValueError
        If there are no cases.

    Examples
    --------
    >>> check_cases(abs, [Case((-2,), 2), Case((3,), 3)])
    abs: all 2 cases are right.
    >>> def halve(number):
    ...     return number // 2
    >>> check_cases(halve, [Case((4,), 2.0), Case((3,), 1.5)], misconceptions={lambda n: n // 2: "// rounds down."})
    Traceback (most recent call last):
    ...
    tinytorch.checks.cases.CheckFailed: halve(3): expected 1.5, got 1. // rounds down.
    """
    if not cases:
        raise ValueError("cases must hold at least one case, got none.")
    name = getattr(function, "__name__", "the function")
    for case in cases:
        problem = _judge(function, name, case)
        if problem:
            likely = _find_mistake(function, case) or _find_misconception(function, case, cases, misconceptions or {})
            if problem.startswith(_not_written(name)):
                raise CheckFailed(problem) from None
            _failures[name] += 1
            shown = hints[: max(0, _failures[name] - FAILURES_BEFORE_HINT + 1)]
            raise CheckFailed(
                " ".join([_sentence(problem, likely or case.hint), *(f"Hint: {hint}" for hint in shown)])
            ) from None
    _failures.pop(name, None)
    print(f"{name}: all {len(cases)} cases are right.")


@contextlib.contextmanager
def if_written() -> Iterator[None]:
    """Run the block; if it meets a blank that is not yet written, print one friendly line and go on after it.

    For cells that show what a blank does and are not graded.

    Examples
    --------
    >>> def blank():
    ...     raise NotImplementedError("write this part")
    >>> with if_written():
    ...     print(blank())
    blank is not yet written: follow the numbered steps above it, then run this cell again.
    """
    try:
        yield
    except NotImplementedError as error:
        name = traceback.extract_tb(error.__traceback__)[-1].name
        print(f"{_not_written(name)}, then run this cell again.")


def _not_written(name: str) -> str:
    return f"{name} is not yet written: follow the numbered steps above it"


def _judge(function: Callable[..., Any], name: str, case: Case) -> str | None:
    """Return None if the case is right, or what is wrong with it."""
    call = f"{name}({', '.join(_show(argument) for argument in case.arguments)})"
    arguments = copy.deepcopy(case.arguments)
    try:
        got = _call_quietly(function, arguments)
    except NotImplementedError:
        return f"{_not_written(name)}."
    except Exception as error:  # whatever a student's code can raise becomes a sentence
        return _judge_error(call, case, error)
    if _is_exception(case.expected):
        return f"{call}: expected a {case.expected.__name__}, got {_show(got)}."
    if any(not _unchanged(now, before) for now, before in zip(arguments, case.arguments, strict=True)):
        return f"{call} changed its argument: work on a copy, the caller still needs its own data."
    if _agree(got, case.expected, case.tolerance):
        return None
    return f"{call}: {_describe_difference(got, case.expected)}"


def _judge_error(call: str, case: Case, error: Exception) -> str | None:
    """Return None if the error is the expected one, or say what was raised and in which line."""
    if _is_exception(case.expected) and isinstance(error, case.expected):
        return None
    expected = f"a {case.expected.__name__}" if _is_exception(case.expected) else _show(case.expected)
    line = traceback.extract_tb(error.__traceback__)[-1].line
    where = f" in the line `{line}`" if line else ""
    return f"{call}: expected {expected}, but {type(error).__name__} was raised{where}: {error}."


def _call_quietly(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call the function; a mere warning must not cost points, and anything on stderr would."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return function(*arguments)


def _find_mistake(function: Callable[..., Any], failing: Case) -> str | None:
    """Return the sentence that belongs to the answer of the failing case, if there is one."""
    answer = _outcome(function, failing)
    return next((said for wrong, said in failing.mistakes if _agree(answer, wrong, failing.tolerance)), None)


def _find_misconception(
    function: Callable[..., Any], failing: Case, cases: Sequence[Case], misconceptions: Mapping[Callable[..., Any], str]
) -> str | None:
    """Return the sentence of the wrong function that the student's function looks like, if any.

    One that gives the same answers in the whole table comes first. One that agrees in the failing case alone is
    taken only if the answer is no bool: a bool agrees with half of all wrong functions by chance.
    """
    answers = [_outcome(function, case) for case in cases]
    for wrong, sentence in misconceptions.items():
        if all(_same_outcome(answer, wrong, case) for answer, case in zip(answers, cases, strict=True)):
            return sentence
    if not _is_numeric(failing.expected) or np.asarray(failing.expected).dtype.kind == "b":
        return None
    answer = _outcome(function, failing)
    return next((said for wrong, said in misconceptions.items() if _same_outcome(answer, wrong, failing)), None)


def _outcome(function: Callable[..., Any], case: Case) -> Any:
    """Return what a call returns, or the class of what it raises."""
    try:
        return _call_quietly(function, copy.deepcopy(case.arguments))
    except Exception as error:  # a wrong formula may have no answer here
        return type(error)


def _same_outcome(answer: Any, wrong: Callable[..., Any], case: Case) -> bool:
    """Tell whether the wrong function answers the case like that; an error looks like no misconception."""
    other = _outcome(wrong, case)
    if _is_exception(answer) or _is_exception(other):
        return answer is other and answer is case.expected
    return _agree(answer, other, case.tolerance)


def _agree(got: Any, expected: Any, tolerance: float) -> bool:
    """Tell whether two answers are the same: kind, shape, and value within the tolerance."""
    if isinstance(expected, (tuple, list)) and not _is_numeric(expected):
        same_length = isinstance(got, (tuple, list, np.ndarray)) and len(got) == len(expected)
        return same_length and all(_agree(g, e, tolerance) for g, e in zip(got, expected, strict=True))
    if not _is_numeric(expected):
        return isinstance(got, type(expected)) and bool(got == expected)
    if not _is_numeric(got) or np.shape(got) != np.shape(expected):
        return False
    if (np.asarray(expected).dtype.kind == "b") != (np.asarray(got).dtype.kind == "b"):
        return False
    left, right = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))


def _describe_difference(got: Any, expected: Any) -> str:
    """Say what was expected and what came back; of large arrays, where they differ first."""
    if got is None and expected is not None:
        return f"expected {_show(expected)}, got None: is there a `return` on every path?"
    if not (_is_numeric(got) and _is_numeric(expected)):
        return f"expected {_show(expected)}, got {_show(got)}."
    left, right = np.asarray(got), np.asarray(expected)
    if left.shape != right.shape:
        return f"expected {_show_shape(right)}, got {_show_shape(left)}."
    if left.dtype.kind != right.dtype.kind and "b" in (left.dtype.kind, right.dtype.kind):
        return f"expected {_show(expected)} ({right.dtype}), got {_show(got)} ({left.dtype})."
    if right.size <= MOST_NUMBERS_SHOWN:
        return f"expected {_show(expected)}, got {_show(got)}."
    worst = np.unravel_index(np.argmax(np.abs(left.astype(float) - right.astype(float))), right.shape)
    place = ", ".join(str(int(index)) for index in worst)
    return f"expected {right[worst]:.6g} at [{place}], got {left[worst]:.6g}."


def _show(value: Any) -> str:
    """Return a short text for an argument or an answer."""
    array = np.asarray(value) if isinstance(value, np.ndarray) or _is_numeric(value) else None
    if array is None:
        return reprlib.repr(value)
    if array.size > MOST_NUMBERS_SHOWN:
        return f"<array of shape {array.shape}>"
    return np.array2string(array, separator=", ", formatter={"float_kind": lambda number: f"{number:.6g}"})


def _show_shape(array: np.ndarray) -> str:
    return f"an array of shape {array.shape}" if array.ndim else f"one number ({_show(array)})"


def _is_numeric(value: Any) -> bool:
    """Tell whether `value` is a number, a bool or a rectangular array of them (a Tensor counts as one)."""
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:  # ragged
        return False


def _sentence(statement: str, addition: str) -> str:
    """Join a statement and what may follow it, with one full stop at the end."""
    return f"{statement} {addition.rstrip('.')}." if addition else statement


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def _unchanged(now: Any, before: Any) -> bool:
    """Tell whether an array still holds what it held; other arguments are not looked at."""
    if not isinstance(before, np.ndarray):
        return True
    return now.shape == before.shape and bool(np.array_equal(now, before, equal_nan=before.dtype.kind == "f"))
