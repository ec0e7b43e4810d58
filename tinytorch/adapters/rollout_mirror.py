"""Floor 4: requests shown to a challenger that answers nobody, in a thread of its own that may hang without harm."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from tinytorch._arguments import check_positive
from tinytorch.adapters.open_inference_json import ProtocolError
from tinytorch.adapters.serve_answer import predict_checked
from tinytorch.adapters.serve_models import LoadedVersion
from tinytorch.adapters.serve_threads import BusyError, WorkerThreads
from tinytorch.mlops.contracts import Model, PredictionBatch
from tinytorch.mlops.serving import MS_PER_S
from tinytorch.mlops.trial import join_batches

# The deadline that the server gives a challenger before users (`serve_answer`).
DEFAULT_DEADLINE_S = 1.0
# Batches that may wait; more are not shown, so that a slow challenger cannot fill the memory.
MOST_WAITING = 50


class Mirror:
    """Lets a challenger answer requests that the champion has answered already.

    Row by row, so that its latencies compare with those of single requests.

    Parameters
    ----------
    challenger : LoadedVersion
    deadline_s : float
        A batch whose answers are not there by then has failed.

    Examples
    --------
    >>> from tinytorch.mlops.contracts import ModelVersion
    >>> class Uniform:
    ...     def predict_proba(self, features):
    ...         return np.full((len(features), 2), 0.5)
    >>> mirror = Mirror(LoadedVersion(ModelVersion("digits", version=2), Uniform()))
    >>> shown = PredictionBatch([7], [[0.0]], [1], None, [0.2], timestamp=0.0, model_version=1)
    >>> mirror.show(shown, now=0.0)
    >>> mirror.wait()
    >>> batches, n_failed = mirror.collect(now=0.1)
    >>> print(batches[0], n_failed)
    1 predictions by version 2 0
    """

    def __init__(self, challenger: LoadedVersion, deadline_s: float = DEFAULT_DEADLINE_S) -> None:
        self.challenger = challenger
        self.deadline_s = check_positive(deadline_s, "deadline_s")
        self._threads = WorkerThreads(n_threads=1, most_waiting=MOST_WAITING)
        self._pending: list[tuple[Future[tuple[list[PredictionBatch], int]], float, int]] = []

    def show(self, batch: PredictionBatch, now: float) -> None:
        """Show these requests to the challenger, unless it is far behind already."""
        try:
            future = self._threads.submit(_answer_rows, self.challenger, batch)
        except BusyError:
            return
        self._pending.append((future, now, len(batch)))

    def wait(self) -> None:
        """Wait until everything shown has been answered; tests want to."""
        for future, _, _ in self._pending:
            future.result()

    def collect(self, now: float) -> tuple[Sequence[PredictionBatch], int]:
        """Return the answers since the last call, and how many requests were not answered, or not in time."""
        batches, n_failed, waiting = [], 0, []
        for future, shown_at, n_rows in self._pending:
            if future.done():
                answered, failed = future.result()
                batches += answered
                n_failed += failed
            elif now - shown_at > self.deadline_s:
                n_failed += n_rows
            else:
                waiting.append((future, shown_at, n_rows))
        self._pending = waiting
        return batches, n_failed


def _answer_rows(challenger: LoadedVersion, batch: PredictionBatch) -> tuple[list[PredictionBatch], int]:
    """Return the challenger's answers as one batch, or none, and how many rows it failed on."""
    tried = (_answer_row(challenger, batch, row) for row in range(len(batch)))
    answers = [answer for answer in tried if answer is not None]
    return ([join_batches(answers)] if answers else []), len(batch) - len(answers)


def _answer_row(challenger: LoadedVersion, batch: PredictionBatch, row: int) -> PredictionBatch | None:
    """Return the challenger's answer to one row, or None if it fails."""
    features = batch.features[row : row + 1]
    model: Model = challenger.model
    started = time.perf_counter()
    try:
        probabilities = predict_checked(model, features)
    except ProtocolError:
        return None
    elapsed_ms = (time.perf_counter() - started) * MS_PER_S
    return replace(
        batch,
        request_ids=batch.request_ids[row : row + 1],
        features=features,
        predictions=probabilities.argmax(axis=1),
        probabilities=None,
        latency_ms=np.array([elapsed_ms]),
        model_version=challenger.number,
    )
