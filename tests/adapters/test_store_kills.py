"""The monitoring store under kill -9 in the middle of writes: nothing acknowledged is lost, nothing is torn."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROWS_A_BATCH = 40
WRITER = f"""
import sys
import numpy as np
from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch

store, first = MonitoringStore(sys.argv[1], "digits"), int(sys.argv[2])
rng, n = np.random.default_rng(first), {ROWS_A_BATCH}
for number in range(first, first + 100_000):
    ids = np.arange(n) + n * number
    store.add_predictions(PredictionBatch(ids, rng.normal(size=(n, 64)), np.zeros(n), None, np.ones(n), number, 1))
    print("predictions", number, flush=True)
    store.join_labels(LabelBatch(ids, np.ones(n), number))
    print("labels", number, flush=True)
"""


def write_until_killed(path: Path, first: int, lines: int) -> list[list[str]]:
    """Let a process write until it has acknowledged so many lines, kill it, and return all that it acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), str(first)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    acknowledged = [writer.stdout.readline() for _ in range(lines)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.stdout.readlines()
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    return [line.split() for line in acknowledged if line.endswith("\n")]


def counts(path: Path, condition: str) -> dict[int, int]:
    """Rows of each batch, by its number, as another program would count them."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    question = f"SELECT request_id / {ROWS_A_BATCH}, COUNT(*) FROM predictions WHERE {condition} GROUP BY 1"
    found = dict(connection.execute(question).fetchall())
    connection.close()
    return found


def kill_writers(path: Path, n_kills: int) -> None:
    """Kill one writer after another, each going on in the same file, and look at the file after every kill."""
    rng, first = np.random.default_rng(0), 0
    for _ in range(n_kills):
        acknowledged = write_until_killed(path, first, lines=int(rng.integers(1, 30)))
        for kind, condition in (("predictions", "1"), ("labels", "label IS NOT NULL")):
            found = counts(path, condition)
            said = {int(number) for what, number in acknowledged if what == kind}
            assert said <= found.keys(), "an acknowledged batch is lost"
            assert set(found.values()) <= {ROWS_A_BATCH}, "a batch is torn"
        first = max(counts(path, "1"), default=first - 1) + 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    kill_writers(tmp_path / "m.db", n_kills=4)


@pytest.mark.drill
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_nothing_acknowledged_is_lost_in_300_kills(tmp_path: Path) -> None:
    kill_writers(tmp_path / "m.db", n_kills=300)
