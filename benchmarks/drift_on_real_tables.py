"""Runs `tinytorch drift` on real tables, split along an order that they bring with them, and writes what it said.

    python benchmarks/drift_on_real_tables.py        # writes docs/drift_report.md and docs/drift_report.html

The tables come with scikit-learn; nothing is downloaded. Each is written as two CSV files, as a practitioner has them.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn import datasets

from tinytorch.cli.main import main as tinytorch

DOCS = Path(__file__).parents[1] / "docs"
SHOWN_ON_THE_PAGE = "wine"
INTRODUCTION = """\
# `tinytorch drift` on real tables

Each table comes with scikit-learn and is cut in two along an order that it has by itself. Everything below is what the
command printed; `python benchmarks/drift_on_real_tables.py` writes this page anew.
[drift_report.html](drift_report.html) is the page that `--html` wrote for the first table (open it from a clone).
"""


@dataclass(frozen=True)
class Case:
    """A table, how it is cut, and the options a user would give."""

    name: str
    story: str
    load: Callable[[], object]
    order: Callable[[np.ndarray], np.ndarray]
    cut: float
    options: tuple[str, ...] = ()


def as_in_the_file(features: np.ndarray) -> np.ndarray:
    return np.arange(len(features))


def by_first_column(features: np.ndarray) -> np.ndarray:
    return np.argsort(features[:, 0], kind="stable")


def at_random(features: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).permutation(len(features))


CASES = (
    Case(
        "wine",
        "178 wines in the order of the file, in which one grower's wines follow another's: the second half holds other "
        "wines than the first.",
        datasets.load_wine,
        as_in_the_file,
        0.5,
        ("--label", "target"),
    ),
    Case(
        "diabetes",
        "442 patients in the order of their age: what differs between the younger and the older half?",
        datasets.load_diabetes,
        by_first_column,
        0.5,
        ("--label", "target"),
    ),
    Case(
        "breast_cancer",
        "569 tumours in the order of the file: the first 400 against the rest.",
        datasets.load_breast_cancer,
        as_in_the_file,
        400 / 569,
        ("--label", "target"),
    ),
    Case(
        "digits",
        "1,797 digits in the order of the file: the first 1,000 against the rest, which other people wrote.",
        datasets.load_digits,
        as_in_the_file,
        1000 / 1797,
        ("--label", "target", "--type", "target=category"),
    ),
    Case(
        "wine_shuffled",
        "The same wines in random order, for comparison: nothing has drifted here.",
        datasets.load_wine,
        at_random,
        0.5,
        ("--label", "target"),
    ),
)


def write_tables(case: Case) -> tuple[str, str]:
    """Write both parts of a table as CSV files into the current folder."""
    data = case.load()
    names = [str(name).replace(" ", "_") for name in data.feature_names]  # type: ignore[attr-defined]
    target = data.target  # type: ignore[attr-defined]
    classes = getattr(data, "target_names", None)
    if classes is not None and case.name != "digits":
        target = np.asarray(classes)[target]
    order = case.order(data.data)  # type: ignore[attr-defined]
    cut = round(case.cut * len(order))
    paths = f"{case.name}_before.csv", f"{case.name}_after.csv"
    for path, rows in zip(paths, (order[:cut], order[cut:]), strict=True):
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*names, "target"])
            writer.writerows([*data.data[row].tolist(), target[row]] for row in rows)  # type: ignore[attr-defined]
    return paths


def run(arguments: Sequence[str]) -> tuple[str, int]:
    """Return what the command printed, and its exit code."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = tinytorch(["drift", *arguments])
    report, _, _ = printed.getvalue().rpartition("\n\n")  # the last part names files of this machine
    return report, code


def describe(case: Case) -> str:
    """Return a case's part of the document."""
    paths = write_tables(case)
    extra = ["--html", "page.html"] if case.name == SHOWN_ON_THE_PAGE else []
    report, code = run([*paths, *case.options, *extra])
    if extra:
        (DOCS / "drift_report.html").write_bytes(Path("page.html").read_bytes())
    command = " ".join(["tinytorch drift", *paths, *case.options])
    return f"## {case.name}\n\n{case.story}\n\n```\n$ {command}\n{report}\n```\n\nExit code {code}.\n"


def main() -> None:
    """Write the document and the page."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            parts = [describe(case) for case in CASES]
        finally:
            os.chdir(here)
    (DOCS / "drift_report.md").write_text("\n".join([INTRODUCTION, *parts]), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
