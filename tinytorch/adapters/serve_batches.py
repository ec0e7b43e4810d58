"""Floor 4: single answers as the batches that stages and stores take. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.mlops.contracts import PredictionBatch
from tinytorch.mlops.prediction_log import DEFAULT_CAPACITY


class Observation(NamedTuple):
    """One answered request: features (n, n_features), probabilities (n, n_classes), the model's time, the moment.

    Examples
    --------
    >>> Observation(1, "7", np.zeros((1, 2)), np.array([[0.5, 0.5]]), 0.2, 0.0).version
    1
    """

    version: int
    request_id: str
    features: np.ndarray
    probabilities: np.ndarray
    latency_ms: float
    answered_at: float


class FailedAnswer(NamedTuple):
    """A request that a challenger failed on, and with what; the champion answered it.

    Examples
    --------
    >>> FailedAnswer(2, "7", "no answer within 1 s", 0.0).reason
    'no answer within 1 s'
    """

    version: int
    request_id: str
    reason: str
    failed_at: float


class RecentIds:
    """Remembers the newest ids, and gives one that comes again a name of its own.

    A client may send the same id for every request. The log needs distinct ones, so the second answer to "7" is
    written as "7~1": a label for "7" belongs to the first.

    Parameters
    ----------
    capacity : int
        Ids that are remembered; the oldest are forgotten first.

    Examples
    --------
    >>> recent = RecentIds()
    >>> recent.distinct("7"), recent.distinct("7"), recent.distinct("8")
    ('7', '7~1', '8')
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self.capacity = check_integer(capacity, "capacity", minimum=1)
        self.n_repeated = 0
        self._seen: dict[str, None] = {}

    def distinct(self, key: str) -> str:
        """Return the key, or a new one if it was seen before."""
        while key in self._seen:
            self.n_repeated += 1
            key = f"{key.partition('~')[0]}~{self.n_repeated}"
        self._seen[key] = None
        if len(self._seen) > self.capacity:
            del self._seen[next(iter(self._seen))]
        return key


def row_keys(request_id: str, n_rows: int) -> list[str]:
    """Return the key of every row of a request, by which labels find it: the id itself, or numbered from 0.

    Examples
    --------
    >>> row_keys("7", 1), row_keys("7", 2)
    (['7'], ['7/0', '7/1'])
    """
    return [request_id] if n_rows == 1 else [f"{request_id}/{row}" for row in range(n_rows)]


def gather(answers: Iterable[Observation], recent: RecentIds, span_s: float) -> Iterator[PredictionBatch]:
    """Put answers of one version, one shape and one span of time into batches.

    Parameters
    ----------
    answers : iterable of Observation
        In the order in which they were given.
    recent : RecentIds
        Ids that came before.
    span_s : float
        A batch has one moment, that of its first answer; none of the others came later than this.

    Examples
    --------
    >>> one = Observation(1, "7", np.zeros((1, 2)), np.array([[0.5, 0.5]]), 0.2, 0.0)
    >>> [str(batch) for batch in gather([one, one._replace(version=2)], RecentIds(), span_s=0.1)]
    ['1 predictions by version 1', '1 predictions by version 2']
    """

    groups: dict[tuple[int, int, int, float], list[Observation]] = {}
    for answer in answers:
        span = answer.answered_at // span_s
        kind = (answer.version, answer.features.shape[1], answer.probabilities.shape[1], span)
        groups.setdefault(kind, []).append(answer)
    for group in groups.values():
        yield _as_batch(group, recent)


def _as_batch(group: Sequence[Observation], recent: RecentIds) -> PredictionBatch:
    """Join the arrays of answers that fit together."""
    counts = [len(answer.features) for answer in group]
    keys = [key for answer, n in zip(group, counts, strict=True) for key in row_keys(answer.request_id, n)]
    probabilities = np.concatenate([answer.probabilities for answer in group])
    return PredictionBatch(
        request_ids=np.array([recent.distinct(key) for key in keys]),
        features=np.concatenate([answer.features for answer in group]),
        predictions=probabilities.argmax(axis=1),
        probabilities=probabilities,
        latency_ms=np.repeat([answer.latency_ms for answer in group], counts),
        timestamp=group[0].answered_at,
        model_version=group[0].version,
    )
