"""The registry under kill -9 at any point of a change: nothing acknowledged is lost, nothing is torn."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.registry_verify import verify_registry
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.core.layers import Linear, Sequential
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.hashing import hash_model
from tinytorch.mlops.retrain.network import NetworkModel

NAME = "digits"
# A change takes some 2 to 20 ms, by disk: so long after the last acknowledgement, kills fall anywhere in the next ones.
LONGEST_PAUSE_S = 0.02
MOST_LINES = 8
ACTIONS = ("register", "promote", "rollback")


def work(folder: Path, acknowledge: int, seed: int) -> None:
    """Register, promote and roll back without end, and acknowledge each change once the call has returned."""
    registry, rng = SqliteRegistry(folder, actor=f"worker {seed}"), np.random.default_rng(seed)
    while True:
        model = NetworkModel(Sequential(Linear(64, 32, rng=rng), Linear(32, 10, rng=rng)), 64, 10)
        version = registry.register(model, ModelVersion(NAME)).version
        os.write(acknowledge, f"register {version} {hash_model(model)}\n".encode())
        revision = registry.revision(NAME)
        registry.promote(NAME, version, revision)
        os.write(acknowledge, f"promote {version} {revision + 1}\n".encode())
        if revision and rng.random() < 0.5:
            entry = registry.rollback(NAME, revision + 1)
            os.write(acknowledge, f"rollback {entry.version} {revision + 2}\n".encode())


def live_and_die(folder: Path, seed: int, n_lines: int, pause_s: float) -> list[list[str]]:
    """Fork a worker, kill it a while after it acknowledged so many lines, and return all that it acknowledged."""
    reader, writer = os.pipe()
    worker = os.fork()
    if not worker:
        try:
            work(folder, writer, seed)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as lines:
        acknowledged = [lines.readline() for _ in range(n_lines)]
        time.sleep(pause_s)
        os.kill(worker, signal.SIGKILL)
        acknowledged += lines.readlines()
    assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == -signal.SIGKILL
    return [line.split() for line in acknowledged]


def check_told(folder: Path, acknowledged: list[list[str]], seed: int) -> list[str]:
    """Compare what a worker acknowledged with the log; return what was under way when it was killed."""
    with SqliteRegistry(folder) as registry:
        done = [change for change in registry.history() if change.actor == f"worker {seed}"]
        for line, change in zip(acknowledged, done, strict=False):
            assert (change.action, str(change.version)) == (line[0], line[1])
            if line[0] == "register":
                assert registry.get(NAME, change.version).content_hash == line[2]
                assert hash_model(registry.load(NAME, change.version)) == line[2]
            else:
                assert str(change.revision) == line[2]
        assert len(acknowledged) <= len(done) <= len(acknowledged) + 1, "an acknowledged change is lost"
        return [change.action for change in done[len(acknowledged) :]]


def kill_registrars(folder: Path, n_kills: int) -> dict[str, int]:
    """Kill one worker after another in the same registry, look at it after every kill, and count the changes."""
    rng = np.random.default_rng(0)
    counts = {"acknowledged": 0, "done but not acknowledged": 0, "files left behind": 0}
    SqliteRegistry(folder).close()
    for seed in range(n_kills):
        n_lines, pause_s = int(rng.integers(0, MOST_LINES + 1)), float(rng.uniform(0.0, LONGEST_PAUSE_S))
        acknowledged = live_and_die(folder, seed, n_lines, pause_s)
        assert len(acknowledged) >= n_lines
        counts["acknowledged"] += len(acknowledged)
        counts["done but not acknowledged"] += len(check_told(folder, acknowledged, seed))
        # All of it is read again after every kill while it is small, then now and then.
        if seed < 10 or seed % 50 == 0 or seed == n_kills - 1:
            found = verify_registry(folder)
            assert found.problems == ()
            counts["files left behind"] = found.n_unreferenced
    return counts


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor kill -9")
def test_nothing_acknowledged_is_lost_when_the_registrar_is_killed(tmp_path: Path) -> None:
    assert kill_registrars(tmp_path / "registry", n_kills=12)["acknowledged"] > 0


@pytest.mark.drill
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor kill -9")
def test_nothing_acknowledged_is_lost_in_1000_kills(tmp_path: Path) -> None:
    counts = kill_registrars(tmp_path / "registry", n_kills=1000)
    print(counts)
    assert counts["acknowledged"] > 1000
