"""Time the per-column statistics against numpy's floor and against scipy: `python benchmarks/bench_stats.py`.

Reference 50,000 rows, current 10,000 rows, 100 columns, float64, C order: the table that the drift libraries were
measured on. Ours, the floor and scipy take turns in one process; medians count.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from scipy import stats
from timing import Row, Timing, measure, parse_arguments, print_table, write_json

from tinytorch.stats import (
    FittedCategories,
    FittedReference,
    chi2_test,
    column_report,
    ks_2samp,
    psi,
    wasserstein_distance,
)

N_REFERENCE, N_CURRENT, N_FEATURES, N_CATEGORIES, BINS = 50_000, 10_000, 100, 20, 10
# Every column of the current sample moves by a twentieth of a standard deviation: near the edge of what KS sees.
SHIFT = 0.05
FLOORS = {
    "sort": "np.sort(current)",
    "sort both": "np.sort of both",
    "pass": "np.add.reduce(current)",
}


def main() -> None:
    """Measure every row, print the table, and write it as JSON if asked."""
    arguments = parse_arguments("Per-column statistics against numpy and scipy.")
    rng = np.random.default_rng(20)
    reference = rng.normal(size=(N_REFERENCE, N_FEATURES))
    current = rng.normal(SHIFT, size=(N_CURRENT, N_FEATURES))
    codes = rng.integers(0, N_CATEGORIES, size=(N_REFERENCE, N_FEATURES))
    current_codes = rng.integers(0, N_CATEGORIES, size=(N_CURRENT, N_FEATURES))
    rows = numeric_rows(reference, current, arguments.repetitions)
    rows.append(category_row(codes, current_codes, arguments.repetitions))
    print_table(rows)
    print_growth(reference, current, arguments.repetitions)
    print_sort_floors()
    if arguments.json is not None:
        write_json(rows, arguments.json)


def numeric_rows(reference: np.ndarray, current: np.ndarray, repetitions: int) -> list[Row]:
    """Time KS (fitted and one-shot), PSI, Wasserstein, and the everyday report of the three."""
    fitted = FittedReference(bins=BINS).fit(reference)
    major, reference_major = np.ascontiguousarray(current.T), np.ascontiguousarray(reference.T)
    timings = measure(
        {
            "sort": lambda: np.sort(major, axis=1),
            "sort both": lambda: (np.sort(reference_major, axis=1), np.sort(major, axis=1)),
            "pass": lambda: np.add.reduce(major, axis=None),
            "ks": lambda: ks_2samp(fitted, current),
            "ks once": lambda: ks_2samp(reference, current),
            "psi": lambda: psi(fitted, current),
            "wasserstein": lambda: wasserstein_distance(fitted, current),
            "report": lambda: column_report(fitted, current),
            "scipy ks": per_column(stats.ks_2samp, reference, current),
            "histogram psi": per_column(histogram_psi, reference, current),
            "scipy wasserstein": per_column(stats.wasserstein_distance, reference, current),
            "scipy report": lambda: scipy_report(reference, current),
        },
        repetitions,
    )
    return [
        line("KS x 100, fitted", timings, "ks", "sort", "scipy ks", "<= 1.1 sorts, >= 55x scipy"),
        line("KS x 100, one-shot", timings, "ks once", "sort both", "scipy ks", "<= 0.25 of both, >= 15x scipy"),
        line("PSI, 10 bins x 100", timings, "psi", "pass", "histogram psi", "<= 6 passes, >= 120x np.histogram"),
        line("Wasserstein-1 x 100", timings, "wasserstein", "sort", "scipy wasserstein", "<= 1.2 sorts, >= 30x scipy"),
        line("full report, 100 columns", timings, "report", "sort", "scipy report", "<= 1.5 sorts, <= 20 MB added"),
    ]


def category_row(reference: np.ndarray, current: np.ndarray, repetitions: int) -> Row:
    """Time the chi-square test on 20 categories."""
    fitted = FittedCategories().fit(reference)
    timings = measure(
        {
            "pass": lambda: np.add.reduce(current, axis=None),
            "chi2": lambda: chi2_test(fitted, current),
            "scipy chi2": per_column(scipy_chi2, reference, current),
        },
        repetitions,
    )
    goal = "<= 5 passes, >= 22x scipy"
    return line("chi-square x 100, 20 categories", timings, "chi2", "pass", "scipy chi2", goal)


def print_growth(reference: np.ndarray, current: np.ndarray, repetitions: int) -> None:
    """Print how KS and the report grow with rows and with columns: linear means a constant cost per value."""
    print(f"\n{'growth':<28} {'KS ms':>9} {'ns/value':>9} {'report ms':>10} {'ns/value':>9}")
    sizes = [(rows, N_FEATURES) for rows in (1_250, 2_500, 5_000, 10_000)] + [(N_CURRENT, n) for n in (12, 25, 50)]
    for n_rows, n_columns in sizes:
        fitted = FittedReference(bins=BINS).fit(reference[:, :n_columns])
        batch = np.ascontiguousarray(current[:n_rows, :n_columns])
        timings = measure(
            {"ks": partial(ks_2samp, fitted, batch, method="asymp"), "report": partial(column_report, fitted, batch)},
            repetitions,
        )
        ks, report = timings["ks"].median_ms, timings["report"].median_ms
        per_value = 1e6 / batch.size
        name = f"{n_rows} rows x {n_columns} columns"
        print(f"{name:<28} {ks:>9.2f} {ks * per_value:>9.2f} {report:>10.2f} {report * per_value:>9.2f}")


def print_sort_floors() -> None:
    """Print what sorting the current sample costs with numpy's AVX-512 sort and without, each in its own process."""
    code = f"""
import timeit, numpy as np
table = np.random.default_rng(20).normal(size=({N_FEATURES}, {N_CURRENT}))
print(min(timeit.repeat(lambda: np.sort(table, axis=1), number=1, repeat=15)) * 1e3)
"""
    features = [name for name in np._core._multiarray_umath.__cpu_dispatch__ if name.startswith("AVX512")]
    print()
    for title, disabled in (("as numpy comes", ""), ("without AVX-512", " ".join(features))):
        environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": disabled, "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-c", code]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        print(f"np.sort(current), {title}: {float(found.stdout):.2f} ms (best of 15)")


def per_column(
    test: Callable[[np.ndarray, np.ndarray], object], reference: np.ndarray, current: np.ndarray
) -> Callable[[], list[object]]:
    """Call a peer once per column, as its users do; the columns are contiguous, so copying is not held against it."""
    left, right = np.ascontiguousarray(reference.T), np.ascontiguousarray(current.T)
    return lambda: [test(a, b) for a, b in zip(left, right, strict=True)]


def histogram_psi(reference: np.ndarray, current: np.ndarray) -> float:
    """The PSI that most code computes: np.quantile for the edges, np.histogram for the counts."""
    edges = np.quantile(reference, np.linspace(0, 1, BINS + 1))
    edges[0], edges[-1] = -np.inf, np.inf
    p, q = (np.histogram(sample, edges)[0] / sample.size for sample in (reference, current))
    return float(((q - p) * np.log(q / p)).sum())


def scipy_chi2(reference: np.ndarray, current: np.ndarray) -> object:
    """Count with np.unique, test with scipy."""
    names = np.unique(np.concatenate([reference, current]))
    table = [[np.count_nonzero(sample == name) for name in names] for sample in (reference, current)]
    return stats.chi2_contingency(table, correction=False)


def scipy_report(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """The same report from scipy and np.histogram."""
    pvalues = []
    for k in range(reference.shape[1]):
        pvalues.append(stats.ks_2samp(reference[:, k], current[:, k]).pvalue)
        stats.wasserstein_distance(reference[:, k], current[:, k])
        histogram_psi(reference[:, k], current[:, k])
    return np.asarray(stats.false_discovery_control(pvalues))


def line(work: str, timings: Mapping[str, Timing], ours: str, floor: str, peer: str, goal: str) -> Row:
    """Put one row together."""
    peer_name = peer.split()[0].replace("histogram", "np.histogram")
    return Row(work, timings[ours], FLOORS[floor], timings[floor], peer_name, timings[peer], goal)


if __name__ == "__main__":
    main()
