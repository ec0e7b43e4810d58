"""A full disk, at whatever byte it becomes full: a change is there as a whole or not at all, and later ones work."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.registry_verify import verify_registry
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.core.layers import Linear, Sequential
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.retrain.network import NetworkModel

resource = pytest.importorskip("resource", reason="limits on file sizes are POSIX's")

DONE, REFUSED = 0, 7
# One change writes a WAL of up to some 50 kB and a model of 13 kB: beyond this limit nothing is in its way.
LARGEST_LIMIT = 64 * 1024
ENOUGH_VERSIONS = 10_000


def make_model(seed: int) -> NetworkModel:
    rng = np.random.default_rng(seed)
    return NetworkModel(Sequential(Linear(64, 32, rng=rng), Linear(32, 10, rng=rng)), 64, 10)


CHANGES: dict[str, Callable[[SqliteRegistry], object]] = {
    "register": lambda registry: registry.register(make_model(9), ModelVersion("digits")),
    "promote": lambda registry: registry.promote("digits", 1, 2),
    "rollback": lambda registry: registry.rollback("digits", 2),
    "set_alias": lambda registry: registry.set_alias("digits", "next", 2, 0),
}


def change_with_limit(folder: Path, change: Callable[[SqliteRegistry], object], limit: int) -> int:
    """Make a change in a process that can write no byte of any file beyond `limit`."""
    child = os.fork()
    if not child:
        code = 1
        try:
            registry = SqliteRegistry(folder)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            change(registry)
            code = DONE
        except (OSError, sqlite3.Error):
            code = REFUSED
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def states(folder: Path) -> tuple[int, int, int]:
    """How many changes, versions, and which champion there are."""
    with SqliteRegistry(folder) as registry:
        history = registry.history()
        versions = sum(change.action == "register" for change in history)
        return len(history), versions, registry.get("digits", "champion").version


@pytest.mark.parametrize("name", CHANGES)
def test_wherever_the_disk_is_full_a_change_is_whole_or_not_there(tmp_path: Path, name: str) -> None:
    outcomes = set()
    for limit in range(0, LARGEST_LIMIT + 1, 8 * 1024):
        folder = tmp_path / f"{limit}"
        with SqliteRegistry(folder) as registry:
            for seed in (1, 2):
                registry.register(make_model(seed), ModelVersion("digits"))
                registry.promote("digits", seed, seed - 1)
        before = states(folder)
        code = change_with_limit(folder, CHANGES[name], limit)
        outcomes.add(code)
        assert verify_registry(folder).problems == ()
        assert code in (DONE, REFUSED)
        assert (states(folder) == before) == (code == REFUSED), f"{name} at {limit} bytes"
        if code == REFUSED:
            with SqliteRegistry(folder) as registry:
                CHANGES[name](registry)
    assert outcomes == {DONE, REFUSED}


def test_a_failed_commit_leaves_the_registry_usable(tmp_path: Path) -> None:
    """SQLite's own bound on a database's size stands for the disk's."""
    with SqliteRegistry(tmp_path) as registry:
        registry.register(make_model(1), ModelVersion("digits"))
        pages = registry._connection.execute("PRAGMA page_count").fetchone()[0]
        registry._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            for _ in range(100):
                registry.register(make_model(2), ModelVersion("digits", tags={"long": "x" * 2000}))
        done = registry.get("digits", "latest").version
        registry._connection.execute(f"PRAGMA max_page_count = {ENOUGH_VERSIONS}")
        assert registry.register(make_model(2), ModelVersion("digits")).version == done + 1
    assert verify_registry(tmp_path).problems == ()


def test_a_change_that_is_done_is_acknowledged_even_if_its_note_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with SqliteRegistry(tmp_path) as registry:
        registry.register(make_model(1), ModelVersion("digits"))
        monkeypatch.setattr("tinytorch.adapters.registry_schema.write_whole", fail)
        assert registry.promote("digits", 1, 0).version == 1
    assert verify_registry(tmp_path).problems == (), "the note lags behind, which is no damage"


@pytest.mark.drill
def test_on_a_disk_that_is_really_full(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        acknowledged = 0
        with SqliteRegistry(folder / "registry") as registry:
            with pytest.raises((OSError, sqlite3.Error)) as caught:
                for seed in range(ENOUGH_VERSIONS):
                    registry.register(make_model(seed), ModelVersion("digits"))
                    acknowledged += 1
            assert registry.get("digits", "latest").version == acknowledged
        with contextlib.suppress(sqlite3.OperationalError):  # SQLite may lack the room to read
            assert verify_registry(folder / "registry").problems == ()
        subprocess.run(["mount", "-o", "remount,size=2m", str(folder)], check=True)
        assert verify_registry(folder / "registry").problems == ()
        with SqliteRegistry(folder / "registry") as registry:
            assert registry.register(make_model(0), ModelVersion("digits")).version == acknowledged + 1
        assert verify_registry(folder / "registry").problems == ()
        print(f"full after {acknowledged} versions: {caught.value}")
    finally:
        subprocess.run(["umount", str(folder)], check=True)
