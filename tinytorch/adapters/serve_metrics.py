"""Floor 4: what a server tells Prometheus at /metrics: its models' figures, and how the server itself is doing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from tinytorch.adapters.serve_log import ObservationLog
from tinytorch.adapters.serve_models import ServedModel


class ServerCollector(Collector):
    """Answers Prometheus about the server: answers by status, and each model's champion, revision and log.

    Parameters
    ----------
    models : sequence of (ServedModel, ObservationLog)
    read_statuses : callable
        Returns how many inference requests were answered with each HTTP status.

    Examples
    --------
    >>> [family.name for family in ServerCollector([], lambda: {200: 3}).collect()][:2]
    ['tinytorch_requests', 'tinytorch_champion_version']
    """

    def __init__(
        self, models: Sequence[tuple[ServedModel, ObservationLog]], read_statuses: Callable[[], Mapping[int, int]]
    ) -> None:
        self.models = tuple(models)
        self.read_statuses = read_statuses

    def collect(self) -> list[Family]:
        """Return all series; prometheus-client calls it whenever somebody asks."""
        requests = CounterMetricFamily("tinytorch_requests", "Inference requests by HTTP status.", labels=["status"])
        for status, count in sorted(self.read_statuses().items()):
            requests.add_metric([str(status)], count)
        champion = GaugeMetricFamily("tinytorch_champion_version", "The version in charge.", labels=["model"])
        waiting = GaugeMetricFamily("tinytorch_log_waiting_values", "Numbers not yet in the log.", labels=["model"])
        dropped = CounterMetricFamily("tinytorch_log_dropped", "Answers that are not in the log.", labels=["model"])
        errors = CounterMetricFamily("tinytorch_log_errors", "Faults of the log or of an observer.", labels=["model"])
        for model, log in self.models:
            counts = log.counts()
            if model.champion is not None:
                champion.add_metric([model.name], model.champion.number)
            waiting.add_metric([model.name], counts.n_waiting_values)
            dropped.add_metric([model.name], counts.n_dropped)
            errors.add_metric([model.name], counts.n_errors)
        return [requests, champion, waiting, dropped, errors]


class MergedCollector(Collector):
    """Several models' collectors as one: Prometheus wants each family once, with the series of all of them in it.

    Examples
    --------
    >>> one = ServerCollector([], lambda: {200: 3})
    >>> [len(family.samples) for family in MergedCollector([one, one]).collect()][0]
    2
    """

    def __init__(self, collectors: Iterable[Collector]) -> None:
        self.collectors = tuple(collectors)

    def collect(self) -> list[Family]:
        """Return every family once."""
        families: dict[str, Family] = {}
        for family in (family for collector in self.collectors for family in collector.collect()):
            if family.name in families:
                families[family.name].samples.extend(family.samples)
            else:
                families[family.name] = family
        return list(families.values())


def metrics_writer(collectors: Sequence[Collector]) -> Callable[[], bytes]:
    """Return a function that writes what these collectors show, as Prometheus reads it.

    Examples
    --------
    >>> metrics_writer([ServerCollector([], dict)])().splitlines()[1]
    b'# TYPE tinytorch_requests_total counter'
    """
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return lambda: generate_latest(registry)
