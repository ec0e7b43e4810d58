"""Floor 4, the course office: search a kit for anything that would give a solution away, before a student has it.

It reads files through a path handed in. The standard library and the reader of notebooks are all it needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytorch.course.notebook import Cell, LessonNotebook

SOLUTION_MARKERS = ("BEGIN SOLUTION", "END SOLUTION")
HIDDEN_MARKERS = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
# A single line this long without its spaces says what to write; shorter ones (`return True`) stand everywhere.
TELLING_LENGTH = 20
# The tools name the markers that they look for, and the module that reads answers is called by them; nothing else is.
TOOLS_FOLDER = "tinytorch/course"
# Top of the clone that no kit has: tests hold answers, documents show code, the history of git holds everything.
FORBIDDEN_AT_THE_TOP = frozenset({".git", ".ci", "tests", "docs", "benchmarks", "kit", "INSTRUCTORS.md"})
FORBIDDEN_NAMES = frozenset({"answers.py", "survivors.json", "gradebook.db"})
BINARY_SUFFIXES = frozenset({".npz", ".png"})


@dataclass(frozen=True)
class Secret:
    """Lines that no student may find: a solution, or hidden tests.

    Examples
    --------
    >>> Secret("the solution of half", ("return x / 2",)).title
    'the solution of half'
    """

    title: str
    lines: tuple[str, ...]

    def is_in(self, text: Sequence[str]) -> bool:
        """Tell whether all its lines follow one another in `text`, or a telling one stands anywhere."""
        if any(len(line) >= TELLING_LENGTH and line in text for line in self.lines):
            return True
        count = len(self.lines)
        return count > 0 and any(
            tuple(text[start : start + count]) == self.lines for start in range(len(text) - count + 1)
        )


def find_secrets(notebooks: Sequence[LessonNotebook]) -> tuple[Secret, ...]:
    """Return what the instructor's notebooks hold and students must not see.

    Raises
    ------
    ValueError
        If a notebook holds no solution: then this is not the instructor's.
    """
    secrets = []
    for notebook in notebooks:
        solutions = [secret for cell in notebook.cells for secret in _solutions(notebook.name, cell)]
        if not solutions:
            raise ValueError(f"{notebook.path.name} must hold solutions, got none: it is a student's.")
        secrets += [*solutions, *(secret for cell in notebook.cells for secret in _hidden_tests(notebook.name, cell))]
    return tuple(secrets)


def search_kit(kit: Path, secrets: Sequence[Secret]) -> tuple[str, ...]:
    """Return one sentence for everything in a folder that must not be in a student's hands.

    Parameters
    ----------
    kit : Path
    secrets : sequence of Secret

    Examples
    --------
    >>> search_kit(Path("nowhere"), ())
    ()
    """
    findings = []
    for path in sorted(kit.rglob("*")):
        place = path.relative_to(kit)
        is_tool = place.is_relative_to(TOOLS_FOLDER)
        if place.parts[0] in FORBIDDEN_AT_THE_TOP or (path.name in FORBIDDEN_NAMES and not is_tool):
            findings.append(f"{place.as_posix()} does not belong into a kit")
        elif path.is_file() and path.suffix not in BINARY_SUFFIXES:
            findings.extend(f"{place.as_posix()} holds {what}" for what in _search_file(path, place, secrets))
    return tuple(findings)


def squeeze(text: str) -> tuple[str, ...]:
    """Return the lines of a text without spaces and comments, empty ones left out.

    Examples
    --------
    >>> squeeze("total = 0  # nothing yet\\n\\nreturn total / n")
    ('total=0', 'returntotal/n')
    """
    lines = ("".join(line.partition("#")[0].split()) for line in text.splitlines())
    return tuple(line for line in lines if line)


def _search_file(path: Path, place: Path, secrets: Sequence[Secret]) -> Iterator[str]:
    """Yield what one file holds that it should not."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if not place.is_relative_to(TOOLS_FOLDER):
        yield from (f"the marker {marker}" for marker in (*SOLUTION_MARKERS, *HIDDEN_MARKERS) if marker in text)
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        yield from _outputs(cells)
        text = "\n".join("".join(cell["source"]) for cell in cells)
    lines = squeeze(text)
    yield from (secret.title for secret in secrets if secret.is_in(lines))


def _outputs(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the cells of a notebook that have been run."""
    yield from (f"outputs in cell {cell['id']}" for cell in cells if cell.get("outputs"))


def _solutions(lesson: str, cell: Cell) -> Iterator[Secret]:
    """Yield the solution of a blank."""
    for part in _between(cell.source, SOLUTION_MARKERS):
        yield Secret(f"the solution of {cell.id} in {lesson}", squeeze(part))


def _hidden_tests(lesson: str, cell: Cell) -> Iterator[Secret]:
    """Yield the hidden tests of a check cell, without the lines that its visible part has, too."""
    visible = squeeze(cell.source.partition(HIDDEN_MARKERS[0])[0])
    for part in _between(cell.source, HIDDEN_MARKERS):
        lines = tuple(line for line in squeeze(part) if line not in visible)
        if lines:
            yield Secret(f"the hidden tests of {cell.id} in {lesson}", lines)


def _between(source: str, markers: tuple[str, str]) -> Iterator[str]:
    """Yield the parts of a cell between two markers."""
    begin, end = markers
    for part in source.split(begin)[1:]:
        yield part.partition(end)[0].rpartition("\n")[0]
