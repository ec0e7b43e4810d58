"""Floor 4: has anything in a registry been changed? Reads every row and every artifact; changes nothing.

The log is hashed entry by entry, each with the hash before it; all other tables follow from the log and are compared
with what it says; every artifact is hashed. A log that lost its end contradicts `head.json` beside it. What only a copy
outside can show is a whole folder written anew or put back to an earlier state: keep `head` elsewhere, and hand it in.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytorch.adapters.artifacts import DEFAULT_LIMIT_BYTES, Artifact, ArtifactFolder, DamagedArtifactError
from tinytorch.adapters.registry_reader import ARTIFACTS_NAME, DATABASE_NAME, REGISTER
from tinytorch.adapters.registry_schema import HEAD_NAME, NO_HASH, REGISTRY_FILE, chain_hash, read_head
from tinytorch.adapters.sqlite_file import open_file
from tinytorch.mlops._record import Record

# What SQLite says when it cannot answer now and nothing is known to be wrong: a full disk, a file in use.
NO_DAMAGE = ("disk is full", "database is locked")
TABLES = {
    "log": "SELECT sequence, name, entry, hash FROM log ORDER BY sequence",
    "versions": "SELECT name, version, sequence FROM versions",
    "pointers": "SELECT name, alias, version, revision FROM pointers",
    "earlier": "SELECT name, position, version FROM earlier",
}


@dataclass(frozen=True)
class RegistryVerification(Record):
    """What was found.

    Attributes
    ----------
    n_entries : int
        Of the log.
    n_artifacts : int
        That versions refer to.
    n_unreferenced : int
        Files that no version refers to: left by a process that was killed before it had registered; harmless.
    head : str
        The hash of the last entry, which stands for the whole log.
    problems : tuple of str
        Empty if nothing was changed.

    Examples
    --------
    >>> print(RegistryVerification(3, 1, 0, "ab" * 32, ()))
    whole: 3 log entries, 1 artifacts, head abababababab...
    """

    n_entries: int
    n_artifacts: int
    n_unreferenced: int
    head: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if self.problems:
            return f"damaged: {'; '.join(self.problems)}"
        return f"whole: {self.n_entries} log entries, {self.n_artifacts} artifacts, head {self.head[:12]}..."


def verify_registry(
    folder: str | os.PathLike[str], expected_head: str | None = None, limit_bytes: int = DEFAULT_LIMIT_BYTES
) -> RegistryVerification:
    """Read all of a registry and say what differs from what was written.

    Parameters
    ----------
    folder : path-like
    expected_head : str, optional
        The `head` of an earlier verification: it must be in the log, or its end was cut off.
    limit_bytes : int
        The largest artifact that is read.

    Raises
    ------
    ValueError
        If the folder holds no registry.
    sqlite3.OperationalError
        If the disk is full (SQLite needs some room even to read), or another process holds the file.

    Examples
    --------
    >>> import tempfile
    >>> from tinytorch.adapters.registry_reader import RegistryReader
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = RegistryReader(folder)
    ...     verify_registry(folder).problems
    ()
    """
    path = Path(folder) / DATABASE_NAME
    if not path.is_file():
        raise ValueError(f"folder must hold {DATABASE_NAME}, got {str(folder)!r}.")
    try:
        noted = read_head(path.parent)  # before the log, which goes on while this runs
        rows, problems = _read_database(path)
        entries, broken = _check_chain(rows["log"])
    except (sqlite3.Error, ValueError, OverflowError) as error:
        return _say_unreadable(error)
    problems += broken or _check_tables(entries, rows)
    hashes = [NO_HASH, *(row[3] for row in rows["log"])]
    problems += _check_head(*noted, hashes)
    if expected_head not in (None, *hashes):
        problems.append(f"the log no longer holds the head {str(expected_head)[:12]}...: cut off or written anew")
    artifacts = ArtifactFolder(path.parent / ARTIFACTS_NAME, limit_bytes)
    kept = {Artifact(**entry["artifact"]) for entry in entries if entry["action"] == REGISTER}
    n_unreferenced, damaged = _check_artifacts(artifacts, kept)
    return RegistryVerification(len(entries), len(kept), n_unreferenced, hashes[-1], (*problems, *damaged))


def _say_unreadable(error: Exception) -> RegistryVerification:
    """Say that the database is damaged, unless the error says that it only cannot be read now."""
    if any(words in str(error) for words in NO_DAMAGE):
        raise error
    return RegistryVerification(0, 0, 0, NO_HASH, (f"the registry cannot be read: {error}",))


def _read_database(path: Path) -> tuple[dict[str, list[tuple[Any, ...]]], list[str]]:
    """Return every row of every table as of one moment, and what SQLite itself finds wrong."""
    connection = open_file(path, REGISTRY_FILE)
    try:
        connection.execute("BEGIN")
        said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        problems = [] if said == ["ok"] else [f"SQLite finds: {line}" for line in said]
        if _schema(connection) != _schema(_empty_registry()):
            problems.append("the tables or their triggers differ from those of a registry")
        return {name: connection.execute(question).fetchall() for name, question in TABLES.items()}, problems
    finally:
        connection.close()


def _empty_registry() -> sqlite3.Connection:
    """Return a registry in memory, for its schema."""
    connection = sqlite3.connect(":memory:")
    for script in REGISTRY_FILE.migrations:
        connection.executescript(script)
    return connection


def _schema(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Return what makes the tables, indexes and triggers of a database."""
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def _check_chain(rows: list[tuple[Any, ...]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the entries of the log up to the first that was changed, and what is wrong with that one."""
    entries: list[dict[str, Any]] = []
    previous_hash = NO_HASH
    for number, (sequence, name, text, found_hash) in enumerate(rows, start=1):
        if sequence != number:
            return entries, [f"entry {number} of the log is missing"]
        if found_hash != chain_hash(previous_hash, text):
            return entries, [f"entry {number} of the log was changed, or its hash was"]
        entry = json.loads(text)
        if (entry["sequence"], entry["name"]) != (sequence, name):
            return entries, [f"the index of entry {number} of the log was changed"]
        entries.append(entry)
        previous_hash = found_hash
    return entries, []


def _check_head(sequence: Any, found_hash: Any, hashes: list[Any]) -> list[str]:
    """Compare the log with the note beside it of how far it went."""
    if not isinstance(sequence, int) or not 0 <= sequence < len(hashes) or hashes[sequence] != found_hash:
        return [f"the log no longer holds entry {sequence} as {HEAD_NAME} notes it: cut off or written anew"]
    return []


def _check_tables(entries: list[dict[str, Any]], rows: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """Compare the other tables with what follows from the log."""
    expected = replay_log(entries)
    return [
        f"table {name} differs from the log: {sorted(set(rows[name]) ^ expected[name], key=repr)[:2]}"
        for name in expected
        if set(rows[name]) != expected[name] or len(rows[name]) != len(expected[name])
    ]


def replay_log(entries: list[dict[str, Any]]) -> dict[str, set[tuple[Any, ...]]]:
    """Return the rows of the other tables that follow from the entries of a log, oldest first.

    Examples
    --------
    >>> replay_log([{"name": "digits", "action": "register", "version": 1, "sequence": 1}])["versions"]
    {('digits', 1, 1)}
    """
    versions: set[tuple[Any, ...]] = set()
    pointers: dict[tuple[str, str], tuple[int | None, int]] = {}
    earlier: dict[str, list[int]] = {}
    for entry in entries:
        name, version = entry["name"], entry["version"]
        if entry["action"] == REGISTER:
            versions.add((name, version, entry["sequence"]))
            continue
        _replay_move(entry, earlier.setdefault(name, []))
        pointers[name, entry["alias"]] = (version, entry["revision"])
    return {
        "versions": versions,
        "pointers": {(*key, *value) for key, value in pointers.items()},
        "earlier": {(name, place, version) for name in earlier for place, version in enumerate(earlier[name], 1)},
    }


def _replay_move(entry: dict[str, Any], below: list[int]) -> None:
    """Put a champion on those below the one in force, or take one off."""
    if entry["action"] == "rollback":
        below.pop()
    elif entry["action"] == "promote" and entry["previous"] not in (None, entry["version"]):
        below.append(entry["previous"])


def _check_artifacts(artifacts: ArtifactFolder, kept: set[Artifact]) -> tuple[int, list[str]]:
    """Read every artifact that a version refers to; return how many other files there are, and what is damaged."""
    problems = []
    for artifact in sorted(kept, key=lambda one: one.sha256):
        try:
            artifacts.read(artifact)
        except DamagedArtifactError as error:
            problems.append(str(error))
    found = {path for path in artifacts.folder.glob("*/*") if path.is_file()}
    return len(found - {artifacts.path_of(artifact) for artifact in kept}), problems
