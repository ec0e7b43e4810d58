"""Floor 4: what a running server shows of both versions between two looks, in the form that a rollout takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinytorch.mlops.contracts import LabelBatch, PredictionBatch, RolloutDecision
from tinytorch.mlops.deploy import ShadowRollout, StagedRollout
from tinytorch.mlops.trial import join_batches


class CollectedAnswers:
    """Answers, failures and labels since the last look.

    Features are left out: a rollout does not read them, and clients may send rows of any width.

    Parameters
    ----------
    champion, challenger : int
        Numbers of the two versions; answers of others are not theirs to judge.

    Examples
    --------
    >>> collected = CollectedAnswers(1, 2)
    >>> collected.add(PredictionBatch([7], [[0.0]], [1], None, [0.2], timestamp=0.0, model_version=1))
    >>> print(collected.ask(StagedRollout(), now=0.0))
    hold at 10% of traffic: 1 and 0 answers in this step, 50 needed from each version
    """

    def __init__(self, champion: int, challenger: int) -> None:
        self._batches: dict[int, list[PredictionBatch]] = {champion: [], challenger: []}
        self._failed = {champion: 0, challenger: 0}
        self._labels: list[LabelBatch] = []

    def add(self, batch: PredictionBatch) -> None:
        """Take in answers of one version."""
        if batch.model_version in self._batches and len(batch):
            bare = replace(batch, features=np.zeros((len(batch), 1)), probabilities=None)
            self._batches[batch.model_version].append(bare)

    def add_failures(self, version: int, n_failed: int) -> None:
        """Count requests that a version did not answer."""
        if version in self._failed:
            self._failed[version] += n_failed

    def add_labels(self, labels: LabelBatch) -> None:
        """Take in labels."""
        self._labels.append(labels)

    def ask(self, rollout: StagedRollout | ShadowRollout, now: float) -> RolloutDecision:
        """Show everything to a rollout, begin anew, and return its decision."""
        batches = [_as_one_batch(answered, version) for version, answered in self._batches.items()]
        labels, failed = self._labels, tuple(self._failed.values())
        self._batches = {version: [] for version in self._batches}
        self._failed, self._labels = dict.fromkeys(self._failed, 0), []
        _hand_over(rollout, labels)
        rollout.record_failures(*failed)
        decision = rollout.step(batches[0], batches[1], now)
        # Again, for labels of answers that the rollout has only now been shown; it leaves out what it knows.
        _hand_over(rollout, labels)
        return decision


def take_mirrored(batch: PredictionBatch, rollout: ShadowRollout) -> PredictionBatch:
    """Return the requests of a batch that a shadow is to see.

    Examples
    --------
    >>> batch = PredictionBatch([7], [[0.0]], [1], None, [0.2], timestamp=0.0, model_version=1)
    >>> len(take_mirrored(batch, ShadowRollout(mirror_share=1.0))), len(take_mirrored(batch, ShadowRollout(0.0)))
    (1, 0)
    """
    rows = rollout.mirrors(batch.request_ids)
    names = ("request_ids", "features", "predictions", "latency_ms")
    columns = {name: getattr(batch, name)[rows] for name in names}
    return PredictionBatch(**columns, probabilities=None, timestamp=batch.timestamp, model_version=batch.model_version)


def _hand_over(rollout: StagedRollout | ShadowRollout, labels: Sequence[LabelBatch]) -> None:
    """Show labels to a rollout."""
    for batch in labels:
        rollout.record_labels(batch)


def _as_one_batch(batches: Sequence[PredictionBatch], version: int) -> PredictionBatch:
    """Return all answers of a version as one batch, an empty one without any."""
    if batches:
        return join_batches(batches)
    none = np.zeros(0)
    return PredictionBatch(none, np.zeros((0, 1)), none, None, none, timestamp=0.0, model_version=version)
