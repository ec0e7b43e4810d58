"""Floor 4: looks at drift every so often, on the newest rows that were served. Touches nothing outside."""

from __future__ import annotations

from collections import deque

import numpy as np

from tinytorch._arguments import check_integer, check_positive
from tinytorch.mlops.contracts import Alert, Detector, DriftReport, PredictionBatch
from tinytorch.mlops.monitor import AlertRule, Look

# Where no reference is given the first rows served become it: a thousand tell shifts of a fifth of a deviation.
DEFAULT_REFERENCE_ROWS = 1000
# Fewer rows than this find only large shifts; more cost time at every look.
DEFAULT_WINDOW_ROWS = 1000
MINIMUM_ROWS_A_LOOK = 200
# A look has a chance of 1% to flag a window that has not drifted, and the alert wants two in a row. One a minute makes
# that about one false alert in seven days; looking at every window of a busy server would make several an hour.
DEFAULT_LOOK_EVERY_S = 60.0


class DriftWatch:
    """Feeds a detector with windows of served rows, and turns its reports into an alert that fires and clears.

    Parameters
    ----------
    detector : Detector
    reference : ndarray of shape (n, n_features), optional
        The first thousand rows that are served, when not given.
    look_every_s : float
        Least time between two looks.
    window_rows : int
        The newest rows that a look compares, at most.

    Examples
    --------
    >>> from tinytorch.mlops.drift import UnivariateDetector
    >>> rng = np.random.default_rng(0)
    >>> watch = DriftWatch(UnivariateDetector(), rng.normal(size=(500, 2)))
    >>> ids, moved = np.arange(300), rng.normal(size=(300, 2)) + 1.0
    >>> batch = PredictionBatch(ids, moved, np.zeros(300), None, np.ones(300), 60.0, model_version=1)
    >>> report, alert = watch.observe(batch)
    >>> print(report)
    drift (high) in 2 of 2 features: feature_0, feature_1
    """

    def __init__(
        self,
        detector: Detector,
        reference: np.ndarray | None = None,
        look_every_s: float = DEFAULT_LOOK_EVERY_S,
        window_rows: int = DEFAULT_WINDOW_ROWS,
    ) -> None:
        self.detector = detector
        self.look_every_s = check_positive(look_every_s, "look_every_s")
        self.window_rows = check_integer(window_rows, "window_rows", minimum=MINIMUM_ROWS_A_LOOK)
        self._is_fitted = reference is not None
        if reference is not None:
            detector.fit(reference)
        self._rows: deque[np.ndarray] = deque()
        self._n_rows = 0
        self._looked_at = -np.inf
        self._rule = AlertRule("drift", "above", "warning")

    def observe(self, batch: PredictionBatch) -> tuple[DriftReport | None, Alert | None]:
        """Take rows in; return a report if it was time for a look, and the alert if it changed."""
        self._rows.append(batch.features)
        self._n_rows += len(batch)
        if not self._is_fitted:
            self._fit_when_full()
            return None, None
        while self._n_rows - len(self._rows[0]) >= self.window_rows:
            self._n_rows -= len(self._rows.popleft())
        if self._n_rows < MINIMUM_ROWS_A_LOOK or batch.timestamp - self._looked_at < self.look_every_s:
            return None, None
        return self._look(batch)

    def _fit_when_full(self) -> None:
        """Learn the reference once enough rows have come."""
        if self._n_rows >= DEFAULT_REFERENCE_ROWS:
            self.detector.fit(np.concatenate(self._rows))
            self._is_fitted = True
            self._forget()

    def _look(self, batch: PredictionBatch) -> tuple[DriftReport, Alert | None]:
        """Compare the newest rows with the reference."""
        window = np.concatenate(self._rows)[-self.window_rows :]
        self._forget()  # two looks share no row: what chance did to one it did not do to the next
        self._looked_at = batch.timestamp
        report = self.detector.detect_drift(window, batch.timestamp)
        look = Look(float(report.is_drifted.sum()), 0.0, 0.0, batch.timestamp, batch.model_version)
        return report, self._rule.update(look)

    def _forget(self) -> None:
        """Begin a new window."""
        self._rows.clear()
        self._n_rows = 0
