"""Floor 3, the marking room: what every model registry must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinytorch.checks.calls import must_refuse, require, watch
from tinytorch.mlops.contracts import Model, ModelVersion, Registry

MakeRegistry = Callable[[], Registry]

NAME = "digits"
OTHER_NAME = "letters"
N_VERSIONS = 3
QUESTION = np.zeros((2, 4))


def check_registry(make_registry: MakeRegistry, make_model: Callable[[int], Model] | None = None) -> None:
    """Try a registry: numbers in order, one pointer a name that moves and moves back, and nobody overruled unseen.

    Parameters
    ----------
    make_registry : callable
        `make_registry()` returns a new, empty registry.
    make_model : callable, optional
        `make_model(number)` returns a model that the registry can keep and that answers 2 rows of 4 zeros with
        probabilities of its own; by default a small object with a `state_dict()`.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.deploy import AuditedRegistry
    >>> check_registry(AuditedRegistry)
    """
    for try_out in (_numbers_versions, _keeps_models, _moves_the_pointer, _moves_it_back):
        try_out(_Desk(make_registry, make_model or _Constant))
    for try_out in (_refuses_the_unknown, _tells_who_came_late, _keeps_names_apart):
        try_out(_Desk(make_registry, make_model or _Constant))


class _Constant:
    """A model that answers every row alike."""

    def __init__(self, number: int) -> None:
        self._share = 1.0 / (1 + number)

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the two shares for every row."""
        return np.tile([self._share, 1.0 - self._share], (len(features), 1))

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the one weight."""
        return {"share": np.array([self._share])}


class _Desk:
    """A registry at work, with what was put into it."""

    def __init__(self, make_registry: MakeRegistry, make_model: Callable[[int], Model]) -> None:
        self.registry = watch(watch(make_registry, "make_registry")(), "registry")
        self.make_model = make_model

    def register(self, number: int, name: str = NAME, parent: int | None = None) -> ModelVersion:
        """Register the model of a number and return what the registry says."""
        draft = ModelVersion(
            name,
            content_hash=f"content {number}",
            data_hash=f"data {number}",
            metrics={"accuracy": 1.0 / number},
            parent=parent,
            created_at=float(number),
        )
        version = self.registry.register(self.make_model(number), draft)
        require(isinstance(version, ModelVersion), "registry.register", "a ModelVersion", version)
        return version

    def fill(self) -> None:
        """Register three versions."""
        for number in range(1, N_VERSIONS + 1):
            self.register(number)

    def promote(self, version: int) -> ModelVersion:
        """Promote with the revision that holds now."""
        return self.registry.promote(NAME, version, self.registry.revision(NAME))

    def require_champion(self, version: int, situation: str) -> None:
        """Raise unless "champion" is this version, in `get` and in `load`."""
        got = self.registry.get(NAME, "champion")
        require(got.version == version, f'registry.get("digits", "champion") {situation}', f"version {version}", got)
        self.require_model(version, "champion", situation)

    def require_model(self, number: int, version_or_alias: int | str, situation: str) -> None:
        """Raise unless the model that is loaded answers as the one of this number does."""
        loaded = self.registry.load(NAME, version_or_alias).predict_proba(QUESTION)
        same = bool(np.allclose(loaded, self.make_model(number).predict_proba(QUESTION)))
        call = f'registry.load("digits", {version_or_alias!r}) {situation}'
        require(same, call, f"the model that was registered as version {number}", f"one that answers {loaded}")


def _numbers_versions(desk: _Desk) -> None:
    for number in range(1, N_VERSIONS + 1):
        parent = number - 1 or None
        version = desk.register(number, parent=parent)
        require(version.version == number, f"registry.register, call {number}", f"version {number}", version.version)
        kept = (version.model_name, version.data_hash, version.parent, version.created_at, dict(version.metrics))
        given = (NAME, f"data {number}", parent, float(number), {"accuracy": 1.0 / number})
        require(kept == given, f"registry.register, call {number}", f"the draft's fields {given}", kept)
        require(version.content_hash == f"content {number}", "registry.register", "the draft's content_hash", version)
    drafted = ModelVersion(NAME, version=1, content_hash="content")
    refused = partial(desk.registry.register, desk.make_model(1), drafted)
    must_refuse(refused, "registry.register of an entry that has a number already")
    latest = desk.registry.get(NAME, "latest")
    require(latest.version == N_VERSIONS, 'registry.get("digits", "latest")', f"version {N_VERSIONS}", latest)


def _keeps_models(desk: _Desk) -> None:
    desk.fill()
    for number in range(1, N_VERSIONS + 1):
        got = desk.registry.get(NAME, number)
        require(got.version == number, f'registry.get("digits", {number})', f"version {number}", got)
        desk.require_model(number, number, "")
    desk.require_model(N_VERSIONS, "latest", "")


def _moves_the_pointer(desk: _Desk) -> None:
    desk.fill()
    must_refuse(partial(desk.registry.get, NAME, "champion"), 'registry.get("digits", "champion") before any promotion')
    for n_moves, version in enumerate((1, 3, 2)):
        revision = desk.registry.revision(NAME)
        require(revision == n_moves, f"registry.revision after {n_moves} promotions", f"{n_moves}", revision)
        promoted = desk.promote(version)
        require(promoted.version == version, f'registry.promote("digits", {version})', "that entry", promoted)
        desk.require_champion(version, f"after version {version} was promoted")
    desk.register(N_VERSIONS + 1)
    desk.require_champion(2, "after another version was registered, but not promoted")


def _moves_it_back(desk: _Desk) -> None:
    desk.fill()
    desk.promote(1)
    must_refuse(partial(desk.registry.rollback, NAME, 1), "registry.rollback without an earlier champion")
    desk.require_champion(1, "after a rollback that was refused")
    desk.promote(3)
    desk.promote(2)
    for version in (3, 1):
        returned = desk.registry.rollback(NAME, desk.registry.revision(NAME))
        call = f"registry.rollback from the version promoted after version {version}"
        require(returned.version == version, call, f"version {version}", returned)
        desk.require_champion(version, f"after a rollback to version {version}")
    revision = desk.registry.revision(NAME)
    require(revision == 5, "registry.revision after 3 promotions and 2 rollbacks", "5 moves", revision)
    desk.promote(2)
    desk.require_champion(2, "after version 2 was promoted again")


def _refuses_the_unknown(desk: _Desk) -> None:
    registry = desk.registry
    for call in (
        partial(registry.get, NAME, 1),
        partial(registry.load, NAME, "latest"),
        partial(registry.revision, NAME),
        partial(registry.promote, NAME, 1, 0),
        partial(registry.rollback, NAME, 0),
    ):
        must_refuse(call, "a call with a name under which nothing is registered")
    desk.fill()
    desk.promote(2)
    for version in (0, -1, N_VERSIONS + 1, "newest"):
        must_refuse(partial(registry.get, NAME, version), f'registry.get("digits", {version!r})')
        must_refuse(partial(registry.load, NAME, version), f'registry.load("digits", {version!r})')
    for version in (0, -1, N_VERSIONS + 1):
        must_refuse(partial(registry.promote, NAME, version, 1), f'registry.promote("digits", {version}, 1)')
    desk.require_champion(2, "after calls that were refused")
    require(
        registry.revision(NAME) == 1, "registry.revision after calls that were refused", "1", registry.revision(NAME)
    )


def _tells_who_came_late(desk: _Desk) -> None:
    desk.fill()
    seen = desk.registry.revision(NAME)
    desk.registry.promote(NAME, 1, seen)
    must_refuse(partial(desk.registry.promote, NAME, 2, seen), "registry.promote with a revision that is out of date")
    desk.require_champion(1, "after a promotion that came late")
    desk.promote(2)
    for stale in (seen, seen + 1, seen + 3):
        call = f"registry.rollback with expected_revision {stale} where it is {seen + 2}"
        must_refuse(partial(desk.registry.rollback, NAME, stale), call)
    desk.require_champion(2, "after a rollback that came late")
    moves = desk.registry.revision(NAME)
    require(moves == seen + 2, "registry.revision after two promotions and refused calls", f"{seen + 2}", moves)


def _keeps_names_apart(desk: _Desk) -> None:
    desk.fill()
    desk.promote(3)
    other = desk.register(1, name=OTHER_NAME)
    require(other.version == 1, "registry.register under another name", "version 1: each name counts alone", other)
    moves = desk.registry.revision(OTHER_NAME)
    require(moves == 0, "registry.revision of another name", "0", moves)
    desk.registry.promote(OTHER_NAME, 1, 0)
    desk.require_champion(3, "after a promotion under another name")
