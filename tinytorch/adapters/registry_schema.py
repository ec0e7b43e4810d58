"""Floor 4: the registry's database file: a log that only grows, each entry hashed with the one before, and its index.

The log is the truth; `versions`, `pointers` and `earlier` follow from it and are written in the same transaction.
Touches sqlite3 and one small file beside the database.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinytorch._storage import write_whole
from tinytorch.adapters.sqlite_file import FileKind

FIRST_REGISTRY = """
CREATE TABLE log (sequence INTEGER PRIMARY KEY, name TEXT NOT NULL, entry TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX log_by_name ON log (name, sequence);
CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER log_is_never_shortened BEFORE DELETE ON log
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE versions (
    name TEXT NOT NULL, version INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (name, version)
) WITHOUT ROWID;
CREATE TABLE pointers (
    name TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER, revision INTEGER NOT NULL, PRIMARY KEY (name, alias)
) WITHOUT ROWID;
CREATE TABLE earlier (
    name TEXT NOT NULL, position INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (name, position)
) WITHOUT ROWID;
"""
# "tinr" in ASCII, in the file's header.
REGISTRY_FILE = FileKind("model registry", 0x74696E72, (FIRST_REGISTRY,))
HEAD_NAME = "head.json"
# What the first entry is hashed with.
NO_HASH = "0" * 64


def chain_hash(previous_hash: str, entry: str) -> str:
    """Return the hash of an entry and, through the hash before it, of all entries up to it.

    Examples
    --------
    >>> chain_hash(NO_HASH, "first") == chain_hash(NO_HASH, "first?")
    False
    """
    return hashlib.sha256(f"{previous_hash}\n{entry}".encode()).hexdigest()


def write_head(folder: Path, connection: sqlite3.Connection) -> None:
    """Note the end of the log in a file beside it, after a change: so a log that lost its end is found out.

    It may lag behind (a kill in between, another process, a full disk), and is never ahead.

    Examples
    --------
    >>> import tempfile
    >>> connection = sqlite3.connect(":memory:")
    >>> _ = connection.executescript(FIRST_REGISTRY)
    >>> _ = append_entry(connection, {"name": "digits", "action": "register"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_head(Path(folder), connection)
    ...     read_head(Path(folder))[0]
    1
    """
    last = connection.execute("SELECT sequence, hash FROM log ORDER BY sequence DESC LIMIT 1").fetchone()
    with contextlib.suppress(OSError):  # the change itself is done and on the disk
        write_whole(folder / HEAD_NAME, lambda file: file.write(json.dumps(last).encode()))


def read_head(folder: Path) -> tuple[int, str]:
    """Return number and hash of the last entry that was noted, or those of an empty log.

    Raises
    ------
    ValueError
        If the note is damaged.
    """
    try:
        sequence, found_hash = json.loads((folder / HEAD_NAME).read_bytes())
    except FileNotFoundError:
        return 0, NO_HASH
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"{HEAD_NAME} must hold the head of the log, got {error}.") from error
    return sequence, found_hash


def append_entry(connection: sqlite3.Connection, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Write the next entry of the log, inside a transaction of the caller's, and return it with its number.

    Examples
    --------
    >>> connection = sqlite3.connect(":memory:")
    >>> _ = connection.executescript(FIRST_REGISTRY)
    >>> append_entry(connection, {"name": "digits", "action": "register"})["sequence"]
    1
    >>> read_entry(connection, 1)["action"]
    'register'
    """
    last = connection.execute("SELECT sequence, hash FROM log ORDER BY sequence DESC LIMIT 1").fetchone()
    sequence, previous_hash = last or (0, NO_HASH)
    entry = {**fields, "sequence": sequence + 1}
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    row = (sequence + 1, entry["name"], text, chain_hash(previous_hash, text))
    connection.execute("INSERT INTO log (sequence, name, entry, hash) VALUES (?, ?, ?, ?)", row)
    return entry


def read_entry(connection: sqlite3.Connection, sequence: int) -> dict[str, Any]:
    """Return one entry of the log, compared with its hash and the hash before it.

    Raises
    ------
    ValueError
        If there is none of this number, or it was changed.
    """
    rows = connection.execute(
        "SELECT sequence, entry, hash FROM log WHERE sequence IN (?, ?) ORDER BY sequence", (sequence - 1, sequence)
    ).fetchall()
    found = rows[-1] if rows else (None, "", "")
    previous_hash = rows[0][2] if len(rows) > 1 else NO_HASH
    if found[0] != sequence or found[2] != chain_hash(previous_hash, found[1]):
        raise ValueError(f"entry {sequence} of the log must be as it was written, got one that differs.")
    entry: dict[str, Any] = json.loads(found[1])
    return entry
