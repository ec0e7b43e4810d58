"""Floor 1: the traffic since the last deployment. A new champion begins a new chapter. May import contracts."""

from __future__ import annotations

from collections import deque

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.mlops.contracts import DriftReport

# Five batches of forty requests show a shift of one pixel that a single batch hides.
DEFAULT_WINDOW_BATCHES = 5
# Traffic remembered as the next reference: enough for any test, and bounded.
DEFAULT_REFERENCE_BATCHES = 100


class TrafficChapter:
    """Remembers what came in since a moment: the newest window, and since when it drifts.

    Parameters
    ----------
    began_at : float
        Seconds since the epoch.
    window_batches : int
        How many batches a detector is shown at once.

    Examples
    --------
    >>> chapter = TrafficChapter(began_at=0.0, window_batches=2)
    >>> chapter.add(np.zeros((40, 3)), now=0.0)
    >>> chapter.window() is None
    True
    >>> chapter.add(np.ones((40, 3)), now=60.0)
    >>> chapter.window().shape
    (80, 3)
    """

    def __init__(self, began_at: float, window_batches: int = DEFAULT_WINDOW_BATCHES) -> None:
        self.began_at = began_at
        self.window_batches = check_integer(window_batches, "window_batches", minimum=1)
        self.report: DriftReport | None = None
        self.drift_since: float | None = None
        self._batches: deque[tuple[float, np.ndarray]] = deque(
            maxlen=max(DEFAULT_REFERENCE_BATCHES, self.window_batches)
        )

    @property
    def relevant_since(self) -> float:
        """From when on traffic is like today's: the first drifted batch or, without drift, the beginning."""
        return self.began_at if self.drift_since is None else self.drift_since

    def add(self, features: np.ndarray, now: float) -> None:
        """Remember a batch of shape (n, n_features); one without rows is passed over."""
        if len(features):
            self._batches.append((now, features))

    def window(self) -> np.ndarray | None:
        """Return the newest batches as one table, or None while there are too few."""
        if len(self._batches) < self.window_batches:
            return None
        return np.concatenate([features for _, features in list(self._batches)[-self.window_batches :]])

    def take_report(self, report: DriftReport) -> bool:
        """Keep the newest report, and tell whether drift has just begun or just ended."""
        was_drifting = self.report is not None and self.report.drifted
        self.report = report
        if report.drifted and self.drift_since is None and self._batches:
            self.drift_since = self._batches[-1][0]
        return report.drifted != was_drifting

    def reference(self) -> np.ndarray:
        """Return the traffic that a new champion should be compared with: all that is like today's."""
        return np.concatenate([features for moment, features in self._batches if moment >= self.relevant_since])
