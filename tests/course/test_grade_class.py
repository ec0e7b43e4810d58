"""A class of forty with two lessons each, a quarter of them bad in every known way, graded in one go."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
from handed_in import NOTEBOOKS, ROOT, as_handed_in, save, solutions, stub

from tinytorch.cli.main import main

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(sys.platform == "win32", reason="grading needs POSIX"),
]

STUDENTS = 40
LESSONS = NOTEBOOKS[:2]
FIRST = LESSONS[0].blanks[0]
BAD = [  # the last two break Python for the rest of their own notebook
    "def batch_accuracy(predictions, labels):\n    while True:\n        pass",
    "while True:\n    pass",
    "import os\nos._exit(1)",
    "def batch_accuracy(predictions, labels:",
    "def batch_accuracy(predictions, labels):\n    print('x' * 10**8)",
    "def batch_accuracy(predictions, labels):\n    return bytearray(10**11)",
    "import tinytorch.checks.cases as c\nc.check_cases = lambda *a, **k: None\nbatch_accuracy = None",
    "import threading, time\nthreading.Thread(target=lambda: time.sleep(10**6)).start()",
    "import sys\nsys.modules.clear()\ndef batch_accuracy(predictions, labels):\n    return 1.0",
    "import builtins\nbuiltins.__import__ = None\ndef batch_accuracy(predictions, labels):\n    return 1.0",
]


def test_a_class_of_forty(tmp_path: Path) -> None:
    released = [stub(lesson, tmp_path) for lesson in LESSONS]
    for number in range(STUDENTS):
        for lesson, given in zip(LESSONS, released, strict=True):
            written = solutions(lesson)
            if lesson is LESSONS[0] and number < len(BAD):
                written[FIRST.cell_id] = BAD[number]
            save(as_handed_in(given, written), tmp_path / "class" / f"s{number:02}" / f"{lesson.name}.ipynb")
    out = tmp_path / "out"
    assert main(["grade", str(tmp_path / "class"), "--out", str(out), "--modules", str(ROOT / "modules")]) == 0
    with (out / "results" / "grades.csv").open(encoding="utf-8", newline="") as file:
        totals = {(row["student"], row["lesson"]): (float(row["total"]), row["points"]) for row in csv.DictReader(file)}
    assert len(totals) == STUDENTS * len(LESSONS)
    for (student, lesson), (total, points) in totals.items():
        number = int(student[1:]) if lesson == LESSONS[0].name else STUDENTS
        lost = FIRST.points if number < len(BAD) - 2 else float(points) if number < len(BAD) else 0.0
        assert total == float(points) - lost, (student, lesson)
