"""Floor 4: from features to checked probabilities: by the champion, by a challenger with a deadline, or in batches."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

import numpy as np

from tinytorch._arguments import check_positive
from tinytorch.adapters.open_inference_json import N_DIMENSIONS, ProtocolError
from tinytorch.adapters.serve_models import LoadedVersion, ServedModel
from tinytorch.adapters.serve_threads import BusyError, WorkerThreads
from tinytorch.mlops.contracts import Model
from tinytorch.mlops.serving import MS_PER_S
from tinytorch.mlops.validate import PROBABILITY_TOLERANCE

# A client waits this long at most for a challenger that hangs, and is then answered by the champion.
DEFAULT_CHALLENGER_DEADLINE_S = 1.0
# Enough for models that spend their time in numpy, which lets others run meanwhile.
N_THREADS = 4
# A hundred calls in line are a model that is far too slow; more would only be answered later still.
MOST_WAITING = 100
# For errors of the model itself; the client did nothing wrong.
MODEL_FAILED = 500
MODEL_NOT_READY = 404


class ModelAnswer(NamedTuple):
    """Probabilities of shape (n, n_classes), the version that gave them, and how long the model took.

    `failed_version` and `failure` say what a challenger failed with before the champion answered.

    Examples
    --------
    >>> ModelAnswer(1, np.ones((1, 1)), 0.2).failure is None
    True
    """

    version: int
    probabilities: np.ndarray
    latency_ms: float
    failed_version: int = 0
    failure: str | None = None


def predict_checked(model: Model, features: np.ndarray) -> np.ndarray:
    """Return a model's probabilities of shape (n, n_classes), contiguous float64.

    Raises
    ------
    ProtocolError
        If the model refuses the features with a ValueError (400), fails otherwise, or answers with something that is
        no probability, NaN among them (500).

    Examples
    --------
    >>> class Uniform:
    ...     def predict_proba(self, features):
    ...         return np.full((len(features), 2), 0.5)
    >>> predict_checked(Uniform(), np.zeros((1, 4)))
    array([[0.5, 0.5]])
    """
    width = getattr(model, "n_features", None)
    if width is not None and width != features.shape[1]:
        raise ProtocolError(f"shape must be [rows, {width}], got {list(features.shape)}.")
    try:
        answer = model.predict_proba(features)
    except ValueError as error:
        raise ProtocolError(f"the model refuses these features: {error}") from error
    except Exception as error:  # whatever somebody's model raises: the server goes on
        raise ProtocolError(f"the model failed: {type(error).__name__}: {error}", MODEL_FAILED) from error
    return _check_probabilities(answer, len(features))


class Answerer:
    """Lets the right version answer.

    Without a split the champion answers at once, in the event loop: a network of a few layers takes less time than
    handing it to a thread. While a challenger is tried both answer from threads, so that their latencies compare.

    Parameters
    ----------
    challenger_deadline_s : float
        When a challenger takes longer, the champion answers and the challenger has failed.
    batched : bool
        Let requests that arrive in the same turn of the event loop be answered by one call of the champion.

    Examples
    --------
    >>> Answerer(challenger_deadline_s=0.5).challenger_deadline_s
    0.5
    """

    def __init__(self, challenger_deadline_s: float = DEFAULT_CHALLENGER_DEADLINE_S, *, batched: bool = False) -> None:
        self.challenger_deadline_s = check_positive(challenger_deadline_s, "challenger_deadline_s")
        self.batched = batched
        self._champions = WorkerThreads(N_THREADS, most_waiting=MOST_WAITING * N_THREADS)
        self._challengers = WorkerThreads(N_THREADS, most_waiting=MOST_WAITING)
        self._batches: dict[int, _TickBatch] = {}

    async def answer(self, served: ServedModel, features: np.ndarray, key: str) -> ModelAnswer:
        """Return the answer of the champion or, for the keys that a split chooses, of its challenger.

        Raises
        ------
        ProtocolError
            If there is no champion yet, or what `predict_checked` raises for the champion.
        """
        champion, split = served.champion, served.split
        if champion is None:
            raise ProtocolError(f"model {served.name!r} has no champion yet: promote a version.", MODEL_NOT_READY)
        if split is None:
            return await self._answer_batched(champion, features) if self.batched else answer_now(champion, features)
        if not split.chooses(key):
            return await self._in_thread(self._champions, champion, features)
        try:
            attempt = self._in_thread(self._challengers, split.challenger, features)
            return await asyncio.wait_for(attempt, self.challenger_deadline_s)
        except asyncio.TimeoutError:
            failure = f"no answer within {self.challenger_deadline_s:g} s"
        except Exception as error:  # a broken challenger must not reach the client
            failure = str(error)
        # If the champion refuses these features too, the fault is the client's, and nobody has failed.
        instead = await self._in_thread(self._champions, champion, features)
        return instead._replace(failed_version=split.challenger.number, failure=failure)

    async def answer_version(self, served: ServedModel, version: LoadedVersion, features: np.ndarray) -> ModelAnswer:
        """Return the answer of a version that was asked for by number: with a deadline, unless it is the champion.

        Raises
        ------
        ProtocolError
            What `predict_checked` raises; or if the version does not answer in time (500).
        """
        champion = served.champion
        if champion is not None and champion.number == version.number:
            return answer_now(version, features)
        try:
            attempt = self._in_thread(self._challengers, version, features)
            return await asyncio.wait_for(attempt, self.challenger_deadline_s)
        except (asyncio.TimeoutError, BusyError) as error:
            raise ProtocolError(f"version {version.number} does not answer.", MODEL_FAILED) from error

    async def _in_thread(self, threads: WorkerThreads, version: LoadedVersion, features: np.ndarray) -> ModelAnswer:
        """Let a version answer in one of the threads."""
        answer: ModelAnswer = await asyncio.wrap_future(threads.submit(answer_now, version, features))
        return answer

    async def _answer_batched(self, champion: LoadedVersion, features: np.ndarray) -> ModelAnswer:
        """Wait for the end of this turn of the event loop, and be answered with all that came in it."""
        width = features.shape[1]
        batch = self._batches.get(width)
        if batch is None or batch.champion is not champion:
            batch = self._batches[width] = _TickBatch(champion)
            asyncio.get_running_loop().call_soon(self._flush, width, batch)
        return await batch.add(features)

    def _flush(self, width: int, batch: _TickBatch) -> None:
        """Answer what has come together."""
        if self._batches.get(width) is batch:
            del self._batches[width]
        batch.answer()


def answer_now(version: LoadedVersion, features: np.ndarray) -> ModelAnswer:
    """Let a version answer in this thread, and time it.

    Raises
    ------
    ProtocolError
        As `predict_checked`.
    """
    started = time.perf_counter()
    probabilities = predict_checked(version.model, features)
    return ModelAnswer(version.number, probabilities, (time.perf_counter() - started) * MS_PER_S)


class _TickBatch:
    """Requests of one turn of the event loop, for one version."""

    def __init__(self, champion: LoadedVersion) -> None:
        self.champion = champion
        self._waiting: list[tuple[np.ndarray, asyncio.Future[ModelAnswer]]] = []

    def add(self, features: np.ndarray) -> asyncio.Future[ModelAnswer]:
        """Take a request in."""
        future: asyncio.Future[ModelAnswer] = asyncio.get_running_loop().create_future()
        self._waiting.append((features, future))
        return future

    def answer(self) -> None:
        """Answer all with one call; where that fails each by itself, so that one bad request spoils no other."""
        if len(self._waiting) == 1:
            self._answer_each()
            return
        try:
            whole = answer_now(self.champion, np.concatenate([features for features, _ in self._waiting]))
        except ProtocolError:
            self._answer_each()
            return
        start = 0
        for features, future in self._waiting:
            end = start + len(features)
            if not future.done():
                future.set_result(whole._replace(probabilities=whole.probabilities[start:end]))
            start = end

    def _answer_each(self) -> None:
        """Answer one after the other."""
        for features, future in self._waiting:
            if future.done():  # the client has left
                continue
            try:
                future.set_result(answer_now(self.champion, features))
            except ProtocolError as error:
                future.set_exception(error)


def _check_probabilities(answer: object, n_rows: int) -> np.ndarray:
    """Refuse an answer of the wrong shape, or whose rows are no probabilities. Comparisons with NaN are false."""
    try:
        table = np.ascontiguousarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        table = np.zeros(0)
    if table.ndim == N_DIMENSIONS and len(table) == n_rows and table.shape[1]:
        lowest, least, most = _extremes(table)
        if lowest >= 0.0 and least >= 1.0 - PROBABILITY_TOLERANCE and most <= 1.0 + PROBABILITY_TOLERANCE:
            return table
    raise ProtocolError("the model failed: its answer is not one row of probabilities for each row.", MODEL_FAILED)


def _extremes(table: np.ndarray) -> tuple[float, float, float]:
    """Return the smallest number, and the smallest and largest sum of a row."""
    if len(table) == 1:  # the usual request; numpy takes three times as long for ten numbers
        row = table[0].tolist()
        total = sum(row)
        return min(row), total, total
    sums = np.add.reduce(table, axis=1)
    return float(table.min()), float(sums.min()), float(sums.max())
