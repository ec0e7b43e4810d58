"""Submissions are found however a learning platform lays them out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from handed_in import save

from tinytorch.course.submissions import Submission, find_submissions, handed_in

A, B = "15a_monitoring", "15b_drift"


def found(folder: Path, lessons: tuple[str, ...] = (A,)) -> dict[tuple[str, str], Submission]:
    return {(one.student, one.lesson): one for one in find_submissions(folder, lessons)}


@pytest.mark.parametrize(
    "path",
    [f"ada/{A}/{A}.ipynb", f"ada/{A}.ipynb", f"ada/modules/{A}/{A}.ipynb", f"ada_{A}.ipynb", f"ada-{A} (1).ipynb"],
)
def test_each_layout_is_found(path: str, tmp_path: Path) -> None:
    save("{}", tmp_path / path)
    assert found(tmp_path)["ada", A].path == tmp_path / path


def test_every_student_has_every_lesson_handed_in_or_not(tmp_path: Path) -> None:
    save("{}", tmp_path / "ada" / f"{A}.ipynb")
    save("{}", tmp_path / "ben" / "notes.txt")
    save("{}", tmp_path / ".git" / f"{A}.ipynb")
    save("{}", tmp_path / "roster.csv")
    submissions = found(tmp_path, (A, B))
    assert list(submissions) == [("ada", A), ("ada", B), ("ben", A), ("ben", B)]
    assert [one.path is None for one in submissions.values()] == [False, True, True, True]
    assert handed_in(list(submissions.values()), (A, B)) == (A,)


def test_the_notebook_that_is_named_as_the_lesson_comes_first(tmp_path: Path) -> None:
    for name in (f"Copy of {A}.ipynb", f"{A}.ipynb", f".ipynb_checkpoints/{A}-checkpoint.ipynb"):
        save("{}", tmp_path / "ada" / name)
    submission = found(tmp_path)["ada", A]
    assert submission.path == tmp_path / "ada" / f"{A}.ipynb"
    assert "another notebook of this lesson was left" in submission.notes[0]


def test_names_are_made_safe_and_stay_apart(tmp_path: Path) -> None:
    for name in ("Ada L.", "Ada_L", "=cmd|x", "-"):
        save("{}", tmp_path / name / f"{A}.ipynb")
    assert sorted(student for student, _ in found(tmp_path)) == ["Ada_L", "Ada_L_2", "cmd_x", "student"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_not_followed_to_the_solutions(tmp_path: Path) -> None:
    solved = save("{}", tmp_path / "solved" / f"{A}.ipynb")
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / f"{A}.ipynb").symlink_to(solved)
    (tmp_path / "class" / "ben").mkdir()
    (tmp_path / "class" / "ben" / "modules").symlink_to(solved.parent)
    submissions = found(tmp_path / "class")
    assert [one.path for one in submissions.values()] == [None, None]
    assert "was not followed" in submissions["ada", A].notes[0]


def test_a_folder_without_students_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="SUBMISSIONS must be a folder"):
            find_submissions(folder, (A,))
