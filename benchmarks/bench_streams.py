"""Time the stream detectors against numpy's floors and against river: `python benchmarks/bench_streams.py`.

One stream of a million observations, and 100 parallel streams of 100,000. river takes one value at a time, so it is
timed on the first 100,000 observations of one stream, and the time is multiplied up to the whole; so is that of our
own single updates. Ours, the floor and river take turns in one process; medians count. The multiples in the goals were
set against river 0.23; since then its ADWIN was rewritten in Rust and takes a tenth of the time. Either river will do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import river
from river import drift
from timing import Row, Timing, measure, parse_arguments, print_table, write_json

from tinytorch.stats import ADWIN, DDM, EDDM, HDDM_A, HDDM_W, KSWIN, PageHinkley
from tinytorch.stats.streams import _adwin_geometry

N_LONG, N_STREAMS, N_EACH, N_RIVER = 1_000_000, 100, 100_000, 100_000
N_SINGLE = 2_000
LONG_OVER_RIVER = N_LONG / N_RIVER
# river 0.26 has dropped the underscore of the older names.
RIVER_HDDM_A = getattr(drift.binary, "HDDMA", None) or drift.binary.HDDM_A
RIVER_HDDM_W = getattr(drift.binary, "HDDMW", None) or drift.binary.HDDM_W
SPREAD = 0.1
"""Standard deviation of the quiet values: like a small model's loss, and no false alarm of Page-Hinkley's."""
ERROR_RATE = 0.1

Values = np.ndarray


def main() -> None:
    """Measure every row, print the table, and write it as JSON if asked."""
    arguments = parse_arguments("Stream detectors against numpy and river.")
    rng = np.random.default_rng(30)
    long = rng.normal(0, SPREAD, N_LONG)
    table = rng.normal(0, SPREAD, (N_EACH, N_STREAMS))
    errors = (rng.random(N_LONG) < ERROR_RATE).astype(float)
    rows = headline_rows(long, table, arguments.repetitions)
    rows += error_rows(errors, arguments.repetitions)
    rows += slow_rows(long, arguments.repetitions)
    print(f"river {river.__version__}")
    print_table(rows)
    if arguments.json is not None:
        write_json(rows, arguments.json)


def headline_rows(long: Values, table: Values, repetitions: int) -> list[Row]:
    """Page-Hinkley and ADWIN, on one long stream and on many parallel ones."""
    check_same_alarms(PageHinkley, drift.PageHinkley, long)
    check_same_alarms(ADWIN, drift.ADWIN, long)
    timings = measure(
        {
            "cumsum": lambda: np.cumsum(long),
            "pass": lambda: np.add.reduce(table, axis=None),
            "ph": lambda: PageHinkley().update(long),
            "ph table": lambda: PageHinkley().update(table),
            "adwin": lambda: ADWIN().update(long),
            "adwin cold": partial(cold_adwin, long),
            "adwin table": lambda: ADWIN().update(table),
            "river ph": lambda: feed_one_by_one(drift.PageHinkley(), long[:N_RIVER]),
            "river adwin": lambda: feed_one_by_one(drift.ADWIN(), long[:N_RIVER]),
        },
        repetitions,
    )
    ph, adwin = (scaled(timings[name], len(long) / N_RIVER) for name in ("river ph", "river adwin"))
    tenfold = table.size / long.size
    return [
        line("Page-Hinkley, 1M", timings, "ph", "cumsum", ph, "<= 4 cumsums, >= 35x river 0.23"),
        line("Page-Hinkley, 100 x 100k", timings, "ph table", "pass", scaled(ph, tenfold), ">= 45x river 0.23"),
        line("ADWIN, 1M, geometry cached", timings, "adwin", "cumsum", adwin, "<= 6 cumsums, >= 150x river 0.23"),
        line("ADWIN, 1M, from nothing", timings, "adwin cold", "cumsum", adwin, ">= 40x river 0.23"),
        line("ADWIN, 100 x 100k", timings, "adwin table", "pass", scaled(adwin, tenfold), ">= 200x river 0.23"),
    ]


def error_rows(errors: Values, repetitions: int) -> list[Row]:
    """The detectors of error rates, and Page-Hinkley over errors, which raises some false alarms."""
    peers: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "Page-Hinkley": (PageHinkley, drift.PageHinkley),
        "DDM": (DDM, drift.binary.DDM),
        "EDDM": (EDDM, drift.binary.EDDM),
        "HDDM_A": (HDDM_A, RIVER_HDDM_A),
        "HDDM_W": (HDDM_W, RIVER_HDDM_W),
    }
    rows = []
    for name, (ours, theirs) in peers.items():
        timings = measure(
            {
                "cumsum": lambda: np.cumsum(errors),
                name: partial(feed, ours, errors),
                "river": partial(feed_one_by_one_with, theirs, errors[:N_RIVER]),
            },
            repetitions,
        )
        rows.append(line(f"{name}, 1M errors", timings, name, "cumsum", scaled(timings["river"], LONG_OVER_RIVER), ""))
    return rows


def slow_rows(long: Values, repetitions: int) -> list[Row]:
    """KSWIN, and the price of feeding single values."""
    timings = measure(
        {
            "cumsum": lambda: np.cumsum(long),
            "kswin": lambda: KSWIN().update(long[:N_RIVER]),
            "single": lambda: feed_one_by_one(PageHinkley(), long[:N_SINGLE]),
            "river kswin": lambda: feed_one_by_one(drift.KSWIN(seed=1), long[:N_SINGLE]),
            "river ph": lambda: feed_one_by_one(drift.PageHinkley(), long[:N_RIVER]),
        },
        max(1, repetitions // 3),
    )
    for name, n in (("kswin", N_RIVER), ("single", N_SINGLE), ("river kswin", N_SINGLE), ("river ph", N_RIVER)):
        timings[name] = scaled(timings[name], len(long) / n)
    return [
        line("KSWIN, 1M", timings, "kswin", "cumsum", timings["river kswin"], ""),
        line("Page-Hinkley, 1M single updates", timings, "single", "cumsum", timings["river ph"], "none: use batches"),
    ]


def feed(make: Callable[[], Any], values: Values) -> object:
    """Feed everything at once."""
    return make().update(values)


def cold_adwin(values: Values) -> object:
    """Feed ADWIN with its geometry forgotten."""
    _adwin_geometry._cached_segment.cache_clear()
    return ADWIN().update(values)


def feed_one_by_one(detector: Any, values: Values) -> list[int]:
    """Feed plain floats one at a time and note the positions of the alarms."""
    found = []
    for position, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(position)
    return found


def feed_one_by_one_with(make: Callable[[], Any], values: Values) -> list[int]:
    """Feed a new detector one value at a time."""
    return feed_one_by_one(make(), values)


def check_same_alarms(ours: Callable[[], Any], theirs: Callable[[], Any], values: Values) -> None:
    """Refuse to compare the speed of two detectors that find different things."""
    beginning = values[:N_RIVER]
    if ours().update(beginning).alarms_[0].tolist() != feed_one_by_one(theirs(), beginning):
        raise SystemExit(f"{ours} and {theirs} raise different alarms")


def scaled(timing: Timing, factor: float) -> Timing:
    """Return the timing of `factor` times the work."""
    return replace(
        timing,
        median_ms=timing.median_ms * factor,
        best_ms=timing.best_ms * factor,
        spread_ms=timing.spread_ms * factor,
        median_cpu_ms=timing.median_cpu_ms * factor,
    )


def line(work: str, timings: dict[str, Timing], ours: str, floor: str, peer: Timing, goal: str) -> Row:
    """Put one row of the table together."""
    return Row(work, timings[ours], f"np.{floor}" if floor == "cumsum" else floor, timings[floor], "river", peer, goal)


if __name__ == "__main__":
    main()
