"""Whatever was handed in becomes a notebook that can be graded, and the log says what was mended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from handed_in import NOTEBOOKS, as_handed_in, save, solutions, stub

from tinytorch.course.repair import LARGEST_FILE, Repaired, repair_file

LESSON = NOTEBOOKS[0]
BLANK = LESSON.blanks[0]
CHECK = BLANK.check_ids[0]
WRITTEN = solutions(LESSON)
NAMES = {blank.cell_id: blank.name for blank in LESSON.blanks}


@pytest.fixture
def released(tmp_path: Path) -> dict[str, Any]:
    return as_handed_in(stub(LESSON, tmp_path), {})


@pytest.fixture
def solved(tmp_path: Path) -> dict[str, Any]:
    return as_handed_in(stub(LESSON, tmp_path), WRITTEN)


@pytest.fixture
def mend(released: dict[str, Any], tmp_path: Path) -> Any:
    return lambda content: repair_file(save(content, tmp_path / f"{LESSON.name}.ipynb"), released, NAMES)


def cell(content: dict[str, Any], name: str) -> dict[str, Any]:
    return next(cell for cell in content["cells"] if cell["id"] == name)


def blanks_of(mended: Repaired) -> dict[str, str]:
    return {name: cell(mended.content, name)["source"] for name in NAMES}


def test_a_sound_notebook_keeps_what_was_written_and_needs_no_mending(mend, solved, released) -> None:
    mended = mend(solved)
    assert mended.repairs == ()
    assert blanks_of(mended) == WRITTEN
    assert [one["id"] for one in mended.content["cells"]] == [one["id"] for one in released["cells"]]


def test_lost_metadata_and_types_are_restored(mend, solved, released) -> None:
    for one in solved["cells"]:
        one["metadata"] = {}
    cell(solved, BLANK.cell_id)["cell_type"] = "markdown"
    mended = mend(solved)
    assert f"blank {BLANK.cell_id} had lost its metadata: restored" in mended.repairs
    assert f"blank {BLANK.cell_id} had become markdown: made code again" in mended.repairs
    assert blanks_of(mended) == WRITTEN
    assert [one["metadata"] for one in mended.content["cells"]] == [one["metadata"] for one in released["cells"]]


def test_a_blank_without_any_id_is_found_by_what_it_defines(mend, solved) -> None:
    for one in solved["cells"]:
        del one["id"]
        one["metadata"] = {}
    assert blanks_of(mend(solved)) == WRITTEN


def test_an_old_notebook_without_cell_ids_is_found_by_nbgraders(mend, solved) -> None:
    for one in solved["cells"]:
        del one["id"]
    mended = mend({**solved, "nbformat_minor": 4})
    assert blanks_of(mended) == WRITTEN
    assert mended.repairs == ()


def test_edited_and_deleted_checks_are_put_back_as_given(mend, solved, released) -> None:
    cell(solved, CHECK)["source"] = "print('right')"
    deleted = LESSON.blanks[1].check_ids[0]
    solved["cells"] = [one for one in solved["cells"] if one["id"] != deleted]
    mended = mend(solved)
    assert set(mended.repairs) == {
        f"check {CHECK} was edited: put back as given",
        f"check {deleted} was missing: put back as given",
    }
    for name in (CHECK, deleted):
        assert cell(mended.content, name) == cell(released, name)


def test_a_deleted_blank_is_put_back_unwritten(mend, solved, released) -> None:
    solved["cells"] = [one for one in solved["cells"] if one["id"] != BLANK.cell_id]
    mended = mend(solved)
    assert mended.repairs == (f"blank {BLANK.cell_id} was missing: put back as given",)
    assert cell(mended.content, BLANK.cell_id) == cell(released, BLANK.cell_id)


def test_points_that_a_student_raised_are_lowered_again(mend, solved, released) -> None:
    cell(solved, CHECK)["metadata"]["nbgrader"]["points"] = 1000
    cell(solved, CHECK)["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "right"}]
    assert cell(mend(solved).content, CHECK) == cell(released, CHECK)


def test_cells_of_ones_own_stay_where_they_were(mend, solved) -> None:
    own = {"cell_type": "code", "id": CHECK, "source": ["x = 1\n", "y = 2"], "metadata": {"nbgrader": {"grade": True}}}
    place = [one["id"] for one in solved["cells"]].index(CHECK) + 1
    solved["cells"].insert(place, own)
    solved["cells"].insert(0, {"cell_type": "nonsense", "source": "top"})
    mended = mend(solved).content["cells"]
    assert mended[0] == {"cell_type": "raw", "metadata": {}, "source": "top", "id": "added-1"}
    assert mended[place + 1]["source"] == "x = 1\ny = 2"
    assert mended[place + 1]["metadata"] == {}
    assert len({one["id"] for one in mended}) == len(mended)


def test_a_changed_given_cell_is_kept_and_noted(mend, solved) -> None:
    cell(solved, "imports")["source"] += "\nimport math as m"
    mended = mend(solved)
    assert mended.repairs == ("given cell imports was changed: left as it is",)
    assert cell(mended.content, "imports")["source"].endswith("import math as m")


@pytest.mark.parametrize(
    "content",
    ["", "not JSON", "[1, 2]", "null", '{"cells": 3}', '{"cells": [1]}', "[" * 100_000, '{"cells": [{"source": 5}]}'],
    ids=lambda content: content[:12] or "empty",
)
def test_what_is_no_notebook_counts_for_nothing(content: str, mend, released) -> None:
    mended = mend(content)
    assert "cannot be read" in mended.repairs[0]
    assert mended.content == released


def test_bytes_that_are_no_text_and_files_without_end_count_for_nothing(released, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(b"\xff\xfe\x00\x01")
    assert "cannot be read" in repair_file(path, released, NAMES).repairs[0]
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    assert "clear its outputs" in repair_file(path, released, NAMES).repairs[0]
    assert "cannot be read" in repair_file(tmp_path / "nowhere.ipynb", released, NAMES).repairs[0]


def test_a_flood_of_output_is_dropped(mend, solved) -> None:
    for one in solved["cells"]:
        if one["cell_type"] == "code":
            one["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 100_000}]
    assert len(json.dumps(mend(solved).content)) < 200_000


def test_half_characters_and_odd_ids_do_no_harm(mend, solved) -> None:
    cell(solved, BLANK.cell_id)["source"] += "\n# \ud800"
    for one, odd in zip(solved["cells"], (7, None, ["x"], {"y": 1}), strict=False):
        one["id"], one["metadata"] = odd, {"nbgrader": {"grade_id": odd}}
    mended = mend(solved)
    assert blanks_of(mended)[BLANK.cell_id] == WRITTEN[BLANK.cell_id] + "\n# ?"
    json.dumps(mended.content, ensure_ascii=False).encode("utf-8")
