"""Time evidently against ours: `make bench-peers`, or this script in an environment of its requirements.

Its tests are called column by column as its report calls them, then its report is run as a user runs it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

# Read by evidently at every call: it would else report its use over the network.
os.environ["DO_NOT_TRACK"] = os.environ["ITERATIVE_DO_NOT_TRACK"] = "1"

import pandas as pd
from _commands import print_commands, run_command
from _shared import Task, Work, apart, named_columns, run, speed_table_floors, speed_table_work
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests import (
    StatTest,
    chi_stat_test,
    ks_stat_test,
    psi_stat_test,
    wasserstein_stat_test,
)
from evidently.legacy.core import ColumnType
from evidently.metrics import ValueDrift
from evidently.presets import DataDriftPreset

from tinytorch.stats import FittedReference, chi2_test, column_report, ks_2samp, psi, wasserstein_distance

IMPORT = "from evidently import Report; from evidently.presets import DataDriftPreset"
NOTES = (
    "evidently has no fit: it looks at the whole reference in every call. A report is timed once after one call, ours "
    "just before it and not in turns, so on a busy machine read the ratio of processor times there. Its run works out "
    "correlations and draws plots too, which ours does not, and it gives one figure a column, Wasserstein unless told "
    "otherwise, where ours gives three: the last line asks it for those three"
)
METHODS = ("ks", "psi", "wasserstein")
STURGES_BINS = 17
"""Bins of equal width that evidently's PSI takes for 60,000 rows, whatever number it is asked for."""


def per_column(test: StatTest, work: tuple[pd.DataFrame, pd.DataFrame], kind: ColumnType) -> Callable[[], list[float]]:
    """Call a test on every column."""
    pairs = [(work[0][name], work[1][name]) for name in work[0]]
    return lambda: [test(reference, current, kind, None).drift_score for reference, current in pairs]


def report(metrics: Callable[[], list[Any]], work: tuple[pd.DataFrame, pd.DataFrame]) -> Callable[[], Any]:
    """Run a report on data sets whose columns are declared numeric."""
    definition = DataDefinition(numerical_columns=list(work[0]))
    reference, current = (Dataset.from_pandas(frame, data_definition=definition) for frame in work)
    return lambda: Report(metrics()).run(current, reference)


def column_tasks(work: Work, frames: tuple[pd.DataFrame, pd.DataFrame]) -> list[Task]:
    """The tests, one line each."""
    codes = pd.DataFrame(named_columns(work.codes)), pd.DataFrame(named_columns(work.current_codes))
    ks = per_column(ks_stat_test, frames, ColumnType.Numerical)
    psis = per_column(psi_stat_test, frames, ColumnType.Numerical)
    distances = per_column(wasserstein_stat_test, frames, ColumnType.Numerical)
    chi2 = per_column(chi_stat_test, codes, ColumnType.Categorical)
    as_many = FittedReference(bins=STURGES_BINS).fit(work.reference)
    ours = wasserstein_distance(work.fitted, work.current) / work.reference.std(axis=0)
    other_bins = "(other bins: equal width, 17 whatever is asked for)"
    other_test = "(other test: it takes the reference for the truth)"
    sort, one_pass, codes_pass = speed_table_floors(work)
    return [
        Task("KS x 100, fitted", sort, partial(ks_2samp, work.fitted, work.current), ks, 64,
             apart(ks_2samp(work.fitted, work.current).pvalue, ks())),
        Task("PSI, 10 bins x 100", one_pass, partial(psi, work.fitted, work.current), psis, 96, other_bins),
        Task("PSI, ours with 17 bins too", one_pass, partial(psi, as_many, work.current), psis, None, other_bins),
        Task("Wasserstein-1 x 100", sort, partial(wasserstein_distance, work.fitted, work.current), distances, 71,
             apart(ours, distances())),
        Task("chi-square x 100, 20 categories", codes_pass, partial(chi2_test, work.fitted_codes, work.current_codes),
             chi2, 48, other_test),
    ]  # fmt: skip


def report_tasks(work: Work, frames: tuple[pd.DataFrame, pd.DataFrame]) -> list[Task]:
    """Its preset with KS alone (its fastest, so the one that ours is held against), by default, and our figures."""
    ks = report(lambda: [DataDriftPreset(num_method="ks")], frames)
    default = report(lambda: [DataDriftPreset()], frames)
    three = report(lambda: [ValueDrift(column=name, method=one) for name in frames[0] for one in METHODS], frames)
    ours = partial(column_report, work.fitted, work.current)
    sort, *_ = speed_table_floors(work)
    return [
        Task("full report, 100 columns", sort, ours, ks, 303, "(KS of our three figures: see the lines above)", True),
        Task("report against its default", sort, ours, default, None, "(Wasserstein of our three)", True),
        Task("report of the same three figures", sort, ours, three, None, "(see the lines above)", True),
    ]


def files_report(work: Work) -> None:
    """Run both as whole commands on the same two CSV files: reading, report, page, and the start of Python."""
    with tempfile.TemporaryDirectory() as folder:
        reference, current, page = (str(Path(folder) / name) for name in ("reference.csv", "current.csv", "page.html"))
        pd.DataFrame(named_columns(work.reference)).to_csv(reference, index=False)
        pd.DataFrame(named_columns(work.current)).to_csv(current, index=False)
        ours = [sys.executable, "-m", "tinytorch.cli", "drift", reference, current, "--html", page]
        theirs = [sys.executable, str(Path(__file__).with_name("_evidently_files.py")), reference, current, page]
        commands = {
            "tinytorch drift, columns alone": [*ours, "--no-joint"],
            "tinytorch drift, with the joint tests": ours,
            "evidently, Kolmogorov-Smirnov": [*theirs, "ks"],
            "evidently, its default": [*theirs, "default"],
        }
        print("\nWhole commands on two CSV files of 50,000 and 10,000 rows of 100 numbers, a page written:")
        print_commands({name: run_command(command) for name, command in commands.items()})


def main() -> None:
    """Run the benchmark."""
    work = speed_table_work()
    frames = pd.DataFrame(named_columns(work.reference)), pd.DataFrame(named_columns(work.current))
    tasks = column_tasks(work, frames) + report_tasks(work, frames)
    run("evidently", IMPORT, tasks, speed_table_floors(work), NOTES)
    files_report(work)


if __name__ == "__main__":
    main()
