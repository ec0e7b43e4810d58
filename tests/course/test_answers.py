"""Answers are read from a file as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytorch.course.answers import read_answers

FILE = """
import math

from tinytorch.course.answers import right, wrong


def _half(number):
    return number / 2


@wrong("root", "halves")
def halves(number):
    return _half(number)


@right("root", "to the power of one half")
def power(number):
    return number**0.5
"""


def test_answers_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.py"
    path.write_text(FILE, encoding="utf-8", newline="\n")
    halves, power = read_answers(path)
    assert (halves.name, halves.blank, halves.sentence, halves.is_right) == ("halves", "root", "halves", False)
    assert (power.name, power.is_right, power.function(16)) == ("power", True, 4)
    assert halves.file == str(path)


def test_a_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"answers must be a file, got '.*nowhere\.py'"):
        read_answers(tmp_path / "nowhere.py")
