"""`tinytorch release` makes, by nbgrader, what students get and a course folder in which nbgrader's commands work."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from handed_in import NOTEBOOKS, ROOT
from nbgrader.api import Gradebook

from tinytorch.cli.main import main
from tinytorch.course.notebook import notebook_path, read_notebook
from tinytorch.course.stubs import make_stub_notebook

LESSON = NOTEBOOKS[1]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, said = tmp_path_factory.mktemp("release"), io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["release", "15b", "--out", str(folder), "--modules", str(ROOT / "modules")]) == 0
    assert f"grade SUBMISSIONS --out {folder}" in said.getvalue()  # the next step
    return folder


def test_the_students_notebook_holds_no_solution_and_no_hidden_test(out: Path) -> None:
    released = read_notebook(notebook_path(out / "release", LESSON.name))
    text = released.path.read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in text and "BEGIN HIDDEN TESTS" not in text
    for blank in released.blanks:
        assert "raise NotImplementedError" in released.cell(blank.cell_id).source
    assert [cell.id for cell in released.cells] == [cell.id for cell in LESSON.cells]


def test_it_is_the_notebook_that_a_kit_holds(out: Path) -> None:
    """A kit makes its notebooks by the same steps of nbgrader, without a gradebook."""

    def without_outputs(text: str) -> list[tuple[str, str, Any]]:
        cells = json.loads(text)["cells"]
        return [(cell["id"], "".join(cell["source"]), cell["metadata"].get("nbgrader")) for cell in cells]

    released = notebook_path(out / "release", LESSON.name).read_text(encoding="utf-8")
    assert without_outputs(released) == without_outputs(make_stub_notebook(LESSON.path))


def test_the_gradebook_knows_the_points(out: Path) -> None:
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "tinytorch") as gradebook:
        notebook = gradebook.find_notebook(LESSON.name, LESSON.name)
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    assert points == {cell.id: cell.points for cell in LESSON.cells if cell.graded}


@pytest.mark.parametrize("arguments", [["16"], ["15a", "--modules", "nowhere"]])
def test_an_unknown_lesson_and_an_unknown_folder_are_refused(arguments: list[str], tmp_path: Path) -> None:
    assert main(["release", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["out", "clone"])
def test_nbgraders_own_commands_find_the_lessons(folder: str, out: Path, tmp_path: Path) -> None:
    """In the course folder, by its configuration; in the repository itself (a copy here), by the committed one."""
    if folder == "clone":
        shutil.copyfile(ROOT / "nbgrader_config.py", tmp_path / "nbgrader_config.py")
        shutil.copytree(ROOT / "modules", tmp_path / "modules")
    code = "from nbgrader.apps import NbGraderApp as App; app = App(); app.initialize([]); c = app.coursedir; "
    code += "print(c.format_path(c.source_directory, '.', '15b_drift'), app.config.OverwriteCells.add_missing_cells)"
    place = out if folder == "out" else tmp_path
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, capture_output=True, text=True, timeout=300, check=True
    )
    path, mends = done.stdout.split("\n")[-2].rsplit(" ", 1)
    assert (place / path / "15b_drift.ipynb").is_file()
    assert mends == "True"
