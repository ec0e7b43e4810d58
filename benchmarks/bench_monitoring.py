"""What watching costs per prediction: counting for Prometheus, the in-memory monitor, and the store on disk.

    python benchmarks/bench_monitoring.py [--repetitions N] [--json PATH]

The floor is one pass over the latencies (`np.add.reduce`); the peer is prometheus-client's own `Histogram.observe`,
called for every prediction as its documentation shows (`observe` extra). 10,000 predictions in batches of 100; the
last row writes them to a new SQLite file, one synced transaction a batch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from prometheus_client import Histogram
from timing import Row, measure, parse_arguments, print_table, write_json

from tinytorch.adapters.prometheus_collector import LATENCY_BOUNDS_S, ModelCollector
from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.mlops.contracts import PredictionBatch
from tinytorch.mlops.monitor import WindowedMonitor

N_PREDICTIONS, BATCH_SIZE, N_FEATURES = 10_000, 100, 64
N_VALIDATION = 200
MILLISECONDS = 1e3


def make_batches(rng: np.random.Generator) -> list[PredictionBatch]:
    """Return the predictions of a model of ten classes, in batches."""
    return [
        PredictionBatch(
            np.arange(start, start + BATCH_SIZE),
            rng.random((BATCH_SIZE, N_FEATURES)),
            rng.integers(0, 10, BATCH_SIZE),
            rng.dirichlet(np.ones(10), BATCH_SIZE),
            rng.lognormal(0.0, 1.0, BATCH_SIZE),
            timestamp=float(start),
            model_version=1,
        )
        for start in range(0, N_PREDICTIONS, BATCH_SIZE)
    ]


def observe_one_by_one(batches: Sequence[PredictionBatch]) -> None:
    """Record every latency with prometheus-client's own histogram."""
    histogram = Histogram("latency_seconds", "Latency.", ["model", "version"], buckets=LATENCY_BOUNDS_S, registry=None)
    for batch in batches:
        child = histogram.labels("digits", str(batch.model_version))
        for latency_ms in batch.latency_ms.tolist():
            child.observe(latency_ms / MILLISECONDS)


def collect(batches: Sequence[PredictionBatch]) -> None:
    """Record every latency with ours."""
    collector = ModelCollector("digits")
    for batch in batches:
        collector.observe(batch)


def monitor(batches: Sequence[PredictionBatch]) -> None:
    """Hand every batch to the monitor, which keeps it until its labels come."""
    watching = WindowedMonitor("digits", baseline_accuracy=0.95, n_baseline=N_VALIDATION)
    for batch in batches:
        watching.observe(batch)


def store(batches: Sequence[PredictionBatch], folder: Path) -> None:
    """Write every batch to a store of its own on the disk."""
    with tempfile.TemporaryDirectory(dir=folder) as place, MonitoringStore(Path(place) / "m.db", "digits") as file:
        for batch in batches:
            file.add_predictions(batch)


def main() -> None:
    """Time all of them in one run."""
    options = parse_arguments("What watching costs per prediction.")
    batches = make_batches(np.random.default_rng(0))
    latencies = np.concatenate([batch.latency_ms for batch in batches])
    with tempfile.TemporaryDirectory() as folder:
        work = {
            "Prometheus, 10,000 predictions": partial(collect, batches),
            "monitor, 10,000 predictions": partial(monitor, batches),
            "store, 10,000 predictions": partial(store, batches, Path(folder)),
        }
        others = {"pass": partial(np.add.reduce, latencies), "observe": partial(observe_one_by_one, batches)}
        timings = measure(work | others, options.repetitions)
    rows = [
        Row(name, timings[name], "np.add.reduce(latencies)", timings["pass"], "observe", timings["observe"], "")
        for name in work
    ]
    print_table(rows)
    for name in (*work, "observe"):
        print(f"{name}: {timings[name].median_ms * 1e6 / N_PREDICTIONS:,.0f} ns per prediction")
    if options.json is not None:
        write_json(rows, options.json)


if __name__ == "__main__":
    main()
