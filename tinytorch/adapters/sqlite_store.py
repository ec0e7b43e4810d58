"""Floor 4: monitoring that lasts: predictions, late labels, metrics, alerts, reports and events in one SQLite file.

Every call is one transaction: what it acknowledged survives a crash, and what it did not is not there at all. Other
processes may read while one writes. Touches sqlite3 alone.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tinytorch.adapters.sqlite_file import transaction
from tinytorch.adapters.store_schema import open_store
from tinytorch.mlops._record import Record
from tinytorch.mlops.contracts import Alert, DriftReport, LabelBatch, LabelledBatch, PredictionBatch
from tinytorch.mlops.monitor import Metric
from tinytorch.mlops.status import Event
from tinytorch.mlops.validate import check_columns, check_moment, check_text

KINDS: dict[str, type[Record]] = {"metric": Metric, "alert": Alert, "drift_report": DriftReport, "event": Event}
FROM_THE_BEGINNING = -np.inf
# SQLite takes at most 999 values in one question (before 3.32); the model's name is one of them.
IDS_AT_ONCE = 500
# Of eight values each, for the same reason.
ROWS_AT_ONCE = 100
# SQLite's integers have 64 bits and a sign.
LARGEST_INTEGER = 2**63 - 1
INSERTED_COLUMNS = "model, request_id, model_version, served_at, latency_ms, prediction, features, probabilities"
ROW_COLUMNS = "request_id, features, prediction, probabilities, model_version, served_at"


class JournalEntry(NamedTuple):
    """A record, and the moment that it speaks of, in seconds since the epoch.

    Examples
    --------
    >>> JournalEntry(60.0, Event(60.0, "deploy", "version 2")).timestamp
    60.0
    """

    timestamp: float
    record: Any


class MonitoringStore:
    """The memory of a monitored model, in a file.

    Parameters
    ----------
    path : path-like
        Made if it is not there; a store of an older version is brought up to date.
    model_name : str
        Several models may share a file; a store sees its own model only. A store belongs to the thread that opened
        it: others open the same file for themselves, as other processes do.

    Raises
    ------
    ValueError
        If the file is something else, or was written by a newer version of this library.

    Examples
    --------
    >>> import tempfile
    >>> batch = PredictionBatch([1, 2], [[0.0], [1.0]], [3, 4], None, [0.2, 0.3], timestamp=0.0, model_version=1)
    >>> with tempfile.TemporaryDirectory() as folder, MonitoringStore(f"{folder}/m.db", "digits") as store:
    ...     store.add_predictions(batch)
    ...     print(store.join_labels(LabelBatch([2, 9], [4, 0], timestamp=60.0)))
    ...     store.write([Metric("accuracy", 1.0, 0.2, 1.0, n=1)], now=60.0)
    ...     print(store.read("metric")[0].record)
    1 labelled answers, 1 right
    accuracy 1.000 [0.200, 1.000], 1 rows
    """

    def __init__(self, path: str | os.PathLike[str], model_name: str) -> None:
        self.model_name = check_text(model_name, "model_name")
        self.path = path
        self._connection = open_store(path)

    def __enter__(self) -> MonitoringStore:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()

    def add_predictions(self, batch: PredictionBatch) -> None:
        """Write a batch of answers.

        Raises
        ------
        ValueError
            If a request id is in the store already or of another kind than those in it (integers, strings), is too
            large for SQLite, or the features have another width; nothing is written then.
        """
        keys = _as_keys(batch.request_ids)
        try:
            with transaction(self._connection) as connection:
                self._check_width(batch)
                self._check_kind(keys)
                _insert_rows(connection, list(_as_rows(batch, self.model_name)))
        except sqlite3.IntegrityError:
            raise ValueError(f"request_ids must be new, got {self._known(batch)!r} again.") from None

    def join_labels(self, labels: LabelBatch) -> LabelledBatch:
        """Write late labels to the answers that wait for them, and return those answers.

        Labels of requests that are unknown or labelled already are counted in `n_unmatched`.

        Raises
        ------
        ValueError
            If a label is no class of the model that answered, or a request id is too large for SQLite; nothing is
            written then.
        """
        keys = _as_keys(labels.request_ids)
        with transaction(self._connection) as connection:
            waiting = self._waiting(keys)
            found = [place for place, key in enumerate(keys) if key in waiting]
            rows = [(*waiting[keys[place]], int(labels.labels[place])) for place in found]
            _check_classes(rows)
            connection.executemany(
                "UPDATE predictions SET label = ?, labelled_at = ? WHERE model = ? AND request_id = ?",
                [(row[-1], labels.timestamp, self.model_name, row[0]) for row in rows],
            )
        return _as_labelled(rows, labels.timestamp, len(labels) - len(rows))

    def labelled_since(self, moment: float) -> LabelledBatch:
        """Return the answers served at `moment` (seconds since the epoch) or later whose labels have come."""
        check_moment(moment, "moment")
        rows = self._connection.execute(
            f"SELECT {ROW_COLUMNS}, label, labelled_at FROM predictions "
            "WHERE model = ? AND served_at >= ? AND label IS NOT NULL ORDER BY served_at, rowid",
            (self.model_name, moment),
        ).fetchall()
        return _as_labelled([row[:-1] for row in rows], max((row[-1] for row in rows), default=moment), 0)

    def write(self, records: Iterable[Record], now: float) -> None:
        """Write metrics, alerts, drift reports and events; `now` stands for those that carry no time themselves.

        Raises
        ------
        ValueError
            If a record is none of these; nothing is written then.
        """
        check_moment(now, "now")
        entries = [(self.model_name, *_as_entry(record, now)) for record in records]
        with transaction(self._connection) as connection:
            connection.executemany(
                "INSERT INTO journal (model, kind, name, timestamp, payload) VALUES (?, ?, ?, ?, ?)", entries
            )

    def read(self, kind: str, since: float = FROM_THE_BEGINNING) -> list[JournalEntry]:
        """Return the records of a kind ("metric", "alert", "drift_report", "event") since a moment, oldest first."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}.")
        if since != FROM_THE_BEGINNING:
            check_moment(since, "since")
        rows = self._connection.execute(
            "SELECT timestamp, payload FROM journal "
            "WHERE model = ? AND kind = ? AND timestamp >= ? ORDER BY timestamp, id",
            (self.model_name, kind, since),
        )
        return [JournalEntry(timestamp, KINDS[kind](**json.loads(payload))) for timestamp, payload in rows]

    def forget_before(self, moment: float) -> int:
        """Delete everything of this model older than `moment`, give the space back, and return how many rows went."""
        check_moment(moment, "moment")
        with transaction(self._connection) as connection:
            limits = (self.model_name, moment)
            gone = connection.execute("DELETE FROM predictions WHERE model = ? AND served_at < ?", limits).rowcount
            gone += connection.execute("DELETE FROM journal WHERE model = ? AND timestamp < ?", limits).rowcount
        self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        return gone

    def _check_width(self, batch: PredictionBatch) -> None:
        """Refuse features of another width than those in the store."""
        stored = self._connection.execute(
            "SELECT LENGTH(features) FROM predictions WHERE model = ? LIMIT 1", (self.model_name,)
        ).fetchone()
        if stored and len(batch):
            check_columns(batch.features, stored[0] // batch.features.itemsize)

    def _check_kind(self, keys: list[Any]) -> None:
        """Refuse integers among strings: 1 and "1" could not be told apart once they stand in one array."""
        stored = self._connection.execute(
            "SELECT request_id FROM predictions WHERE model = ? LIMIT 1", (self.model_name,)
        ).fetchone()
        if stored and keys and type(keys[0]) is not type(stored[0]):
            kinds = f"{type(stored[0]).__name__} as those in the store, got {type(keys[0]).__name__}"
            raise ValueError(f"request_ids must be {kinds}.")

    def _known(self, batch: PredictionBatch) -> Any:
        """Return the first request id of a batch that is in the store."""
        question = "SELECT 1 FROM predictions WHERE model = ? AND request_id = ?"
        keys = batch.request_ids.tolist()
        return next(key for key in keys if self._connection.execute(question, (self.model_name, key)).fetchone())

    def _waiting(self, keys: list[Any]) -> dict[Any, tuple[Any, ...]]:
        """Return the unlabelled answers among some requests, by request id."""
        found: dict[Any, tuple[Any, ...]] = {}
        for start in range(0, len(keys), IDS_AT_ONCE):
            part = keys[start : start + IDS_AT_ONCE]
            marks = ", ".join("?" * len(part))
            chosen = f"model = ? AND label IS NULL AND request_id IN ({marks})"
            question = f"SELECT {ROW_COLUMNS} FROM predictions WHERE {chosen}"
            found.update((row[0], row) for row in self._connection.execute(question, (self.model_name, *part)))
        return found


def _as_keys(request_ids: np.ndarray) -> list[Any]:
    """Return request ids as Python objects that SQLite can hold."""
    keys: list[Any] = request_ids.tolist()
    if request_ids.dtype.kind == "u" and keys and max(keys) > LARGEST_INTEGER:
        raise ValueError(f"request_ids must be <= {LARGEST_INTEGER}, got {max(keys)}: hand them in as strings.")
    return keys


def _as_rows(batch: PredictionBatch, model_name: str) -> Iterator[tuple[Any, ...]]:
    """Turn a batch into rows of the table; arrays as the bytes of their float64 numbers."""
    features = [row.tobytes() for row in batch.features]
    chances = [None] * len(batch) if batch.probabilities is None else [row.tobytes() for row in batch.probabilities]
    columns = (batch.request_ids.tolist(), batch.latency_ms.tolist(), batch.predictions.tolist(), features, chances)
    for key, latency_ms, prediction, row, chance in zip(*columns, strict=True):
        yield model_name, key, batch.model_version, batch.timestamp, latency_ms, prediction, row, chance


def _insert_rows(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Write rows, many with one statement: each statement lets go of Python's lock, and may wait to get it back."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        places = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
        values = list(chain.from_iterable(part))
        connection.execute(f"INSERT INTO predictions ({INSERTED_COLUMNS}) VALUES {places}", values)


def _check_classes(rows: list[tuple[Any, ...]]) -> None:
    """Refuse a label that is no class of the model that answered; without probabilities nothing is known of them."""
    for key, _, _, probabilities, *_, label in rows:
        n_classes = None if probabilities is None else len(probabilities) // np.dtype(np.float64).itemsize
        if n_classes is not None and label >= n_classes:
            raise ValueError(f"labels must be class indices below {n_classes}, got {label} for request {key!r}.")


def _as_labelled(rows: list[tuple[Any, ...]], timestamp: float, n_unmatched: int) -> LabelledBatch:
    """Turn rows of the table, each with its label at the end, into a record."""
    width = len(rows[0][1]) // np.dtype(np.float64).itemsize if rows else 1
    return LabelledBatch(
        request_ids=np.array([row[0] for row in rows]),
        features=np.frombuffer(b"".join(row[1] for row in rows)).reshape(len(rows), width),
        predictions=np.array([row[2] for row in rows]),
        labels=np.array([row[6] for row in rows]),
        model_versions=np.array([row[4] for row in rows]),
        served_at=np.array([row[5] for row in rows]),
        timestamp=timestamp,
        n_unmatched=n_unmatched,
    )


def _as_entry(record: Record, now: float) -> tuple[str, str, float, str]:
    """Return a record's kind, name, time and fields as JSON."""
    kind = next((kind for kind, record_type in KINDS.items() if isinstance(record, record_type)), None)
    if kind is None:
        raise ValueError(f"records must be of {', '.join(KINDS)}, got {type(record).__name__}.")
    name = next((getattr(record, field) for field in ("name", "rule", "kind", "method") if hasattr(record, field)), "")
    return kind, str(name), float(getattr(record, "timestamp", now)), json.dumps(record.to_dict())
