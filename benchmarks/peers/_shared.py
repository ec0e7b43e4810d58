"""Shared by the scripts of this folder: the work of the speed table, the tables printed, import times, sizes.

The reference is fitted before the clock starts on both sides wherever a peer can do so, and what a peer wants to be
given (data frames, contiguous columns) is made beforehand too. The floor, ours and the peer take turns in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

from bench_multivariate import N_COLUMNS as MMD_COLUMNS
from bench_multivariate import N_PERMUTATIONS
from bench_multivariate import N_ROWS as MMD_ROWS
from bench_stats import BINS, FLOORS, N_CATEGORIES, N_CURRENT, N_FEATURES, N_REFERENCE, SHIFT
from targets import MUST_SHARE
from timing import Row, measure, print_table

import tinytorch
from tinytorch.stats import FittedCategories, FittedReference

OURS = "tinytorch-mlops"
OUR_IMPORT = "from tinytorch.stats import column_report"
TOOLS = {"pip", "setuptools", "wheel", OURS}
"""Installed in every environment, whoever is timed."""
LARGEST = 5
"""Packages named beside the installed size."""
WIDTH = 120
"""Of the notes, in characters."""
SLOW_REPETITIONS = 1
"""For what takes a peer half a minute a call; it has been called once before the clock starts."""


@dataclass(frozen=True)
class Work:
    """The two samples of the speed table, as numbers and as categories, and the reference fitted."""

    reference: np.ndarray
    current: np.ndarray
    codes: np.ndarray
    current_codes: np.ndarray
    fitted: FittedReference
    fitted_codes: FittedCategories


@dataclass(frozen=True)
class Task:
    """One line of the table."""

    work: str
    floor: str
    ours: Callable[[], object]
    peer: Callable[[], object]
    reached: float | None
    """How many times as long as a trial in plain numpy the peer took on this work; None if that was not measured."""
    answers: str
    """How far the two answers lie apart, or why they cannot be compared."""
    slow: bool = False


def speed_table_work() -> Work:
    """Draw the samples that benchmarks/bench_stats.py draws."""
    rng = np.random.default_rng(20)
    reference = rng.normal(size=(N_REFERENCE, N_FEATURES))
    current = rng.normal(SHIFT, size=(N_CURRENT, N_FEATURES))
    codes = rng.integers(0, N_CATEGORIES, size=(N_REFERENCE, N_FEATURES))
    current_codes = rng.integers(0, N_CATEGORIES, size=(N_CURRENT, N_FEATURES))
    fitted, fitted_codes = FittedReference(bins=BINS).fit(reference), FittedCategories().fit(codes)
    return Work(reference, current, codes, current_codes, fitted, fitted_codes)


def speed_table_floors(work: Work) -> dict[str, Callable[[], object]]:
    """Numpy's floors for that work."""
    major = np.ascontiguousarray(work.current.T)
    return {
        FLOORS["sort"]: partial(np.sort, major, axis=1),
        FLOORS["pass"]: partial(np.add.reduce, major, axis=None),
        "np.add.reduce(codes)": partial(np.add.reduce, work.current_codes, axis=None),
    }


def mmd_samples() -> tuple[np.ndarray, np.ndarray, dict[str, Callable[[], object]]]:
    """The samples of benchmarks/bench_multivariate.py in float32, and their floor."""
    rng = np.random.default_rng(0)
    reference, current = (rng.normal(size=(MMD_ROWS, MMD_COLUMNS)).astype(np.float32) for _ in range(2))
    labels = rng.integers(0, 2, size=(N_PERMUTATIONS, 2 * MMD_ROWS)).astype(np.float32)
    kernel = rng.random((2 * MMD_ROWS, 2 * MMD_ROWS), dtype=np.float32)
    return reference, current, {"Z @ K, float32": partial(np.matmul, labels, kernel)}


def named_columns(table: np.ndarray) -> dict[str, np.ndarray]:
    """The columns under names, each contiguous, so that a frame made of them hands out contiguous columns too."""
    return {f"feature_{k}": column for k, column in enumerate(np.ascontiguousarray(table.T))}


def apart(ours: object, theirs: object) -> str:
    """How far two arrays of answers lie apart at most."""
    return f"{np.abs(np.asarray(ours, float) - np.asarray(theirs, float)).max():.0e}"


def run(peer: str, statement: str, tasks: Sequence[Task], floors: dict[str, Callable[[], object]], notes: str) -> None:
    """Time everything, print it, and write it as JSON if asked. `statement` is how a user imports the peer."""
    options = read_options(peer)
    version = metadata.version(peer)
    print(f"{peer} {version}, numpy {np.__version__}, Python {platform.python_version()}")
    print(textwrap.fill(f"{notes}.", WIDTH), end="\n\n")
    load = os.getloadavg()[0]
    rows = [time_task(task, floors, peer, options.repetitions) for task in tasks]
    print_table(rows)
    print_answers(rows, tasks)
    imports, sizes = import_ms(statement, options.repetitions), installed_mb()
    print_imports(peer, imports)
    print_sizes(peer, sizes)
    print(f"\nload of the machine: {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    if options.json is None:
        return
    path = options.json / f"{peer}.json" if options.json.is_dir() else options.json
    extra = [{"answers_apart": task.answers, "reached_peer": task.reached} for task in tasks]
    record = {
        "peer": peer,
        "notes": notes,
        "machine": platform.platform(),
        "python": platform.python_version(),
        "versions": {one.name: one.version for one in metadata.distributions()},
        "load": [load, os.getloadavg()[0]],
        "rows": [row_record(row) | more for row, more in zip(rows, extra, strict=True)],
        "import_ms": imports,
        "installed_mb": sizes,
    }
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8", newline="\n")


def read_options(peer: str) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=f"Time {peer} against {OURS} and numpy's floor.")
    parser.add_argument("--repetitions", type=int, default=5, help="timed rounds (default 5); slow work is timed once")
    json_help = "also write the tables as JSON; into a folder that exists as PATH/PEER.json"
    parser.add_argument("--json", type=Path, default=None, metavar="PATH", help=json_help)
    return parser.parse_args()


def time_task(task: Task, floors: dict[str, Callable[[], object]], peer: str, repetitions: int) -> Row:
    """Let floor, ours and peer take turns; where the peer is slow the other two get all their rounds by themselves."""
    candidates = {"floor": floors[task.floor], "ours": task.ours}
    if task.slow:
        timings = measure(candidates, repetitions) | measure({"peer": task.peer}, SLOW_REPETITIONS)
    else:
        timings = measure(candidates | {"peer": task.peer}, repetitions)
    goal = ""
    if task.reached is not None:
        goal = f"must {MUST_SHARE * task.reached:.3g}x (a trial reached {task.reached:.3g}x)"
    return Row(task.work, timings["ours"], task.floor, timings["floor"], peer, timings["peer"], goal)


def row_record(row: Row) -> dict[str, object]:
    """A row with its ratios."""
    ratios = {"over_floor": row.over_floor, "over_peer": row.over_peer, "cpu_ratios": row.cpu_ratios}
    return asdict(row) | ratios


def print_answers(rows: Sequence[Row], tasks: Sequence[Task]) -> None:
    """Print memory, spread and whether both sides found the same."""
    print(f"\n{'work':<34} {'ours MB':>8} {'peer MB':>8} {'ours +- ms':>11} {'peer +- ms':>11}  answers differ by")
    for row, task in zip(rows, tasks, strict=True):
        both = [timing for timing in (row.ours, row.peer) if timing is not None]
        memory = " ".join(f"{timing.peak_mb:>8.1f}" for timing in both)
        spread = " ".join(f"{timing.spread_ms:>11.2f}" for timing in both)
        print(f"{row.work:<34} {memory} {spread}  {task.answers}")


def import_ms(statement: str, repetitions: int) -> dict[str, float]:
    """Median milliseconds of an import in a fresh process, in turns, after one to write the byte code."""
    statements = {"numpy": "import numpy", OURS: OUR_IMPORT, "peer": statement}
    taken: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(repetitions + 1):
        for name, line in statements.items():
            code = f"import time; start = time.perf_counter(); {line}; print(time.perf_counter() - start)"
            command = [sys.executable, "-W", "ignore", "-c", code]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            taken[name].append(1e3 * float(found.stdout.split()[-1]))
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def installed_mb() -> dict[str, float]:
    """Megabytes of the files of every installed package, and of ours; tools for installing are left out."""
    sizes = {}
    for one in metadata.distributions():
        if one.name not in TOOLS:
            paths = [Path(str(one.locate_file(name))) for name in one.files or ()]
            sizes[one.name] = sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
    ours = Path(tinytorch.__file__).parent.rglob("*")
    return sizes | {OURS: sum(path.stat().st_size for path in ours if path.is_file()) / 1e6}


def print_imports(peer: str, imports: dict[str, float]) -> None:
    """Print the three import times."""
    ours, theirs, floor = imports[OURS], imports["peer"], imports["numpy"]
    print(f"\nimport: numpy {floor:.0f} ms, {OURS} {ours:.0f} ms, {peer} {theirs:.0f} ms ({theirs / ours:.1f}x ours)")


def print_sizes(peer: str, sizes: dict[str, float]) -> None:
    """Print what each side puts on the disk, numpy included."""
    ours = sizes[OURS] + sizes["numpy"]
    theirs = {name: size for name, size in sizes.items() if name != OURS}
    largest = sorted(theirs, key=theirs.__getitem__, reverse=True)[:LARGEST]
    named = ", ".join(f"{name} {theirs[name]:.0f}" for name in largest)
    total = sum(theirs.values())
    print(
        f"installed: {OURS} {ours:.0f} MB ({sizes[OURS]:.1f} and numpy), {peer} {total:.0f} MB in {len(theirs)} "
        f"packages ({total / ours:.0f}x ours; {named})"
    )
