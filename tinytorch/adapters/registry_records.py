"""Floor 4: what the durable registry says: where a version came from, who changed what when, what was serving."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

import numpy as np

import tinytorch
from tinytorch._arguments import check_integer
from tinytorch.adapters.artifacts import Artifact
from tinytorch.mlops._record import Record
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.validate import check_text


def current_libraries() -> dict[str, str]:
    """Return the versions that answers depend on.

    Examples
    --------
    >>> sorted(current_libraries())
    ['numpy', 'python', 'tinytorch-mlops']
    """
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tinytorch-mlops": tinytorch.__version__,
    }


@dataclass(frozen=True)
class Provenance(Record):
    """What it takes to train a version again, besides its data.

    Attributes
    ----------
    seed : int or None
    code_version : str
        Of the training code, such as a commit; empty if unknown.
    library_versions : mapping of str to str
        Those of this process when not given.

    Examples
    --------
    >>> Provenance(seed=3, code_version="4f2a").seed
    3
    """

    seed: int | None = None
    code_version: str = ""
    library_versions: Mapping[str, str] = field(default_factory=current_libraries)

    def __post_init__(self) -> None:
        if self.seed is not None:
            check_integer(self.seed, "seed", minimum=0)
        check_text(self.code_version, "code_version", allow_empty=True)
        object.__setattr__(self, "library_versions", dict(self.library_versions))


@dataclass(frozen=True)
class RegistryChange(Record):
    """One entry of the audit log.

    Attributes
    ----------
    sequence : int
        Its place in the log of the whole registry, from 1.
    name : str
        Of the model.
    action : str
        "register", "promote", "rollback" or "alias".
    alias : str
        What was moved; empty when a version was registered.
    version, previous : int or None
        Where it points now and where it pointed before; None is nowhere.
    revision : int
        How often this alias has moved; 0 for a registration.
    actor, reason : str
        Who did it, and why, as far as that was said.
    moment : float
        When, in seconds since the epoch, corrected for jumps of the clock.
    clock_s : float
        What the clock said then.

    Examples
    --------
    >>> print(RegistryChange(3, "digits", "promote", "champion", 2, 1, 2, "ada", "", 0.0, 0.0))
    1970-01-01 00:00:00Z  ada: promote champion to version 2 (before: 1), revision 2
    """

    sequence: int
    name: str
    action: str
    alias: str
    version: int | None
    previous: int | None
    revision: int
    actor: str
    reason: str
    moment: float
    clock_s: float

    def __str__(self) -> str:
        when = f"{as_utc(self.moment)}  {self.actor}: "
        why = f" ({self.reason})" if self.reason else ""
        if self.action == "register":
            return f"{when}register version {self.version}{why}"
        where = "nowhere" if self.version is None else f"version {self.version}"
        before = f"(before: {self.previous}), revision {self.revision}"
        return f"{when}{self.action} {self.alias} to {where} {before}{why}"


@dataclass(frozen=True)
class Registration(Record):
    """All that is kept about one version.

    Attributes
    ----------
    entry : ModelVersion
    kind : str
        "network", "onnx", "callable" or "url".
    source : str
        What it is, in words.
    artifact : Artifact
    provenance : Provenance
    aliases : tuple of str
        What points at it now.
    registered : RegistryChange
        Who registered it, and when.

    Examples
    --------
    >>> change = RegistryChange(1, "digits", "register", "", 1, None, 0, "ada", "", 0.0, 0.0)
    >>> artifact = Artifact.of(b"weights", ".npz")
    >>> kept = Registration(ModelVersion("digits", 1), "network", "Linear", artifact, Provenance(), (), change)
    >>> kept.entry.version
    1
    """

    entry: ModelVersion
    kind: str
    source: str
    artifact: Artifact
    provenance: Provenance
    aliases: tuple[str, ...]
    registered: RegistryChange


def as_utc(moment: float) -> str:
    """Return a moment in seconds since the epoch as people write it.

    Examples
    --------
    >>> as_utc(60.0)
    '1970-01-01 00:01:00Z'
    """
    return datetime.fromtimestamp(moment, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
