"""Points are honest: nothing for nothing, everything for the solution, and each blank's points for that blank alone."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from handed_in import NOTEBOOKS

from tinytorch.checks.cases import CheckFailed, forget_failures
from tinytorch.course.notebook import Blank, LessonNotebook, check_namespace, run_check_cell

BLANKS = [(notebook, blank) for notebook in NOTEBOOKS for blank in notebook.blanks]


def unwritten(*arguments: Any, **named: Any) -> Any:
    raise NotImplementedError("write this part")


def earned(notebook: LessonNotebook, written: set[str]) -> dict[str, float]:
    """The points of each blank when the instructor's solutions stand in those of `written` alone."""
    lesson = importlib.import_module(notebook.lesson_module)
    forget_failures()
    points = {}
    for blank in notebook.blanks:
        stubs = {other.name: unwritten for other in notebook.blanks if other.name not in written}
        points[blank.name] = sum(
            _points(notebook, check, check_namespace(lesson, **stubs)) for check in blank.check_ids
        )
    return points


def _points(notebook: LessonNotebook, check_id: str, namespace: dict[str, Any]) -> float:
    try:
        run_check_cell(notebook, check_id, namespace)
    except CheckFailed:
        return 0.0
    return notebook.cell(check_id).points


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_an_untouched_notebook_earns_nothing_and_a_solved_one_everything(notebook: LessonNotebook) -> None:
    assert set(earned(notebook, written=set()).values()) == {0.0}
    solved = earned(notebook, written={blank.name for blank in notebook.blanks})
    assert solved == {blank.name: blank.points for blank in notebook.blanks}


@pytest.mark.parametrize(("notebook", "blank"), BLANKS, ids=lambda value: getattr(value, "name", ""))
def test_a_blank_solved_alone_earns_its_own_points_and_no_others(notebook: LessonNotebook, blank: Blank) -> None:
    points = earned(notebook, written={blank.name})
    assert points.pop(blank.name) == blank.points > 0
    assert set(points.values()) <= {0.0}


def test_every_point_of_every_notebook_belongs_to_a_blank() -> None:
    for notebook in NOTEBOOKS:
        in_cells = sum(cell.points for cell in notebook.cells if cell.graded)
        assert sum(blank.points for blank in notebook.blanks) == in_cells
        assert all(cell.points > 0 for cell in notebook.cells if cell.graded)
