"""The reader of notebooks: what every part of the course builds on."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from tinytorch.checks.cases import CheckFailed
from tinytorch.course.notebook import (
    LESSON_STAGES,
    Blank,
    check_namespace,
    find_notebooks,
    lesson_name,
    notebook_path,
    read_notebook,
    run_check_cell,
)

MODULES = Path(__file__).resolve().parents[2] / "modules"
ROLES = {
    "blank": {"grade": False, "solution": True},
    "check": {"grade": True, "solution": False, "points": 2},
    "plain": None,
}


def plant(folder: Path, *cells: tuple[str, str, str]) -> Path:
    """Write a notebook of (id, role, source)."""
    content = []
    for name, role, source in cells:
        metadata = {"nbgrader": ROLES[role]} if ROLES[role] else {}
        content.append({"id": name, "cell_type": "code", "metadata": metadata, "source": source.splitlines(True)})
    path = notebook_path(folder, "15a_monitoring")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"cells": content}), encoding="utf-8")
    return path


CHECK = "check_cases(half, [Case((4,), 2.0)])"


def test_the_four_lessons_are_found_in_order():
    notebooks = find_notebooks(MODULES)
    assert [notebook.name for notebook in notebooks] == list(LESSON_STAGES)
    for notebook in notebooks:
        exported = next(cell.source for cell in notebook.cells if "default_exp" in cell.source)
        assert f"tinytorch.{exported.split()[-1]}" == notebook.lesson_module


@pytest.mark.parametrize("notebook", find_notebooks(MODULES), ids=lambda notebook: notebook.name)
def test_every_point_belongs_to_a_blank_and_every_blank_is_a_function_of_its_lesson(notebook):
    assert sum(blank.points for blank in notebook.blanks) == sum(cell.points for cell in notebook.cells) > 0
    lesson = importlib.import_module(notebook.lesson_module)
    for blank in notebook.blanks:
        assert callable(getattr(lesson, blank.name))
        assert f"def {blank.name}(" in notebook.cell(blank.cell_id).source
        assert notebook.cell(blank.cell_id).exported
        assert not any(notebook.cell(check).exported for check in blank.check_ids)


def test_the_checks_up_to_the_next_blank_are_its_own(tmp_path):
    more = ("check-more", "check", "check_cases(half, [Case((8,), 4.0)])")
    cells = [
        ("half", "blank", "#| export\ndef half(x):\n    return x / 2"),
        ("check-half", "check", CHECK),
        ("look", "plain", "print(half(3))"),
        more,
        ("twice", "blank", "#| export\ndef twice(x):\n    return x * 2"),
    ]
    notebook = read_notebook(plant(tmp_path, *cells))
    assert notebook.blanks == (
        Blank("half", "half", ("check-half", "check-more"), 4.0),
        Blank("twice", "twice", (), 0.0),
    )


def test_a_blank_keeps_its_name_if_a_helper_is_written_above_it(tmp_path):
    source = "#| export\ndef helper(x):\n    return x\ndef half(x):\n    return helper(x) / 2"
    notebook = read_notebook(plant(tmp_path, ("half", "blank", source), ("check-half", "check", CHECK)))
    assert notebook.blanks[0].name == "half"


def test_a_text_in_place_of_lines_and_a_missing_id_are_read_too(tmp_path):
    path = plant(tmp_path, ("half", "blank", "def half(x): ..."))
    content = json.loads(path.read_text(encoding="utf-8"))
    (cell,) = content["cells"]
    del cell["id"]
    cell["source"] = "".join(cell["source"])
    path.write_text(json.dumps(content), encoding="utf-8")
    (read,) = read_notebook(path).cells
    assert (read.id, read.source) == ("cell 1", "def half(x): ...")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [7]}', '{"metadata": {}}'])
def test_what_is_no_notebook_is_named(tmp_path, text):
    path = tmp_path / "15a_monitoring.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"path must be a notebook that can be read, got '15a_monitoring.ipynb'"):
        read_notebook(path)


@pytest.mark.parametrize("text", ["15a", "15A", "monitoring", "15a_monitoring"])
def test_a_lesson_has_three_names(text):
    assert lesson_name(text) == "15a_monitoring"


@pytest.mark.parametrize("text", ["", "15", "monitor", "_", "15a_drift"])
def test_another_name_is_refused_with_the_choices(text):
    with pytest.raises(ValueError, match="lesson must be one of 15a_monitoring, 15b_drift"):
        lesson_name(text)


def test_a_check_runs_on_the_function_that_stands_in(tmp_path, capsys):
    notebook = read_notebook(plant(tmp_path, ("half", "blank", "def half(x): ..."), ("check-half", "check", CHECK)))
    run_check_cell(notebook, "check-half", check_namespace(np, half=lambda x: x / 2))
    assert capsys.readouterr().out == "half: right in 1 of 1 cases.\n"
    with pytest.raises(CheckFailed, match=r"half\(4\): expected 2, got 4"):
        run_check_cell(notebook, "check-half", check_namespace(np, half=lambda x: x))
    with pytest.raises(ValueError, match=r"cell_id must name a cell of 15a_monitoring.ipynb, got 'check-third'"):
        run_check_cell(notebook, "check-third", {})


def test_a_function_that_is_built_in_can_stand_in_too():
    assert check_namespace(np, half=abs)["half"] is abs
