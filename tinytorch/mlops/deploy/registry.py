"""Floor 2, deploy: versions, lineage, and one pointer a name that moves. In memory; may import contracts.

What it adds to the lesson's registry: fingerprints of every model, an audit trail of every move, and lineage.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinytorch.mlops.contracts import Model, ModelVersion
from tinytorch.mlops.hashing import hash_model

CHAMPION = "champion"
LATEST = "latest"


@dataclass(frozen=True)
class PointerMove:
    """One move of the champion pointer.

    Examples
    --------
    >>> print(PointerMove(revision=1, action="promote", version=2, previous=1))
    revision 1: promote version 2 (before: 1)
    """

    revision: int
    action: Literal["promote", "rollback"]
    version: int
    previous: int | None

    def __str__(self) -> str:
        return f"revision {self.revision}: {self.action} version {self.version} (before: {self.previous})"


@dataclass
class _Shelf:
    """All there is under one name."""

    versions: list[ModelVersion]
    models: list[Model]
    moves: list[PointerMove]
    # The champions in force, oldest first: promoting puts one on top, rolling back takes it off.
    champions: list[int]


class AuditedRegistry:
    """Keeps models as numbered versions and knows which of them is the champion, since when, and instead of which.

    A change of the pointer names the revision it expects, so that of two people who promote at once one is told.

    Examples
    --------
    >>> from tinytorch.mlops.contracts import ModelVersion
    >>> registry = AuditedRegistry()
    >>> first = registry.register(len, ModelVersion("digits", content_hash="aa"))
    >>> second = registry.register(len, ModelVersion("digits", content_hash="bb", parent=1))
    >>> registry.promote("digits", 1, expected_revision=0).version
    1
    >>> registry.promote("digits", 2, expected_revision=1).version
    2
    >>> registry.rollback("digits", expected_revision=2).version
    1
    >>> registry.promote("digits", 2, expected_revision=1)
    Traceback (most recent call last):
    ...
    ValueError: expected_revision must be the current revision 3, got 1.
    """

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}

    def register(self, model: Model, metadata: ModelVersion) -> ModelVersion:
        """Store a model under the draft's name and return the draft with its number and fingerprint.

        Raises
        ------
        ValueError
            If the draft has a number already, its parent does not exist, or the model cannot be fingerprinted and
            the draft brings no `content_hash`.
        """
        if metadata.version:
            raise ValueError(f"metadata must be a draft with version 0, got version {metadata.version}.")
        shelf = self._shelves.get(metadata.model_name) or _Shelf([], [], [], [])
        if metadata.parent is not None and not 1 <= metadata.parent <= len(shelf.versions):
            raise ValueError(f"parent must be a registered version, got {metadata.parent}.")
        fingerprint = metadata.content_hash or hash_model(model)
        entry = dataclasses.replace(metadata, version=len(shelf.versions) + 1, content_hash=fingerprint)
        shelf.versions.append(entry)
        shelf.models.append(model)
        self._shelves[metadata.model_name] = shelf
        return entry

    def get(self, name: str, version_or_alias: int | str) -> ModelVersion:
        """Return the entry of a number, of "champion", or of "latest".

        Raises
        ------
        ValueError
            If there is no such name, number or alias.
        """
        return self._shelf(name).versions[self._position(name, version_or_alias)]

    def load(self, name: str, version_or_alias: int | str) -> Model:
        """Return the model itself; raises as `get` does."""
        return self._shelf(name).models[self._position(name, version_or_alias)]

    def revision(self, name: str) -> int:
        """Return how often the champion pointer has moved."""
        return len(self._shelf(name).moves)

    def promote(self, name: str, version: int, expected_revision: int) -> ModelVersion:
        """Point "champion" at `version`; a champion promoted again stays, and so does the one before it.

        Raises
        ------
        ValueError
            If there is no such version, or the pointer moved since `expected_revision`; nothing is changed then.
        """
        shelf = self._shelf(name)
        entry = shelf.versions[self._position(name, version)]
        self._check_revision(name, expected_revision)
        self._move(shelf, "promote", entry.version)
        if shelf.champions[-1:] != [entry.version]:
            shelf.champions.append(entry.version)
        return entry

    def rollback(self, name: str, expected_revision: int) -> ModelVersion:
        """Point "champion" back at the version it pointed to before.

        Raises
        ------
        ValueError
            If there was none before, or the pointer moved since `expected_revision`; nothing is changed then.
        """
        shelf = self._shelf(name)
        self._check_revision(name, expected_revision)
        if len(shelf.champions) < 2:
            raise ValueError(f"name must have an earlier champion to roll back to, got {name!r}, which has none.")
        self._move(shelf, "rollback", shelf.champions[-2])
        shelf.champions.pop()
        return shelf.versions[shelf.champions[-1] - 1]

    def history(self, name: str) -> tuple[PointerMove, ...]:
        """Return every move of the champion pointer, oldest first."""
        return tuple(self._shelf(name).moves)

    def _shelf(self, name: str) -> _Shelf:
        """Return what is kept under a name."""
        if name not in self._shelves:
            raise ValueError(f"name must be one of {sorted(self._shelves)}, got {name!r}.")
        return self._shelves[name]

    def _position(self, name: str, version_or_alias: int | str) -> int:
        """Return where in the shelf a version stands, counted from 0."""
        shelf = self._shelf(name)
        version = version_or_alias
        if version == LATEST:
            version = len(shelf.versions)
        if version == CHAMPION and shelf.champions:
            version = shelf.champions[-1]
        is_number = isinstance(version, (int, np.integer)) and not isinstance(version, bool)
        if not is_number or not 1 <= int(version) <= len(shelf.versions):
            raise ValueError(
                f"version_or_alias must be 1 to {len(shelf.versions)}, {CHAMPION!r} (once promoted) or {LATEST!r}, "
                f"got {version_or_alias!r}."
            )
        return int(version) - 1

    def _check_revision(self, name: str, expected_revision: int) -> None:
        """Refuse a change that was decided on an outdated view."""
        if expected_revision != self.revision(name):
            raise ValueError(
                f"expected_revision must be the current revision {self.revision(name)}, got {expected_revision}."
            )

    def _move(self, shelf: _Shelf, action: Literal["promote", "rollback"], version: int) -> None:
        """Write a move into the audit trail."""
        previous = shelf.champions[-1] if shelf.champions else None
        shelf.moves.append(PointerMove(len(shelf.moves) + 1, action, version, previous))
