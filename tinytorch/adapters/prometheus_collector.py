"""Floor 4: what a monitored model shows to Prometheus, by prometheus-client (`observe` extra).

Prometheus asks every few seconds, while predictions come by the thousand: so a batch is counted in numpy, and text is
made only when somebody asks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from tinytorch._arguments import check_positive
from tinytorch.mlops.contracts import Alert, DriftReport, PredictionBatch
from tinytorch.mlops.monitor import Metric
from tinytorch.mlops.validate import check_text, to_array

# In seconds, as Prometheus wants durations; from a network of a few layers on numpy to the longest that a person waits.
LATENCY_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
MILLISECONDS = 1000.0
BOUND_LABELS = ("low", "high")


@dataclass
class _Latencies:
    """How many answers of one version fell into each bin of latency, and their sum in seconds."""

    counts: np.ndarray
    total_s: float = 0.0


@dataclass
class _State:
    """All that is shown; replaced or added to under the collector's lock."""

    latencies: dict[int, _Latencies] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    report: DriftReport | None = None
    firing: dict[tuple[str, str], int] = field(default_factory=dict)


class ModelCollector(Collector):
    """Answers Prometheus about one model: predictions, latency, quality with intervals, drift per feature, alerts.

    Register it with a `prometheus_client.CollectorRegistry` and serve that with `prometheus_client.start_http_server`.

    Parameters
    ----------
    model_name : str
        The label `model` of every series.
    bounds_s : sequence of float
        Upper bounds of the latency bins in seconds, rising.

    Raises
    ------
    ValueError
        If the name is empty, or the bounds are not positive and rising.

    Examples
    --------
    >>> from prometheus_client import CollectorRegistry, generate_latest
    >>> registry, collector = CollectorRegistry(), ModelCollector("digits")
    >>> registry.register(collector)
    >>> collector.observe(PredictionBatch([1], [[0.0]], [3], None, [0.2], timestamp=0.0, model_version=1))
    >>> [line for line in generate_latest(registry).decode().splitlines() if line.startswith("tinytorch_predictions")]
    ['tinytorch_predictions_total{model="digits",version="1"} 1.0']
    """

    def __init__(self, model_name: str, bounds_s: Iterable[float] = LATENCY_BOUNDS_S) -> None:
        self.model_name = check_text(model_name, "model_name")
        self.bounds_s = tuple(bounds_s)
        for bound in self.bounds_s:
            check_positive(bound, "bounds_s")
        if list(self.bounds_s) != sorted(set(self.bounds_s)) or not self.bounds_s:
            raise ValueError(f"bounds_s must rise, got {self.bounds_s}.")
        self._bounds_ms = MILLISECONDS * to_array(self.bounds_s)
        self._state, self._lock = _State(), threading.Lock()

    def observe(self, batch: PredictionBatch) -> None:
        """Count a batch of answers."""
        bins = np.searchsorted(self._bounds_ms, batch.latency_ms)
        counts = np.bincount(bins, minlength=len(self.bounds_s) + 1)
        with self._lock:
            empty = _Latencies(np.zeros(len(self.bounds_s) + 1, dtype=np.int64))
            of_version = self._state.latencies.setdefault(batch.model_version, empty)
            of_version.counts += counts
            of_version.total_s += float(batch.latency_ms.sum()) / MILLISECONDS

    def set_metrics(self, metrics: Iterable[Metric]) -> None:
        """Show these figures, each in place of the one of the same name."""
        shown = {metric.name: metric for metric in metrics}
        with self._lock:
            self._state.metrics.update(shown)

    def set_report(self, report: DriftReport) -> None:
        """Show this drift report in place of the last one."""
        if not isinstance(report, DriftReport):
            raise ValueError(f"report must be a DriftReport, got {type(report).__name__}.")
        with self._lock:
            self._state.report = report

    def set_alerts(self, alerts: Iterable[Alert]) -> None:
        """Follow changes of alerts: 1 while one fires, 0 after it was resolved."""
        shown = [((item.rule, item.severity), int(item.state == "firing")) for item in alerts]
        with self._lock:
            self._state.firing.update(shown)

    def collect(self) -> list[Family]:
        """Return all series; prometheus-client calls it whenever somebody asks."""
        with self._lock:
            return [*self._traffic(), *self._quality(), *self._drift(), *self._alerts()]

    def _traffic(self) -> list[Family]:
        """Predictions and their latency, by version."""
        labels = ["model", "version"]
        total = CounterMetricFamily("tinytorch_predictions", "Answers given.", labels=labels)
        latency = HistogramMetricFamily("tinytorch_latency_seconds", "Time from request to answer.", labels=labels)
        bounds = [*map(str, self.bounds_s), "+Inf"]
        for version, seen in sorted(self._state.latencies.items()):
            running = np.cumsum(seen.counts).tolist()
            total.add_metric([self.model_name, str(version)], running[-1])
            latency.add_metric(
                [self.model_name, str(version)], list(zip(bounds, running, strict=True)), sum_value=seen.total_s
            )
        return [total, latency]

    def _quality(self) -> list[Family]:
        """Quality figures with the ends of their intervals, and how many rows they rest on."""
        labels = ["model", "metric"]
        value = GaugeMetricFamily("tinytorch_quality", "A quality figure of the model.", labels=labels)
        bounds = GaugeMetricFamily("tinytorch_quality_bound", "Ends of its interval.", labels=[*labels, "bound"])
        rows = GaugeMetricFamily("tinytorch_quality_rows", "Labelled answers that it rests on.", labels=labels)
        for name, metric in self._state.metrics.items():
            value.add_metric([self.model_name, name], metric.value)
            rows.add_metric([self.model_name, name], metric.n)
            for bound in BOUND_LABELS:
                bounds.add_metric([self.model_name, name, bound], getattr(metric, bound))
        return [value, bounds, rows]

    def _drift(self) -> list[Family]:
        """Effect size and verdict of the newest drift report, by feature."""
        labels = ["model", "feature"]
        effect = GaugeMetricFamily("tinytorch_drift_effect_size", "Shift in the report's own unit.", labels=labels)
        drifted = GaugeMetricFamily("tinytorch_drift_detected", "1 if the feature has drifted.", labels=labels)
        report = self._state.report
        if report is not None:
            rows = zip(report.feature_names, report.effect_size.tolist(), report.is_drifted.tolist(), strict=True)
            for name, size, is_drifted in rows:
                effect.add_metric([self.model_name, name], size)
                drifted.add_metric([self.model_name, name], float(is_drifted))
        return [effect, drifted]

    def _alerts(self) -> list[Family]:
        """Whether each alert that was ever heard of fires."""
        family = GaugeMetricFamily(
            "tinytorch_alert_firing", "1 while the alert fires.", labels=["model", "rule", "severity"]
        )
        for (rule, severity), firing in self._state.firing.items():
            family.add_metric([self.model_name, rule, severity], firing)
        return [family]
