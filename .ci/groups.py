"""Run the tests in groups, one pytest each, and print at the end what each took.

The budgets are for two slow cores. They are printed beside the times and never asserted: a slow machine fails no test.
Arguments are passed on to pytest. Every file of tests belongs to exactly one group: what no group names is in `rest`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMED_GROUPS = {
    "core": ["core"],
    "stats": ["stats"],
    "lessons": [
        "15a_monitoring",
        "15b_drift",
        "15c_retraining",
        "15d_deployment",
        "checks",
        "course",
        "test_notebooks.py",
    ],
    "adapters": ["adapters"],
}
BUDGET_MINUTES = {"core": 1, "stats": 3, "lessons": 4, "adapters": 4, "rest": 3}
NO_TESTS_COLLECTED = 5


@dataclass(frozen=True)
class Outcome:
    """What one group did."""

    group: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    exit_code: int


def groups() -> dict[str, list[str]]:
    """Group -> its paths below tests/, those that exist and hold tests."""
    named = {name for paths in NAMED_GROUPS.values() for name in paths}
    everything = [path.name for path in sorted((ROOT / "tests").iterdir()) if _holds_tests(path)]
    chosen = {group: [name for name in paths if name in everything] for group, paths in NAMED_GROUPS.items()}
    chosen["rest"] = [name for name in everything if name not in named]
    return chosen


def _holds_tests(path: Path) -> bool:
    return any(path.rglob("test_*.py")) if path.is_dir() else path.match("test_*.py")


def run_group(group: str, paths: list[str], arguments: list[str]) -> Outcome:
    """Run one group and count what happened from pytest's own report."""
    print(f"\n== {group}: {' '.join(paths) or 'no tests yet'}", flush=True)
    if not paths:
        return Outcome(group, 0, 0, 0, 0.0, 0)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *(f"tests/{path}" for path in paths), f"--junitxml={report}"]
        exit_code = subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode
        counts = _counts(report)
    if exit_code == NO_TESTS_COLLECTED and arguments:  # a selection (-k ...) may leave a group empty
        exit_code = 0
    return Outcome(group, *counts, time.perf_counter() - start, exit_code)


def _counts(report: Path) -> tuple[int, int, int]:
    """Passed, failed (errors too) and skipped tests; none when pytest broke before its report."""
    if not report.is_file():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped


def main() -> int:
    """Run all groups, also after one has failed; exit 1 when any did."""
    outcomes = [run_group(group, paths, sys.argv[1:]) for group, paths in groups().items()]
    print("\ngroup      passed  failed  skipped   seconds   budget (two slow cores)")
    for outcome in outcomes:
        counts = f"{outcome.passed:>6}  {outcome.failed:>6}  {outcome.skipped:>7}  {outcome.seconds:>8.1f}"
        note = "" if outcome.exit_code == 0 else f"   pytest exited {outcome.exit_code}"
        print(f"{outcome.group:<10} {counts}   {60 * BUDGET_MINUTES[outcome.group]:>4} s{note}")
    passed, failed, skipped = (
        sum(getattr(item, name) for item in outcomes) for name in ("passed", "failed", "skipped")
    )
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return int(any(outcome.exit_code for outcome in outcomes) or passed == 0)


if __name__ == "__main__":
    sys.exit(main())
