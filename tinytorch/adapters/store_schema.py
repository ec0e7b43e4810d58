"""Floor 4: the tables of the monitoring store, their versions, and how a file is opened. Touches sqlite3 alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# "tinm" in ASCII: SQLite writes it into the file's header, and `file` and our own check read it there.
APPLICATION_ID = 0x74696E6D
# How long a call waits for another process that writes; a transaction of ours takes milliseconds.
BUSY_TIMEOUT_S = 10.0
FIRST_VERSION = """
CREATE TABLE predictions (
    model TEXT NOT NULL, request_id NOT NULL, model_version INTEGER NOT NULL,
    served_at REAL NOT NULL, latency_ms REAL NOT NULL, prediction INTEGER NOT NULL,
    features BLOB NOT NULL, probabilities BLOB, label INTEGER, labelled_at REAL,
    PRIMARY KEY (model, request_id)
);
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    timestamp REAL NOT NULL, payload TEXT NOT NULL
);
"""
SECOND_VERSION = """
CREATE INDEX predictions_by_time ON predictions (served_at);
CREATE INDEX predictions_by_label ON predictions (model, labelled_at);
CREATE INDEX journal_by_time ON journal (model, kind, timestamp);
"""
# What brings a file from one version to the next, in order; never changed once released, only added to.
MIGRATIONS = (FIRST_VERSION, SECOND_VERSION)


def open_store(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Open a monitoring store, make it if it is not there, and bring an older one up to date.

    Readers see the state before or after a transaction and never wait for the writer (write-ahead log); a commit is
    on the disk before it returns.

    Raises
    ------
    ValueError
        If the file is no monitoring store, or a newer version of this library wrote it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     connection = open_store(Path(folder) / "monitoring.db")
    ...     schema_version(connection) == len(MIGRATIONS)
    ...     connection.close()
    True
    """
    connection = sqlite3.connect(Path(path), timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _check_ours(connection, path)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only before anything is written
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if schema_version(connection) < len(MIGRATIONS):
            _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def schema_version(connection: sqlite3.Connection) -> int:
    """Return how many migrations a file has seen; 0 for an empty one.

    Examples
    --------
    >>> schema_version(sqlite3.connect(":memory:"))
    0
    """
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run the block as one change: all of it is written, or nothing.

    The lock for writing is taken at the beginning: one taken at the first write could be refused half way.

    Examples
    --------
    >>> connection = sqlite3.connect(":memory:", isolation_level=None)
    >>> with transaction(connection):
    ...     _ = connection.execute("CREATE TABLE numbers (number)")
    >>> connection.execute("SELECT COUNT(*) FROM numbers").fetchone()
    (0,)
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_ours(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> None:
    """Refuse a file that another program made, before anything is written to it."""
    try:
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
        n_tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise ValueError(f"path must be a monitoring store, got {str(path)!r}: {error}.") from error
    if n_tables and mark != APPLICATION_ID:
        raise ValueError(f"path must be a monitoring store, got {str(path)!r}, a database of something else.")
    if schema_version(connection) > len(MIGRATIONS):
        raise ValueError(
            f"path must be a store of schema {len(MIGRATIONS)} or older, got {schema_version(connection)}: "
            "a newer version of this library wrote it."
        )


def _migrate(connection: sqlite3.Connection) -> None:
    """Apply what is missing; two processes that open a new file at once do it one after the other."""
    with transaction(connection):
        for number, script in enumerate(MIGRATIONS, start=1):
            if schema_version(connection) < number:
                for statement in filter(str.strip, script.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
