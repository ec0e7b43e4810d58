"""Honest notebooks get the same points from `tinytorch grade` and from nbgrader's own autograder and kernel."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from handed_in import NOTEBOOKS, ROOT, as_handed_in, save, solutions, stub
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from tinytorch.cli.main import main
from tinytorch.course.notebook import LessonNotebook

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs POSIX")


def points(out: Path, lesson: str) -> dict[tuple[str, str], float]:
    """(Student, check cell) -> points in the gradebook."""
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "tinytorch") as gradebook:
        submissions = gradebook.find_assignment(lesson).submissions
        return {
            (one.student.id, grade.name): float(grade.auto_score or 0)
            for one in submissions
            for notebook in one.notebooks
            for grade in notebook.grades
        }


def autograde_by_nbgrader(out: Path, lesson: str) -> None:
    """Grade what lies in the course folder again, in a kernel, with the settings that `release` wrote there."""
    config = Config()
    config.CourseDirectory.root, config.CourseDirectory.course_id = str(out), "tinytorch"
    config.OverwriteCells.add_missing_cells, config.Execute.timeout = True, 120
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for student in sorted(path.name for path in (out / "submitted").iterdir()):
        outcome = api.autograde(lesson, student, force=True, create=True)
        assert outcome["success"], outcome["log"]


def mixed(source: LessonNotebook) -> dict[str, str]:
    """Every kind of answer: the first blank unwritten, the second wrong, the third broken, the others right."""
    written = solutions(source)
    first, second, third = (blank.cell_id for blank in source.blanks[:3])
    del written[first]
    name = source.blanks[1].name
    written[second] = f"#| export\ndef {name}(*arguments, **named):\n    return 12345.0"
    written[third] = written[third].replace("### BEGIN SOLUTION", "1 / 0")
    return written


def compare(source: LessonNotebook, folder: Path, *written: dict[str, str]) -> None:
    released = stub(source, folder)
    for number, cells in enumerate(written):
        save(as_handed_in(released, cells), folder / "class" / f"student{number}_{source.name}.ipynb")
    out = folder / "out"
    assert main(["grade", str(folder / "class"), "--out", str(out), "--modules", str(ROOT / "modules")]) == 0
    ours = points(out, source.name)
    assert len(set(ours.values())) > 1
    autograde_by_nbgrader(out, source.name)
    assert points(out, source.name) == ours


def test_a_mixed_notebook_gets_the_same_points_from_both(tmp_path: Path) -> None:
    source = NOTEBOOKS[3]
    compare(source, tmp_path, mixed(source))


@pytest.mark.drill
@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda source: source.name)
def test_every_lesson_gets_the_same_points_from_both(source: LessonNotebook, tmp_path: Path) -> None:
    compare(source, tmp_path, {}, solutions(source), mixed(source))
