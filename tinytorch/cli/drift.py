"""Floor 5: `tinytorch drift REFERENCE CURRENT`, for whoever has two files and a question."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.adapters.drift import judge_tables
from tinytorch.adapters.drift_chunks import read_duration
from tinytorch.adapters.drift_open import open_tables
from tinytorch.adapters.drift_page import write_drift_page
from tinytorch.adapters.drift_report import TableDriftReport
from tinytorch.adapters.drift_settings import (
    DEFAULT_CHUNKS_IN_A_ROW,
    DEFAULT_REPORT_ALPHA,
    DEFAULT_REPORT_EFFECT,
    DriftSettings,
)
from tinytorch.adapters.drift_text import print_report
from tinytorch.adapters.drift_verdict import NumericDetector
from tinytorch.adapters.extras import MissingExtraError
from tinytorch.adapters.progress import reading_progress
from tinytorch.adapters.saved_reference import save_reference
from tinytorch.adapters.tables import KINDS
from tinytorch.checks.calls import ContractError
from tinytorch.checks.detector import check_detector
from tinytorch.cli.invocation import shown_python
from tinytorch.mlops.drift import lesson

EXIT_DRIFT = 1
# One row has no distribution; a file of one is rather the sign of an export that broke off.
MINIMUM_ROWS = 2
STANDARD_OUTPUT = Path("-")
# The lesson's detector is fitted when it is made; the report fits it again.
_ANY_BASELINE = np.eye(2)
DESCRIPTION = """\
Has CURRENT drifted away from REFERENCE? Both are CSV files (also .gz), .npz, .npy, Parquet or Arrow files with the same
columns. Each column is tested as its type asks for, p-values are corrected for their number, and every finding is a
sentence with its size.
"""
EPILOG = """\
examples:
  tinytorch drift train.csv today.csv
  tinytorch drift train.csv today.csv --label price --prediction forecast --html report.html
  tinytorch drift train.csv today.csv --time when --chunk-every 1d --json report.json
  tinytorch drift train.csv today.csv --save-reference train.npz
  tinytorch drift train.npz tomorrow.csv

exit codes: 0 no drift, 1 drift, 2 bad input or arguments
"""


def add_drift(commands: Any) -> None:
    """Add `drift` to the command line."""
    parser = commands.add_parser(
        "drift",
        help="has one table drifted away from another?",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("reference", metavar="REFERENCE", help="a table, or a file that --save-reference wrote")
    parser.add_argument("current", metavar="CURRENT", help="the table to judge")
    _add_columns(parser)
    _add_verdict(parser)
    _add_output(parser)
    parser.set_defaults(run=run_drift)


def run_drift(options: argparse.Namespace) -> int:
    """Compare both files, print the report, write what was asked for, and return 1 if there is drift."""
    _check_output_files(options)
    settings, detector = _settings(options), _detector(options.mine)
    try:
        with reading_progress([options.reference, options.current]) as progress:
            tables = open_tables(options.reference, options.current, settings, progress)
        report = judge_tables(tables, settings, detector)
    except MissingExtraError as error:
        raise ValueError(str(error)) from error
    _check_contents(report)
    if options.save_reference is not None:
        save_reference(tables.reference, options.save_reference, options.exact)
    if options.html is not None:
        write_drift_page(report, options.html)
    _tell_report(options, report)
    return EXIT_DRIFT if report.drifted else 0


def _tell_report(options: argparse.Namespace, report: TableDriftReport) -> None:
    """Print the report for people, or the JSON alone; write the JSON if it has a file."""
    if options.json == STANDARD_OUTPUT:
        print(report.to_json(), end="")
        return
    if options.json is not None:
        _write_text(options.json, report.to_json(), "--json")
    print_report(report, options.all)
    _tell_next_step(options, report)


def _add_columns(parser: argparse.ArgumentParser) -> None:
    """Add what says which column is what."""
    group = parser.add_argument_group("columns")
    group.add_argument(
        "--type", action="append", default=[], metavar="NAME=TYPE", help=f"read a column as {', '.join(KINDS)}"
    )
    group.add_argument("--prediction", metavar="NAME", help="the model's answers: a section of their own")
    group.add_argument("--label", metavar="NAME", help="the true answers; CURRENT may lack them")
    group.add_argument("--time", metavar="NAME", help="when each row was recorded: puts rows in order, is not tested")


def _add_verdict(parser: argparse.ArgumentParser) -> None:
    """Add what changes the verdict."""
    group = parser.add_argument_group("verdict")
    group.add_argument(
        "--alpha", type=float, default=DEFAULT_REPORT_ALPHA, metavar="P", help="chance of a false alarm (%(default)s)"
    )
    group.add_argument(
        "--minimum-effect",
        type=float,
        default=DEFAULT_REPORT_EFFECT,
        metavar="SD",
        help="smaller shifts, in standard deviations, raise no verdict (%(default)s)",
    )
    group.add_argument("--chunk-rows", type=int, metavar="N", help="also judge CURRENT in chunks of N rows")
    group.add_argument("--chunk-every", metavar="TIME", help="also judge it in chunks of 30m, 6h, 1d, 2w; needs --time")
    group.add_argument(
        "--chunks-in-a-row",
        type=int,
        default=DEFAULT_CHUNKS_IN_A_ROW,
        metavar="N",
        help="drifted chunks that make an alarm (%(default)s)",
    )
    group.add_argument("--no-joint", action="store_true", help="leave out the tests of all columns together")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same report (0)")
    group.add_argument("--mine", action="store_true", help="your own DriftDetector judges the numeric columns")


def _add_output(parser: argparse.ArgumentParser) -> None:
    """Add what is written."""
    group = parser.add_argument_group("output")
    group.add_argument("--all", action="store_true", help="show every column, also the quiet ones")
    group.add_argument("--json", type=Path, metavar="FILE", help="the report for a program; - prints it alone")
    group.add_argument("--html", type=Path, metavar="FILE", help="the report as one page with drawings")
    group.add_argument(
        "--save-reference", type=Path, metavar="FILE", help="keep REFERENCE as counts, without any record in it"
    )
    group.add_argument("--exact", action="store_true", help="keep its sorted values instead: such a file is data")


def _settings(options: argparse.Namespace) -> DriftSettings:
    """Return the options as settings."""
    if options.exact and options.save_reference is None:
        raise ValueError("--exact must come with --save-reference, got it alone.")
    return DriftSettings(
        alpha=options.alpha,
        minimum_effect=options.minimum_effect,
        types=dict(map(_read_type, options.type)),
        prediction=options.prediction,
        label=options.label,
        time=options.time,
        chunk_rows=options.chunk_rows,
        chunk_every_s=None if options.chunk_every is None else read_duration(options.chunk_every),
        chunks_in_a_row=options.chunks_in_a_row,
        joint=not options.no_joint,
        seed=options.seed,
    )


def _read_type(text: str) -> tuple[str, str]:
    """Split NAME=TYPE."""
    name, mark, kind = text.rpartition("=")
    if not mark or not name:
        raise ValueError(f"--type must be NAME=TYPE, such as age=category, got {text!r}.")
    return name, kind


def _check_output_files(options: argparse.Namespace) -> None:
    """Refuse to write over a table, or one output over another."""
    taken = {Path(options.reference).resolve(): "REFERENCE", Path(options.current).resolve(): "CURRENT"}
    for option in ("--save-reference", "--html", "--json"):
        path = getattr(options, option.removeprefix("--").replace("-", "_"))
        if path is None or path == STANDARD_OUTPUT:
            continue
        owner = taken.setdefault(path.resolve(), option)
        if owner != option:
            raise ValueError(f"{option} must name a file of its own, got {owner}: {str(path)!r}.")


def _check_contents(report: TableDriftReport) -> None:
    """Refuse tables that nothing can be said of: a scheduled job must not read "no drift" from them."""
    for place, (source, n_rows) in enumerate(
        ((report.reference, report.n_reference), (report.current, report.n_current))
    ):
        if n_rows < MINIMUM_ROWS:
            raise ValueError(f"{source} must have at least {MINIMUM_ROWS} rows, got {n_rows}.")
        if all(one.facts.missing_rates[place] == 1.0 for one in report.columns):
            raise ValueError(f"{source} must have values in the columns compared, got {n_rows} rows of missing ones.")


def _detector(mine: bool) -> NumericDetector | None:
    """Return the student's own detector if it was asked for and passes its check, and say which one runs."""
    if not mine:
        return None
    try:
        check_detector(lambda: lesson.DriftDetector(_ANY_BASELINE))
    except ContractError as error:
        print(f"drift: the library's tests, because your DriftDetector: {error}", file=sys.stderr)
        return None
    print("drift: your DriftDetector judges the numeric columns", file=sys.stderr)
    return lesson.DriftDetector(_ANY_BASELINE)


def _write_text(path: Path, text: str, option: str) -> None:
    """Write a file, or say why not."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ValueError(
            f"{option} must be a file that can be written, got {str(path)!r} ({error.strerror})."
        ) from error


def _tell_next_step(options: argparse.Namespace, report: TableDriftReport) -> None:
    """Name what was written and the next step."""
    print()
    for option, path in (("Reference", options.save_reference), ("JSON", options.json), ("Page", options.html)):
        if path is not None:
            print(f"{option}: {path.resolve()}")
    command = f"{shown_python()} -m tinytorch.cli drift"
    if options.save_reference is not None:
        print(f"Next: compare with the saved reference:  {command} {options.save_reference} NEXT_FILE")
    elif options.html is None:
        print(f"Next: see the distributions:  {command} {options.reference} {options.current} --html drift.html")
    elif report.drifted:
        print("Next: open the page and look at the columns that moved most.")
    else:
        print(f"Next: keep the reference small:  {command} ... --save-reference reference.npz")
