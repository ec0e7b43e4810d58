"""Floor 2, monitor: accuracy over a window of late labels, and latency, each with an alert that fires and clears.

What it adds to the lesson's monitor: a window that is independent of how labels are cut into batches, the baseline's
own sampling error, latency percentiles and hysteresis. May import contracts, the prediction log and `stats`.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from tinytorch._arguments import check_in_range, check_integer, check_positive
from tinytorch.mlops.contracts import Alert, LabelBatch, PredictionBatch
from tinytorch.mlops.monitor.alert_rule import AlertRule, Look
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.validate import check_text
from tinytorch.stats import Interval, TrendResult, trend_test, two_proportion_test, wilson_interval

# A fall of four standard errors is chance in 1 look of 30,000 by the normal law, so that hundreds of looks stay quiet.
DEFAULT_ALERT_STANDARD_ERRORS = 4.0
# The alert clears when accuracy is back within two standard errors of the baseline, as a healthy model is 98% of looks.
CLEARING_STANDARD_ERRORS = 2.0
# 120 labels give an accuracy of 95% a standard error of 2 points: a fall of 10 points stands out.
DEFAULT_WINDOW_SIZE = 120
# Fewer labels than this say too little to alert on.
DEFAULT_MINIMUM_LABELS = 40
# One second: the length at which a person notices waiting (Nielsen 1993, chapter 5).
DEFAULT_MAXIMUM_LATENCY_MS = 1000.0
# The median, the slow end and the slowest: an average would hide what one user in a hundred suffers.
LATENCY_PERCENTILES = (50.0, 95.0, 99.0)
# Looks remembered for the trend: the comparison of every pair of them stays within a fraction of a second.
TREND_LOOKS = 1000


class WindowedMonitor:
    """Watches one model: accuracy over the newest labels, latency percentiles, alerts with hysteresis.

    The accuracy alert fires when the window's accuracy lies `standard_errors` below the baseline in two looks running
    (a look is a call to `record_labels`). The standard error counts both the window's size and the baseline's.

    Parameters
    ----------
    model_name : str
    baseline_accuracy : float
        Measured on `n_baseline` rows that the model was not trained on.
    n_baseline : int
    window_size : int
        How many of the newest labelled answers count.
    standard_errors : float
        How far below the baseline a look is a breach. With 4.0, a full window of 120, a baseline of 200 rows and
        independent answers, chance makes a breach of less than 1 look in 10,000, whatever the accuracy; a test works
        it out. Where a window holds less than one error on average (an accuracy above 99%), take a wider one.

    Examples
    --------
    >>> monitor = WindowedMonitor("digits", baseline_accuracy=0.95, n_baseline=200)
    >>> ids = np.arange(100)
    >>> batch = PredictionBatch(ids, np.zeros((100, 1)), np.zeros(100), None, np.ones(100), 0.0, model_version=1)
    >>> monitor.observe(batch)
    ()
    >>> half_wrong = LabelBatch(ids[:50], np.arange(50) % 2, timestamp=60.0)
    >>> monitor.record_labels(half_wrong)
    ()
    >>> alerts = monitor.record_labels(LabelBatch(ids[50:], np.arange(50) % 2, timestamp=120.0))
    >>> print(alerts[0])
    accuracy_low firing (critical): 0.5 is below 0.81, 2 looks in a row
    """

    def __init__(
        self,
        model_name: str,
        baseline_accuracy: float,
        n_baseline: int,
        window_size: int = DEFAULT_WINDOW_SIZE,
        standard_errors: float = DEFAULT_ALERT_STANDARD_ERRORS,
    ) -> None:
        self.model_name = check_text(model_name, "model_name")
        self.window_size = check_integer(window_size, "window_size", minimum=DEFAULT_MINIMUM_LABELS)
        self.standard_errors = check_positive(standard_errors, "standard_errors")
        self._rules = (AlertRule("accuracy_low", "below"), AlertRule("latency_high", "above", "warning"))
        self.reset_baseline(baseline_accuracy, n_baseline)

    def reset_baseline(self, baseline_accuracy: float, n_baseline: int) -> None:
        """Begin again for a newly deployed model: new baseline, empty window, no alert firing."""
        check_in_range(baseline_accuracy, "baseline_accuracy", 0.0, 1.0)
        self.n_baseline = check_integer(n_baseline, "n_baseline", minimum=1)
        self.baseline_accuracy = baseline_accuracy
        self._log = PredictionLog()
        self._correct: deque[bool] = deque(maxlen=self.window_size)
        self._latency_ms: deque[float] = deque(maxlen=self.window_size)
        self._accuracies: deque[float] = deque(maxlen=TREND_LOOKS)
        for rule in self._rules:
            rule.reset()

    def observe(self, batch: PredictionBatch) -> tuple[Alert, ...]:
        """Take in a batch of answers; return a latency alert if its state changed."""
        self._log.add(batch)
        self._latency_ms.extend(batch.latency_ms.tolist())
        if not len(batch):
            return ()
        slow_ms = float(self.latency_percentiles_ms()[1])
        limit = DEFAULT_MAXIMUM_LATENCY_MS
        alert = self._rules[1].update(Look(slow_ms, limit, limit, batch.timestamp, batch.model_version))
        return (alert,) if alert else ()

    def record_labels(self, label_batch: LabelBatch) -> tuple[Alert, ...]:
        """Take in late labels; return an accuracy alert if its state changed."""
        labelled = self._log.join(label_batch)
        self._correct.extend(labelled.correct.tolist())
        if not len(labelled) or len(self._correct) < DEFAULT_MINIMUM_LABELS:
            return ()
        accuracy = float(np.mean(self._correct))
        self._accuracies.append(accuracy)
        fire_at = self._threshold(self.standard_errors)
        clear_at = self._threshold(min(CLEARING_STANDARD_ERRORS, self.standard_errors))
        version = int(labelled.model_versions[-1])
        alert = self._rules[0].update(Look(accuracy, fire_at, clear_at, label_batch.timestamp, version))
        return (alert,) if alert else ()

    def firing_alerts(self) -> tuple[Alert, ...]:
        """Return the alerts that are firing now."""
        return tuple(rule.firing for rule in self._rules if rule.firing is not None)

    def accuracy_interval(self, confidence: float = 0.95) -> Interval:
        """Return Wilson's interval of the window's accuracy, each bound of shape (1,); (0, 1) without labels."""
        if not self._correct:
            return Interval(np.zeros(1), np.ones(1))
        return wilson_interval(np.array([sum(self._correct)]), np.array([len(self._correct)]), confidence)

    def latency_percentiles_ms(self) -> np.ndarray:
        """Return the 50th, 95th and 99th percentile of recent latencies in milliseconds; NaN before the first."""
        if not self._latency_ms:
            return np.full(len(LATENCY_PERCENTILES), np.nan)
        return np.percentile(np.fromiter(self._latency_ms, np.float64), LATENCY_PERCENTILES)

    def performance_trend(self) -> TrendResult:
        """Return the trend of the accuracies seen at each look, with its own significance.

        Windows overlap, so neighbouring looks resemble each other: read the p-value as an indication.

        Raises
        ------
        ValueError
            If there have been fewer than 2 looks.
        """
        return trend_test(np.array(self._accuracies))

    def _threshold(self, standard_errors: float) -> float:
        """Return the accuracy below which the window lies `standard_errors` under the baseline.

        The standard error is that of the two-proportion test, from both samples pooled: a baseline that was lucky
        on its few rows then does not claim to be known better than it is.
        """
        n_right = np.arange(len(self._correct) + 1)
        baseline_right = round(self.baseline_accuracy * self.n_baseline)
        z = two_proportion_test(baseline_right, self.n_baseline, n_right, len(self._correct)).statistic
        n_too_low = int((z <= -standard_errors).sum())
        return n_too_low / len(self._correct)
