"""Floor 5: how a person types this command line, and where the lessons lie. Imports no stage and no lesson."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import tinytorch

# How a Makefile of ours starts a command: its words, then what the person adds.
_RECIPE = re.compile(r"-m tinytorch\.cli (\w+)(.*?) \$\(ARGS\)")
_TYPED_IN_TEXT = re.compile(r"\btinytorch (check|demo|doctor|lab)((?: --mine| 15[a-d])*)")


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


def shown_step(command: str, *arguments: str) -> str:
    """Return a command of ours as the README beside it names it: by make where a Makefile here does it, else in full.

    Examples
    --------
    >>> shown_step("check", "15a").endswith(("tinytorch check 15a", "tinytorch.cli check 15a", "make check ARGS=15a"))
    True
    """
    if _make_sets_up_this_python():
        for target, fixed in _RECIPE.findall(Path("Makefile").read_text(encoding="utf-8")):
            words = fixed.split()
            if target == command and list(arguments[: len(words)]) == words:
                added = " ".join(arguments[len(words) :])
                return f"make {command} ARGS={shlex.quote(added)}" if added else f"make {command}"
    return " ".join([shown_command(), command, *arguments])


def _make_sets_up_this_python() -> bool:
    """Whether `make` would start the very Python that runs: the .venv of the folder that we are in."""
    here = Path.cwd()
    ours = Path(sys.prefix).resolve() == (here / ".venv").resolve()
    return ours and (here / "Makefile").is_file() and shutil.which("make") is not None


def with_shown_steps(text: str) -> str:
    """Put commands of lessons in a sentence, written `tinytorch check 15a`, into the form that works here.

    Examples
    --------
    >>> with_shown_steps("save, then tinytorch check 15a") == f"save, then {shown_step('check', '15a')}"
    True
    """
    return _TYPED_IN_TEXT.sub(lambda found: shown_step(found[1], *found[2].split()), text)


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
