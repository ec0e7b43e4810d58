"""`tinytorch check` as a student types it: the table, the first message that helps, the next step, the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from student_project import StudentProject

from tinytorch.cli import check as module
from tinytorch.cli.at_work import LoopOutcome
from tinytorch.cli.main import main

A, C = "15a_monitoring", "15c_retraining"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudentProject:
    monkeypatch.chdir(tmp_path)
    return StudentProject(tmp_path)


@pytest.fixture
def without_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop takes its seconds in one test only."""
    monkeypatch.setattr(module, "lesson_at_work", lambda *arguments, **named: ())


def test_points_first_message_and_next_step_are_told(project, capsys):
    project.solve(A, 0)
    project.write(A, 1, "return None")
    assert main(["check", "15a"]) == 1
    first, second, third, *_ = [blank.name for blank in project.notebook(A).blanks]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "15a_monitoring: 2 of 10 points"
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[2:7]}
    assert rows[first] == "2 of 2 right"
    assert rows[second] == "0 of 2 not right"
    assert rows[third] == "0 of 2 not yet written"
    assert any(line.startswith(f"  {second}: {second}(") and "got None" in line for line in lines)
    place = "modules/15a_monitoring/15a_monitoring.ipynb"
    cell = project.notebook(A).blanks[1].cell_id
    assert lines[-1].startswith(f"Next: mend {second} (cell {cell} of {place}); save; ")
    assert lines[-1].endswith(" check 15a")


def test_what_does_not_parse_is_told_once(project, capsys):
    project.write(A, 0, "return (1 +")
    assert main(["check", "15a"]) == 1
    out = capsys.readouterr().out
    assert out.count("was never closed") == 1
    assert "Not exported, the lesson.py that you had stays." in out


def test_all_lessons_add_up_and_a_finished_one_names_the_next(project, capsys, without_loop):
    project.solve(A)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "total: 10 of" in out
    assert "Next: write" in out
    assert main(["check", "monitoring"]) == 0
    assert "Next: lesson 15b_drift: " in capsys.readouterr().out


def test_who_has_finished_the_course_is_not_sent_into_the_optional_lesson(project, capsys, without_loop):
    for name in (A, "15b_drift", C):
        project.solve(name)
    assert main(["check"]) == 1
    assert "Next: the whole loop on your own lessons: " in capsys.readouterr().out


def test_a_finished_lesson_is_seen_at_work_with_the_students_earlier_ones_and_without(project, capsys):
    project.solve(A)
    project.solve(C)
    assert main(["check", "15c", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    mine, given = result["at_work"]
    assert mine["own"] == [A, C]
    assert "because your DriftDetector: not yet written" in " ".join(mine["problems"])
    assert (given["own"], given["problems"]) == ([C], [])
    assert all("new model in charge at hour" in loop["told"] for loop in (mine, given))
    assert result["earned"] == result["points"]
    assert "demo --mine" in result["next"]


def test_an_own_class_that_breaks_its_contract_is_named_with_the_reason(project, capsys):
    """All points, and yet a given cell was changed: the loop does without the class."""
    project.solve(A)
    cell = next(cell.id for cell in project.notebook(A).cells if "def observe(" in cell.source)
    project.edit(A, cell, lambda text: text.replace("def observe(", "def observes("))
    assert main(["check", "15a", "--given"]) == 0
    out = capsys.readouterr().out
    assert "without it, as it does not keep its contract" in out
    assert "the library's WindowedMonitor, because your ModelMonitor" in out


def test_loops_that_come_out_alike_are_told_in_one_line(capsys):
    mine = LoopOutcome(C, (A, C), "drift seen at hour 5", ())
    module._tell_loops((mine, LoopOutcome(C, (C,), "drift seen at hour 5", ())))
    out = capsys.readouterr().out
    assert out.count("drift seen") == 1
    assert "with your 15a: drift seen at hour 5" in out
    assert "with the library's parts in place of your earlier lessons: the same" in out
    module._tell_loops((mine, LoopOutcome(C, (C,), "drift seen at hour 6", ())))
    assert "with the library's other parts: drift seen at hour 6" in capsys.readouterr().out


def test_bad_input_is_one_line_and_code_2(project, capsys):
    bad = project.modules / "15b_drift" / "15b_drift.ipynb"
    bad.write_text("{", encoding="utf-8", newline="\n")
    for arguments, sentence in (
        (["16"], "lesson must be one of 15a_monitoring"),
        (["15b"], "path must be a notebook that can be read, got '15b_drift.ipynb'"),
        (["--modules", "nowhere"], "--modules must be a folder with the lessons, got 'nowhere'"),
        (["--modules", str(project.modules / A)], "which holds none"),
    ):
        assert main(["check", *arguments]) == 2
        captured = capsys.readouterr()
        assert sentence in captured.err
        assert captured.out == ""
    assert main(["check", "15a"]) == 1


def test_where_a_lesson_does_not_import_other_commands_say_so_and_check_mends_it(project):
    lesson = project.add_package() / "mlops/monitor/lesson.py"
    lesson.write_text("1 / 0\n", encoding="utf-8", newline="\n")

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "tinytorch.cli", *arguments]
        done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, text = run("demo", "--mine")
    assert code == 2
    assert "tinytorch demo: a lesson does not import (ZeroDivisionError: division by zero)" in text
    code, text = run("check", "15a")
    assert (code, text.splitlines()[0]) == (1, "15a_monitoring: 0 of 10 points")
    assert lesson.read_text(encoding="utf-8") != "1 / 0\n"
    assert "cannot start" not in run("--help")[1]
