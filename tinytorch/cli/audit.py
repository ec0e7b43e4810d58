"""Floor 5: `tinytorch audit`, the lessons' checks tried on right answers, wrong answers and mutants."""

from __future__ import annotations

import argparse
import importlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinytorch.cli.invocation import shown_command
from tinytorch.course.audit import audit_lesson
from tinytorch.course.audit_report import LessonAudit
from tinytorch.course.notebook import LessonNotebook, find_notebooks, lesson_name

EXIT_BELOW_BAR = 1
_HEADINGS = ("blank", "wrong caught", "with a message", "right accepted", "mutants caught", "survive, no reason")
_ROW = "{:<26} {:>12} {:>14} {:>14} {:>14} {:>18}"


def add_audit(commands: Any) -> None:
    """Add `audit` to the command line."""
    parser = commands.add_parser(
        "audit",
        help="try the lessons' checks on right answers, wrong answers and mutants",
        description=(
            "Try the check cells on the answers in TESTS/<lesson>/answers.py and on mutants of the solutions. The bar: "
            "every wrong answer is caught with a written message, every right one is accepted, and each mutant that "
            "survives has its reason in survivors.json. Exit code 1 below the bar. It runs in the instructor's clone: "
            "a student's kit holds no answers."
        ),
        epilog="example: tinytorch audit 15a",
    )
    parser.add_argument("lesson", nargs="?", help="one lesson, as 15a or drift (default: all)")
    parser.add_argument("--modules", type=Path, default=Path("modules"), help="folder of the lessons (%(default)s)")
    parser.add_argument("--tests", type=Path, default=Path("tests"), help="folder of the answers (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print every verdict as JSON")
    parser.set_defaults(run=run_audit)


def run_audit(options: argparse.Namespace) -> int:
    """Audit the lessons, print what was found and return the exit code."""
    audits = [_audit(notebook, options.tests) for notebook in _chosen(options.modules, options.lesson)]
    passed = not any(audit.shortfalls for audit in audits)
    if options.json:
        print(json.dumps({"passed": passed, "lessons": [audit.to_dict() for audit in audits]}, indent=2))
    else:
        print(_report(audits))
    return 0 if passed else EXIT_BELOW_BAR


def _chosen(modules: Path, lesson: str | None) -> list[LessonNotebook]:
    """Return the notebooks that were asked for."""
    notebooks = [found for found in find_notebooks(modules) if lesson is None or found.name == lesson_name(lesson)]
    if not notebooks:
        raise ValueError(f"--modules must be a folder with the lesson's notebook, got {str(modules)!r}.")
    return notebooks


def _audit(notebook: LessonNotebook, tests: Path) -> LessonAudit:
    return audit_lesson(notebook, importlib.import_module(notebook.lesson_module), tests / notebook.name)


def _report(audits: Sequence[LessonAudit]) -> str:
    """Return the table, what is below the bar, and the next step."""
    shortfalls = [sentence for audit in audits for sentence in audit.shortfalls]
    lines = [*_table_of_blanks(audits), "", *(f"- {sentence}" for sentence in shortfalls)]
    if shortfalls:
        lines += ["", f"Below the bar in {len(shortfalls)} places.", "next: mend the check cell, or explain the mutant"]
    else:
        lines += ["The bar is reached.", f"next: {shown_command()} release"]
    return "\n".join(lines)


def _table_of_blanks(audits: Sequence[LessonAudit]) -> list[str]:
    """Return a row for each blank, by lesson, and one for all of them."""
    lines = [_ROW.format(*_HEADINGS)]
    for audit in audits:
        lines += ["", audit.lesson, *(_counts_row(blank.blank, blank.counts()) for blank in audit.blanks)]
    total: Counter[str] = Counter()
    for blank in (blank for audit in audits for blank in audit.blanks):
        total.update(blank.counts())
    return [*lines, "", _counts_row("all", total)]


def _counts_row(name: str, counts: Mapping[str, int]) -> str:
    return _ROW.format(
        name,
        f"{counts['wrong_caught']}/{counts['wrong']}",
        f"{counts['with_message']}/{counts['wrong']}",
        f"{counts['right_accepted']}/{counts['right']}",
        f"{counts['mutants_caught']}/{counts['mutants']}",
        counts["survivors_without_reason"],
    )
