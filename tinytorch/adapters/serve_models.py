"""Floor 4: which version of a model answers: the champion, a challenger's share, and switching between them at once.

A request reads one attribute; everything that may wait (reading the registry, loading a model) happens before a
switch, in whatever thread asked for it. Touches only the registry that it is handed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from tinytorch._arguments import check_in_range
from tinytorch.mlops.contracts import Model, ModelVersion, Registry
from tinytorch.mlops.deploy import split_traffic

CHAMPION = "champion"
# The champion, the one before it and a challenger are always kept; this many more that were asked for by number.
MOST_OTHERS = 4


class LoadedVersion(NamedTuple):
    """A version in memory: its entry in the registry, and the model that answers.

    Examples
    --------
    >>> LoadedVersion(ModelVersion("digits", version=2), len).number
    2
    """

    entry: ModelVersion
    model: Model

    @property
    def number(self) -> int:
        """The registry's number of this version."""
        return self.entry.version


class Split(NamedTuple):
    """A challenger, and which requests it answers: `chooses(routing_key)` is True for its own.

    Examples
    --------
    >>> Split(LoadedVersion(ModelVersion("digits", version=2), len), sticky_share(1.0, "trial")).chooses("7")
    True
    """

    challenger: LoadedVersion
    chooses: Callable[[str], bool]


def sticky_share(weight: float, salt: str) -> Callable[[str], bool]:
    """Return a choice of a share of the keys: the same ones every time, and still those at a larger weight.

    Examples
    --------
    >>> chooses = sticky_share(0.5, "digits-2")
    >>> chooses("user-1") == chooses("user-1")
    True
    """
    check_in_range(weight, "weight", 0.0, 1.0)
    return lambda key: bool(split_traffic([key], weight, salt)[0])  # type: ignore[arg-type]


class ServedModel:
    """One name of a registry, as it is served: the champion of this moment, and a challenger's split if there is one.

    `champion` and `split` are replaced whole, never changed: a request that has read them is answered by what it
    read, and the next request sees the new ones.

    Parameters
    ----------
    registry : Registry
        It is asked from the threads that call this object's methods, one at a time.
    name : str

    Examples
    --------
    >>> from tinytorch.mlops.deploy import AuditedRegistry
    >>> registry = AuditedRegistry()
    >>> for content_hash in ("aa", "bb"):
    ...     _ = registry.register(len, ModelVersion("digits", content_hash=content_hash))
    >>> served = ServedModel(registry, "digits")
    >>> served.promote(1).number, served.promote(2).number
    (1, 2)
    >>> served.rollback().number, served.champion.number
    (1, 1)
    """

    def __init__(self, registry: Registry, name: str) -> None:
        self.registry = registry
        self.name = name
        self.champion: LoadedVersion | None = None
        self.previous: LoadedVersion | None = None
        self.split: Split | None = None
        self.revision = -1
        self._others: dict[int, LoadedVersion] = {}
        self._lock = threading.RLock()
        self.refresh()

    def refresh(self) -> bool:
        """Look at the registry, follow its champion if somebody else moved it, and return whether it moved."""
        with self._lock:
            revision = self.registry.revision(self.name)
            if revision == self.revision:
                return False
            if revision:  # before the first promotion there is no champion
                self._switch(self.load(self.registry.get(self.name, CHAMPION).version))
            self.revision = revision
            return True

    def promote(self, version: int, expected_revision: int | None = None) -> LoadedVersion:
        """Load a version, point the registry's champion at it, and answer from it from the next request on.

        Parameters
        ----------
        version : int
        expected_revision : int, optional
            Refuse if the pointer moved since then; the newest one, when not given.

        Raises
        ------
        ValueError
            If there is no such version, it cannot be loaded, or the pointer moved; nothing is changed then.
        """
        with self._lock:
            loaded = self.load(version)
            self.registry.promote(self.name, version, self._expected(expected_revision))
            self._switch(loaded)
            self.revision = self.registry.revision(self.name)
            return loaded

    def rollback(self, expected_revision: int | None = None) -> LoadedVersion:
        """Point the registry's champion at the one before, which is still loaded, and end a split.

        Raises
        ------
        ValueError
            If there was none before, or the pointer moved since `expected_revision`; nothing is changed then.
        """
        with self._lock:
            entry = self.registry.rollback(self.name, self._expected(expected_revision))
            self.split = None
            loaded = self.load(entry.version)
            self._switch(loaded)
            self.revision = self.registry.revision(self.name)
            return loaded

    def load(self, version: int) -> LoadedVersion:
        """Return a version, loading it if it is not in memory; those asked for longest ago are given up first.

        Raises
        ------
        ValueError
            If there is no such version, or it cannot be loaded.
        """
        with self._lock:
            found = self.find(version)
            if found is None:
                entry = self.registry.get(self.name, version)
                found = LoadedVersion(entry, self.registry.load(self.name, version))
                self._others[version] = found
                while len(self._others) > MOST_OTHERS:
                    del self._others[next(iter(self._others))]
            return found

    def find(self, version: int) -> LoadedVersion | None:
        """Return a version if it is in memory. Never waits."""
        split = self.split
        kept = (self.champion, self.previous, split.challenger if split else None)
        return next((one for one in kept if one is not None and one.number == version), self._others.get(version))

    def start_split(self, version: int, chooses: Callable[[str], bool]) -> LoadedVersion:
        """Load a challenger and let it answer the requests that `chooses` says; the champion gets those it fails on.

        Called again with another choice, it changes the share from the next request on.
        """
        challenger = self.load(version)
        self.split = Split(challenger, chooses)
        return challenger

    def stop_split(self) -> None:
        """Let the champion answer everything from the next request on."""
        self.split = None

    def _expected(self, expected_revision: int | None) -> int:
        """Return the revision to hand to the registry."""
        return self.registry.revision(self.name) if expected_revision is None else expected_revision

    def _switch(self, loaded: LoadedVersion) -> None:
        """Put a version in charge and keep the one before at hand."""
        if self.champion is None or loaded.number != self.champion.number:
            self.previous, self.champion = self.champion, loaded
            self._others.pop(loaded.number, None)
        if self.split is not None and self.split.challenger.number == loaded.number:
            self.split = None
