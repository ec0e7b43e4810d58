"""Notebooks as students hand them in, made from the lessons: solved, untouched, or with one cell changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinytorch.course.notebook import LessonNotebook, find_notebooks, read_notebook
from tinytorch.course.stubs import make_stub_notebook

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = find_notebooks(ROOT / "modules")


def stub(source: LessonNotebook, folder: Path) -> LessonNotebook:
    """The released notebook, written into a folder."""
    path = folder / f"{source.name}.ipynb"
    path.write_text(make_stub_notebook(source.path), encoding="utf-8", newline="\n")
    return read_notebook(path)


def as_handed_in(released: LessonNotebook, written: dict[str, str]) -> dict[str, Any]:
    """The released notebook's JSON with the sources of some cells replaced, by their ids."""
    content: dict[str, Any] = json.loads(released.path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell["source"] = written.get(cell["id"], "".join(cell["source"]))
    return content


def solutions(source: LessonNotebook) -> dict[str, str]:
    """Cell id -> the instructor's blank."""
    return {blank.cell_id: source.cell(blank.cell_id).source for blank in source.blanks}


def save(content: Any, path: Path) -> Path:
    """Write a notebook, or any text in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
