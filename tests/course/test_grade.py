"""A whole class through nbgrader: whatever was handed in, everybody else is graded and everything is written."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from handed_in import NOTEBOOKS, ROOT, as_handed_in, save, solutions, stub
from nbgrader.api import Gradebook

from tinytorch.cli.main import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs POSIX")

LESSON = NOTEBOOKS[0]
FIRST, SECOND = LESSON.blanks[:2]
SOLVED = solutions(LESSON)
COUNTS = "def batch_accuracy(predictions, labels):\n    return (predictions == labels).sum()"
FULL = sum(blank.points for blank in LESSON.blanks)


def edited_check(content: dict[str, Any]) -> dict[str, Any]:
    """Every check cell says yes, and gives a hundred points for it."""
    for cell in content["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        if grading.get("grade"):
            cell["source"], grading["points"] = "100", 100
    return content


def class_folder(folder: Path) -> Path:
    """A class of seven, one of them right."""
    released = stub(LESSON, folder)
    students: dict[str, Any] = {
        "ada": as_handed_in(released, SOLVED),
        "ben-untouched": as_handed_in(released, {}),
        "cy-counts": as_handed_in(released, {**SOLVED, FIRST.cell_id: COUNTS}),
        "di-counts": as_handed_in(released, {FIRST.cell_id: COUNTS}),
        "ed-edits-checks": edited_check(as_handed_in(released, {})),
        "flo-broken": "{ this is no notebook",
    }
    for student, content in students.items():
        save(content, folder / "class" / student / LESSON.name / f"{LESSON.name}.ipynb")
    (folder / "class" / "gus-missing").mkdir()
    return folder / "class"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course folder after `tinytorch grade`, which also releases the lesson."""
    folder = tmp_path_factory.mktemp("course")
    arguments = ["grade", str(class_folder(folder)), "--out", str(folder / "out"), "--modules", str(ROOT / "modules")]
    assert main(arguments) == 0
    return folder / "out"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_student_gets_the_points_of_what_is_right(graded: Path) -> None:
    totals = {row["student"]: float(row["total"]) for row in rows(graded / "results" / "grades.csv")}
    assert totals == {
        "ada": FULL,
        "ben-untouched": 0,
        "cy-counts": FULL - FIRST.points,
        "di-counts": 0,
        "ed-edits-checks": 0,
        "flo-broken": 0,
        "gus-missing": 0,
    }
    status = {row["student"]: row["status"] for row in rows(graded / "results" / "grades.csv")}
    assert (status["ada"], status["gus-missing"]) == ("graded", "missing")


def test_the_points_stand_in_nbgraders_own_gradebook(graded: Path) -> None:
    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}", "tinytorch") as gradebook:
        scores = {
            one.student.id: (one.score, one.max_score) for one in gradebook.find_assignment(LESSON.name).submissions
        }
    assert scores["ada"] == (FULL, FULL)
    assert scores["cy-counts"] == (FULL - FIRST.points, FULL)
    assert scores["ed-edits-checks"] == (0, FULL)


def test_the_statistics_name_the_most_common_mistake(graded: Path) -> None:
    first, second = rows(graded / "results" / "statistics.csv")[:2]
    assert (first["blank"], first["submitted"], first["solved"], first["unwritten"]) == (FIRST.name, "6", "1", "3")
    assert "expected 0.75, got 3. This is the number of right answers" in first["most_common_mistake"]
    assert first["its_count"] == "2"
    assert (second["solved"], second["most_common_mistake"]) == ("2", "")


def test_the_log_says_what_was_mended(graded: Path) -> None:
    log = (graded / "results" / "repairs.log").read_text(encoding="utf-8")
    assert f"ed-edits-checks {LESSON.name}: check {FIRST.check_ids[0]} was edited: put back as given" in log
    assert "flo-broken 15a_monitoring: 15a_monitoring.ipynb cannot be read (JSONDecodeError" in log
    assert "ada" not in log


def test_each_student_has_a_page_that_says_what_the_check_said(graded: Path) -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (graded / "results" / "feedback").glob("*.html")}
    assert len(pages) == 7
    assert f"{FULL:g} of {FULL:g} points" in pages["ada"]
    assert "This is the number of right answers; a share divides by n" in pages["cy-counts"]
    assert "batch_accuracy is not yet written: steps 1-3 above." in pages["ben-untouched"]


def test_points_given_by_hand_survive_another_grading(graded: Path, tmp_path: Path) -> None:
    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}", "tinytorch") as gradebook:
        grade = gradebook.find_grade(FIRST.check_ids[0], LESSON.name, LESSON.name, "cy-counts")
        grade.manual_score = 1.0
        gradebook.db.commit()
    released = stub(LESSON, tmp_path)
    save(
        as_handed_in(released, {**SOLVED, FIRST.cell_id: COUNTS}), tmp_path / "class" / f"cy-counts_{LESSON.name}.ipynb"
    )
    assert main(["grade", str(tmp_path / "class"), "--out", str(graded), "--modules", str(ROOT / "modules")]) == 0
    assert [float(row["total"]) for row in rows(graded / "results" / "grades.csv")] == [FULL - FIRST.points + 1]


def test_a_submission_that_breaks_nbgrader_does_not_stop_the_class(graded: Path, tmp_path: Path, capsys: Any) -> None:
    released = stub(LESSON, tmp_path)
    for student in ("ada", "bad"):
        save(as_handed_in(released, SOLVED), tmp_path / "class" / student / f"{LESSON.name}.ipynb")
    (graded / "submitted").mkdir(exist_ok=True)
    (graded / "submitted" / "bad").write_text("a file where nbgrader wants a folder", encoding="utf-8", newline="\n")
    arguments = ["grade", str(tmp_path / "class"), "--out", str(graded), "--modules", str(ROOT / "modules"), "--json"]
    assert main(arguments) == 1
    scores = {score["student"]: score for score in json.loads(capsys.readouterr().out)["scores"]}
    assert (scores["ada"]["status"], scores["ada"]["earned"]) == ("graded", FULL)
    assert (scores["bad"]["status"], scores["bad"]["earned"]) == ("could not be graded", 0)


def test_no_student_reaches_the_gradebook(graded: Path, tmp_path: Path) -> None:
    """The path is written into the submission, so that finding it is not the obstacle."""
    database = graded / "gradebook.db"
    steals = (
        f"import sqlite3\nPATH = {str(database)!r}\n"
        "try:\n    sqlite3.connect(PATH).execute('delete from student')\nexcept Exception:\n    pass\n"
        "try:\n    open(PATH, 'wb').close()\nexcept Exception:\n    pass\n"
        "def batch_accuracy(predictions, labels):\n    return len(open(PATH, 'rb').read()) * 0 + 0.75"
    )
    released = stub(LESSON, tmp_path)
    save(as_handed_in(released, {**SOLVED, FIRST.cell_id: steals}), tmp_path / "class" / "eve" / f"{LESSON.name}.ipynb")
    assert main(["grade", str(tmp_path / "class"), "--out", str(graded), "--modules", str(ROOT / "modules")]) == 0
    assert [float(row["total"]) for row in rows(graded / "results" / "grades.csv")] == [FULL - FIRST.points]
    assert sqlite3.connect(database).execute("select count(*) from student").fetchone()[0] >= 6


def test_bad_arguments_are_refused(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "class" / "ada").mkdir(parents=True)
    out = ["--out", str(tmp_path / "out")]
    assert main(["grade", str(tmp_path / "nowhere"), *out]) == 2
    assert main(["grade", str(tmp_path / "class"), *out]) == 2
    assert main(["grade", str(tmp_path / "class"), "--seconds", "0", *out]) == 2
    assert main(["grade", str(tmp_path / "class"), "--lessons", "16", *out]) == 2
    said = capsys.readouterr().err
    assert "SUBMISSIONS must be a folder with a folder a student" in said
    assert "SUBMISSIONS must hold notebooks named as the lessons" in said
    assert "--seconds must be > 0, got 0" in said
    assert not (tmp_path / "out").exists()


def test_windows_is_told_to_use_its_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["grade", str(tmp_path)]) == 2
    assert "run it in WSL" in capsys.readouterr().err


def test_a_memory_limit_that_python_itself_exceeds_is_refused(graded: Path, tmp_path: Path, capsys: Any) -> None:
    save(as_handed_in(stub(LESSON, tmp_path), SOLVED), tmp_path / "class" / f"ada_{LESSON.name}.ipynb")
    arguments = ["grade", str(tmp_path / "class"), "--out", str(graded), "--modules", str(ROOT / "modules")]
    assert main([*arguments, "--memory", "64"]) == 2
    assert "--memory must be an integer >= 256, got 64" in capsys.readouterr().err
