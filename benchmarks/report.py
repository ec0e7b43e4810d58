"""The speed report: runs the three benchmarks of statistics and writes docs/speed.md, .json and .svg.

    python benchmarks/report.py [--repetitions N] [--folder docs] [--small]

Besides the tables it measures growth in rows and columns, and everything that sorts once more with numpy's AVX-512
switched off (in a process of its own: numpy reads the switch when it is imported). `--small` is a quick try-out that
measures growth on fewer sizes; its figures are not for keeping. Let nothing else run meanwhile: the page says what
the machine's load was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import river
import scipy
from report_pages import draw, page
from targets import TARGETS
from timing import measure

from tinytorch.stats import FittedReference, column_report, ks_2samp

HERE = Path(__file__).resolve().parent
SCRIPTS = ("bench_stats.py", "bench_streams.py", "bench_multivariate.py")
SORTING_SCRIPT = "bench_stats.py"
AVX512 = ("X86_V4", "AVX512_ICL", "AVX512_SPR", "AVX512F", "AVX512CD", "AVX512_SKX", "AVX512_CLX", "AVX512_CNL")
"""What numpy calls its AVX-512 paths: the first three since 2.4, the others before. It takes the names it knows."""
N_REFERENCE, N_ROWS, N_COLUMNS = 50_000, 10_000, 100
ROWS, COLUMNS = (10_000, 20_000, 40_000, 80_000), (25, 50, 100, 200)
SMALL_ROWS, SMALL_COLUMNS = (5_000, 10_000), (25, 50)
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Idle BLAS threads spin for a while after a product, and their spinning would count as everybody's processor time."""
QUIET_LOAD = 2.5
"""Above it the machine had other things to do, and the page says so."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Growth:
    """How the time of one function grows with the rows of the current sample, or with the columns."""

    work: str
    along: str
    sizes: tuple[int, ...]
    median_ms: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """Slope of log(time) over log(size): 1 is linear."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.median_ms), 1)[0])


def main() -> None:
    """Run everything, then write the three files."""
    options = read_options()
    load_before = os.getloadavg()[0]
    rows = [row for script in SCRIPTS for row in run(script, options.repetitions)]
    without = run(SORTING_SCRIPT, options.repetitions, without_avx512())
    growth = measure_growth(options.repetitions, small=options.small)
    record = {
        "machine": platform.platform(),
        "processor": processor_name(),
        "versions": versions(),
        "load": [load_before, os.getloadavg()[0]],
        "quiet": max(load_before, os.getloadavg()[0]) < QUIET_LOAD,
        "small": options.small,
        "repetitions": options.repetitions,
        "rows": rows,
        "targets": [asdict(target) for target in TARGETS],
        "without_avx512": {"switched_off": without_avx512().split(), "rows": without},
        "growth": [asdict(one) | {"exponent": one.exponent} for one in growth],
    }
    options.folder.mkdir(parents=True, exist_ok=True)
    write(options.folder / "speed.json", json.dumps(record, indent=1) + "\n")
    write(options.folder / "speed.md", page(record))
    draw(record, options.folder / "speed.svg")
    print(page(record))


def read_options() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description="Run the benchmarks of statistics and write the speed report.")
    parser.add_argument("--repetitions", type=int, default=7, help="timed rounds (default 7)")
    parser.add_argument("--folder", type=Path, default=HERE.parent / "docs", help="where to write (default docs)")
    parser.add_argument("--small", action="store_true", help="a quick try-out: growth on fewer sizes")
    return parser.parse_args()


def run(script: str, repetitions: int, disabled: str = "") -> list[Record]:
    """Run a benchmark in a process of its own and return its rows."""
    environment = {name: value for name, value in os.environ.items() if name != "NPY_DISABLE_CPU_FEATURES"}
    environment |= ONE_THREAD
    if disabled:
        environment["NPY_DISABLE_CPU_FEATURES"] = disabled
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = [sys.executable, str(HERE / script), "--repetitions", str(repetitions), "--json", str(path)]
        subprocess.run(command, check=True, env=environment)
        rows: list[Record] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [row | {"script": script} for row in rows]


def without_avx512() -> str:
    """Return the AVX-512 paths that this numpy would take on this processor; naming others makes it warn."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return " ".join(name for name in AVX512 if name in found)


def measure_growth(repetitions: int, *, small: bool) -> list[Growth]:
    """Time KS and the full report over growing current samples, and over growing numbers of columns."""
    all_rows, all_columns = (SMALL_ROWS, SMALL_COLUMNS) if small else (ROWS, COLUMNS)
    rng = np.random.default_rng(40)
    by_rows = [time_both(rng, n_rows, N_COLUMNS, repetitions) for n_rows in all_rows]
    by_columns = [time_both(rng, N_ROWS, n_columns, repetitions) for n_columns in all_columns]
    return [
        Growth(work, along, sizes, tuple(times[work] for times in measured))
        for along, sizes, measured in (("rows", all_rows, by_rows), ("columns", all_columns, by_columns))
        for work in measured[0]
    ]


def time_both(rng: np.random.Generator, n_rows: int, n_columns: int, repetitions: int) -> dict[str, float]:
    """Return the median milliseconds of both on one size, the reference fitted beforehand."""
    fitted = FittedReference().fit(rng.normal(size=(N_REFERENCE, n_columns)))
    current = rng.normal(size=(n_rows, n_columns))
    timings = measure(
        {"KS, fitted": lambda: ks_2samp(fitted, current), "full report": lambda: column_report(fitted, current)},
        repetitions,
    )
    return {work: timing.median_ms for work, timing in timings.items()}


def versions() -> dict[str, str]:
    """Return what was installed."""
    found = {"numpy": np.__version__, "scipy": scipy.__version__, "river": river.__version__}
    return {"python": platform.python_version()} | found


def processor_name() -> str:
    """Return the processor's own name where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor()


def write(path: Path, text: str) -> None:
    """Write text with the same line ends on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
