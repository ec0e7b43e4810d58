"""Floor 4, the course office: looks for what keeps the lessons from running, and says what to do about it.

It reads files, asks the environment, and starts the Python that Jupyter would start. It changes nothing, and what is
missing or broken becomes a sentence.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tinytorch
from tinytorch.course.check import package_beside
from tinytorch.course.export import export_aside, lesson_file
from tinytorch.course.notebook import LESSON_STAGES, Cell, LessonNotebook, notebook_path, read_notebook
from tinytorch.course.own_core import missing_names

FINE, NOTE, PROBLEM = "fine", "note", "problem"
OLDEST_PYTHON = (3, 10)
COURSE_PACKAGES = ("numpy", "jupyterlab", "ipykernel", "nbdev", "matplotlib")
"""Without these the notebooks do not open, run, draw or become lesson.py."""
OTHER_PACKAGES = ("rich", "nbgrader")
"""Nicer tables; grading, which students do not need."""
INSTALL = 'python -m pip install -e ".[course]"'
OUR_CORE_FILES = ("_checks.py", "_walk.py", "checkpoint.py")
"""Files of our core that TinyTorch's own has not."""
MINIMUM_FREE_BYTES = 200_000_000
"""Notebooks with plots, Jupyter's copies of them and Python's caches take a few dozen megabytes."""
PROBE_LIMIT_S = 60.0
"""Importing takes a second; on a network drive or a busy machine it may take long."""
STAGES = tuple(LESSON_STAGES.values())
_BLANK_COMMENT = "# Your turn: "
_CHECK_CALL = re.compile(r"^check_cases\(", re.MULTILINE)
PROBE = """
import importlib, json, sys
answer = {"python": sys.executable, "broken": {}}
try:
    import tinytorch
    answer["file"] = tinytorch.__file__
except Exception as error:
    answer["missing"] = repr(error)
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        answer["broken"][name] = f"{type(error).__name__}: {error}"
print()
print(json.dumps(answer))
"""


@dataclass(frozen=True)
class Diagnosis:
    """What was looked at, how it is, and what to do if it is not well.

    Attributes
    ----------
    subject : str
    state : str
        "fine", "note" (worth knowing) or "problem".
    sentence : str
    advice : str
        Empty where there is nothing to do.

    Examples
    --------
    >>> print(Diagnosis("python", "fine", "Python 3.11.2"))
    fine     python: Python 3.11.2
    """

    subject: str
    state: str
    sentence: str
    advice: str = ""

    def __str__(self) -> str:
        more = f"\n         what to do: {self.advice}" if self.advice else ""
        return f"{self.state:7}  {self.subject}: {self.sentence}{more}"

    def to_dict(self) -> dict[str, str]:
        """Return what a program might read."""
        return asdict(self)


def examine(modules: Path) -> tuple[Diagnosis, ...]:
    """Look at everything that the lessons need.

    Parameters
    ----------
    modules : Path
        The folder of the notebooks, which need not exist.
    """
    rooms: dict[str, Callable[[Path], Iterator[Diagnosis]]] = {
        "tinytorch": examine_package,
        "python": _examine_python,
        "packages": _examine_packages,
        "kernel": examine_kernel,
        "core": _examine_core,
        "notebooks": examine_notebooks,
        "lesson.py": examine_exports,
        "folders": _examine_folders,
        "disk": _examine_disk,
    }
    found: list[Diagnosis] = []
    for subject, look in rooms.items():
        try:
            found.extend(look(modules))
        except Exception as error:  # the doctor must not fall ill
            found.append(Diagnosis(subject, PROBLEM, f"looking at it ended with {type(error).__name__}: {error}"))
    return tuple(found)


def examine_package(modules: Path) -> Iterator[Diagnosis]:
    """Is the `tinytorch` that is imported here the course's, and the only one on the path?"""
    ours = Path(tinytorch.__file__).resolve().parent
    yield Diagnosis("tinytorch", FINE, f"version {tinytorch.__version__} of this course, in {ours}")
    beside = package_beside(modules)
    if beside is not None and beside.resolve() != ours:
        sentence = f"the notebooks in {modules} belong to another copy, {beside}"
        yield Diagnosis("tinytorch", NOTE, sentence, f"start it in {beside.parent}, or install that copy: {INSTALL}")
    for place in {Path(entry or ".").resolve() / "tinytorch" for entry in sys.path} - {ours}:
        if (place / "__init__.py").is_file() and not (place / "mlops").is_dir():
            sentence = f"another package called tinytorch lies in {place}: which one you get depends on where you start"
            yield Diagnosis("tinytorch", PROBLEM, sentence, _how_to_be_rid_of(place))


def _how_to_be_rid_of(place: Path) -> str:
    """Return the advice that fits the way by which another package came onto the path."""
    added = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    if place.parent in [Path(entry).resolve() for entry in added]:
        return f"take {place.parent} out of the environment variable PYTHONPATH: unset PYTHONPATH"
    if place.parent == Path.cwd():
        return "start from the folder of the course"
    return f"{sys.executable} -m pip uninstall tinytorch"


def _examine_python(modules: Path) -> Iterator[Diagnosis]:
    sentence = f"Python {platform.python_version()}, {sys.executable}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        yield Diagnosis("python", PROBLEM, sentence, f"make a new environment with Python {wanted} or newer")
    else:
        yield Diagnosis("python", FINE, sentence)
    own = sys.prefix != sys.base_prefix or "CONDA_PREFIX" in os.environ
    if own:
        yield Diagnosis("environment", FINE, f"an environment of its own, {sys.prefix}")
    else:
        advice = f"python3 -m venv .venv, then .venv/bin/{INSTALL}; start everything from there"
        yield Diagnosis("environment", NOTE, "this is the system's Python, with whatever else is in it", advice)


def _examine_packages(modules: Path) -> Iterator[Diagnosis]:
    """Which packages are there, in which versions?"""
    found = {name: _installed_version(name) for name in (*COURSE_PACKAGES, *OTHER_PACKAGES)}
    there = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    missing, optional = (_without_version(found, names) for names in (COURSE_PACKAGES, OTHER_PACKAGES))
    if missing:
        yield Diagnosis("packages", PROBLEM, f"not installed: {missing} (there are: {there})", INSTALL)
    else:
        yield Diagnosis("packages", FINE, there)
    if optional:
        yield Diagnosis("packages", NOTE, f"not installed, and not needed for the lessons: {optional}")


def _without_version(found: dict[str, str], names: tuple[str, ...]) -> str:
    return ", ".join(name for name in names if not found[name])


def examine_kernel(modules: Path) -> Iterator[Diagnosis]:
    """Does Jupyter start this Python, and does that import the course's tinytorch and the lessons?"""
    python = kernel_python()
    if python is None:
        yield Diagnosis("kernel", PROBLEM, "Jupyter knows no kernel called python3", INSTALL)
        python = sys.executable
    elif not _is_same_python(python):
        advice = f"{sys.executable} -m ipykernel install --sys-prefix"
        yield Diagnosis("kernel", PROBLEM, f"Jupyter starts {python}, and this is {sys.executable}", advice)
    else:
        yield Diagnosis("kernel", FINE, f"Jupyter starts {python}")
    yield from _examine_imports(python, modules)


def kernel_python() -> str | None:
    """Return the Python that Jupyter starts for a notebook of this course; None if there is no such kernel."""
    if find_spec("jupyter_client") is None:
        return None
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return None
    # Jupyter starts its own Python where the kernel's file says no more than "python".
    return command if os.path.isabs(command) else sys.executable


def _examine_imports(python: str, modules: Path) -> Iterator[Diagnosis]:
    """Start that Python in the folder of the notebooks, as Jupyter does, and import."""
    answer = probe_python(python, modules if modules.is_dir() else Path.cwd())
    if "file" not in answer:
        reason = answer.get("missing", "no answer")
        yield Diagnosis("kernel", PROBLEM, f"in the notebooks `import tinytorch` fails ({reason})", INSTALL)
        return
    package = Path(answer["file"]).resolve().parent
    if not (package / "mlops").is_dir():
        sentence = f"in the notebooks `import tinytorch` finds another package of that name, in {package}"
        yield Diagnosis("kernel", PROBLEM, sentence, f"{python} -m pip uninstall tinytorch; {INSTALL}")
        return
    for name, reason in answer["broken"].items():
        advice = "tinytorch check says what is wrong in the lesson" if name.startswith("tinytorch") else INSTALL
        yield Diagnosis("kernel", PROBLEM, f"in the notebooks `import {name}` fails ({reason})", advice)


def probe_python(python: str, folder: Path) -> dict[str, Any]:
    """Return what a Python finds when it imports tinytorch and its stages in a folder; empty if it does not answer."""
    names = ["ipykernel", *(f"tinytorch.mlops.{stage}" for stage in STAGES)]
    try:
        done = subprocess.run(
            [python, "-c", PROBE, *names],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_LIMIT_S,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout.decode("utf-8", "replace").splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return {}
    return answer


def _examine_core(modules: Path) -> Iterator[Diagnosis]:
    """Whose Tensor is in use, and has it what the lessons need?"""
    folder = Path(tinytorch.__file__).parent / "core"
    ours = all((folder / name).is_file() for name in OUR_CORE_FILES)
    whose = "the course's own" if ours else "another one, put in its place"
    missing = missing_names()
    if missing:
        sentence = f"{whose}, and it lacks {', '.join(missing)}"
        yield Diagnosis("core", PROBLEM, sentence, "python -m tinytorch.course.own_core says more")
    else:
        yield Diagnosis("core", FINE, f"{whose}, with all that the lessons need")


def examine_notebooks(modules: Path) -> Iterator[Diagnosis]:
    """Are the four notebooks there, and is what grading needs still in them?"""
    whole = []
    for name in LESSON_STAGES:
        path = notebook_path(modules, name)
        try:
            problems = notebook_damage(read_notebook(path))
        except ValueError as error:
            problems = [str(error)]
        if problems:
            advice = f"take {path.name} from a fresh kit and copy your cells into it (keep the old file)"
            yield Diagnosis("notebooks", PROBLEM, f"{path}: {'; '.join(problems)}", advice)
        else:
            whole.append(name)
    if whole:
        yield Diagnosis("notebooks", FINE, f"{', '.join(whole)}: readable and whole")


def notebook_damage(notebook: LessonNotebook) -> list[str]:
    """Return what grading would stumble over: lost or doubled ids, lost metadata, blanks without a check.

    Examples
    --------
    >>> notebook_damage(LessonNotebook("15a_monitoring", Path("15a_monitoring.ipynb"), ()))
    ['no cell is marked as a blank']
    """
    damage = _damaged_ids(notebook)
    damage += [f"cell {cell.id} has lost its mark for grading" for cell in notebook.cells if _has_lost_its_mark(cell)]
    damage += [f"the check of {blank.name} is missing" for blank in notebook.blanks if not blank.points]
    return damage or ([] if notebook.blanks else ["no cell is marked as a blank"])


def _damaged_ids(notebook: LessonNotebook) -> list[str]:
    """Cells are put back, and points counted, by their ids."""
    ids = Counter(cell.id for cell in notebook.cells)
    doubled = [f"{count} cells are called {name}" for name, count in ids.items() if count > 1]
    return doubled + [f"{name} has lost its id" for name in ids if name.startswith("cell ")]


def _has_lost_its_mark(cell: Cell) -> bool:
    """Tell whether a cell reads like a blank or a check and is none."""
    if cell.kind != "code" or cell.solution or cell.graded:
        return False
    return _BLANK_COMMENT in cell.source or _CHECK_CALL.search(cell.source) is not None


def examine_exports(modules: Path) -> Iterator[Diagnosis]:
    """Is each lesson.py what its notebook would make now?"""
    package = package_beside(modules)
    if package is None:
        yield Diagnosis("lesson.py", NOTE, f"no folder tinytorch stands beside {modules}: nothing can be written there")
        return
    in_step = []
    for notebook in _readable(modules):
        problem = _export_gap(notebook, lesson_file(package, notebook.stage))
        if problem:
            advice = f"save the notebook; tinytorch check {notebook.name.split('_')[0]}"
            yield Diagnosis("lesson.py", PROBLEM, problem, advice)
        else:
            in_step.append(notebook.name)
    if in_step:
        yield Diagnosis("lesson.py", FINE, f"in step with {', '.join(in_step)}")


def _export_gap(notebook: LessonNotebook, target: Path) -> str:
    """Say how a lesson.py differs from what its notebook makes; empty if it does not."""
    with tempfile.TemporaryDirectory(prefix="tinytorch-") as folder:
        problem = export_aside(notebook, Path(folder))
        made = lesson_file(Path(folder) / "tinytorch", notebook.stage)
        if problem:
            return problem
        if not target.is_file():
            return f"{target} is missing"
        return (
            "" if target.read_bytes() == made.read_bytes() else f"{target} is not what {notebook.path.name} makes now"
        )


def _examine_folders(modules: Path) -> Iterator[Diagnosis]:
    """Can the notebooks and the lessons be saved, and is there room?"""
    package = package_beside(modules) or Path(tinytorch.__file__).parent
    folders = [modules, *(package / "mlops" / stage for stage in STAGES), Path(tempfile.gettempdir())]
    closed = ", ".join(str(folder) for folder in folders if folder.is_dir() and not _is_writable(folder))
    if closed:
        advice = "copy the whole folder to a place of yours, such as your home folder"
        yield Diagnosis("folders", PROBLEM, f"cannot be written: {closed}", advice)
    else:
        yield Diagnosis("folders", FINE, "the notebooks and the lessons can be written")


def _examine_disk(modules: Path) -> Iterator[Diagnosis]:
    """Is there room to save?"""
    free = shutil.disk_usage(modules if modules.is_dir() else Path.cwd()).free
    full = free < MINIMUM_FREE_BYTES
    advice = "make room: Jupyter cannot save on a full disk" if full else ""
    yield Diagnosis("disk", PROBLEM if full else FINE, f"{free / 1e9:.1f} GB free", advice)


def _is_writable(folder: Path) -> bool:
    """Tell by trying: permissions alone do not say it on every system."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _readable(modules: Path) -> Iterator[LessonNotebook]:
    """The notebooks that can be read; the others are reported elsewhere."""
    for name in LESSON_STAGES:
        path = notebook_path(modules, name)
        try:
            yield read_notebook(path)
        except ValueError:
            continue


def _installed_version(name: str) -> str:
    """Return a package's version, or an empty text."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _is_same_python(python: str) -> bool:
    """Tell whether two paths lead to the same environment's Python."""
    return Path(python).parent.resolve() == Path(sys.executable).parent.resolve()
