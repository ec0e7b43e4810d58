"""Floor 4: a registry that lasts: versions, movable aliases and an audit log in one SQLite file, models beside it.

Every change is one transaction: log, pointer and index together or not at all. Touches the folder it is handed.
"""

from __future__ import annotations

import dataclasses
import getpass
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tinytorch._arguments import check_integer
from tinytorch.adapters.artifacts import DEFAULT_LIMIT_BYTES
from tinytorch.adapters.model_sources import PackedModel, pack_model
from tinytorch.adapters.registry_reader import REGISTER, RegistryReader, check_name
from tinytorch.adapters.registry_records import Provenance
from tinytorch.adapters.registry_schema import append_entry, write_head
from tinytorch.adapters.registry_time import ClockReading, read_clocks
from tinytorch.adapters.sqlite_file import transaction
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.deploy.registry import CHAMPION, LATEST
from tinytorch.mlops.validate import check_text


class SqliteRegistry(RegistryReader):
    """Keeps models as numbered versions, knows the champion, who put it there, and what served at any time.

    Parameters
    ----------
    folder : path-like
        Holds `registry.db` and `artifacts/`; made if it is not there. Several processes may use it at once.
    actor : str, optional
        Who makes the changes, for the audit log; the user of this process when not given.
    read_clock : callable
        Returns a `ClockReading`.
    limit_bytes : int
        The largest model that is stored or loaded.

    Raises
    ------
    ValueError
        If the folder's database is of something else, or of a newer version of this library.

    Examples
    --------
    >>> import tempfile
    >>> from tinytorch.adapters.model_callable import CallableModel
    >>> from tinytorch.adapters.model_remote import RemoteModel
    >>> with tempfile.TemporaryDirectory() as folder, SqliteRegistry(folder, actor="ada") as registry:
    ...     for port in (8001, 8002):
    ...         model = RemoteModel(f"http://127.0.0.1:{port}/v2/models/digits")
    ...         _ = registry.register(model, ModelVersion("digits", metrics={"accuracy": 0.9}))
    ...     print(registry.promote("digits", 2, expected_revision=0).version)
    ...     print(registry.serving_at("digits", registry.read_clock().clock_s).actor)
    2
    ada
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        actor: str | None = None,
        read_clock: Callable[[], ClockReading] = read_clocks,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.actor = check_text(actor, "actor") if actor is not None else _this_user()
        super().__init__(folder, read_clock, limit_bytes)

    def __enter__(self) -> SqliteRegistry:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        self._connection.close()

    def register(self, model: Any, metadata: ModelVersion, provenance: Provenance | None = None) -> ModelVersion:
        """Store a model under the draft's name and return the draft with its number and fingerprint.

        When it returns, model and entry are on the disk.

        Parameters
        ----------
        model : NetworkModel, OnnxModel, CallableModel, RemoteModel, or a function at the top of an importable file
        metadata : ModelVersion
            A draft, with version 0.
        provenance : Provenance, optional
            Seed and code version; the versions of the libraries are recorded in any case.

        Raises
        ------
        ValueError
            If the name is not allowed, the draft has a number already, its parent does not exist, or the model is of
            no kind that can be stored; nothing is changed then.
        """
        check_name(metadata.model_name, "model_name")
        if metadata.version:
            raise ValueError(f"metadata must be a draft with version 0, got version {metadata.version}.")
        packed = pack_model(model)
        artifact = self.artifacts.write(packed.content, packed.suffix)
        with self._change() as connection:
            version = self._next_version(metadata)
            content_hash = metadata.content_hash or packed.content_hash
            entry = dataclasses.replace(metadata, version=version, content_hash=content_hash)
            fields = _describe_packed(packed, entry, provenance or Provenance())
            written = self._append(
                connection, {"action": REGISTER, "reason": "", "artifact": artifact.to_dict(), **fields}
            )
            row = (entry.model_name, version, written["sequence"])
            connection.execute("INSERT INTO versions (name, version, sequence) VALUES (?, ?, ?)", row)
        return entry

    def promote(self, name: str, version: int, expected_revision: int, reason: str = "") -> ModelVersion:
        """Point "champion" at `version`; a champion promoted again stays, and so does the one before it.

        Raises
        ------
        ValueError
            If there is no such version, or the pointer moved since `expected_revision`; nothing is changed then.
        """
        with self._change() as connection:
            entry = self.get(name, check_integer(version, "version"))
            move = self._move(name, CHAMPION, entry.version, expected_revision)
            self._append(connection, {**move, "action": "promote", "reason": reason})
            if move["previous"] not in (None, entry.version):
                connection.execute(
                    "INSERT INTO earlier (name, position, version) VALUES (?, ?, ?)",
                    (name, self._n_earlier(name) + 1, move["previous"]),
                )
        return entry

    def rollback(self, name: str, expected_revision: int, reason: str = "") -> ModelVersion:
        """Point "champion" back at the version it pointed to before.

        Raises
        ------
        ValueError
            If there was none before, or the pointer moved since `expected_revision`; nothing is changed then.
        """
        with self._change() as connection:
            self._check_revision(name, CHAMPION, expected_revision)
            position = self._n_earlier(name)
            if not position:
                raise ValueError(f"name must have an earlier champion to roll back to, got {name!r}, which has none.")
            ((version,),) = self._ask("SELECT version FROM earlier WHERE name = ? AND position = ?", name, position)
            entry = self.get(name, version)
            move = self._move(name, CHAMPION, version, expected_revision)
            self._append(connection, {**move, "action": "rollback", "reason": reason})
            connection.execute("DELETE FROM earlier WHERE name = ? AND position = ?", (name, position))
        return entry

    def set_alias(
        self, name: str, alias: str, version: int | None, expected_revision: int, reason: str = ""
    ) -> ModelVersion | None:
        """Point an alias such as "challenger" at a version, or with None at nothing, and return the version's entry.

        Raises
        ------
        ValueError
            If the alias is no name, or one that moves by other ways, the version does not exist, or the alias moved
            since `expected_revision` (see `revision`); nothing is changed then.
        """
        check_name(alias, "alias")
        if alias in (CHAMPION, LATEST) or alias.isdigit():
            raise ValueError(f"alias must not be {CHAMPION!r} (promote it), {LATEST!r} or a number, got {alias!r}.")
        with self._change() as connection:
            entry = None if version is None else self.get(name, check_integer(version, "version"))
            move = self._move(name, alias, version, expected_revision)
            self._append(connection, {**move, "action": "alias", "reason": reason})
        return entry

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one change of the database, alone among threads and processes."""
        with self._lock:
            with transaction(self._connection) as connection:
                yield connection
            write_head(self.folder, self._connection)

    def _append(self, connection: sqlite3.Connection, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Write an entry of the log with who and when."""
        check_text(fields["reason"], "reason", allow_empty=True)
        when = dataclasses.asdict(self.read_clock())
        return append_entry(connection, {**fields, **when, "actor": self.actor})

    def _next_version(self, metadata: ModelVersion) -> int:
        """Return the number that a draft gets."""
        question = "SELECT COALESCE(MAX(version), 0) FROM versions WHERE name = ?"
        last = int(self._ask(question, metadata.model_name)[0][0])
        if metadata.parent is not None and metadata.parent > last:
            raise ValueError(f"parent must be a registered version, got {metadata.parent}.")
        return last + 1

    def _check_revision(self, name: str, alias: str, expected_revision: int) -> None:
        """Refuse a change that was decided on an outdated view."""
        current = self.revision(name, alias)
        if expected_revision != current:
            raise ValueError(f"expected_revision must be the current revision {current}, got {expected_revision}.")

    def _move(self, name: str, alias: str, version: int | None, expected_revision: int) -> dict[str, Any]:
        """Move a pointer and return what the log says of it."""
        self._check_revision(name, alias, expected_revision)
        found = self._ask("SELECT version FROM pointers WHERE name = ? AND alias = ?", name, alias)
        number, revision = None if version is None else int(version), int(expected_revision) + 1
        self._ask(
            "INSERT INTO pointers (name, alias, version, revision) VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (name, alias) DO UPDATE SET version = ?3, revision = ?4",
            *(name, alias, number, revision),
        )
        previous = found[0][0] if found else None
        return {"name": name, "alias": alias, "version": number, "previous": previous, "revision": revision}

    def _n_earlier(self, name: str) -> int:
        """Return how many champions there were below the one in force."""
        return int(self._ask("SELECT COALESCE(MAX(position), 0) FROM earlier WHERE name = ?", name)[0][0])


def _describe_packed(packed: PackedModel, entry: ModelVersion, provenance: Provenance) -> dict[str, Any]:
    """Return what the log says of a model."""
    return {
        "name": entry.model_name,
        "version": entry.version,
        "record": entry.to_dict(),
        "kind": packed.kind,
        "source": packed.source,
        "provenance": provenance.to_dict(),
    }


def _this_user() -> str:
    """Return who runs this process; in a container without a list of users, its number."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "unknown"
