"""Whole commands side by side: time, processor time and memory of a process from its start to its end (POSIX)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

KILOBYTES_PER_MB = 1024.0
WAITER = """
import json, os, sys, time
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)])
_, status, used = os.wait4(child, 0)
seconds = time.perf_counter() - start
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status)]))
"""


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    cpu_s: float
    peak_mb: float
    exit_code: int


def run_command(command: Sequence[str]) -> Run:
    """Run a command to its end, its output thrown away.

    A small process starts it and waits for it: Linux counts the memory of whoever forks a child as the child's own.
    """
    waiter = subprocess.run([sys.executable, "-S", "-c", WAITER, *command], capture_output=True, text=True, check=True)
    seconds, cpu_s, peak, exit_code = json.loads(waiter.stdout)
    per_mb = KILOBYTES_PER_MB if sys.platform != "darwin" else KILOBYTES_PER_MB**2  # macOS counts bytes
    return Run(seconds, cpu_s, peak / per_mb, exit_code)


def print_commands(runs: dict[str, Run]) -> None:
    """Print one line a command, and what the others are as multiples of the first."""
    first = next(iter(runs.values()))
    print(f"{'command':<52} {'s':>8} {'cpu s':>8} {'MB':>8}   x s  x cpu   x MB")
    for name, taken in runs.items():
        ratios = taken.seconds / first.seconds, taken.cpu_s / first.cpu_s, taken.peak_mb / first.peak_mb
        figures = f"{taken.seconds:>8.2f} {taken.cpu_s:>8.2f} {taken.peak_mb:>8.0f}"
        print(f"{name:<52} {figures} " + " ".join(f"{ratio:>6.1f}" for ratio in ratios))
