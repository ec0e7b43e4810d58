"""The queue behind the answers: nothing is lost while the disk stalls, and what is wrong is said."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import numpy as np
import pytest

pytest.importorskip("orjson", reason="orjson is not installed (the serve extra brings it)")

from serving import MOST_SECONDS

from tinytorch.adapters.serve_batches import Observation, RecentIds, gather
from tinytorch.adapters.serve_drift import DriftWatch
from tinytorch.adapters.serve_log import ObservationLog
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch
from tinytorch.mlops.drift import UnivariateDetector
from tinytorch.mlops.prediction_log import PredictionLog


def answered(number: int, version: int = 1, at: float = 0.0, rows: int = 1) -> Observation:
    return Observation(version, f"r{number}", np.full((rows, 2), number), np.full((rows, 2), 0.5), 0.1, at)


class Stalling(PredictionLog):
    """A journal whose disk is full for a while."""

    def __init__(self, n_faults: int) -> None:
        super().__init__()
        self.n_faults = n_faults

    def add(self, batch: PredictionBatch) -> None:
        if self.n_faults > 0:
            self.n_faults -= 1
            raise OSError("No space left on device")
        super().add(batch)


def test_a_disk_that_is_full_for_a_while_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinytorch.adapters.serve_log.RETRY_PAUSE_S", 0.01)
    journal = Stalling(n_faults=3)
    log = ObservationLog(lambda: nullcontext((journal, ())), flush_every_s=0.01)
    log.start()
    for number in range(50):
        assert log.put(answered(number))
    counts = log.stop()
    assert (len(journal), counts.n_dropped, counts.n_waiting_values) == (50, 0, 0)
    assert counts.n_errors >= 3


def test_a_disk_that_stays_full_ends_the_stop_and_what_is_lost_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinytorch.adapters.serve_log.RETRY_PAUSE_S", 0.01)
    log = ObservationLog(lambda: nullcontext((Stalling(n_faults=10**9), ())), flush_every_s=0.01)
    log.start()
    log.put(answered(0, rows=3))
    stopping = threading.Thread(target=log.stop)
    stopping.start()
    stopping.join(MOST_SECONDS)
    assert not stopping.is_alive()
    assert log.counts().n_dropped == 3


def test_a_journal_that_cannot_be_opened_is_an_error_of_the_start() -> None:
    def broken() -> object:
        raise ValueError("path must be a monitoring store")

    with pytest.raises(ValueError, match="monitoring store"):
        ObservationLog(broken).start()  # type: ignore[arg-type]


def test_labels_find_every_answer_that_was_put_before_them() -> None:
    log = ObservationLog(lambda: nullcontext((PredictionLog(), ())), flush_every_s=MOST_SECONDS)
    log.start()
    for number in range(10):
        log.put(answered(number))
    labels = LabelBatch(np.array([f"r{number}" for number in range(10)]), np.zeros(10), 1.0)
    assert len(log.join_labels(labels).result(MOST_SECONDS)) == 10
    log.stop()


def test_answers_are_gathered_by_version_shape_and_time_and_none_is_lost() -> None:
    answers = [answered(n, version=1 + n % 2, at=0.3 * (n // 10), rows=1 + n % 3) for n in range(40)]
    batches = list(gather(answers, RecentIds(), span_s=0.25))
    assert sum(map(len, batches)) == sum(1 + n % 3 for n in range(40))
    for batch in batches:
        assert len(np.unique(batch.features[:, 0] // 10)) == 1
        assert batch.features[:, 0].astype(int).tolist() == [int(k.split("/")[0][1:]) for k in batch.request_ids]


def rows_at(rng: np.random.Generator, moment: float, shift: float) -> PredictionBatch:
    features = rng.normal(shift, size=(250, 3))
    return PredictionBatch(np.arange(250), features, np.zeros(250), None, np.ones(250), moment, 1)


def test_drift_is_looked_at_every_so_often_and_the_alert_fires_and_clears() -> None:
    rng = np.random.default_rng(0)
    watch = DriftWatch(UnivariateDetector(), look_every_s=60.0)
    shifts = [0.0] * 6 + [1.0] * 4 + [0.0] * 4
    found = [watch.observe(rows_at(rng, 60.0 * place, shift)) for place, shift in enumerate(shifts)]
    reports = [report is not None for report, _ in found]
    assert reports == [False] * 4 + [True] * 10  # four batches make the reference
    assert [(place, alert.state) for place, (_, alert) in enumerate(found) if alert] == [
        (7, "firing"),
        (11, "resolved"),
    ]


def test_two_looks_are_never_closer_than_asked_for() -> None:
    rng = np.random.default_rng(1)
    watch = DriftWatch(UnivariateDetector(), rng.normal(size=(500, 3)), look_every_s=60.0)
    moments = [10.0 * place for place in range(20)]
    looks = [moment for moment in moments if watch.observe(rows_at(rng, moment, 0.0))[0] is not None]
    assert looks == [0.0, 60.0, 120.0, 180.0]
