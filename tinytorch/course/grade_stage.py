"""Floor 4, the copy of the package that a student's process imports: everything a blank may use, and no solution."""

from __future__ import annotations

import compileall
import shutil
from collections.abc import Sequence
from pathlib import Path

import tinytorch
from tinytorch.course.export import lesson_file
from tinytorch.course.notebook import LessonNotebook

# The process itself needs these; the rest of the course, the command line and the adapters hold nothing for a blank.
OF_THE_COURSE = ("__init__.py", "grade_codec.py", "grade_walls.py", "grade_worker.py")
LEFT_OUT = ("adapters", "cli", "course", "__pycache__", "_modidx.py", "lesson.py")


def build_stage(folder: Path, released: Sequence[LessonNotebook]) -> Path:
    """Copy the package to `folder`/tinytorch with the released lessons, blanks unwritten, in the place of the solved.

    Parameters
    ----------
    folder : Path
        Exists, and is empty.
    released : sequence of LessonNotebook
        The students' versions, one for each lesson of the course.
    """
    package = Path(tinytorch.__file__).parent
    copy = folder / "tinytorch"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (copy / "course").mkdir()
    for name in OF_THE_COURSE:
        shutil.copyfile(package / "course" / name, copy / "course" / name)
    for notebook in released:
        source = "\n\n".join(cell.source for cell in notebook.cells if cell.exported)
        lesson_file(copy, notebook.stage).write_text(source + "\n", encoding="utf-8", newline="\n")
    compileall.compile_dir(copy, quiet=2)  # the student's process may not write, so it is done here
    return folder
