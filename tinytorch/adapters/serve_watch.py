"""Floor 4: what watches a served model in its log's thread: journal, monitor, drift, metrics, and where alerts go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from tinytorch.adapters.serve_batches import FailedAnswer
from tinytorch.adapters.serve_drift import DEFAULT_LOOK_EVERY_S, DriftWatch
from tinytorch.adapters.serve_log import Journal, Observer
from tinytorch.adapters.serve_models import ServedModel
from tinytorch.adapters.sinks import Sink
from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.mlops._record import Record
from tinytorch.mlops.contracts import Alert, DriftReport, LabelBatch, LabelledBatch, ModelVersion, PredictionBatch
from tinytorch.mlops.drift import UnivariateDetector
from tinytorch.mlops.monitor import WindowedMonitor
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.status import Event

logger = logging.getLogger("tinytorch.serve")
# What a version says of itself in the registry: its accuracy on held-out rows, and on how many.
ACCURACY, N_ROWS = "accuracy", "n_rows"
# Without these figures nobody knows what to expect: an accuracy of 0 cannot be fallen below.
NO_BASELINE = (0.0, 1)


class Collector(Protocol):
    """Shows figures to Prometheus: `prometheus_collector.ModelCollector`.

    Examples
    --------
    >>> hasattr(Collector, "set_report")
    True
    """

    def observe(self, batch: PredictionBatch) -> None:
        """Count a batch of answers."""

    def set_report(self, report: DriftReport) -> None:
        """Show this drift report."""

    def set_alerts(self, alerts: Sequence[Alert]) -> None:
        """Follow changes of alerts."""


@dataclass(frozen=True, eq=False)
class WatchSettings:
    """How a served model is watched.

    Attributes
    ----------
    log_path : Path or None
        The monitoring store; without one, answers wait for their labels in memory.
    reference : ndarray of shape (n, n_features) or None
        What drift is measured against; the first rows served, when None.
    look_every_s : float
        Between two looks at drift.
    sinks : tuple of Sink
        Where alerts go.
    collector : Collector or None
    observers : tuple of Observer
        Further ones, a rollout's for one.

    Examples
    --------
    >>> WatchSettings().log_path is None
    True
    """

    log_path: Path | None = None
    reference: np.ndarray | None = None
    look_every_s: float = DEFAULT_LOOK_EVERY_S
    sinks: tuple[Sink, ...] = ()
    collector: Collector | None = None
    observers: tuple[Observer, ...] = ()


class StoreJournal:
    """A monitoring store as the journal of a server, whose clients may use an id again after a restart.

    Examples
    --------
    >>> import tempfile
    >>> batch = PredictionBatch(["7"], [[0.0]], [1], None, [0.2], timestamp=0.0, model_version=1)
    >>> with tempfile.TemporaryDirectory() as folder, MonitoringStore(f"{folder}/m.db", "digits") as store:
    ...     journal = StoreJournal(store)
    ...     journal.add(batch)
    ...     journal.add(batch)
    ...     len(store.join_labels(LabelBatch(["7", "7~0"], [1, 1], timestamp=60.0)))
    2
    """

    def __init__(self, store: MonitoringStore) -> None:
        self.store = store

    def add(self, batch: PredictionBatch) -> None:
        """Write a batch; an id that is in the store already is written under a new name: `7~TIME` for `7`.

        Raises
        ------
        ValueError
            If the features have another width than those in the store.
        """
        try:
            self.store.add_predictions(batch)
        except ValueError:
            if len(batch) > 1:  # one of them; halves find it in a few steps
                self.add(_part(batch, slice(None, len(batch) // 2)))
                self.add(_part(batch, slice(len(batch) // 2, None)))
                return
            moment = round(batch.timestamp * 1e9)
            renamed = np.array([f"{key}~{moment:x}" for key in batch.request_ids])
            self.store.add_predictions(_part(batch, slice(None), renamed))

    def join(self, labels: LabelBatch) -> LabelledBatch:
        """Join labels to the answers that wait for them."""
        return self.store.join_labels(labels)


@dataclass(eq=False)
class ModelWatch:
    """The observer that feeds the monitor and the drift detector, and hands on what they find.

    The monitor watches the champion: when another takes its place, it begins again with that version's own figures.

    Attributes
    ----------
    champion : callable
        Returns the entry of the champion of this moment, or None.
    monitor : WindowedMonitor
    drift : DriftWatch
    deliver : callable
        Takes records (alerts, drift reports, events) and the moment.

    Examples
    --------
    >>> watch = ModelWatch(lambda: None, WindowedMonitor("digits", 0.9, 200), DriftWatch(UnivariateDetector()), print)
    >>> watch.record_failures([FailedAnswer(2, "7", "boom", 60.0)])
    [Event(timestamp=60.0, kind='challenger_failed', message='version 2: boom (1 requests)')] 60.0
    """

    champion: Callable[[], ModelVersion | None]
    monitor: WindowedMonitor
    drift: DriftWatch
    deliver: Callable[[Sequence[Record], float], None]
    _watched: int | None = field(default=None, init=False)

    def observe(self, batch: PredictionBatch) -> None:
        """Watch the champion's latency, and everybody's inputs."""
        found: list[Record] = []
        champion = self.champion()
        if champion is not None and champion.version != self._watched:
            self._watched = champion.version
            self.monitor.reset_baseline(*baseline_of(champion))
        if batch.model_version == self._watched:
            found += self.monitor.observe(batch)
        found += [record for record in self.drift.observe(batch) if record is not None]
        if found:
            self.deliver(found, batch.timestamp)

    def record_failures(self, failures: Sequence[FailedAnswer]) -> None:
        """Write down what a challenger failed on: one event, with the newest reason."""
        newest = failures[-1]
        message = f"version {newest.version}: {newest.reason} ({len(failures)} requests)"
        self.deliver([Event(newest.failed_at, "challenger_failed", message)], newest.failed_at)

    def record_labels(self, labels: LabelBatch, labelled: LabelledBatch) -> None:
        """Watch the champion's accuracy."""
        alerts = self.monitor.record_labels(labels)
        if alerts:
            self.deliver(alerts, labels.timestamp)


def _part(batch: PredictionBatch, rows: slice, request_ids: np.ndarray | None = None) -> PredictionBatch:
    """Return some rows of a batch, under other ids if they are given."""
    names = ("request_ids", "features", "predictions", "probabilities", "latency_ms")
    columns = {name: getattr(batch, name) for name in names}
    parts = {name: None if column is None else column[rows] for name, column in columns.items()}
    return replace(batch, **parts if request_ids is None else {**parts, "request_ids": request_ids})


def baseline_of(version: ModelVersion) -> tuple[float, int]:
    """Return a version's own accuracy and the rows it was measured on, by its entry in the registry.

    Examples
    --------
    >>> baseline_of(ModelVersion("digits", metrics={"accuracy": 0.95, "n_rows": 200}))
    (0.95, 200)
    """
    if ACCURACY not in version.metrics or version.metrics.get(N_ROWS, 0) < 1:
        return NO_BASELINE
    return float(version.metrics[ACCURACY]), int(version.metrics[N_ROWS])


@contextmanager
def open_watch(settings: WatchSettings, model: ServedModel) -> Iterator[tuple[Journal, Sequence[Observer]]]:
    """Open everything that watches a model, in the thread that will use it, and close it at the end.

    Examples
    --------
    >>> from tinytorch.mlops.deploy import AuditedRegistry
    >>> registry = AuditedRegistry()
    >>> _ = registry.register(len, ModelVersion("digits", content_hash="aa"))
    >>> with open_watch(WatchSettings(), ServedModel(registry, "digits")) as (journal, observers):
    ...     len(observers)
    1
    """
    with ExitStack() as stack:
        store = None
        if settings.log_path is not None:
            store = stack.enter_context(MonitoringStore(settings.log_path, model.name))
        sender = stack.enter_context(ThreadPoolExecutor(1, "tinytorch-alerts"))
        delivery = _Delivery(settings, store, sender)
        monitor = WindowedMonitor(model.name, *NO_BASELINE)
        drift = DriftWatch(UnivariateDetector(), settings.reference, settings.look_every_s)
        watch = ModelWatch(lambda: model.champion.entry if model.champion else None, monitor, drift, delivery.deliver)
        yield StoreJournal(store) if store is not None else PredictionLog(), _observers(settings, watch)


def _observers(settings: WatchSettings, watch: ModelWatch) -> Sequence[Observer]:
    """Return everybody who looks on."""
    shown = () if settings.collector is None else (_Shown(settings.collector),)
    return (watch, *shown, *settings.observers)


@dataclass(frozen=True)
class _Shown:
    """A collector as an observer."""

    collector: Collector

    def observe(self, batch: PredictionBatch) -> None:
        self.collector.observe(batch)

    def record_failures(self, failures: Sequence[FailedAnswer]) -> None:
        """A challenger's failures are in the store's events."""

    def record_labels(self, labels: LabelBatch, labelled: LabelledBatch) -> None:
        """Labels are the monitor's."""


@dataclass(frozen=True)
class _Delivery:
    """Writes what was found into the store, shows it to Prometheus, and sends alerts out without waiting for them."""

    settings: WatchSettings
    store: MonitoringStore | None
    sender: ThreadPoolExecutor

    def deliver(self, records: Sequence[Record], now: float) -> None:
        """Hand records to everybody who wants them."""
        alerts = [record for record in records if isinstance(record, Alert)]
        for sink in self.settings.sinks if alerts else ():
            self.sender.submit(_send_to_sink, sink, alerts)
        if self.settings.collector is not None:
            _show_records(self.settings.collector, records, alerts)
        if self.store is not None:
            self.store.write(records, now)


def _show_records(collector: Collector, records: Sequence[Record], alerts: Sequence[Alert]) -> None:
    """Show to Prometheus what it has a place for."""
    collector.set_alerts(alerts)
    for record in records:
        if isinstance(record, DriftReport):
            collector.set_report(record)


def _send_to_sink(sink: Sink, alerts: Sequence[Alert]) -> None:
    """Send alerts; one that cannot be delivered is in the server's own log, and in the store."""
    try:
        sink.send(alerts)
    except Exception:  # a sink may be anybody's
        logger.exception("an alert was not delivered: %s", "; ".join(map(str, alerts)))
