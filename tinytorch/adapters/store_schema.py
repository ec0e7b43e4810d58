"""Floor 4: the tables of the monitoring store and their versions. Touches sqlite3 alone."""

from __future__ import annotations

import os
import sqlite3

from tinytorch.adapters.sqlite_file import FileKind, open_file

# "tinm" in ASCII: SQLite writes it into the file's header, and `file` and our own check read it there.
APPLICATION_ID = 0x74696E6D
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
    ...     connection = open_store(f"{folder}/monitoring.db")
    ...     connection.execute("SELECT COUNT(*) FROM predictions").fetchone()
    ...     connection.close()
    (0,)
    """
    return open_file(path, FileKind("monitoring store", APPLICATION_ID, MIGRATIONS))
