"""Floor 3, the marking room: run a student's function on a table of cases and say what is wrong in plain words.

The check cells of the notebooks use it. It may import the floors below; it imports numpy and the standard library.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import re
import textwrap
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, TypeVar

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.checks.wording import (
    MOST_NUMBERS_SHOWN,
    is_bool,
    is_exception,
    is_numeric,
    show,
    show_shape,
    write_call,
)

# Far above the rounding of any right formula in float64, far below the difference that a wrong one makes.
DEFAULT_TOLERANCE = 1e-6
# From this failing check of one blank on, the message carries a further hint; the first message stands alone.
FAILURES_BEFORE_HINT = 2
# Characters of a line: Jupyter Lab shows 107 of them in a window of 1280 pixels, and breaks a longer line in mid-word.
PAGE_WIDTH = 100

# What numpy says where `and`, `or`, `not` or `if` met a whole array, and where `|` or `&` joined what is not boolean.
SAID_OF_ARRAYS = (
    (
        re.compile("truth value of an array"),
        "put brackets round each comparison and join them with & or |, never `and`; `~` turns booleans round",
    ),
    (
        re.compile("ufunc 'bitwise_"),
        "put brackets round each comparison, and round the whole before .mean or .sum: `((a < b) | (c > d)).mean`",
    ),
)
# Sentences that fit every blank.
WORK_ON_A_COPY = "work on a copy, the caller still needs its own data"
NO_RETURN = "is there a `return` on every path?"

# Stands in every message about a blank that still raises NotImplementedError.
NOT_WRITTEN = " is not yet written: "
# How the comment in an untouched blank names its steps.
STEPS_ABOVE = re.compile(r"steps? \d(-\d)? above")

Shown = TypeVar("Shown")

# Failing checks in a row, by the name of the blank: running a cell again defines a new function of the same name.
_failures: Counter[str] = Counter()


class CheckFailed(AssertionError):
    """A blank is unfinished or wrong; the message is written for the student.

    Parameters
    ----------
    message : str
    written : str
        The part of it that a person wrote about this very mistake: a hint or a mistake of the case, or a sentence of
        this file such as "work on a copy". Empty where the message only says what was expected and what came back.

    Examples
    --------
    >>> raise CheckFailed("share(1, 0): expected 0.0, got None.")
    Traceback (most recent call last):
    ...
    tinytorch.checks.cases.CheckFailed: share(1, 0): expected 0.0, got None.
    """

    def __init__(self, message: str, written: str = "") -> None:
        super().__init__(message)
        self.written = written

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook, where a traceback would lead into this file.

        What came back, what it looks like and each hint begin on lines of their own.
        """
        text = str(self) if NOT_WRITTEN in str(self) else f"Not yet right. {self}"
        for part in filter(None, (_sentence("", self.written), " Hint: ")):
            text = text.replace(part, f"\n{part[1:]}")
        return [_fold(text)]


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


def check_cases(function: Callable[..., Any], cases: Sequence[Case], *, hints: Sequence[str] = ()) -> None:
    """Call `function` on every case; print one line if all are right, raise `CheckFailed` at the first that is not.

    Parameters
    ----------
    function : callable
        The student's function.
    cases : sequence of Case
    hints : sequence of str
        Shown one more at a time from the second failing check of the same blank on.

    Raises
    ------
    CheckFailed
        With the call, what was expected, what came back and, if one fits, a sentence about the likely mistake.
    ValueError
        If there are no cases.

    Examples
    --------
    >>> check_cases(abs, [Case((-2,), 2), Case((3,), 3)])
    abs: right in 2 of 2 cases.
    >>> def halve(number):
    ...     return number // 2
    >>> check_cases(halve, [Case((4,), 2.0), Case((3,), 1.5, mistakes=((1, "// rounds down"),))])
    Traceback (most recent call last):
    ...
    tinytorch.checks.cases.CheckFailed: halve(3): expected 1.5, got 1. // rounds down.
    """
    if not cases:
        raise ValueError("cases must hold at least one case, got none.")
    name = getattr(function, "__name__", "the function")
    for case in cases:
        problem = _judge(function, name, case)
        if problem and problem.written == _not_written(function, name):
            raise CheckFailed(problem.message, problem.written) from None
        if problem:
            raise CheckFailed(" ".join([problem.message, *_next_hints(name, hints)]), problem.written) from None
    _failures.pop(name, None)
    print(f"{name}: right in {len(cases)} of {len(cases)} cases.")


def forget_failures() -> None:
    """Count failing checks from nought again, so that the next student's first message stands alone.

    Examples
    --------
    >>> forget_failures()
    """
    _failures.clear()


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
    blank is not yet written: the numbered steps above it.
    """
    try:
        yield
    except NotImplementedError as error:
        print(f"{_where_it_stopped(error)}.")


def own_or_given(
    own: Callable[..., Shown], given: Callable[..., Shown], *arguments: Any, called: str = "the library's work"
) -> Shown:
    """Return `own(*arguments)`; while that meets an unfinished blank, say so in one line and go on with `given`.

    For the cells after a blank: they show something either way, and always say whose work it is.

    Parameters
    ----------
    own : callable
        Uses what the student wrote. It should compute and return, and leave drawing to the cell: what it printed
        before it stopped stays on the page.
    given : callable
        The same from what the library gives.
    *arguments
        Handed to whichever is called.
    called : str
        What `given` is, for the line.

    Returns
    -------
    object
        What `own` returns, or else what `given` does.

    Examples
    --------
    >>> def double(number):
    ...     raise NotImplementedError("write this part")
    >>> own_or_given(double, lambda number: number + number, 4, called="the library's sum")
    Not yet yours: this is the library's sum (double is not yet written: the numbered steps above it).
    8
    """
    try:
        shown = own(*arguments)
    except Exception as error:  # a blank that is wrong may raise anything; its own check says what is the matter
        print(_fold(f"Not yet yours: this is {called} ({_where_it_stopped(error)})."))
        return given(*arguments)
    if _failures:
        print(f"This uses yours, and {' and '.join(_failures)} did not pass its check: what follows may be wrong.")
    return shown


def _fold(sentence: str) -> str:
    """Break a sentence for the page between words; a word longer than a line stays whole."""
    lines = [
        textwrap.wrap(line, PAGE_WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in sentence.splitlines()
    ]
    return "\n".join(part for line in lines for part in line or [""])


def _where_it_stopped(error: Exception) -> str:
    """Name the blank that is not yet written, or the error that something written raised."""
    if not isinstance(error, NotImplementedError):
        return f"yours raised {type(error).__name__}: {str(error).rstrip('.')}"
    (*_, (frame, _)) = traceback.walk_tb(error.__traceback__)
    return _not_written(frame.f_code, frame.f_code.co_name)


def _not_written(function: Callable[..., Any] | CodeType, name: str) -> str:
    """Say so of a blank, with its steps as the comment in it names them, if its source can be read."""
    source = ""
    with contextlib.suppress(OSError, TypeError):
        source = inspect.getsource(function)
    steps = STEPS_ABOVE.search(source)
    return f"{name}{NOT_WRITTEN}{steps[0] if steps else 'the numbered steps above it'}"


def _next_hints(name: str, hints: Sequence[str]) -> list[str]:
    """Count a failing check of a blank, and return the hints that it has earned."""
    _failures[name] += 1
    return [f"Hint: {hint.rstrip('.')}." for hint in hints[: max(0, _failures[name] - FAILURES_BEFORE_HINT + 1)]]


@dataclass(frozen=True)
class _Problem:
    """What is wrong with a case: the message, and the part of it that a person wrote about this mistake."""

    message: str
    written: str


def _judge(function: Callable[..., Any], name: str, case: Case) -> _Problem | None:
    """Return None if the case is right, or what is wrong with it."""
    call = write_call(function, name, case.arguments)
    arguments = copy.deepcopy(case.arguments)
    try:
        got = _call_quietly(function, arguments)
    except NotImplementedError:
        said = _not_written(function, name)
        return _Problem(f"{said}.", said)
    except Exception as error:  # whatever a student's code can raise becomes a sentence
        return _judge_error(call, case, error)
    if not all(map(_unchanged, arguments, case.arguments)):
        return _Problem(f"{call} changed its argument: {WORK_ON_A_COPY}.", WORK_ON_A_COPY)
    return None if _agree(got, case.expected, case.tolerance) else _judge_answer(call, case, got)


def _judge_answer(call: str, case: Case, got: Any) -> _Problem:
    """Say what is wrong with an answer, and which mistake it looks like."""
    likely = next((said for answer, said in case.mistakes if _agree(got, answer, case.tolerance)), case.hint)
    message = _sentence(f"{call}: expected {_describe_difference(got, case.expected)}", likely)
    return _Problem(message, likely or (NO_RETURN if got is None else ""))


def _judge_error(call: str, case: Case, error: Exception) -> _Problem | None:
    """Return None if the error is the expected one, or say what was raised and in which line."""
    if is_exception(case.expected) and isinstance(error, case.expected):
        return None
    line = traceback.extract_tb(error.__traceback__)[-1].line
    where = f" in the line `{line}`" if line else ""
    raised = f"but {type(error).__name__} was raised{where}: {str(error).rstrip('.')}."
    likely = next((said for pattern, said in SAID_OF_ARRAYS if pattern.search(str(error))), case.hint)
    return _Problem(_sentence(f"{call}: expected {show(case.expected)}, {raised}", likely), likely)


def _call_quietly(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call the function; a mere warning must not cost points, and anything on stderr would."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return function(*arguments)


def _agree(got: Any, expected: Any, tolerance: float) -> bool:
    """Tell whether two answers are the same: kind, shape, and value within the tolerance."""
    if is_numeric(expected):
        return is_numeric(got) and _agree_in_numbers(np.asarray(got), np.asarray(expected), tolerance)
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list, np.ndarray)) or len(got) != len(expected):
            return False
        return all(_agree(mine, theirs, tolerance) for mine, theirs in zip(got, expected, strict=True))
    return isinstance(got, type(expected)) and bool(got == expected)


def _agree_in_numbers(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Tell whether two arrays have one shape, are both of bools or both of numbers, and hold the same values."""
    if got.shape != expected.shape or is_bool(got) != is_bool(expected):
        return False
    left, right = got.astype(np.float64), expected.astype(np.float64)
    return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))


def _describe_difference(got: Any, expected: Any) -> str:
    """Say what was expected and what came back; of large arrays, where they differ most."""
    if got is None:
        return f"{show(expected)}, got None: {NO_RETURN}"
    if isinstance(expected, (tuple, list)) or not (is_numeric(got) and is_numeric(expected)):
        return f"{show(expected)}, got {show(got)}."
    return _describe_numbers(np.asarray(got), np.asarray(expected))


def _describe_numbers(got: np.ndarray, expected: np.ndarray) -> str:
    """Say in what two arrays differ: in shape, in kind, or in values."""
    if got.shape != expected.shape:
        return f"{show_shape(expected)}, got {show_shape(got)}."
    if is_bool(got) != is_bool(expected):
        return f"{show(expected)} ({expected.dtype}), got {show(got)} ({got.dtype})."
    if expected.size <= MOST_NUMBERS_SHOWN:
        return f"{show(expected)}, got {show(got)}."
    worst = np.unravel_index(np.argmax(np.abs(got.astype(float) - expected.astype(float))), expected.shape)
    place = ", ".join(str(int(index)) for index in worst)
    return f"{expected[worst]:.6g} at [{place}], got {got[worst]:.6g}."


def _sentence(statement: str, addition: str) -> str:
    """Join a statement and what may follow it, which begins with a capital and ends with one full stop."""
    return f"{statement} {addition[:1].upper()}{addition[1:].rstrip('.')}." if addition else statement


def _unchanged(now: Any, before: Any) -> bool:
    """Tell whether an array still holds what it held; other arguments are not looked at."""
    if not isinstance(before, np.ndarray):
        return True
    return now.shape == before.shape and bool(np.array_equal(now, before, equal_nan=before.dtype.kind == "f"))
