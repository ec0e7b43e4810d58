"""Floor 4, the course office: makes the tree that a student gets, from the instructor's clone, with no solution in it.

The tree is built aside and searched; only a clean one is put into place. It writes into the folder handed in, starts
Python in it to try it, and needs nbgrader and nbdev, which the course extra brings.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tinytorch.course.export import export_aside, lesson_file
from tinytorch.course.kit_search import find_secrets, search_kit
from tinytorch.course.notebook import LESSON_STAGES, find_notebooks, notebook_path, read_notebook
from tinytorch.course.stubs import make_stub_notebook

KIT_FILES = "kit"
"""Folder of the clone with the files that only students get: their README and their Makefile."""
SHARED_FILES = ("pyproject.toml", "constraints.txt", "settings.ini", "LICENSE", ".gitignore")
# Students grade nothing, and its buttons in Jupyter Lab would only puzzle them.
_GRADER = re.compile(r'"nbgrader[^"]*", ')
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "lesson.py")
# Trying a core trains a network for a second; one that hangs ends some day.
TRIAL_SECONDS = 120


@dataclass(frozen=True)
class Kit:
    """What was written, for the person who asked for it.

    Attributes
    ----------
    folder : Path
    n_files, n_bytes : int
    n_blanks : int
        Functions for the student to write.
    n_secrets : int
        Solutions and hidden tests that were searched for, and not found.

    Examples
    --------
    >>> print(Kit(Path("out"), n_files=150, n_bytes=1_500_000, n_blanks=21, n_secrets=33))
    out: 4 lessons with 21 blanks, 150 files, 1.5 MB; searched for 33 solutions and hidden tests, none is in it
    """

    folder: Path
    n_files: int
    n_bytes: int
    n_blanks: int
    n_secrets: int

    def __str__(self) -> str:
        return (
            f"{self.folder}: {len(LESSON_STAGES)} lessons with {self.n_blanks} blanks, {self.n_files} files, "
            f"{self.n_bytes / 1e6:.1f} MB; searched for {self.n_secrets} solutions and hidden tests, none is in it"
        )


def make_kit(clone: Path, folder: Path, core: Path | None = None) -> Kit:
    """Write a student's whole, installable tree into a new or empty folder.

    Parameters
    ----------
    clone : Path
        The instructor's: it holds the notebooks with the solutions.
    folder : Path
        Made if need be. Where the kit fails, it is left as it was.
    core : Path, optional
        A student's own `tinytorch/core`, or a folder that holds it. Its code is run to try it.

    Raises
    ------
    ValueError
        If `clone` is none, `folder` is not empty, `core` lacks a name or does not train, or the tree holds a solution.
    """
    check_clone(clone)
    secrets = find_secrets(find_notebooks(clone / "modules"))
    _check_empty(folder)
    own_core = None if core is None else find_core(core)
    with tempfile.TemporaryDirectory(prefix="tinytorch-kit-") as aside:
        built = Path(aside) / "kit"
        _build(clone, built, own_core)
        try_out(built, own_core is not None)
        findings = search_kit(built, secrets)
        if findings:
            raise ValueError(f"kit must hold no solution, nothing was written: {'; '.join(findings)}.")
        files = [path for path in built.rglob("*") if path.is_file()]
        n_blanks = sum(len(notebook.blanks) for notebook in find_notebooks(built / "modules"))
        kit = Kit(folder, len(files), sum(path.stat().st_size for path in files), n_blanks, len(secrets))
        _put_in_place(built, folder)
    return kit


def check_clone(clone: Path) -> None:
    """Raise ValueError unless a folder has all that a kit is made from."""
    lessons = [notebook_path(Path("modules"), name).as_posix() for name in LESSON_STAGES]
    missing = [name for name in (*SHARED_FILES, KIT_FILES, "tinytorch", *lessons) if not (clone / name).exists()]
    if missing:
        raise ValueError(f"clone must be a clone of the course's repository, {clone} has no {', '.join(missing)}.")


def find_core(path: Path) -> Path:
    """Return the folder with `tensor.py`: the path itself, or `tinytorch/core` or `core` below it.

    Examples
    --------
    >>> find_core(Path("nowhere"))
    Traceback (most recent call last):
    ...
    ValueError: core must be a folder with a tensor.py (or with tinytorch/core/tensor.py), got 'nowhere'.
    """
    for folder in (path, path / "tinytorch" / "core", path / "core"):
        if (folder / "tensor.py").is_file():
            return folder
    raise ValueError(f"core must be a folder with a tensor.py (or with tinytorch/core/tensor.py), got {str(path)!r}.")


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"folder must be new or empty, got {str(folder)!r}.")


def _build(clone: Path, built: Path, own_core: Path | None) -> None:
    """Write the tree, without a look at whether it is fit to be handed out."""
    shutil.copytree(clone / KIT_FILES, built, ignore=shutil.ignore_patterns("__pycache__"))
    for name in SHARED_FILES:
        shutil.copyfile(clone / name, built / name)
    project = (built / "pyproject.toml").read_text(encoding="utf-8")
    (built / "pyproject.toml").write_text(_GRADER.sub("", project), encoding="utf-8", newline="\n")
    shutil.copytree(clone / "tinytorch", built / "tinytorch", ignore=_NOT_COPIED)
    if own_core is not None:
        _put_core(own_core, built / "tinytorch" / "core")
    for name in LESSON_STAGES:
        stub = notebook_path(built / "modules", name)
        stub.parent.mkdir(parents=True)
        stub.write_text(make_stub_notebook(notebook_path(clone / "modules", name)), encoding="utf-8", newline="\n")
        _export(stub, built / "tinytorch")


def _put_core(own_core: Path, target: Path) -> None:
    """Put a student's core in the place of ours; all of it: what it imports of itself must be there."""
    shutil.rmtree(target)
    shutil.copytree(own_core, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "*.ipynb"))
    (target / "__init__.py").touch()


def _export(stub: Path, package: Path) -> None:
    """Make lesson.py of a stub notebook."""
    notebook = read_notebook(stub)
    with tempfile.TemporaryDirectory() as aside:
        problem = export_aside(notebook, Path(aside))
        if problem:
            raise ValueError(f"notebook must export without its solutions: {problem}")
        shutil.copyfile(lesson_file(Path(aside) / "tinytorch", notebook.stage), lesson_file(package, notebook.stage))


def try_out(built: Path, has_own_core: bool) -> None:
    """Import everything in the tree, by a Python of its own; with a student's core, train with it, too."""
    lessons = ", ".join(f"tinytorch.mlops.{stage}" for stage in LESSON_STAGES.values())
    steps = [[sys.executable, "-m", "tinytorch.course.own_core"]] if has_own_core else []
    steps += [[sys.executable, "-c", f"import {lessons}, tinytorch.mlops.pipeline, tinytorch.cli.main"]]
    for step in steps:
        said = _complaint(step, built)
        if said:
            rule = "core must be one that the lessons can use" if "-m" in step else "tinytorch must import"
            raise ValueError(f"{rule}, nothing was written: {'; '.join(said.splitlines()[-5:])}.")


def _complaint(command: list[str], folder: Path) -> str:
    """Run Python in a folder without writing into it; return what it said if it failed, or an empty text."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    environment.pop("PYTHONPATH", None)
    environment.pop("PYTHONSAFEPATH", None)
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=TRIAL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"no end after {TRIAL_SECONDS} seconds"
    return (done.stdout + done.stderr).strip() or f"exit code {done.returncode}" if done.returncode else ""


def _put_in_place(built: Path, folder: Path) -> None:
    """Move the finished tree; the folder may be there already, empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in built.iterdir():
        shutil.move(item, folder / item.name)
