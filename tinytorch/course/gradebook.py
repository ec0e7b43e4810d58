"""Floor 4, the register: a course folder of nbgrader's own kind, made and filled through nbgrader's own interface."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.api import Gradebook  # type: ignore[import-untyped]
from nbgrader.apps import NbGraderAPI  # type: ignore[import-untyped]
from nbgrader.coursedir import CourseDirectory  # type: ignore[import-untyped]
from nbgrader.preprocessors import (  # type: ignore[import-untyped]
    AssignLatePenalties,
    CheckCellMetadata,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)
from traitlets.config import Config

from tinytorch.course.grade_execute import ExecuteApart
from tinytorch.course.grade_walls import Limits
from tinytorch.course.notebook import LessonNotebook, notebook_path
from tinytorch.course.stubs import release_config

COURSE = "tinytorch"
QUIET = 40  # errors; nbgrader reports every file that it copies
# For whoever runs nbgrader itself, or formgrader, in the course folder.
CONFIG_FILE = '''\
"""Settings of nbgrader for this course folder, written by `tinytorch release`."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "tinytorch"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("write this part")'}
c.OverwriteCells.add_missing_cells = True
c.Execute.timeout = 15
'''


@dataclass(frozen=True)
class CourseFolder:
    """Where everything of a course stands: nbgrader's folders and gradebook, and the results.

    Examples
    --------
    >>> CourseFolder(Path("grading")).database.as_posix()
    'grading/gradebook.db'
    """

    root: Path

    @property
    def source(self) -> Path:
        """The instructor's notebooks, as they were when they were released."""
        return self.root / "source"

    @property
    def released(self) -> Path:
        """The students' notebooks."""
        return self.root / "release"

    @property
    def submitted(self) -> Path:
        """What was handed in, repaired."""
        return self.root / "submitted"

    @property
    def autograded(self) -> Path:
        """What nbgrader made of it."""
        return self.root / "autograded"

    @property
    def results(self) -> Path:
        """Tables and pages."""
        return self.root / "results"

    @property
    def database(self) -> Path:
        """nbgrader's gradebook."""
        return self.root / "gradebook.db"


class Register:
    """nbgrader on one course folder.

    Parameters
    ----------
    folder : CourseFolder
    stage : Path, optional
        For grading, see `build_stage`.
    limits : Limits
    """

    def __init__(self, folder: CourseFolder, stage: Path | None = None, limits: Limits | None = None) -> None:
        folder.root.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._url = f"sqlite:///{folder.database.resolve()}"
        config = _config(folder, stage, limits or Limits())
        self._api = NbGraderAPI(CourseDirectory(config=config), config=config)
        self._api.log_level = QUIET
        _make_database(self._url)

    def release(self, notebook: LessonNotebook) -> None:
        """Make the students' version of a lesson, and enter its points into the gradebook.

        Raises
        ------
        ValueError
            If nbgrader refuses.
        """
        copy = notebook_path(self._folder.source, notebook.name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook.path, copy)
        outcome = self._api.generate_assignment(notebook.name, force=True, create=True)
        if not outcome["success"]:
            copy.unlink()
            raise ValueError(f"{notebook.path} must be a notebook that nbgrader can release: {_reason(outcome)}.")

    def is_released(self, notebook: LessonNotebook) -> bool:
        """Tell whether the lesson was released as it is now."""
        copies = [notebook_path(folder, notebook.name) for folder in (self._folder.source, self._folder.released)]
        if not (self._folder.database.is_file() and all(copy.is_file() for copy in copies)):
            return False
        return copies[0].read_bytes() == notebook.path.read_bytes()

    def enter(self, student: str, lesson: str, content: dict[str, Any]) -> str | None:
        """Hand a repaired notebook in for a student and grade it; return why that failed, or None."""
        path = notebook_path(self._folder.submitted / student, lesson)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8", newline="\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbgrader's own, about its database, three for each notebook
            outcome = self._api.autograde(lesson, student, force=True, create=True)
        return None if outcome["success"] else _reason(outcome)

    def scores(self, student: str, lesson: str) -> dict[str, float]:
        """Return the points of each check cell by its id; those that a person gave by hand in formgrader count."""
        with Gradebook(self._url, COURSE) as gradebook:
            notebook = gradebook.find_submission_notebook(lesson, lesson, student)
            return {grade.name: float(grade.score or 0.0) for grade in notebook.grades}

    def messages(self, student: str, lesson: str) -> dict[str, str]:
        """Return what each failing check cell said, by its id."""
        path = notebook_path(self._folder.autograded / student, lesson)
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        errors = {
            cell["metadata"].get("nbgrader", {}).get("grade_id"): output["evalue"]
            for cell in cells
            for output in cell.get("outputs", ())
            if output["output_type"] == "error"
        }
        return {str(name): str(said) for name, said in errors.items()}


def release_lessons(notebooks: Sequence[LessonNotebook], folder: CourseFolder) -> tuple[Path, ...]:
    """Release lessons into a course folder; return the students' notebooks."""
    register = Register(folder)
    for notebook in notebooks:
        register.release(notebook)
    (folder.root / "nbgrader_config.py").write_text(CONFIG_FILE, encoding="utf-8", newline="\n")
    return tuple(notebook_path(folder.released, notebook.name) for notebook in notebooks)


def _config(folder: CourseFolder, stage: Path | None, limits: Limits) -> Config:
    """nbgrader's settings, with our step in the place where it would start a kernel."""
    config = release_config()
    config.CourseDirectory.root = str(folder.root.resolve())
    config.CourseDirectory.course_id = COURSE
    config.OverwriteCells.add_missing_cells = True
    config.Autograde.autograde_preprocessors = [
        ExecuteApart,
        IgnorePattern,
        ClearMetadataPreprocessor,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    config.ExecuteApart.modules = str(folder.source.resolve())
    config.ExecuteApart.stage = str(stage or "")
    config.ExecuteApart.seconds, config.ExecuteApart.memory_mb = limits.seconds, limits.memory_mb
    return config


def _make_database(url: str) -> None:
    """Open the gradebook once: a new one is made by the program `alembic`, which nbgrader looks for in the PATH.

    It stands beside this Python, and an environment that was not activated is not in the PATH.
    """
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        Gradebook(url, COURSE).close()
    finally:
        os.environ["PATH"] = before


def _reason(outcome: dict[str, Any]) -> str:
    """The last line of what nbgrader reported."""
    lines = [line.strip() for line in f"{outcome.get('log', '')}\n{outcome.get('error', '')}".splitlines()]
    return next((line for line in reversed(lines) if line), "it gave no reason")[:300]
