"""Floor 4: what becomes of a request after its answer: a bounded queue, and one thread that writes and watches.

A request costs one append to the queue. The thread puts what has come together into batches, writes them, and shows
them to observers; labels go the same way, so that they always find the answers they belong to.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from tinytorch._arguments import check_integer, check_positive
from tinytorch.adapters.serve_batches import FailedAnswer, Observation, RecentIds, gather
from tinytorch.mlops.contracts import LabelBatch, LabelledBatch, PredictionBatch

logger = logging.getLogger("tinytorch.serve")
# 8 million numbers of 8 bytes are 64 MB: two minutes of a thousand requests a second of 64 features.
DEFAULT_CAPACITY_VALUES = 8_000_000
# A quarter of a second puts hundreds of requests into one transaction at a thousand a second, which halves what a
# transaction of ten costs each; labels do not wait for it. So much of the log is lost if the process is killed.
DEFAULT_FLUSH_EVERY_S = 0.25
# A journal that fails (a full disk, a lock) is tried again after this pause, while the queue takes what comes.
RETRY_PAUSE_S = 0.5
# So often when the server stops: then what cannot be written is given up, and said so.
ATTEMPTS_AT_STOP = 5


class Journal(Protocol):
    """Keeps answers and joins late labels to them: `sqlite_store.MonitoringStore` or `prediction_log.PredictionLog`.

    Examples
    --------
    >>> hasattr(Journal, "add")
    True
    """

    def add(self, batch: PredictionBatch) -> None:
        """Keep a batch of answers; raise an OSError or an sqlite3.Error if that is not possible at the moment."""

    def join(self, labels: LabelBatch) -> LabelledBatch:
        """Return the answers that these labels belong to."""
        ...


class Observer(Protocol):
    """Sees everything in one thread, off the requests' path. What it raises is logged, and the others go on.

    Examples
    --------
    >>> hasattr(Observer, "observe")
    True
    """

    def observe(self, batch: PredictionBatch) -> None:
        """See answers of one version."""

    def record_failures(self, failures: Sequence[FailedAnswer]) -> None:
        """See what a challenger failed on."""

    def record_labels(self, labels: LabelBatch, labelled: LabelledBatch) -> None:
        """See labels, and the answers that they belong to."""


class LogCounts(NamedTuple):
    """How the queue is doing: numbers that wait, requests lost because it was full, errors of observers.

    Examples
    --------
    >>> LogCounts(0, 0, 0).n_dropped
    0
    """

    n_waiting_values: int
    n_dropped: int
    n_errors: int


OpenJournal = Callable[[], AbstractContextManager[tuple[Journal, Sequence[Observer]]]]


class ObservationLog:
    """The queue behind one served model, and its thread.

    When the queue is full, requests are answered all the same and their observations are dropped and counted: a full
    disk must not take the model down. Nothing is lost otherwise: `stop` writes all that was put.

    Parameters
    ----------
    open_journal : callable
        Called in the thread; a context manager of the journal and the observers, closed in the thread at the end.
    capacity_values : int
        Numbers (features and probabilities) that may wait.
    flush_every_s : float
        Answers of one such span share a moment in the journal.

    Examples
    --------
    >>> import numpy as np
    >>> from contextlib import nullcontext
    >>> from tinytorch.mlops.prediction_log import PredictionLog
    >>> log = ObservationLog(lambda: nullcontext((PredictionLog(), ())))
    >>> log.start()
    >>> log.put(Observation(1, "7", np.zeros((1, 2)), np.array([[0.5, 0.5]]), 0.2, 0.0))
    True
    >>> print(log.join_labels(LabelBatch(["7"], [0], timestamp=60.0)).result())
    1 labelled answers, 1 right
    >>> log.stop().n_dropped
    0
    """

    def __init__(
        self,
        open_journal: OpenJournal,
        capacity_values: int = DEFAULT_CAPACITY_VALUES,
        flush_every_s: float = DEFAULT_FLUSH_EVERY_S,
    ) -> None:
        self._open_journal = open_journal
        self.capacity_values = check_integer(capacity_values, "capacity_values", minimum=1)
        self.flush_every_s = check_positive(flush_every_s, "flush_every_s")
        # Appends and pops at opposite ends of a deque need no lock. Each count is written by one side only.
        self._waiting: deque[Observation | FailedAnswer | _LabelCall] = deque()
        self._n_put = self._n_taken = self._n_dropped = self._n_errors = 0
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._recent = RecentIds()
        self._thread = threading.Thread(target=self._run, name="tinytorch-log", daemon=True)
        self._opened: Future[None] = Future()

    def start(self) -> None:
        """Start the thread; what opening the journal raises is raised here."""
        self._thread.start()
        self._opened.result()

    def put(self, observation: Observation) -> bool:
        """Let an answer be written and watched; return False, and count it, if the queue is full."""
        n_values = observation.features.size + observation.probabilities.size
        if self._n_put - self._n_taken + n_values > self.capacity_values:
            self._n_dropped += 1
            return False
        self._n_put += n_values
        self._waiting.append(observation)
        return True

    def put_failure(self, failure: FailedAnswer) -> None:
        """Let a challenger's failure be seen; its request is put by itself, as answered by the champion."""
        self._waiting.append(failure)

    def join_labels(self, labels: LabelBatch) -> Future[LabelledBatch]:
        """Join labels to the answers put so far; the future holds those answers, or the ValueError of bad labels."""
        call = _LabelCall(labels, Future())
        self._waiting.append(call)
        self._wake.set()
        return call.result

    def counts(self) -> LogCounts:
        """Return how the queue is doing."""
        return LogCounts(self._n_put - self._n_taken, self._n_dropped, self._n_errors)

    def stop(self) -> LogCounts:
        """Write everything that was put, close the journal, and return the last counts."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        return self.counts()

    def _run(self) -> None:
        """Empty the queue every so often, and once more at the end."""
        try:
            with self._open_journal() as (journal, observers):
                self._opened.set_result(None)
                while not self._stopping.is_set():
                    self._wake.wait(self.flush_every_s)
                    self._wake.clear()
                    self._empty(journal, observers)
                self._empty(journal, observers)
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)

    def _empty(self, journal: Journal, observers: Sequence[Observer]) -> None:
        """Take what waits, in order; labels see everything before them."""
        answers: list[Observation] = []
        failures: list[FailedAnswer] = []
        for _ in range(len(self._waiting)):
            item = self._waiting.popleft()
            if isinstance(item, Observation):
                answers.append(item)
            elif isinstance(item, FailedAnswer):
                failures.append(item)
            else:
                self._write(answers, journal, observers)
                answers = []
                self._join(item, journal, observers)
        self._write(answers, journal, observers)
        if failures:
            for observer in observers:
                self._show(observer.record_failures, failures)

    def _write(self, answers: list[Observation], journal: Journal, observers: Sequence[Observer]) -> None:
        """Write answers in batches and show them to the observers."""
        for batch in gather(answers, self._recent, self.flush_every_s):
            if self._add(journal, batch):
                for observer in observers:
                    self._show(observer.observe, batch)
        self._n_taken += sum(answer.features.size + answer.probabilities.size for answer in answers)

    def _add(self, journal: Journal, batch: PredictionBatch) -> bool:
        """Write one batch, trying again while it fails; return whether it was written."""
        attempts = 0
        while True:
            try:
                journal.add(batch)
                return True
            except ValueError as error:  # a batch that can never be written must not hold up the others
                problem, attempts = error, ATTEMPTS_AT_STOP
            except Exception as error:  # a full disk, a locked file
                problem = error  # type: ignore[assignment]
                attempts = attempts + 1 if self._stopping.is_set() else 0
            self._n_errors += 1
            if attempts >= ATTEMPTS_AT_STOP:
                self._n_dropped += len(batch)
                logger.error("%d answers are not in the log: %s", len(batch), problem)
                return False
            logger.warning("the log did not take %d answers, trying again: %s", len(batch), problem)
            self._stopping.wait(RETRY_PAUSE_S)

    def _join(self, call: _LabelCall, journal: Journal, observers: Sequence[Observer]) -> None:
        """Join labels and show them; whoever sent them is told what is wrong with them."""
        try:
            labelled = journal.join(call.labels)
        except Exception as error:  # handed to whoever waits for the result
            call.result.set_exception(error)
            return
        for observer in observers:
            self._show(observer.record_labels, call.labels, labelled)
        call.result.set_result(labelled)

    def _show(self, method: Callable[..., None], *arguments: object) -> None:
        """Call an observer; its fault is logged and stops nobody."""
        try:
            method(*arguments)
        except Exception:  # an observer may be anybody's
            self._n_errors += 1
            logger.exception("an observer failed")


class _LabelCall(NamedTuple):
    """Labels that wait for their turn."""

    labels: LabelBatch
    result: Future[LabelledBatch]
