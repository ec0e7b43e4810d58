"""Floor 4: what can be asked of a durable registry. Reads its database and artifacts; changes nothing.

Several threads may share one; after a fork each process opens its own.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.adapters.artifacts import DEFAULT_LIMIT_BYTES, Artifact, ArtifactFolder
from tinytorch.adapters.model_sources import unpack_model
from tinytorch.adapters.registry_records import Provenance, Registration, RegistryChange
from tinytorch.adapters.registry_schema import REGISTRY_FILE, read_entry
from tinytorch.adapters.registry_time import ClockReading, place_in_time, read_clocks
from tinytorch.adapters.sqlite_file import open_file
from tinytorch.mlops.contracts import Model, ModelVersion
from tinytorch.mlops.deploy.registry import CHAMPION, LATEST
from tinytorch.mlops.validate import check_moment

DATABASE_NAME = "registry.db"
ARTIFACTS_NAME = "artifacts"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
REGISTER = "register"
# SQLite holds no larger one, and says so with an OverflowError.
LARGEST_INTEGER = 2**63 - 1


def check_name(text: str, name: str) -> str:
    """Return `text` if a model or an alias may be called so.

    Examples
    --------
    >>> check_name("digits-2", "name")
    'digits-2'
    >>> check_name("../etc", "name")
    Traceback (most recent call last):
    ...
    ValueError: name must be 1 to 64 of a-z, 0-9, _ and -, the first no sign, got '../etc'.
    """
    if not isinstance(text, str) or not NAME_PATTERN.fullmatch(text):
        raise ValueError(f"{name} must be 1 to 64 of a-z, 0-9, _ and -, the first no sign, got {text!r}.")
    return text


class RegistryReader:
    """Answers questions about what is registered; `SqliteRegistry` adds what changes it.

    Parameters
    ----------
    folder : path-like
        Holds `registry.db` and `artifacts/`; made if it is not there.
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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     RegistryReader(folder).names()
    ()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        read_clock: Callable[[], ClockReading] = read_clocks,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.folder = Path(folder)
        self.read_clock = read_clock
        self.artifacts = ArtifactFolder(self.folder / ARTIFACTS_NAME, limit_bytes)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._connection = open_file(self.folder / DATABASE_NAME, REGISTRY_FILE, shared=True)
        self._lock = threading.RLock()

    def names(self) -> tuple[str, ...]:
        """Return the names under which something is registered, in order."""
        return tuple(row[0] for row in self._ask("SELECT DISTINCT name FROM versions ORDER BY name"))

    def get(self, name: str, version_or_alias: int | str) -> ModelVersion:
        """Return the entry of a number, of "latest", of "champion", or of another alias.

        Raises
        ------
        ValueError
            If there is no such name, number or alias, or the entry was tampered with.
        """
        return self.describe(name, version_or_alias).entry

    def describe(self, name: str, version_or_alias: int | str) -> Registration:
        """Return all that is kept about a version; raises as `get` does."""
        with self._lock:
            version, sequence = self._find(name, version_or_alias)
            fields = read_entry(self._connection, sequence)
            pointed = "SELECT alias FROM pointers WHERE name = ? AND version = ? ORDER BY alias"
            aliases = tuple(row[0] for row in self._ask(pointed, name, version))
            (change,) = self._changes([fields])
        return Registration(
            entry=ModelVersion(**fields["record"]),
            kind=fields["kind"],
            source=fields["source"],
            artifact=Artifact(**fields["artifact"]),
            provenance=Provenance(**fields["provenance"]),
            aliases=aliases,
            registered=change,
        )

    def load(self, name: str, version_or_alias: int | str) -> Model:
        """Return the model itself, made anew from its file, whose SHA-256 was verified.

        A server keeps what it loaded: every call reads the file again.

        Raises
        ------
        ValueError
            As `get` does, and if the artifact is damaged or the function's file has changed.
        """
        found = self.describe(name, version_or_alias)
        return unpack_model(found.kind, self.artifacts.read(found.artifact), self.artifacts.limit_bytes)

    def revision(self, name: str, alias: str = CHAMPION) -> int:
        """Return how often an alias has moved, the champion if none is named."""
        self._check_known(name)
        found = self._ask("SELECT revision FROM pointers WHERE name = ? AND alias = ?", name, alias)
        return int(found[0][0]) if found else 0

    def history(self, name: str | None = None) -> tuple[RegistryChange, ...]:
        """Return every change under a name, or under all, oldest first."""
        if name is not None:
            self._check_known(name)
        with self._lock:
            chosen = "SELECT sequence FROM log WHERE ? IS NULL OR name = ? ORDER BY sequence"
            entries = [read_entry(self._connection, row[0]) for row in self._ask(chosen, name, name)]
            return self._changes(entries)

    def serving_at(self, name: str, moment: float, alias: str = CHAMPION) -> RegistryChange:
        """Return the change that put in charge what was serving at a moment, and by whom.

        Parameters
        ----------
        name : str
        moment : float
            Seconds since the epoch, by the clock as it goes now; jumps that it made before are taken out.
        alias : str
            Whose pointer is meant.

        Raises
        ------
        ValueError
            If the name is unknown, or nothing was serving then.
        """
        check_moment(moment, "moment")
        moves = [change for change in self.history(name) if change.alias == alias and change.moment <= moment]
        if not moves or moves[-1].version is None:
            raise ValueError(f"moment must be one at which {name!r} had a {alias}, got {moment}.")
        return moves[-1]

    def _ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows that answer a question; threads take turns."""
        with self._lock:
            return self._connection.execute(question, values).fetchall()

    def _check_known(self, name: str) -> None:
        """Refuse a name under which nothing is registered."""
        if not isinstance(name, str) or not self._ask("SELECT 1 FROM versions WHERE name = ? LIMIT 1", name):
            raise ValueError(f"name must be one of {list(self.names())}, got {name!r}.")

    def _find(self, name: str, version_or_alias: int | str) -> tuple[int, int]:
        """Return a version's number and where in the log it was registered."""
        self._check_known(name)
        version: Any = version_or_alias
        if version_or_alias == LATEST:
            version = self._ask("SELECT MAX(version) FROM versions WHERE name = ?", name)[0][0]
        elif isinstance(version_or_alias, str):
            found = self._ask("SELECT version FROM pointers WHERE name = ? AND alias = ?", name, version_or_alias)
            version = found[0][0] if found else None
        is_number = isinstance(version, (int, np.integer)) and not isinstance(version, bool)
        rows = (
            self._ask("SELECT sequence FROM versions WHERE name = ? AND version = ?", name, int(version))
            if is_number and 0 < version <= LARGEST_INTEGER
            else []
        )
        if not rows:
            raise ValueError(
                f"version_or_alias must be the number of a version of {name!r}, {LATEST!r}, {CHAMPION!r} (once "
                f"promoted) or another alias, got {version_or_alias!r}."
            )
        return int(version), int(rows[0][0])

    def _changes(self, entries: Iterable[dict[str, Any]]) -> tuple[RegistryChange, ...]:
        """Turn entries of the log, oldest first, into records with their moments."""
        kept = list(entries)
        moments = place_in_time([_reading(entry) for entry in kept], self.read_clock())
        return tuple(
            RegistryChange(
                sequence=entry["sequence"],
                name=entry["name"],
                action=entry["action"],
                alias=entry.get("alias", ""),
                version=entry["version"],
                previous=entry.get("previous"),
                revision=entry.get("revision", 0),
                actor=entry["actor"],
                reason=entry["reason"],
                moment=moment,
                clock_s=entry["clock_s"],
            )
            for entry, moment in zip(kept, moments, strict=True)
        )


def _reading(entry: dict[str, Any]) -> ClockReading:
    """Return when an entry was written, by both clocks."""
    return ClockReading(entry["clock_s"], entry["steady_s"], entry["boot"])
