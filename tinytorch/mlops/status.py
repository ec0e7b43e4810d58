"""Floor 1: the records in which the pipeline tells people where it stands. May import contracts."""

from __future__ import annotations

from dataclasses import dataclass

from tinytorch.mlops.contracts import Alert, DriftReport, ModelVersion, Record


@dataclass(frozen=True)
class Event(Record):
    """Something that happened in the loop, for timelines and audits.

    Examples
    --------
    >>> print(Event(3600.0, "drift", "drift (high) in 3 of 64 features"))
    drift: drift (high) in 3 of 64 features
    """

    timestamp: float
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass(frozen=True)
class SystemHealth(Record):
    """What is wrong at this moment, if anything is.

    Examples
    --------
    >>> print(SystemHealth((), None, None))
    healthy
    """

    firing_alerts: tuple[Alert, ...]
    drift_report: DriftReport | None
    challenger_version: int | None

    @property
    def healthy(self) -> bool:
        """Whether no alert is firing. Drift alone is not damage."""
        return not self.firing_alerts

    def __str__(self) -> str:
        if self.healthy:
            return "healthy"
        return "; ".join(str(alert) for alert in self.firing_alerts)


@dataclass(frozen=True)
class PipelineStatus(Record):
    """Where the loop stands: who serves, who is on trial, and what has happened so far.

    Examples
    --------
    >>> print(PipelineStatus(ModelVersion("digits", version=1), None, 0.0, 120, ()))
    version 1 serves, 120 requests answered
    """

    champion: ModelVersion
    challenger: ModelVersion | None
    challenger_weight: float
    n_requests: int
    events: tuple[Event, ...]

    def __str__(self) -> str:
        trial = f", version {self.challenger.version} on trial" if self.challenger else ""
        return f"version {self.champion.version} serves{trial}, {self.n_requests} requests answered"
