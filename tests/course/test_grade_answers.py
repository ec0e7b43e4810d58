"""Every answer on file gets the same verdict through the hatch as in one process: nothing changes on its way."""

from __future__ import annotations

import importlib
import inspect
import sys
import textwrap
from pathlib import Path

import pytest
from handed_in import NOTEBOOKS, ROOT, stub

from tinytorch.checks.cases import CheckFailed, forget_failures
from tinytorch.course.answers import Answer, read_answers
from tinytorch.course.grade_check import judge_cells
from tinytorch.course.grade_stage import build_stage
from tinytorch.course.grade_student import StudentProcess
from tinytorch.course.grade_walls import Limits
from tinytorch.course.notebook import Cell, LessonNotebook, check_namespace, run_check_cell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs POSIX")

# The bounded version tries every so-manieth answer; the drill all of them.
STEP = 40


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stubs = tmp_path_factory.mktemp("stubs")
    return build_stage(tmp_path_factory.mktemp("stage"), [stub(notebook, stubs) for notebook in NOTEBOOKS])


def in_one_process(notebook: LessonNotebook, answer: Answer) -> dict[str, bool]:
    lesson, passed = importlib.import_module(notebook.lesson_module), {}
    blank = next(blank for blank in notebook.blanks if blank.name == answer.blank)
    for check in blank.check_ids:
        forget_failures()
        try:
            run_check_cell(notebook, check, check_namespace(lesson, **{answer.blank: answer.function}))
            passed[check] = True
        except CheckFailed:
            passed[check] = False
    return passed


def through_the_hatch(notebook: LessonNotebook, answer: Answer, stage: Path) -> dict[str, bool]:
    """The whole file of answers is handed in as a cell of the student's own, so that their helpers are there."""
    file = Path(inspect.getsourcefile(answer.function) or "").read_text(encoding="utf-8")
    blank = next(blank for blank in notebook.blanks if blank.name == answer.blank)
    call = f"{answer.blank} = {answer.function.__qualname__}.function"
    marks = textwrap.dedent("""
        class Marked:
            def __init__(self, function): self.function = function
        def wrong(*texts): return Marked
        right = wrong
    """)
    body = file.replace("from tinytorch.course.answers import right, wrong", marks)
    written = {blank.cell_id: f"{body}\n{call}"}
    cells = [Cell(cell.id, cell.kind, written.get(cell.id, cell.source)) for cell in notebook.cells]
    with StudentProcess(stage, Limits(seconds=20)) as student:
        verdicts = judge_cells(cells, notebook, student)
    return {check: verdicts[check].passed for check in blank.check_ids}


def compare(notebook: LessonNotebook, stage: Path, step: int) -> None:
    answers = read_answers(ROOT / "tests" / notebook.name / "answers.py")
    assert len(answers) > len(notebook.blanks)
    for answer in answers[::step]:
        assert through_the_hatch(notebook, answer, stage) == in_one_process(notebook, answer), answer.name


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_some_answers_get_the_same_verdict_both_ways(notebook: LessonNotebook, stage: Path) -> None:
    compare(notebook, stage, STEP)


@pytest.mark.drill
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_every_answer_gets_the_same_verdict_both_ways(notebook: LessonNotebook, stage: Path) -> None:
    compare(notebook, stage, 1)
