"""Floor 4, the course office: makes lesson.py of a notebook, by nbdev, and writes it only if it is sound.

nbdev overwrites a good file with one that does not parse, so every cell is parsed first and the file is made aside.
"""

from __future__ import annotations

import ast
import os
import shutil
import warnings
from importlib.util import find_spec
from pathlib import Path

from tinytorch.course.notebook import Cell, LessonNotebook, notebook_path

NBDEV_IS_MISSING = 'nbdev is not installed: pip install "tinytorch-mlops[course]"'


def lesson_file(package: Path, stage: str) -> Path:
    """Return where the lesson of a stage stands in a package folder.

    Examples
    --------
    >>> lesson_file(Path("tinytorch"), "drift").as_posix()
    'tinytorch/mlops/drift/lesson.py'
    """
    return package / "mlops" / stage / "lesson.py"


def parse_problems(notebook: LessonNotebook) -> dict[str, str]:
    """Return, for each cell that is to be exported and does not parse, a sentence that says where and why.

    Examples
    --------
    >>> half = Cell("half", "code", "#| export\\ndef half(x):\\n    return (x / 2", solution=True)
    >>> parse_problems(LessonNotebook("15a_monitoring", Path("15a_monitoring.ipynb"), (half,)))["half"]
    "15a_monitoring.ipynb, cell half (blank half), line 3 does not parse: '(' was never closed: `return (x / 2`."
    """
    names = {blank.cell_id: f" (blank {blank.name})" for blank in notebook.blanks}
    problems = {}
    for cell in notebook.cells:
        problem = _parse_problem(cell) if cell.exported or cell.solution else None
        if problem:
            problems[cell.id] = f"{notebook.path.name}, cell {cell.id}{names.get(cell.id, '')}, {problem}"
    return problems


def export_problem(notebook: LessonNotebook) -> str:
    """Return why the notebook cannot be exported as it is, in a sentence; an empty text if it can."""
    for sentence in parse_problems(notebook).values():
        return sentence
    for blank in notebook.blanks:
        if not notebook.cell(blank.cell_id).exported:
            return f"{notebook.path.name}, cell {blank.cell_id} has lost its first line `#| export`: write it again."
    target = notebook.lesson_module.removeprefix("tinytorch.")
    if not any(target in cell.source for cell in notebook.cells if "default_exp" in cell.source):
        return f"{notebook.path.name} has lost its cell `#| default_exp {target}`: put it back below the title."
    return "" if find_spec("nbdev") else f"{NBDEV_IS_MISSING}."


def export_aside(notebook: LessonNotebook, folder: Path) -> str:
    """Make folder/tinytorch/mlops/STAGE/lesson.py of the notebook; nothing else is touched.

    Returns
    -------
    str
        Why it was not made, in a sentence; empty if it was.
    """
    problem = export_problem(notebook)
    if problem:
        return problem
    copy = notebook_path(folder / "modules", notebook.name)
    copy.parent.mkdir(parents=True)
    shutil.copyfile(notebook.path, copy)
    try:
        from nbdev.export import nb_export  # type: ignore[import-untyped]

        nb_export(copy, lib_path=folder / "tinytorch")
    except Exception as error:  # nbdev raises whatever it meets
        return f"{notebook.path.name}: nbdev could not export it: {type(error).__name__}: {error}."
    made = lesson_file(folder / "tinytorch", notebook.stage)
    return "" if made.is_file() else f"{notebook.path.name}: nbdev exported nothing."


def install_lesson(made: Path, target: Path) -> str:
    """Put an exported file in its place, whole or not at all; return why that failed, or an empty text."""
    try:
        if not target.is_file() or target.read_bytes() != made.read_bytes():
            beside = target.with_suffix(".py.new")
            shutil.copyfile(made, beside)
            os.replace(beside, target)
    except OSError as error:
        return f"{target.name} of the stage {target.parent.name} cannot be written ({error.strerror})."
    return ""


def _parse_problem(cell: Cell) -> str | None:
    """Return the line and Python's message if the cell does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful escape is no reason to refuse
            ast.parse(cell.source)
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte
        line = getattr(error, "lineno", None) or 1
        text = [*cell.source.splitlines(), ""][min(line, len(cell.source.splitlines())) - 1].strip()
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        if text.startswith(("%", "!")):
            message = "a notebook command cannot be exported, put it into a cell of its own"
        return f"line {line} does not parse: {message}: `{text}`."
    return None
