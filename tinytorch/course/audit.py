"""Floor 4, the examiner's trial: try the check cells of a lesson on right answers, wrong answers and mutants.

It runs them in this process, on the lesson that was exported from the notebook; it reads files through paths handed in.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tinytorch.checks.cases import CheckFailed
from tinytorch.course.answers import Answer, read_answers
from tinytorch.course.audit_report import AuditVerdict, BlankAudit, LessonAudit
from tinytorch.course.limits import RanTooLong, limited_memory, limited_steps
from tinytorch.course.mutants import make_mutants
from tinytorch.course.notebook import Blank, LessonNotebook, check_namespace, run_check_cell

_MUTANT_FILE = "<mutant>"


def audit_lesson(notebook: LessonNotebook, lesson: ModuleType, folder: Path) -> LessonAudit:
    """Try the check cells of one lesson.

    Parameters
    ----------
    notebook : LessonNotebook
        With its solutions.
    lesson : module
        What was exported from it.
    folder : Path
        Holds `answers.py` and, where a mutant survives, `survivors.json`.

    Raises
    ------
    ValueError
        If one of the two files cannot be read.
    """
    answers = read_answers(folder / "answers.py")
    reasons = read_reasons(folder / "survivors.json")
    blanks = tuple(_audit_blank(_BlankTrial(notebook, lesson, blank), answers, reasons) for blank in notebook.blanks)
    names = {blank.name for blank in notebook.blanks}
    strangers = sorted({answer.blank for answer in answers} - names) + sorted(set(reasons) - names)
    return LessonAudit(notebook.name, blanks, tuple(strangers))


def read_reasons(path: Path) -> dict[str, dict[str, str]]:
    """Return, for each blank, why its surviving mutants mislead nobody: identity -> reason. No file, no reasons.

    Raises
    ------
    ValueError
        If the file is not a JSON object of objects of texts.

    Examples
    --------
    >>> read_reasons(Path("nowhere/survivors.json"))
    {}
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(blank): {str(key): str(why) for key, why in found.items()} for blank, found in content.items()}
    except (ValueError, AttributeError) as error:
        raise ValueError(f"survivors must be JSON, blank -> mutant -> reason, got {path.name} ({error}).") from None


class _BlankTrial:
    """One blank: what it is called, where its checks stand, and what to call them with."""

    def __init__(self, notebook: LessonNotebook, lesson: ModuleType, blank: Blank) -> None:
        self.notebook = notebook
        self.lesson = lesson
        self.blank = blank

    def message(self, function: Callable[..., Any], file: str) -> tuple[str, str] | None:
        """Return what the checks say about a function defined in `file`, and the written part of it; None if fine."""
        for check in self.blank.check_ids:
            namespace = check_namespace(self.lesson, **{self.blank.name: function})
            try:
                with contextlib.redirect_stdout(io.StringIO()), limited_steps(file), limited_memory():
                    run_check_cell(self.notebook, check, namespace)
            except CheckFailed as failure:
                return str(failure), failure.written
            except (Exception, SystemExit, RanTooLong) as error:  # whatever a check lets through fails the cell
                return f"{type(error).__name__}: {error}", ""
        return None

    def judge_source(self, identity: str, source: str) -> AuditVerdict:
        """Try the text of a function, which sees what a cell of the lesson sees."""
        namespace = dict(vars(self.lesson))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a mutant looks like is of no interest
            exec(compile(source, _MUTANT_FILE, "exec"), namespace)
        return _verdict(identity, "", self.message(namespace[self.blank.name], _MUTANT_FILE))

    def judge(self, answer: Answer) -> AuditVerdict:
        """Try one answer."""
        return _verdict(answer.name, answer.sentence, self.message(answer.function, answer.file))


def _verdict(name: str, sentence: str, said: tuple[str, str] | None) -> AuditVerdict:
    message, written = said or ("", "")
    return AuditVerdict(name, sentence, said is not None, message, written)


def _audit_blank(
    trial: _BlankTrial, answers: Collection[Answer], reasons: Mapping[str, Mapping[str, str]]
) -> BlankAudit:
    """Try all that is known about one blank; the right answers come last, which resets the count of failed checks."""
    blank = trial.blank
    mine = [answer for answer in answers if answer.blank == blank.name]
    mutants = make_mutants(trial.notebook.cell(blank.cell_id).source, blank.name)
    return BlankAudit(
        blank.name,
        wrong=tuple(trial.judge(answer) for answer in mine if not answer.is_right),
        mutants=tuple(trial.judge_source(mutant.identity, mutant.source) for mutant in mutants),
        right=tuple(trial.judge(answer) for answer in mine if answer.is_right),
        reasons=dict(reasons.get(blank.name, {})),
    )
