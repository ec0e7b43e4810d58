"""Floor 4: how a SQLite file of ours is opened, told apart, brought up to date and changed. Touches sqlite3 alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# How long a call waits for another process that writes; a transaction of ours takes milliseconds.
BUSY_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class FileKind:
    """What a file is called in messages, its mark in SQLite's header, and the scripts that made each version of it.

    Migrations are never changed once released, only added to.

    Examples
    --------
    >>> FileKind("list of numbers", 0x6E756D73, ("CREATE TABLE numbers (number);",)).subject
    'list of numbers'
    """

    subject: str
    application_id: int
    migrations: tuple[str, ...]


def open_file(path: str | os.PathLike[str], kind: FileKind, *, shared: bool = False) -> sqlite3.Connection:
    """Open a file of a kind, make it if it is not there, and bring an older one up to date.

    Readers see the state before or after a transaction and never wait for the writer (write-ahead log); a commit is
    on the disk before it returns. A `shared` connection may be used from several threads that take turns.

    Raises
    ------
    ValueError
        If the path is a folder or in none, the file is of another kind, or a newer version of this library wrote it.

    Examples
    --------
    >>> import tempfile
    >>> kind = FileKind("list of numbers", 0x6E756D73, ("CREATE TABLE numbers (number);",))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     connection = open_file(Path(folder) / "numbers.db", kind)
    ...     schema_version(connection)
    ...     connection.close()
    1
    """
    if Path(path).is_dir() or not Path(path).parent.is_dir():
        raise ValueError(f"path must be a file in an existing folder, got {str(path)!r}.")
    connection = sqlite3.connect(Path(path), timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=not shared)
    try:
        _check_ours(connection, path, kind)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only before anything is written
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if schema_version(connection) < len(kind.migrations):
            _migrate(connection, kind)
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
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk can make SQLite itself roll back
            connection.execute("ROLLBACK")
        raise


def _check_ours(connection: sqlite3.Connection, path: str | os.PathLike[str], kind: FileKind) -> None:
    """Refuse a file that another program made, before anything is written to it."""
    must = f"path must be a {kind.subject}, got {str(path)!r}"
    try:
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
        n_tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{must}: {error}.") from error
    if n_tables and mark != kind.application_id:
        raise ValueError(f"{must}, a database of something else.")
    if schema_version(connection) > len(kind.migrations):
        raise ValueError(
            f"path must be a {kind.subject} of schema {len(kind.migrations)} or older, "
            f"got {schema_version(connection)}: a newer version of this library wrote it."
        )


def _migrate(connection: sqlite3.Connection, kind: FileKind) -> None:
    """Apply what is missing; two processes that open a new file at once do it one after the other."""
    with transaction(connection):
        for number, script in enumerate(kind.migrations, start=1):
            if schema_version(connection) < number:
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        connection.execute(f"PRAGMA application_id = {kind.application_id}")


def _statements(script: str) -> Iterator[str]:
    """Cut a script into statements; the semicolons inside a trigger end none."""
    statement = ""
    for part in script.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
