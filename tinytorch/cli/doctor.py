"""Floor 5: `tinytorch doctor`, what keeps the lessons from running, and what to do about it. Imports no lesson."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinytorch.cli.invocation import find_modules, shown_step, with_shown_steps
from tinytorch.course.doctor import PROBLEM, Diagnosis, examine

EXIT_PROBLEM = 1
EPILOG = """\
example: tinytorch doctor

exit codes: 0 no problem was found, 1 there is one, 2 bad arguments
"""


def add_doctor(commands: Any) -> None:
    """Add `doctor` to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="something does not start? looks for the cause and says what to do",
        description="Looks at Python, packages, Jupyter's kernel, notebooks and lessons. Changes nothing.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--modules", type=Path, metavar="DIR", help="folder of the lessons (modules)")
    parser.add_argument("--json", action="store_true", help="print the findings for a program")
    parser.set_defaults(run=run_doctor)


def run_doctor(options: argparse.Namespace) -> int:
    """Tell how everything is; return 0 if there is no problem."""
    findings = examine(_modules_or_guess(options.modules))
    found = [replace(diagnosis, advice=with_shown_steps(diagnosis.advice)) for diagnosis in findings]
    n_problems = sum(diagnosis.state == PROBLEM for diagnosis in found)
    if options.json:
        print(json.dumps([diagnosis.to_dict() for diagnosis in found], indent=1))
    else:
        _tell_findings(found, n_problems)
    return EXIT_PROBLEM if n_problems else 0


def _tell_findings(found: Sequence[Diagnosis], n_problems: int) -> None:
    """Print one line for each thing that was looked at, what to do below it, and the next step."""
    for diagnosis in found:
        print(diagnosis)
    if n_problems:
        count = "1 problem" if n_problems == 1 else f"{n_problems} problems"
        print(f"\n{count}. Next: mend the first one, then {shown_step('doctor')} again")
    else:
        print(f"\nNo problem was found. Next: {shown_step('lab')}")


def _modules_or_guess(given: Path | None) -> Path:
    """Return the folder of the lessons; where there is none, the doctor says so itself."""
    try:
        return find_modules(given)
    except ValueError:
        return given or Path("modules")
