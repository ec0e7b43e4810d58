"""Floor 4: what the page of a finished demo shows, as plain records. May import contracts and `status`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinytorch.mlops.contracts import DriftReport, LabelledBatch, ModelVersion, PredictionBatch
from tinytorch.mlops.status import Event

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, eq=False)
class PageStep:
    """One step of traffic: the champion's answers, then the challenger's, and the newest drift report.

    Examples
    --------
    >>> PageStep(timestamp=7200.0, batches=(), report=None).hour
    2.0
    """

    timestamp: float
    batches: tuple[PredictionBatch, ...]
    report: DriftReport | None

    @property
    def hour(self) -> float:
        """Hours since the epoch of the stream."""
        return self.timestamp / SECONDS_PER_HOUR


@dataclass(frozen=True, eq=False)
class DemoPageData:
    """A finished demo, ready to be drawn.

    Attributes
    ----------
    kind : str
        What drifted, or "none".
    severity : float
        From 0 to 1.
    seed : int
    expected : "harmful", "harmless" or "none"
    checks : tuple of (str, bool)
        Every sentence that should hold, and whether it does.
    starting_accuracy : float
    final_interval : tuple of two floats
        95% interval of the accuracy on the newest `n_judged` labelled answers.
    n_judged : int
    tolerated_loss : float
        How far below the starting accuracy still counts as recovered.
    drift_began_at : float or None
        In seconds since the epoch; None if nothing drifts.
    steps : tuple of PageStep
    labelled : tuple of LabelledBatch
        One for each step of traffic, in the order of serving.
    events : tuple of Event
    versions : tuple of ModelVersion
        In the order of their numbers.
    champion : int
        The version that serves at the end.
    reference : ndarray of shape (n, 64)
        The images that the first model was trained on.
    origins : tuple of str
        Where the parts of the loop came from, in words.
    """

    kind: str
    severity: float
    seed: int
    expected: Literal["harmful", "harmless", "none"]
    checks: tuple[tuple[str, bool], ...]
    starting_accuracy: float
    final_interval: tuple[float, float]
    n_judged: int
    tolerated_loss: float
    drift_began_at: float | None
    steps: tuple[PageStep, ...]
    labelled: tuple[LabelledBatch, ...]
    events: tuple[Event, ...]
    versions: tuple[ModelVersion, ...]
    champion: int
    reference: np.ndarray
    origins: tuple[str, ...]

    @property
    def as_declared(self) -> bool:
        """Whether everything that should hold does."""
        return all(holds for _, holds in self.checks)

    @property
    def served_steps(self) -> tuple[PageStep, ...]:
        """The steps in which requests were answered."""
        return tuple(step for step in self.steps if step.batches)

    @property
    def false_alarms(self) -> tuple[Event, ...]:
        """Drift flagged or an alert fired although nothing had drifted yet."""
        alarms = [event for event in self.events if event.kind in ("drift", "alert")]
        return tuple(alarm for alarm in alarms if self.drift_began_at is None or alarm.timestamp < self.drift_began_at)

    def events_of(self, kind: str) -> tuple[Event, ...]:
        """Return the events of one kind, in their order."""
        return tuple(event for event in self.events if event.kind == kind)

    def first_hour(self, kind: str) -> float | None:
        """Return the hour of the first event of a kind; None if there was none."""
        found = self.events_of(kind)
        return found[0].timestamp / SECONDS_PER_HOUR if found else None
