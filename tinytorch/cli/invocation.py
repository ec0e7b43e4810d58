"""Floor 5: how a person types this command line, and where the lessons lie. Imports no stage and no lesson."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import tinytorch


def shown_python() -> str:
    """Return this Python as a person would type it: below the current folder, if it lies there.

    Examples
    --------
    >>> "python" in shown_python().lower()
    True
    """
    python, here = Path(sys.executable), Path.cwd()
    return str(python.relative_to(here)) if python.is_relative_to(here) else str(python)


def shown_command() -> str:
    """Return `tinytorch` where typing it starts this installation, or else what does.

    Examples
    --------
    >>> shown_command().split()[-1] in ("tinytorch", "tinytorch.cli")
    True
    """
    found = shutil.which("tinytorch")
    if found is not None and Path(found).parent == Path(sys.executable).parent:
        return "tinytorch"
    return f"{shown_python()} -m tinytorch.cli"


def find_modules(given: Path | None) -> Path:
    """Return the folder of the lessons: the one given, `modules` here, or the one beside the package.

    Raises
    ------
    ValueError
        If the one that is given is no folder, or there is none.

    Examples
    --------
    >>> find_modules(Path("nowhere"))
    Traceback (most recent call last):
    ...
    ValueError: --modules must be a folder with the lessons, got 'nowhere'.
    """
    places = [given] if given is not None else [Path("modules"), Path(tinytorch.__file__).parents[1] / "modules"]
    for place in places:
        if place.is_dir():
            return place
    raise ValueError(f"--modules must be a folder with the lessons, got {str(places[0])!r}.")
