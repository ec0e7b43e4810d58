"""The monitoring store: what went in comes out, all or nothing, from several processes, and across versions."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from batches import answered
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.adapters.sqlite_file import schema_version
from tinytorch.adapters.sqlite_store import IDS_AT_ONCE, MonitoringStore
from tinytorch.adapters.store_schema import FIRST_VERSION, MIGRATIONS, open_store
from tinytorch.mlops.contracts import Alert, DriftReport, LabelBatch, PredictionBatch
from tinytorch.mlops.monitor import Metric
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.status import Event


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MonitoringStore]:
    with MonitoringStore(tmp_path / "m.db", "digits") as opened:
        yield opened


def a_batch(ids: list, timestamp: float = 0.0, width: int = 3) -> PredictionBatch:
    rng = np.random.default_rng(len(ids))
    probabilities = rng.dirichlet(np.ones(4), size=len(ids))
    return PredictionBatch(
        ids,
        rng.normal(size=(len(ids), width)),
        probabilities.argmax(axis=1),
        probabilities,
        rng.uniform(0, 9, len(ids)),
        timestamp,
        model_version=2,
    )


@pytest.mark.parametrize("ids", [[1, 2, 3], ["a", "b", "c"], list(range(IDS_AT_ONCE + 7))])
def test_labels_find_their_predictions_as_in_memory(ids: list, store: MonitoringStore) -> None:
    batch, labels = a_batch(ids), LabelBatch(ids[1:], [0] * (len(ids) - 1), timestamp=60.0)
    log = PredictionLog()
    log.add(batch)
    store.add_predictions(batch)
    ours, theirs = store.join_labels(labels), log.join(labels)
    assert ours.to_dict() == theirs.to_dict()
    again = store.join_labels(labels)
    assert (len(again), again.n_unmatched) == (0, len(ids) - 1)


@settings(deadline=None, derandomize=True, max_examples=12)
@given(order=st.permutations(range(12)), cuts=st.lists(st.integers(0, 12), max_size=3))
def test_labels_in_any_order_and_cut_end_in_the_same_place(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cuts: list[int]
) -> None:
    with MonitoringStore(tmp_path_factory.mktemp("s") / "m.db", "digits") as store:
        store.add_predictions(a_batch(list(range(12))))
        bounds = [0, *sorted(cuts), 12]
        parts = [order[start:stop] for start, stop in itertools.pairwise(bounds)]
        joined = [store.join_labels(LabelBatch(part, [key % 4 for key in part], timestamp=60.0)) for part in parts]
        assert sum(map(len, joined)) == 12
        assert (store.labelled_since(0.0).labels == np.arange(12) % 4).all()


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    report = DriftReport(("a",), "KS", [0.1], [0.2], [0.2], [0.3], [0.0], 0.01, 0.1, 50, 50, timestamp=30.0)
    records = [
        Metric("accuracy", 0.9, 0.8, 0.95, n=40),
        Alert("accuracy_low", "firing", "critical", 0.8, 0.9, 20.0, 1, "fell"),
        report,
        Event(40.0, "deploy", "version 2"),
    ]
    with MonitoringStore(tmp_path / "m.db", "digits") as store:
        store.add_predictions(a_batch([1, 2], timestamp=10.0))
        store.write(records, now=10.0)
    with MonitoringStore(tmp_path / "m.db", "digits") as store:
        store.join_labels(LabelBatch([1], [3], timestamp=50.0))
        assert store.labelled_since(0.0).labels.tolist() == [3]
        for kind, record in zip(("metric", "alert", "drift_report", "event"), records, strict=True):
            (entry,) = store.read(kind)
            assert entry.record.to_dict() == record.to_dict()
        assert [entry.timestamp for kind in ("metric", "alert") for entry in store.read(kind)] == [10.0, 20.0]
        assert store.read("event", since=41.0) == []


def test_models_in_one_file_do_not_see_each_other(tmp_path: Path) -> None:
    with MonitoringStore(tmp_path / "m.db", "digits") as one, MonitoringStore(tmp_path / "m.db", "letters") as other:
        one.add_predictions(a_batch([1]))
        other.add_predictions(a_batch([1], width=5))
        assert len(other.join_labels(LabelBatch([1], [0], 1.0))) == 1
        assert len(one.labelled_since(0.0)) == 0


def test_a_refused_batch_leaves_nothing_behind(store: MonitoringStore) -> None:
    store.add_predictions(a_batch([1, 2]))
    with pytest.raises(ValueError, match=r"request_ids must be new, got 2 again\."):
        store.add_predictions(a_batch([3, 2]))
    with pytest.raises(ValueError, match=r"features must have 3 columns, got 4\."):
        store.add_predictions(a_batch([4], width=4))
    with pytest.raises(ValueError, match="labels must be class indices below 4, got 7 for request 2"):
        store.join_labels(LabelBatch([1, 2], [0, 7], timestamp=9.0))
    with pytest.raises(ValueError, match="records must be of metric, alert, drift_report, event, got PredictionBatch"):
        store.write([Event(0.0, "a", "b"), a_batch([9])], now=0.0)
    assert store.read("event") == []
    joined = store.join_labels(LabelBatch([1, 2, 3, 4], [0, 0, 0, 0], timestamp=9.0))
    assert (joined.request_ids.tolist(), joined.n_unmatched) == ([1, 2], 2)


def test_old_rows_are_forgotten_and_their_space_is_given_back(tmp_path: Path) -> None:
    with MonitoringStore(tmp_path / "m.db", "digits") as store:
        for hour in range(20):
            store.add_predictions(answered(np.arange(200 * hour, 200 * (hour + 1)), at=3600.0 * hour))
            store.write([Event(3600.0 * hour, "hour", str(hour))], now=0.0)
        pages = store._connection.execute("PRAGMA page_count").fetchone()
        assert store.forget_before(3600.0 * 15) == 15 * 200 + 15
        assert store._connection.execute("PRAGMA page_count").fetchone() < pages
        assert [entry.record.message for entry in store.read("event")] == [str(hour) for hour in range(15, 20)]
        assert store.join_labels(LabelBatch([0, 3000], [0, 0], 9e5)).request_ids.tolist() == [3000]


def test_readers_go_on_while_one_writes(tmp_path: Path) -> None:
    """Each reader sees whole batches of 50 only, and never has to wait for the writer."""
    path, stop, seen = tmp_path / "m.db", threading.Event(), []
    MonitoringStore(path, "digits").close()
    at_work = threading.Barrier(3, timeout=60.0)  # no budget: a reader that cannot open ends the test some day

    def read() -> None:
        with MonitoringStore(path, "digits") as store:
            at_work.wait()
            while not stop.is_set():
                seen.append(store._connection.execute("SELECT COUNT(*) FROM predictions").fetchone()[0])

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    with MonitoringStore(path, "digits") as store:
        at_work.wait()
        for number in range(40):
            store.add_predictions(answered(np.arange(50 * number, 50 * (number + 1))))
    stop.set()
    for reader in readers:
        reader.join()
    assert seen and {count % 50 for count in seen} == {0}


def test_a_store_of_the_first_version_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "m.db")
    old.executescript(FIRST_VERSION + "PRAGMA user_version = 1; PRAGMA application_id = 1953066605;")
    row = ("digits", 7, 1, 5.0, 0.1, 3, np.zeros(2).tobytes(), None, 3, 6.0)
    old.execute(f"INSERT INTO predictions VALUES ({', '.join('?' * len(row))})", row)
    old.commit()
    old.close()
    with MonitoringStore(tmp_path / "m.db", "digits") as store:
        assert schema_version(store._connection) == len(MIGRATIONS)
        assert store.labelled_since(0.0).request_ids.tolist() == [7]


def test_a_path_that_can_be_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "m.db"):
        with pytest.raises(ValueError, match="path must be a file in an existing folder, got"):
            MonitoringStore(path, "digits")


def test_a_moment_that_is_none_is_refused(store: MonitoringStore) -> None:
    with pytest.raises(ValueError, match="since must be"):
        store.read("event", since=float("nan"))


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be one" * 9, encoding="utf-8")
    before = (tmp_path / "text.db").read_bytes()
    with pytest.raises(ValueError, match="path must be a monitoring store, got"):
        open_store(tmp_path / "text.db")
    assert (tmp_path / "text.db").read_bytes() == before
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE recipes (name)")
    other.commit()
    with pytest.raises(ValueError, match="a database of something else"):
        open_store(tmp_path / "other.db")


def test_a_store_of_a_newer_library_is_refused(tmp_path: Path) -> None:
    connection = open_store(tmp_path / "m.db")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(ValueError, match="a newer version of this library wrote it"):
        open_store(tmp_path / "m.db")


def test_request_ids_of_another_kind_are_refused_and_the_store_stays_readable(store: MonitoringStore) -> None:
    store.add_predictions(a_batch([1, 2]))
    with pytest.raises(ValueError, match="request_ids must be int as those in the store, got str"):
        store.add_predictions(a_batch(["1", "b"]))
    store.join_labels(LabelBatch([1, 2], [0, 0], timestamp=60.0))
    assert store.labelled_since(0.0).request_ids.tolist() == [1, 2]


def test_request_ids_that_sqlite_cannot_hold_are_refused(store: MonitoringStore) -> None:
    largest = 2**63 - 1
    store.add_predictions(a_batch([largest]))
    for call in (
        lambda: store.add_predictions(a_batch([2**63])),
        lambda: store.join_labels(LabelBatch([2**63], [0], timestamp=60.0)),
    ):
        with pytest.raises(ValueError, match="hand them in as strings"):
            call()
    assert len(store.join_labels(LabelBatch([largest], [0], timestamp=60.0))) == 1
