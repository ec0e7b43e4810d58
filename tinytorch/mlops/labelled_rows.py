"""Floor 1: the newest labelled answers, from which a challenger is trained and judged. May import contracts."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.mlops.contracts import LabelledBatch

# Batches of labels remembered; older traffic says little about what is to come.
DEFAULT_BATCHES_KEPT = 1_000


class LabelledRows:
    """Remembers labelled answers batch by batch, and returns those served since a moment.

    A request id may come again once its label has come; then its newest answer counts, so that no row weighs double.

    Examples
    --------
    >>> rows = LabelledRows()
    >>> rows.add(LabelledBatch([1, 2], [[0.0], [1.0]], [3, 4], [3, 5], [1, 1], [10.0, 20.0], timestamp=60.0))
    >>> rows.since(15.0).request_ids
    array([2])
    """

    def __init__(self, batches_kept: int = DEFAULT_BATCHES_KEPT) -> None:
        self._batches: deque[LabelledBatch] = deque(maxlen=check_integer(batches_kept, "batches_kept", minimum=1))

    def add(self, batch: LabelledBatch) -> None:
        """Remember a batch; one without rows is passed over."""
        if len(batch):
            self._batches.append(batch)

    def since(self, moment: float) -> LabelledBatch | None:
        """Return all rows served at `moment` (seconds since the epoch) or later, or None if there are none."""
        parts = [(batch, batch.served_at >= moment) for batch in self._batches]
        parts = [(batch, mask) for batch, mask in parts if mask.any()]
        if not parts:
            return None
        columns = ("request_ids", "features", "predictions", "labels", "model_versions", "served_at")
        joined = {name: np.concatenate([getattr(batch, name)[mask] for batch, mask in parts]) for name in columns}
        newest = _newest_of_each(joined["request_ids"])
        rows: dict[str, Any] = {name: values[newest] for name, values in joined.items()}
        return LabelledBatch(**rows, timestamp=parts[-1][0].timestamp)


def _newest_of_each(request_ids: np.ndarray) -> np.ndarray:
    """Return the place of the last row of each distinct id, in the order of the rows."""
    _, from_behind = np.unique(request_ids[::-1], return_index=True)
    return np.sort(len(request_ids) - 1 - from_behind)
