"""Floor 4, the grader's side of the hatch: raises here what a student's function raised there."""

from __future__ import annotations

import builtins
import linecache
from typing import Any, NoReturn

# The name that stands for a line of a student's code in a traceback made here.
PLACE = "<student>"


class StudentStopped(BaseException):
    """A student's process gave no answer; the message says why.

    It is no `Exception`: a check takes those for what the student's function raised, and goes on.

    Examples
    --------
    >>> raise StudentStopped("share gave no answer within 5 s")
    Traceback (most recent call last):
    ...
    tinytorch.course.grade_answer.StudentStopped: share gave no answer within 5 s
    """


def raise_what_was_raised(raised: dict[str, Any]) -> NoReturn:
    """Raise an exception of the same name and message, whose traceback ends in the student's line.

    Parameters
    ----------
    raised : dict
        `classes`, the names of the exception's class and those above it; `said`; `line`. Nothing of it is trusted.

    Examples
    --------
    >>> raise_what_was_raised({"classes": ["NotFitted", "ValueError", "Exception"], "said": "fit first", "line": ""})
    Traceback (most recent call last):
    ...
    tinytorch.course.grade_answer.NotFitted: fit first
    """
    names = [str(name) for name in raised.get("classes") or ["Exception"]]
    above = next((kind for name in names if (kind := _builtin(name))), RuntimeError)
    same = above.__name__ == names[0] or not names[0].isidentifier()
    kind = above if same else type(names[0], (above,), {"__module__": __name__})
    error = _make(kind, str(raised.get("said", "")))
    linecache.cache[PLACE] = (0, None, [str(raised.get("line", ""))], PLACE)
    exec(compile("raise error", PLACE, "exec"), {"error": error})
    raise error


def _builtin(name: str) -> type[Exception] | None:
    """The exception class of Python with this name. Not SystemExit and its like: they would stop the grader."""
    kind = getattr(builtins, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None


def _make(kind: type[Exception], said: str) -> Exception:
    """Some classes, such as UnicodeDecodeError, take more than a message."""
    try:
        return kind(said)
    except TypeError:
        return RuntimeError(f"{kind.__name__}: {said}")
