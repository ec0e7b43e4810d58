"""Floor 1: a challenger on trial in live traffic, and the evidence that its rollout is shown. May import contracts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tinytorch.mlops.contracts import LabelBatch, ModelVersion, PredictionBatch, Rollout, RolloutDecision


class Trial:
    """Collects what champion and challenger answered between two looks, and asks the rollout.

    A request that comes again between two looks counts once, by its first answer: that is the one which the label
    collected for it belongs to.

    Parameters
    ----------
    challenger : ModelVersion
    rollout : Rollout

    Examples
    --------
    >>> from tinytorch.mlops.deploy.canary import CanaryRollout
    >>> trial = Trial(ModelVersion("digits", version=2), CanaryRollout())
    >>> trial.judge(now=0.0) is None
    True
    """

    def __init__(self, challenger: ModelVersion, rollout: Rollout) -> None:
        self.challenger = challenger
        self.rollout = rollout
        self._answers: list[tuple[PredictionBatch, PredictionBatch]] = []
        self._labels: list[LabelBatch] = []
        # Requests answered or labelled since the last look.
        self._known: set[int | str] = set()

    def add_answers(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch) -> None:
        """Collect what both versions answered to one batch of requests."""
        self._answers.append((self._only_new(champion_batch), self._only_new(challenger_batch)))

    def add_labels(self, label_batch: LabelBatch) -> None:
        """Collect labels; they may belong to answers that the rollout has seen, or is still to see."""
        self._labels.append(label_batch)
        self._known.update(label_batch.request_ids.tolist())

    def judge(self, now: float) -> RolloutDecision | None:
        """Return the rollout's decision on what was collected; None without traffic, so that nothing moves."""
        if not self._answers:
            return None
        champion_batches, challenger_batches = zip(*self._answers, strict=True)
        self._hand_over_labels()
        decision = self.rollout.step(join_batches(champion_batches), join_batches(challenger_batches), now)
        # Again, for labels of answers that the rollout has only now been shown; it leaves out what it knows.
        self._hand_over_labels()
        self._answers, self._labels = [], []
        self._known.clear()
        return decision

    def _only_new(self, batch: PredictionBatch) -> PredictionBatch:
        """Return the batch without requests that were answered or labelled since the last look."""
        keys = batch.request_ids.tolist()
        rows = [row for row, key in enumerate(keys) if key not in self._known]
        self._known.update(keys)
        return batch if len(rows) == len(keys) else _take_rows(batch, rows)

    def _hand_over_labels(self) -> None:
        """Show the rollout every label collected since the last look."""
        for label_batch in self._labels:
            self.rollout.record_labels(label_batch)


def join_batches(batches: Sequence[PredictionBatch]) -> PredictionBatch:
    """Return one batch with all rows of several by the same version, stamped with the time of the last.

    Raises
    ------
    ValueError
        If there is no batch, or they come from different versions.

    Examples
    --------
    >>> part = PredictionBatch([1], [[0.0]], [3], None, [0.2], timestamp=0.0, model_version=1)
    >>> later = PredictionBatch([2], [[0.0]], [3], None, [0.2], timestamp=1.0, model_version=1)
    >>> len(join_batches([part, later]))
    2
    """
    versions = {batch.model_version for batch in batches}
    if len(versions) != 1:
        raise ValueError(f"batches must come from one version, got {sorted(versions)}.")
    # A batch without rows says nothing, and its empty arrays may be of another width or type.
    filled = [batch for batch in batches if len(batch)] or [batches[-1]]
    names = ("request_ids", "features", "predictions", "latency_ms")
    columns = {name: np.concatenate([getattr(batch, name) for batch in filled]) for name in names}
    return PredictionBatch(
        **columns,
        probabilities=_join_probabilities(filled),
        timestamp=batches[-1].timestamp,
        model_version=versions.pop(),
    )


def _take_rows(batch: PredictionBatch, rows: list[int]) -> PredictionBatch:
    """Return a batch of these rows only."""
    return dataclasses.replace(
        batch,
        request_ids=batch.request_ids[rows],
        features=batch.features[rows],
        predictions=batch.predictions[rows],
        probabilities=None if batch.probabilities is None else batch.probabilities[rows],
        latency_ms=batch.latency_ms[rows],
    )


def _join_probabilities(batches: Sequence[PredictionBatch]) -> np.ndarray | None:
    """Return the probabilities of all rows, or None when some batch has none."""
    known = [batch.probabilities for batch in batches if batch.probabilities is not None]
    return np.concatenate(known) if len(known) == len(batches) else None
