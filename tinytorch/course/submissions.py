"""Floor 4, the letter box: finds the notebooks that a class handed in, however the folders are laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# A clone of a student's repository holds modules/15a_monitoring/15a_monitoring.ipynb; deeper lies nothing of ours.
DEEPEST = 4
# A gradebook, a file name and a page are made of it.
NOT_IN_A_NAME = re.compile(r"[^\w.@-]+")


@dataclass(frozen=True)
class Submission:
    """One lesson of one student.

    Attributes
    ----------
    student, lesson : str
    path : Path or None
        The notebook; None if the student has not handed one in.
    notes : tuple of str
        What was odd about the files, in sentences.

    Examples
    --------
    >>> Submission("ada", "15a_monitoring", None).notes
    ()
    """

    student: str
    lesson: str
    path: Path | None
    notes: tuple[str, ...] = ()


@dataclass
class _Box:
    """The files of one student."""

    student: str
    files: list[Path] = field(default_factory=list)


def find_submissions(folder: Path, lessons: Sequence[str]) -> tuple[Submission, ...]:
    """Return every student's submission of every lesson, by student and in the order of the lessons.

    A folder in `folder` is a student, with the notebooks anywhere in it, named as the lesson:
    `ada/15a_monitoring/15a_monitoring.ipynb`, `ada/15a_monitoring.ipynb`, `ada/modules/...`. A notebook that lies in
    `folder` itself has the student's name before the lesson's: `ada_15a_monitoring.ipynb`.

    Raises
    ------
    ValueError
        If `folder` is no folder or holds no student.

    Examples
    --------
    >>> find_submissions(Path("nowhere"), ["15a_monitoring"])
    Traceback (most recent call last):
    ...
    ValueError: SUBMISSIONS must be a folder with a folder a student, got 'nowhere'.
    """
    boxes = _boxes(folder, lessons) if folder.is_dir() else {}
    if not boxes:
        raise ValueError(f"SUBMISSIONS must be a folder with a folder a student, got {str(folder)!r}.")
    return tuple(_submission(box, lesson) for _, box in sorted(boxes.items()) for lesson in lessons)


def handed_in(submissions: Sequence[Submission], lessons: Sequence[str]) -> tuple[str, ...]:
    """Return the lessons that at least one student handed in, in the order of `lessons`.

    Examples
    --------
    >>> handed_in([Submission("ada", "15b_drift", Path("x.ipynb"))], ["15a_monitoring", "15b_drift"])
    ('15b_drift',)
    """
    found = {submission.lesson for submission in submissions if submission.path is not None}
    return tuple(lesson for lesson in lessons if lesson in found)


def _boxes(folder: Path, lessons: Sequence[str]) -> dict[str, _Box]:
    """Put every file into its student's box; two names that become one are told apart by a number."""
    boxes: dict[str, _Box] = {}
    owners: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        owner = path.name if path.is_dir() else _owner_in_name(path, lessons)
        if owner is None or path.name.startswith("."):
            continue
        student = _student_name(owner, owners)
        boxes.setdefault(student, _Box(student)).files += _notebooks(path, DEEPEST) if path.is_dir() else [path]
    return boxes


def _owner_in_name(path: Path, lessons: Sequence[str]) -> str | None:
    """`ada` for `ada_15a_monitoring.ipynb`, with whatever a learning platform added behind."""
    for lesson in lessons:
        before, found, _ = path.name.partition(lesson)
        if found and path.suffix == ".ipynb":
            return before.strip(" _-.") or None
    return None


def _student_name(owner: str, owners: dict[str, str]) -> str:
    """A name that is safe in a path; `owners` remembers whose it is."""
    plain = NOT_IN_A_NAME.sub("_", owner).strip("._-@") or "student"
    name, number = plain, 2
    while owners.setdefault(name, owner) != owner:
        name, number = f"{plain}_{number}", number + 1
    return name


def _notebooks(folder: Path, depth: int) -> Iterator[Path]:
    """Notebooks in a folder, those nearest to it first; hidden folders and links to folders are passed by."""
    inside = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    yield from (path for path in inside if path.suffix == ".ipynb")
    if depth > 1:
        for path in filter(_is_real_folder, inside):
            yield from _notebooks(path, depth - 1)


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _submission(box: _Box, lesson: str) -> Submission:
    """Choose a student's notebook of one lesson, one that is named as the lesson before any other."""
    named = sorted((path for path in box.files if lesson in path.stem), key=lambda path: path.stem != lesson)
    notes = [f"{path.name} is a link to another file and was not followed" for path in named if path.is_symlink()]
    files = list(filter(_is_real_file, named))
    notes += [f"another notebook of this lesson was left: {path}" for path in files[1:]]
    return Submission(box.student, lesson, files[0] if files else None, tuple(notes))


def _is_real_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
