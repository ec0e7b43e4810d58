"""Floor 4, the examiner's desk: answers to a lesson's blanks, right and wrong, on which its checks are tried.

They stand in `tests/<lesson>/answers.py`, never in what students get. It may import numpy and the standard library.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One way to fill a blank.

    Attributes
    ----------
    blank : str
        Name of the function that students write.
    sentence : str
        The misconception behind a wrong answer, or what a right one does in another way.
    is_right : bool
    function : callable
        What the student wrote, under a name of its own.

    Examples
    --------
    >>> @wrong("share", "counts instead of dividing")
    ... def count_only(part, whole):
    ...     return part
    >>> count_only.name, count_only.function(3, 4)
    ('count_only', 3)
    """

    blank: str
    sentence: str
    is_right: bool
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The name that the answer has in its file."""
        return str(self.function.__qualname__).rpartition(".")[-1]

    @property
    def file(self) -> str:
        """The path of the file in which it is written."""
        return str(self.function.__code__.co_filename)


def wrong(blank: str, sentence: str) -> Callable[[Callable[..., Any]], Answer]:
    """Mark the function below as a typical wrong answer; `sentence` names the misconception.

    Examples
    --------
    >>> @wrong("share", "turns the fraction round")
    ... def turned(part, whole):
    ...     return whole / part
    >>> turned.is_right
    False
    """
    return lambda function: Answer(blank, sentence, False, function)


def right(blank: str, sentence: str) -> Callable[[Callable[..., Any]], Answer]:
    """Mark the function below as a right answer; `sentence` says what it does in another way than the solution.

    Examples
    --------
    >>> @right("share", "multiplies by the inverse")
    ... def by_inverse(part, whole):
    ...     return part * whole**-1
    >>> by_inverse.is_right
    True
    """
    return lambda function: Answer(blank, sentence, True, function)


def read_answers(path: Path) -> tuple[Answer, ...]:
    """Return the answers of a file, in the order in which they stand there.

    Raises
    ------
    ValueError
        If there is no such file.
    """
    if not path.is_file():
        raise ValueError(f"answers must be a file, got {str(path)!r}.")
    specification = importlib.util.spec_from_file_location(f"answers_{path.parent.name}", path)
    if specification is None or specification.loader is None:
        raise ValueError(f"answers must be a Python file, got {str(path)!r}.")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return tuple(value for value in vars(module).values() if isinstance(value, Answer))
