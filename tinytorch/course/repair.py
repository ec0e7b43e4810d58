"""Floor 4, the mending room: makes of whatever was handed in a notebook that can be graded, and says what it mended.

The released notebook is the frame: its check cells and texts stand as they were given out, its blanks hold what the
student wrote, cells that the student added stay where they were. Outputs are dropped: nothing is read from them.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The longest lesson, solved and with all its plots, has 2 MB.
LARGEST_FILE = 50 * 2**20

NotebookCell = dict[str, Any]


@dataclass(frozen=True)
class Repaired:
    """A notebook that can be graded.

    Attributes
    ----------
    content : dict
        As JSON holds it.
    repairs : tuple of str
        What was mended, in sentences.

    Examples
    --------
    >>> Repaired({"cells": []}, ()).repairs
    ()
    """

    content: dict[str, Any]
    repairs: tuple[str, ...]


def repair_file(path: Path, released: dict[str, Any], blanks: dict[str, str]) -> Repaired:
    """Read a submitted notebook and mend it; one that cannot be read becomes the released one, with nothing written.

    Parameters
    ----------
    path : Path
    released : dict
        The notebook as it was given out.
    blanks : dict
        Id of each blank's cell -> name of its function, by which a blank is found that lost its id.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it has {path.stat().st_size / 2**20:.0f} MB; clear its outputs")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        cells = [_plain(cell) for cell in content["cells"]]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        return Repaired(copy.deepcopy(released), (f"{path.name} cannot be read ({reason}): nothing in it counts",))
    return repair_cells(cells, released, blanks)


def repair_cells(cells: Sequence[NotebookCell], released: dict[str, Any], blanks: dict[str, str]) -> Repaired:
    """Put what the student wrote into the released notebook.

    Examples
    --------
    >>> grading = {"nbgrader": {"grade": True, "grade_id": "c"}}
    >>> check = {"id": "c", "cell_type": "code", "source": "check()", "metadata": grading}
    >>> edited = {**check, "source": "pass"}
    >>> mended = repair_cells([edited], {"cells": [check]}, {})
    >>> mended.content["cells"][0]["source"], mended.repairs
    ('check()', ('check c was edited: put back as given',))
    """
    owners = _match(cells, released["cells"], blanks)
    theirs = {given: cells[place] for place, given in owners.items()}
    repairs, whole = [], _added_behind(cells, owners, None)
    for given in released["cells"]:
        kept, sentences = _mend(given, theirs.get(given["id"]))
        repairs += sentences
        whole += [kept, *_added_behind(cells, owners, given["id"])]
    for number, cell in enumerate(cell for cell in whole if "id" not in cell):
        cell["id"] = f"added-{number + 1}"
    return Repaired({**copy.deepcopy(released), "cells": whole}, tuple(repairs))


def _plain(cell: dict[str, Any]) -> NotebookCell:
    """A cell with its text in one piece; what is no cell raises."""
    source = cell.get("source", "")
    text = source if isinstance(source, str) else "".join(source)
    metadata = cell.get("metadata")
    text = text.encode("utf-8", "replace").decode("utf-8")  # half a character can be read from JSON, and not written
    return {**cell, "source": text, "metadata": metadata if isinstance(metadata, dict) else {}}


def _match(cells: Sequence[NotebookCell], released: Sequence[NotebookCell], blanks: dict[str, str]) -> dict[int, str]:
    """Say which submitted cell is which released one: by its id, nbgrader's id, what it defines, or its text."""
    free = {cell["id"] for cell in released}
    texts = {cell["source"].strip(): cell["id"] for cell in reversed(released)}
    functions = {name: cell_id for cell_id, name in blanks.items()}
    ways: tuple[Callable[[NotebookCell], Any], ...] = (
        lambda cell: cell.get("id"),
        lambda cell: _grading(cell).get("grade_id"),
        lambda cell: functions.get(_first_defined(cell["source"])),
        lambda cell: texts.get(cell["source"].strip()),
    )
    owners: dict[int, str] = {}
    for way in ways:
        for place in sorted(set(range(len(cells))) - set(owners)):
            given = way(cells[place])
            if isinstance(given, str) and given in free:
                owners[place] = given
                free.remove(given)
    return owners


def _first_defined(source: str) -> str:
    """The first function that a cell defines, or an empty text."""
    found = re.search(r"^def (\w+)\(", source, re.MULTILINE)
    return found[1] if found else ""


def _mend(given: NotebookCell, theirs: NotebookCell | None) -> tuple[NotebookCell, list[str]]:
    """Return a released cell as it should stand in the submission, and what was mended."""
    kept, name = copy.deepcopy(given), f"{_kind_of(given)} {given['id']}"
    if given["cell_type"] != "code":
        return kept, []
    if theirs is None:
        return kept, [f"{name} was missing: put back as given"]
    sentences = _lost_metadata(given, theirs, name)
    if theirs["source"].strip() != given["source"].strip():
        if _kind_of(given) == "check":
            return kept, [*sentences, f"{name} was edited: put back as given"]
        kept["source"] = theirs["source"]
        sentences += [f"{name} was changed: left as it is"] if _kind_of(given) == "given cell" else []
    return kept, sentences


def _kind_of(cell: NotebookCell) -> str:
    """What a released cell is for."""
    return "check" if _grading(cell).get("grade") else "blank" if _grading(cell).get("solution") else "given cell"


def _lost_metadata(given: NotebookCell, theirs: NotebookCell, name: str) -> list[str]:
    """Say what a blank or a check cell lost that nbgrader needs."""
    if _kind_of(given) == "given cell":
        return []
    lost = _grading(theirs).get("grade_id") != given["id"]
    kind = theirs.get("cell_type")
    return [f"{name} had lost its metadata: restored"] * lost + [f"{name} had become {kind}: made code again"] * (
        kind != "code"
    )


def _added_behind(cells: Sequence[NotebookCell], owners: dict[int, str], behind: str | None) -> list[NotebookCell]:
    """The student's own cells that stand behind a released one (None: at the top), without outputs and metadata."""
    start = next((place + 1 for place, given in owners.items() if given == behind), 0 if behind is None else len(cells))
    found: list[NotebookCell] = []
    for place in range(start, len(cells)):
        if place in owners:
            break
        kind = cells[place].get("cell_type") if cells[place].get("cell_type") in ("code", "markdown", "raw") else "raw"
        code: NotebookCell = {"execution_count": None, "outputs": []} if kind == "code" else {}
        found.append({"cell_type": kind, "metadata": {}, "source": cells[place]["source"], **code})
    return found


def _grading(cell: NotebookCell) -> dict[str, Any]:
    """What nbgrader wrote into a cell, if it is still there."""
    grading = cell["metadata"].get("nbgrader")
    return grading if isinstance(grading, dict) else {}
