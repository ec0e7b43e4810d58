"""Real nbgrader, running cells in a kernel, gives the same verdicts as the audit, which starts none."""

from __future__ import annotations

import ast
import copy
import importlib
from pathlib import Path
from typing import Any

import pytest

from tinytorch.course.answers import Answer, read_answers
from tinytorch.course.audit import audit_lesson
from tinytorch.course.notebook import LESSON_STAGES, notebook_path, read_notebook

ROOT = Path(__file__).resolve().parents[2]
SECONDS_PER_CELL = 600
"""Not a budget: a hanging cell ends some day."""

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (the test extra brings it)")
preprocessors = pytest.importorskip(
    "nbgrader.preprocessors", reason="nbgrader is not installed (the course extra brings it)"
)
utils = pytest.importorskip("nbgrader.utils", reason="nbgrader is not installed (the course extra brings it)")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run apart from the settings of whoever runs the tests."""
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


def answers_of(lesson: str) -> tuple[Answer, ...]:
    return read_answers(ROOT / "tests" / lesson / "answers.py")


def verdicts(lesson: str) -> dict[tuple[str, str], bool]:
    """The audit's: (blank, answer) -> accepted."""
    notebook = read_notebook(notebook_path(ROOT / "modules", lesson))
    audit = audit_lesson(notebook, importlib.import_module(notebook.lesson_module), ROOT / "tests" / lesson)
    return {
        (blank.blank, answer.name): not answer.caught
        for blank in audit.blanks
        for answer in (*blank.wrong, *blank.right)
    }


def as_typed(answer: Answer) -> str:
    """What a student would have in the cell: the answer under the blank's name, and what its file gives it."""
    typed = []
    for node in ast.parse(Path(answer.file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == answer.name:
            node.name, node.decorator_list = answer.blank, []
            typed.append(ast.unparse(node))
        elif isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign)) or not getattr(node, "decorator_list", [None]):
            typed.append(ast.unparse(node))
    return "\n".join(text for text in typed if "__future__" not in text)


def earned_points(notebook: Any) -> dict[str, bool]:
    """Run a notebook as nbgrader does; tell for each check cell whether it gave all its points, or none."""
    execute = preprocessors.Execute(timeout=SECONDS_PER_CELL, allow_errors=True)
    graded, _ = execute.preprocess(notebook, {"metadata": {"path": str(ROOT)}})
    grades = {cell.id: utils.determine_grade(cell) for cell in graded.cells if utils.is_grade(cell)}
    assert {earned for earned, possible in grades.values()} <= {0, *(possible for _, possible in grades.values())}
    return {check: earned > 0 for check, (earned, _) in grades.items()}


def with_every_answer(lesson: str, answers: tuple[Answer, ...]) -> tuple[Any, dict[tuple[str, str], list[str]]]:
    """The exported cells of a lesson, then each answer with its check cells below it; and the ids of those cells."""
    path = notebook_path(ROOT / "modules", lesson)
    source, notebook = read_notebook(path), nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    notebook.cells = [cells[cell.id] for cell in source.cells if cell.exported or "import Case" in cell.source]
    checks = {blank.name: blank.check_ids for blank in source.blanks}
    places: dict[tuple[str, str], list[str]] = {}
    for number, answer in enumerate(answers):
        notebook.cells.append(nbformat.v4.new_code_cell(as_typed(answer)))
        for check in checks[answer.blank]:
            cell = copy.deepcopy(cells[check])
            cell.id = cell.metadata.nbgrader.grade_id = f"{check}-{number}"
            notebook.cells.append(cell)
            places.setdefault((answer.blank, answer.name), []).append(cell.id)
    return notebook, places


def compare(lesson: str, answers: tuple[Answer, ...]) -> None:
    """Hold nbgrader's points against the audit's verdicts: full points for a blank exactly if it accepts the answer."""
    notebook, places = with_every_answer(lesson, answers)
    earned = earned_points(notebook)
    accepted = {answer: all(earned[check] for check in checks) for answer, checks in places.items()}
    audited = verdicts(lesson)
    assert len(accepted) == len(answers)
    assert set(accepted.values()) == {True, False}
    assert accepted == {answer: audited[answer] for answer in accepted}


def test_nbgrader_agrees_with_the_audit_on_a_sample() -> None:
    """Every fifth answer of one lesson: some of each blank, wrong ones and right ones."""
    compare("15a_monitoring", answers_of("15a_monitoring")[4::5])


@pytest.mark.drill
@pytest.mark.parametrize("lesson", LESSON_STAGES)
def test_nbgrader_agrees_with_the_audit_on_every_answer(lesson: str) -> None:
    compare(lesson, answers_of(lesson))


@pytest.mark.drill
@pytest.mark.parametrize("lesson", LESSON_STAGES)
def test_nbgrader_agrees_with_the_audit_on_whole_notebooks(lesson: str) -> None:
    """Every other blank is filled with a wrong answer, the rest with a right one; then the other way round."""
    path = notebook_path(ROOT / "modules", lesson)
    source, accepted = read_notebook(path), verdicts(lesson)
    for wrong_first in (True, False):
        notebook = nbformat.read(path, as_version=4)
        cells = {cell.id: cell for cell in notebook.cells}
        expected = {}
        for number, blank in enumerate(source.blanks):
            mine = [answer for answer in answers_of(lesson) if answer.blank == blank.name]
            answer = mine[0] if (number % 2 == 0) == wrong_first else mine[-1]
            cells[blank.cell_id].source = as_typed(answer)
            expected[blank.name] = accepted[blank.name, answer.name]
        earned = earned_points(notebook)
        assert set(expected.values()) == {True, False}
        assert {blank.name: all(earned[check] for check in blank.check_ids) for blank in source.blanks} == expected
