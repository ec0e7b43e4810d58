"""Whoever changes a byte of a registry is found out: in the log, in what follows from it, in the models."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.registry_reader import RegistryReader
from tinytorch.adapters.registry_verify import TABLES, RegistryVerification, verify_registry
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.core.layers import Linear, Sequential
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.retrain.network import NetworkModel

TRIGGERS = ("log_is_never_changed", "log_is_never_shortened")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry with every kind of change in it."""
    path = tmp_path / "registry"
    with SqliteRegistry(path, actor="ada") as registry:
        for seed in (1, 2):
            rng = np.random.default_rng(seed)
            registry.register(NetworkModel(Sequential(Linear(2, 2, rng=rng)), 2, 2), ModelVersion("digits"))
        for revision, version in enumerate((1, 2, 1)):
            registry.promote("digits", version, revision)
        registry.rollback("digits", 3)
        registry.set_alias("digits", "challenger", 1, 0)
    return path


def rows_of(path: Path) -> dict[str, list[tuple]]:
    connection = sqlite3.connect(path)
    try:
        return {name: connection.execute(question).fetchall() for name, question in TABLES.items()}
    finally:
        connection.close()


def test_a_registry_that_nobody_touched_is_whole(folder: Path) -> None:
    found = verify_registry(folder)
    assert found.problems == () and (found.n_entries, found.n_artifacts, found.n_unreferenced) == (7, 2, 0)
    assert verify_registry(folder, expected_head=found.head).problems == ()


def change(folder: Path, *statements: str) -> RegistryVerification:
    """Change the database as somebody who knows SQLite would, triggers put aside and back, and verify."""
    connection = sqlite3.connect(folder / "registry.db")
    kept = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for statement in (*(f"DROP TRIGGER {name}" for name in TRIGGERS), *statements, *(row[0] for row in kept)):
        connection.execute(statement)
    connection.commit()
    connection.close()
    return verify_registry(folder)


TAMPERING = {
    "an actor": "UPDATE log SET entry = replace(entry, 'ada', 'bob') WHERE sequence = 4",
    "a hash": "UPDATE log SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE sequence = 7",
    "a name in the index": "UPDATE log SET name = 'other' WHERE sequence = 3",
    "an entry taken out": "DELETE FROM log WHERE sequence = 5",
    "two entries swapped": "UPDATE log SET sequence = CASE sequence WHEN 3 THEN -4 WHEN 4 THEN -3 ELSE sequence END",
    "the champion": "UPDATE pointers SET version = 1 WHERE alias = 'champion'",
    "a revision": "UPDATE pointers SET revision = 9 WHERE alias = 'challenger'",
    "an alias added": "INSERT INTO pointers VALUES ('digits', 'extra', 1, 1)",
    "an alias taken out": "DELETE FROM pointers WHERE alias = 'challenger'",
    "where a version is described": "UPDATE versions SET sequence = 1 WHERE version = 2",
    "a version taken out": "DELETE FROM versions WHERE version = 2",
    "what to roll back to": "UPDATE earlier SET version = 2",
    "an entry that is no JSON": "UPDATE log SET entry = 'x' WHERE sequence = 1",
    "an entry of bytes": "UPDATE log SET entry = x'ff00' WHERE sequence = 1",
    "a trigger": "CREATE TRIGGER more AFTER INSERT ON versions BEGIN DELETE FROM earlier; END",
    "a table": "CREATE TABLE more (x)",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_a_change_behind_the_registrys_back_is_found(folder: Path, what: str) -> None:
    assert change(folder, TAMPERING[what]).problems


def test_putting_triggers_aside_and_back_alone_is_no_change(folder: Path) -> None:
    """Else the test above would see the triggers and not the change."""
    assert change(folder).problems == ()


CUT_OFF = ("DELETE FROM log WHERE sequence = 7", "DELETE FROM pointers WHERE alias = 'challenger'")


def test_a_log_whose_end_was_cut_off_contradicts_the_note_beside_it(folder: Path) -> None:
    assert "no longer holds entry 7" in change(folder, *CUT_OFF).problems[0]


def test_a_folder_that_was_put_back_as_a_whole_is_found_by_a_head_kept_elsewhere(folder: Path) -> None:
    head = verify_registry(folder).head
    (folder / "head.json").unlink()
    assert change(folder, *CUT_OFF).problems == (), "by itself the earlier state is a whole one"
    assert "no longer holds the head" in verify_registry(folder, expected_head=head).problems[0]


def test_a_flipped_byte_of_the_note_is_found(folder: Path) -> None:
    path = folder / "head.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert verify_registry(folder).problems or json.loads(path.read_bytes()) == json.loads(whole), place


def test_a_flipped_byte_of_what_sqlite_has_yet_to_move_into_its_file_is_found(folder: Path) -> None:
    """After a kill the newest changes are in the write-ahead log; SQLite drops what is damaged there without a word."""
    with SqliteRegistry(folder) as registry:
        for revision in range(4, 8):
            registry.promote("digits", 1 + revision % 2, revision)
        killed, copy = folder.parent / "killed", folder.parent / "copy"
        shutil.copytree(folder, killed)
    whole = (killed / "registry.db-wal").read_bytes()
    rows = rows_of(folder / "registry.db")
    lost = 0
    for place in range(0, len(whole), len(whole) // 40):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(killed, copy)
        (copy / "registry.db-wal").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        problems = verify_registry(copy).problems
        lost += bool(problems)
        assert problems or rows_of(copy / "registry.db") == rows, place
    assert lost


def test_an_entry_that_was_changed_is_not_even_read(folder: Path) -> None:
    change(folder, "UPDATE log SET entry = replace(entry, '\"parent\":null', '\"parent\":1') WHERE sequence = 2")
    with pytest.raises(ValueError, match="entry 2 of the log must be as it was written"):
        RegistryReader(folder).get("digits", 2)
    with pytest.raises(ValueError, match="entry 2 of the log must be as it was written"):
        RegistryReader(folder).load("digits", "champion")


def test_a_changed_model_is_found_and_not_loaded(folder: Path) -> None:
    path = next((folder / "artifacts").glob("*/*.npz"))
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    assert "artifact must have the SHA-256" in verify_registry(folder).problems[0]
    with pytest.raises(ValueError, match="artifact must have the SHA-256"):
        for version in (1, 2):
            RegistryReader(folder).load("digits", version)


def test_a_file_left_behind_is_counted_and_no_damage(folder: Path) -> None:
    (folder / "artifacts" / "00").mkdir(exist_ok=True)
    (folder / "artifacts" / "00" / ".draft.part").write_bytes(b"half")
    found = verify_registry(folder)
    assert found.problems == () and found.n_unreferenced == 1


def flip_bytes(folder: Path, places: Sequence[int], flip: Callable[[int], int]) -> tuple[int, int]:
    """Flip bytes of the database file one at a time; count those that were found, and those that changed no row.

    A flip that changes what any row says and is not found fails the test.
    """
    database = folder / "registry.db"
    whole, rows = database.read_bytes(), rows_of(database)
    assert not database.with_name("registry.db-wal").exists()
    found = harmless = 0
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    for place in places:
        for path in copy.glob("registry.db*"):
            path.unlink()
        (copy / "registry.db").write_bytes(whole[:place] + bytes([flip(whole[place])]) + whole[place + 1 :])
        if verify_registry(copy).problems:
            found += 1
            continue
        assert rows_of(copy / "registry.db") == rows, f"byte {place} changed a row and was not found"
        harmless += 1
    return found, harmless


def test_a_flipped_byte_of_the_database_is_found_or_changes_nothing(folder: Path) -> None:
    content = (folder / "registry.db").read_bytes()
    written = [place for place, byte in enumerate(content) if byte]  # most of a small database is empty pages
    found, _ = flip_bytes(folder, written[::53], lambda byte: byte ^ 0x01)
    assert found > 0


@pytest.mark.drill
def test_a_flipped_bit_in_every_byte_of_the_database_is_found_or_changes_nothing(folder: Path) -> None:
    """Another bit from byte to byte; all eight of each would take hours."""
    size = (folder / "registry.db").stat().st_size
    places = iter(range(size))
    found, harmless = flip_bytes(folder, range(size), lambda byte: byte ^ (1 << next(places) % 8))
    print(f"{found} found, {harmless} in unused space or the header's counters, of {size}")
    assert found > 0


def test_a_folder_without_a_registry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"folder must hold registry\.db"):
        verify_registry(tmp_path)
    assert list(tmp_path.iterdir()) == []
