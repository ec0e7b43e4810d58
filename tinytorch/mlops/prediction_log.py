"""Floor 1: predictions wait here for their labels, which come late and in any order.

Monitor, rollout and pipeline each keep one, in memory. May import contracts and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.mlops.contracts import LabelBatch, LabelledBatch, PredictionBatch
from tinytorch.mlops.validate import check_columns

# A request whose label has not come after this many later requests is given up, so that memory stays bounded.
DEFAULT_CAPACITY = 100_000


class PredictionLog:
    """Joins late labels to the predictions they belong to, by request id.

    Parameters
    ----------
    capacity : int
        How many predictions may wait; when more come, the oldest are given up first.

    Examples
    --------
    >>> log = PredictionLog()
    >>> log.add(PredictionBatch([1, 2], [[0.0], [1.0]], [3, 4], None, [0.2, 0.2], timestamp=0.0, model_version=1))
    >>> labelled = log.join(LabelBatch([2, 9], [4, 0], timestamp=60.0))
    >>> labelled.request_ids, labelled.accuracy, labelled.n_unmatched
    (array([2]), 1.0, 1)
    >>> len(log)
    1
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self.capacity = check_integer(capacity, "capacity", minimum=1)
        # Dictionaries keep the order of insertion, so the first key is always the oldest request.
        self._waiting: dict[int | str, tuple[PredictionBatch, int]] = {}

    def __len__(self) -> int:
        """Return how many predictions wait for a label."""
        return len(self._waiting)

    def add(self, batch: PredictionBatch) -> None:
        """Let the predictions of a batch wait for their labels.

        Raises
        ------
        ValueError
            If a request id is waiting already, or the features are not as wide as those that wait; then nothing of
            the batch is taken.
        """
        self.check_new(batch.request_ids)
        if self._waiting and len(batch):
            oldest, _ = next(iter(self._waiting.values()))
            check_columns(batch.features, oldest.features.shape[1])
        self._waiting.update((key, (batch, row)) for row, key in enumerate(batch.request_ids.tolist()))
        while len(self._waiting) > self.capacity:
            del self._waiting[next(iter(self._waiting))]

    def check_new(self, request_ids: np.ndarray) -> None:
        """Raise ValueError if one of the ids is waiting already."""
        known = next((key for key in request_ids.tolist() if key in self._waiting), None)
        if known is not None:
            raise ValueError(f"request_ids must be new, got {known!r}, which waits for its label.")

    def check_labels(self, labels: LabelBatch) -> None:
        """Raise ValueError if a label is no class of the model that answered its request."""
        for key, label in zip(labels.request_ids.tolist(), labels.labels.tolist(), strict=True):
            n_classes = self._waiting[key][0].n_classes if key in self._waiting else None
            if n_classes is not None and label >= n_classes:
                raise ValueError(f"labels must be class indices below {n_classes}, got {label} for request {key!r}.")

    def join(self, labels: LabelBatch) -> LabelledBatch:
        """Return the predictions that these labels belong to; they wait no longer.

        Labels of unknown requests are counted in `n_unmatched` and left out: in production some requests are
        older than the log.

        Raises
        ------
        ValueError
            If a label is no class of the model that answered; then all requests wait on.
        """
        self.check_labels(labels)
        found = [index for index, key in enumerate(labels.request_ids.tolist()) if key in self._waiting]
        matched = LabelBatch(labels.request_ids[found], labels.labels[found], labels.timestamp)
        rows = [self._waiting.pop(key) for key in matched.request_ids.tolist()]
        return _label(rows, matched, len(labels) - len(matched))


def _label(rows: Sequence[tuple[PredictionBatch, int]], labels: LabelBatch, n_unmatched: int) -> LabelledBatch:
    """Put the answered rows, each a batch and a place in it, beside their labels."""
    width = rows[0][0].features.shape[1] if rows else 1
    return LabelledBatch(
        request_ids=labels.request_ids,
        features=np.array([batch.features[row] for batch, row in rows]).reshape(len(rows), width),
        predictions=np.array([batch.predictions[row] for batch, row in rows]),
        labels=labels.labels,
        model_versions=np.array([batch.model_version for batch, _ in rows]),
        served_at=np.array([batch.timestamp for batch, _ in rows]),
        timestamp=labels.timestamp,
        n_unmatched=n_unmatched,
    )
