"""Shared by every benchmark: time candidates in turn, so that a noisy machine is noisy for all of them alike.

Standard library only, so that a benchmark of any floor may import it.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """What the repetitions of one candidate took."""

    median_ms: float
    best_ms: float
    spread_ms: float
    """Distance between the quartiles: how much of the median to believe."""
    peak_mb: float
    """Most memory held at once above what was held before the call (numpy's arrays included)."""
    repetitions: int
    median_cpu_ms: float
    """Processor time, all threads together: steadier than the clock while others use the machine."""


@dataclass(frozen=True)
class Row:
    """One line of a speed table: our work, the floor it is held against, and a peer on the same work."""

    work: str
    ours: Timing
    floor_name: str
    floor: Timing
    peer_name: str
    peer: Timing | None
    goal: str
    """The targets, as they are said in words."""

    @property
    def over_floor(self) -> float:
        """Our median as a multiple of the floor's (small is good)."""
        return self.ours.median_ms / self.floor.median_ms

    @property
    def over_peer(self) -> float | None:
        """The peer's median as a multiple of ours (large is good)."""
        return None if self.peer is None else self.peer.median_ms / self.ours.median_ms

    @property
    def cpu_ratios(self) -> tuple[float, float | None]:
        """The same two ratios from processor times."""
        ours = self.ours.median_cpu_ms
        peer = None if self.peer is None else self.peer.median_cpu_ms / ours
        return ours / self.floor.median_cpu_ms, peer


def measure(candidates: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, Timing]:
    """Time every candidate `repetitions` times, one after the other in rounds, after one warm-up call each.

    The warm-up call also measures peak memory, with the allocation tracer on; the timed calls run without it.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be an integer >= 1, got {repetitions!r}.")
    peaks = {name: _peak_mb(run) for name, run in candidates.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in candidates}
    for _ in range(repetitions):
        for name, run in candidates.items():
            taken[name].append(_once_ms(run))
    return {name: _summarise(taken[name], peaks[name]) for name in candidates}


def print_table(rows: Sequence[Row]) -> None:
    """Print one line a row: medians, ratios to floor and peer (by the clock, then by processor time), memory, goal."""
    head = (
        f"{'work':<34} {'ours ms':>9} {'MB':>6} {'floor':<24} {'x floor':>8} {'(cpu)':>7} "
        f"{'peer':<14} {'peer ms':>9} {'x peer':>7} {'(cpu)':>7}  goal"
    )
    print(head)
    print("-" * len(head))
    for row in rows:
        cpu_floor, cpu_peer = row.cpu_ratios
        peer_ms = "" if row.peer is None else f"{row.peer.median_ms:.2f}"
        print(
            f"{row.work:<34} {row.ours.median_ms:>9.2f} {row.ours.peak_mb:>6.1f} {row.floor_name:<24} "
            f"{row.over_floor:>8.2f} {cpu_floor:>7.2f} {row.peer_name:<14} {peer_ms:>9} "
            f"{_ratio(row.over_peer):>7} {_ratio(cpu_peer):>7}  {row.goal}"
        )


def write_json(rows: Sequence[Row], path: str | Path) -> None:
    """Write the rows, their ratios and the machine they were taken on."""
    records = [
        asdict(row) | {"over_floor": row.over_floor, "over_peer": row.over_peer, "cpu_ratios": row.cpu_ratios}
        for row in rows
    ]
    content = {"machine": platform.platform(), "python": platform.python_version(), "rows": records}
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


def parse_arguments(description: str) -> argparse.Namespace:
    """Read the options every benchmark takes: --repetitions and --json."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--repetitions", type=int, default=5, help="timed rounds (default 5)")
    parser.add_argument("--json", type=Path, default=None, metavar="PATH", help="also write the table as JSON")
    return parser.parse_args()


def _ratio(value: float | None) -> str:
    """Write a ratio, or nothing where there is no peer."""
    return "" if value is None else f"{value:.1f}"


def _once_ms(run: Callable[[], object]) -> tuple[float, float]:
    """Time one call by the clock and by the processor, its result thrown away after both have stopped."""
    start, start_cpu = time.perf_counter(), time.process_time()
    result = run()
    taken_cpu, taken = time.process_time() - start_cpu, time.perf_counter() - start
    del result
    return 1e3 * taken, 1e3 * taken_cpu


def _peak_mb(run: Callable[[], object]) -> float:
    """Call once and return the most memory it held at once beyond what was there before, in MB."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (peak - before) / 1e6


def _summarise(taken_ms: Sequence[tuple[float, float]], peak_mb: float) -> Timing:
    """Reduce the times of one candidate to a record."""
    clock, cpu = [wall for wall, _ in taken_ms], [used for _, used in taken_ms]
    quartiles = statistics.quantiles(clock, n=4) if len(clock) > 1 else [clock[0]] * 3
    spread = quartiles[2] - quartiles[0]
    return Timing(statistics.median(clock), min(clock), spread, peak_mb, len(clock), statistics.median(cpu))
