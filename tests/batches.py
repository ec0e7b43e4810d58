"""For tests of what passes between the stages: small batches and models that answer what they were told to."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.mlops.contracts import LabelBatch, PredictionBatch


class Always:
    """A model that gives every row the same class, or NaN, or raises, and a fingerprint of its own."""

    def __init__(self, answer: Any, n_classes: int = 2) -> None:
        self.answer = answer
        self.n_classes = n_classes

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            return np.full((len(features), self.n_classes), np.nan)
        return np.eye(self.n_classes)[np.full(len(features), self.answer)]

    def state_dict(self) -> dict[str, np.ndarray]:
        return {"answer": np.array([-1.0 if not isinstance(self.answer, int) else float(self.answer)])}


def answered(ids: Any, predictions: Any = 0, *, version: int = 1, latency_ms: Any = 1.0, at: float = 0.0) -> Any:
    """A batch of one feature, which is 0; predictions and latencies are one for all, or one each."""
    n = len(ids)
    return PredictionBatch(
        ids, np.zeros((n, 1)), np.broadcast_to(predictions, n), None, np.broadcast_to(latency_ms, n), at, version
    )


def labelled(ids: Any, labels: Any = 0, *, at: float = 0.0) -> LabelBatch:
    """The labels of a batch, one for all or one each."""
    return LabelBatch(ids, np.broadcast_to(labels, len(ids)), at)
