"""The audit reaches its bar on every lesson, and sees whatever falls below it."""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path

import pytest

from tinytorch.cli.main import main
from tinytorch.course.answers import read_answers
from tinytorch.course.audit import audit_lesson, read_reasons
from tinytorch.course.notebook import LESSON_STAGES, Cell, LessonNotebook, notebook_path, read_notebook

ROOT = Path(__file__).resolve().parents[2]
SOLUTION = "def share(part, whole):\n    return part / whole"
CHECK = 'check_cases(share, [Case((1, 4), 0.25, hint="divide the part by the whole"), Case((3, 4), 0.75)])'
WRONG = {
    "counts": "part",
    "turned": "whole / part",
    "adds": "part + whole",
    "subtracts": "whole - part",
    "rounds": "part // whole",
}
RIGHT = {"divides": "part / whole", "multiplies": "part * whole**-1", "hundredths": "100 * part / whole / 100"}


@pytest.mark.parametrize("lesson", LESSON_STAGES)
def test_a_lesson_reaches_the_bar(lesson: str) -> None:
    notebook = read_notebook(notebook_path(ROOT / "modules", lesson))
    audit = audit_lesson(notebook, importlib.import_module(notebook.lesson_module), ROOT / "tests" / lesson)
    assert len(audit.blanks) == len(notebook.blanks) >= 5
    assert audit.shortfalls == ()


@pytest.mark.parametrize("lesson", LESSON_STAGES)
def test_every_answer_has_a_sentence_of_its_own(lesson: str) -> None:
    answers = read_answers(ROOT / "tests" / lesson / "answers.py")
    told = [(answer.blank, answer.sentence) for answer in answers]
    assert len(set(told)) == len(told)
    assert [answer.name for answer in answers if not answer.sentence.strip()] == []


# The audit of a small lesson, to see that it bites --------------------------------------------------------------------


def small_lesson(check: str = CHECK) -> LessonNotebook:
    cells = (
        Cell("share", "code", SOLUTION, solution=True),
        Cell("check-share", "code", check, graded=True, points=2.0),
    )
    return LessonNotebook("15a_monitoring", Path("15a_monitoring.ipynb"), cells)


def small_module() -> types.ModuleType:
    module = types.ModuleType("small_lesson")
    exec(SOLUTION, vars(module))
    return module


def answers_text(wrong: dict[str, str], right: dict[str, str], blank: str = "share") -> str:
    lines = ["from tinytorch.course.answers import right, wrong"]
    for kind, answers in (("wrong", wrong), ("right", right)):
        for name, expression in answers.items():
            lines += [f'@{kind}("{blank}", "it {name}")', f"def {name}(part, whole):", f"    return {expression}"]
    return "\n".join(lines)


def shortfalls(
    folder: Path, wrong: dict[str, str] = WRONG, right: dict[str, str] = RIGHT, check: str = CHECK
) -> tuple[str, ...]:
    """What the audit of the small lesson finds."""
    (folder / "answers.py").write_text(answers_text(wrong, right), encoding="utf-8", newline="\n")
    return audit_lesson(small_lesson(check), small_module(), folder).shortfalls


def test_a_good_check_reaches_the_bar(tmp_path: Path) -> None:
    assert shortfalls(tmp_path) == ()


def test_too_few_answers_are_no_audit(tmp_path: Path) -> None:
    assert shortfalls(tmp_path, {"adds": "part + whole"}, {"divides": "part / whole"}) == (
        "share: 1 wrong answers are written, the bar is 5",
        "share: 1 right answers are written, the bar is 3",
    )


def test_a_wrong_answer_that_is_accepted_is_found(tmp_path: Path) -> None:
    (found,) = shortfalls(tmp_path, {**WRONG, "clips": "min(part / whole, 1)"})
    assert found == "share: the wrong answer clips is accepted (it clips)"


def test_a_wrong_answer_without_a_written_message_is_found(tmp_path: Path) -> None:
    (found,) = shortfalls(tmp_path, {**WRONG, "constant": "0.25"})
    assert found.startswith("share: the wrong answer constant gets no written message (it constant): share(3, 4):")


def test_a_right_answer_that_is_refused_is_found(tmp_path: Path) -> None:
    (found,) = shortfalls(tmp_path, right={**RIGHT, "texts": "str(part / whole)"})
    assert found.startswith("share: the right answer texts is refused (it texts): share(1, 4): expected 0.25, got")


def test_a_check_that_cannot_fail_lets_everything_through(tmp_path: Path) -> None:
    found = shortfalls(tmp_path, check="def check():\n    check_cases(share, [])")
    assert sum("is accepted" in sentence for sentence in found) == len(WRONG)
    assert any("a mutant survives without a reason: operator: part / whole -> part * whole" in line for line in found)


def test_a_survivor_needs_a_reason_and_a_reason_needs_a_survivor(tmp_path: Path) -> None:
    weak = 'check_cases(share, [Case((6, 3), 2.0, hint="divide the part by the whole")])'
    reasons = {"share": {"operator: part / whole -> part // whole": "", "no: such -> mutant": "it is gone"}}
    (tmp_path / "survivors.json").write_text(json.dumps(reasons), encoding="utf-8", newline="\n")
    assert shortfalls(tmp_path, check=weak) == (
        "share: the wrong answer rounds is accepted (it rounds)",
        "share: a mutant survives without a reason: operator: part / whole -> part // whole",
        "share: survivors.json gives a reason for a mutant that does not survive: no: such -> mutant",
    )


def test_names_that_are_no_blank_are_found(tmp_path: Path) -> None:
    text = answers_text(WRONG, RIGHT) + "\n" + answers_text({"other": "part"}, {}, blank="shares")
    (tmp_path / "answers.py").write_text(text, encoding="utf-8", newline="\n")
    found = audit_lesson(small_lesson(), small_module(), tmp_path).shortfalls
    assert found == ("shares is answered or explained, and is no blank",)


def test_endless_greedy_and_leaving_answers_stop_nothing(tmp_path: Path) -> None:
    too_much = 2**33 if sys.platform == "linux" else 2**60  # elsewhere there is no limit but that of the machine
    wrong = {**WRONG, "endless": "[0 for _ in iter(int, 1)]", "greedy": f"bytearray({too_much})", "leaves": "exit()"}
    (tmp_path / "answers.py").write_text(answers_text(wrong, RIGHT), encoding="utf-8", newline="\n")
    (blank,) = audit_lesson(small_lesson(), small_module(), tmp_path).blanks
    said = {answer.name: answer.message for answer in blank.wrong}
    assert all(answer.caught for answer in blank.wrong)
    assert said["endless"].startswith("RanTooLong: more than")
    assert "MemoryError" in said["greedy"]


def test_reasons_must_be_readable(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"share": "why"}'):
        (tmp_path / "survivors.json").write_text(text, encoding="utf-8", newline="\n")
        with pytest.raises(ValueError, match="survivors must be JSON, blank -> mutant -> reason, got "):
            read_reasons(tmp_path / "survivors.json")


# The command --------------------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_the_next_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["audit", "monitoring"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "blank"
    assert "15a_monitoring" in lines
    assert next(line for line in lines if line.startswith("should_fire")).split()[-1] == "0"
    assert next(line for line in lines if line.startswith("all ")).split()[-1] == "0"
    assert lines[-1].startswith("next: ") and lines[-1].endswith(" release")


def test_the_command_exits_1_below_the_bar_and_says_so_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "15a_monitoring"
    folder.mkdir()
    (folder / "answers.py").write_text("", encoding="utf-8", newline="\n")
    options = ["audit", "15a", "--modules", str(ROOT / "modules"), "--tests", str(tmp_path)]
    assert main([*options, "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["passed"] is False
    assert "batch_accuracy: 0 wrong answers are written, the bar is 5" in printed["lessons"][0]["shortfalls"]
    assert main(options) == 1
    assert "Below the bar" in capsys.readouterr().out


def test_bad_input_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modules = str(ROOT / "modules")
    assert main(["audit", "16", "--modules", modules]) == 2
    assert main(["audit", "--modules", str(tmp_path)]) == 2
    assert main(["audit", "15a", "--modules", modules, "--tests", str(tmp_path)]) == 2
    assert "answers must be a file" in capsys.readouterr().err
