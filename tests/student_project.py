"""A student's project in a temporary folder: stub notebooks, and a package beside them if it is asked for."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tinytorch.course.notebook import LESSON_STAGES, LessonNotebook, find_notebooks, notebook_path, read_notebook

ROOT = Path(__file__).resolve().parents[1]
STUB = 'raise NotImplementedError("write this part")'


@functools.cache
def stub_text(name: str) -> str:
    """The notebook of a lesson as students get it."""
    from tinytorch.course.stubs import make_stub_notebook

    return make_stub_notebook(notebook_path(ROOT / "modules", name))


class StudentProject:
    """The folder, with ways to write in its notebooks; names of cells are those of the real lessons."""

    def __init__(self, root: Path) -> None:
        pytest.importorskip("nbgrader", reason="nbgrader is not installed (the course extra brings it)")
        pytest.importorskip("nbdev", reason="nbdev is not installed (the course extra brings it)")
        self.root = root
        self.modules = root / "modules"
        for name in LESSON_STAGES:
            path = notebook_path(self.modules, name)
            path.parent.mkdir(parents=True)
            path.write_text(stub_text(name), encoding="utf-8", newline="\n")

    def add_package(self) -> Path:
        """Put a copy of the package beside the notebooks; its lessons are the finished ones."""
        package = self.root / "tinytorch"
        shutil.copytree(ROOT / "tinytorch", package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "settings.ini"):
            shutil.copyfile(ROOT / name, self.root / name)
        return package

    def notebook(self, name: str) -> LessonNotebook:
        return read_notebook(notebook_path(self.modules, name))

    def notebooks(self) -> tuple[LessonNotebook, ...]:
        return find_notebooks(self.modules)

    def edit(self, name: str, cell_id: str, change: Callable[[str], str | None]) -> None:
        """Change the text of a cell; None deletes it."""
        path = notebook_path(self.modules, name)
        content = json.loads(path.read_text(encoding="utf-8"))
        (cell,) = [cell for cell in content["cells"] if cell["id"] == cell_id]
        text = change("".join(cell["source"]))
        if text is None:
            content["cells"].remove(cell)
        else:
            assert text != "".join(cell["source"]), "the change must change something"
            cell["source"] = text.splitlines(keepends=True)
        path.write_text(json.dumps(content), encoding="utf-8", newline="\n")

    def write(self, name: str, number: int, body: str) -> None:
        """Write lines into the blank of this number."""
        blank = self.notebook(name).blanks[number]
        self.edit(name, blank.cell_id, lambda text: text.replace(STUB, body.replace("\n", "\n    ")))

    def solve(self, name: str, *numbers: int) -> None:
        """Write the right answer into these blanks, or into all of them."""
        real = read_notebook(notebook_path(ROOT / "modules", name))
        for number, blank in enumerate(real.blanks):
            if not numbers or number in numbers:
                source = real.cell(blank.cell_id).source
                self.edit(name, blank.cell_id, lambda text, source=source: source)
