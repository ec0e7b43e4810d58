"""Floor 2, deploy: what two versions on trial have shown so far, for a gate to judge. May import contracts, numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.mlops._record import Record
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.validate import as_request_ids, check_columns

# The slow end of what users wait for; an average would hide it.
SLOW_PERCENTILE = 95.0
# Latencies remembered of each version, the newest: enough for a 95th percentile that hardly wavers.
LATENCIES_KEPT = 2_000


@dataclass(frozen=True)
class VersionEvidence(Record):
    """Counts of one version since the trial began.

    Attributes
    ----------
    n_requests, n_failed, n_labelled, n_errors : int
        Requests sent to it, those it did not answer (a crash, NaN, a deadline missed), answers whose label has come,
        and wrong ones among these.
    slow_ms : float
        95th percentile of its newest latencies in milliseconds; NaN before the first answer.
    class_counts : tuple of int
        How often it answered each class.

    Examples
    --------
    >>> VersionEvidence(100, n_failed=0, n_labelled=50, n_errors=5, slow_ms=2.0, class_counts=(60, 40)).error_rate
    0.1
    """

    n_requests: int
    n_failed: int
    n_labelled: int
    n_errors: int
    slow_ms: float
    class_counts: tuple[int, ...]

    @property
    def error_rate(self) -> float:
        """Share of wrong answers among the labelled ones; NaN without labels."""
        return self.n_errors / self.n_labelled if self.n_labelled else float("nan")

    def __str__(self) -> str:
        return f"{self.n_errors} errors in {self.n_labelled}"


class EvidenceLog:
    """Counts what champion and challenger answered, and joins the labels that come late.

    Examples
    --------
    >>> log = EvidenceLog()
    >>> def answers(ids, version):
    ...     return PredictionBatch(ids, np.zeros((2, 1)), np.zeros(2), None, np.ones(2), 0.0, version)
    >>> log.add(answers([1, 2], 1), answers([3, 4], 2))
    >>> log.record_labels(LabelBatch([1, 3, 4], [0, 1, 0], timestamp=1.0))
    >>> print(*log.summary(), sep="; ")
    0 errors in 1; 1 errors in 2
    """

    def __init__(self) -> None:
        self._log = PredictionLog()
        self._versions: tuple[int, int] | None = None
        self._requests, self._failed, self._labelled, self._errors = (np.zeros(2, dtype=np.int64) for _ in range(4))
        self._latency_ms = [np.zeros(0), np.zeros(0)]
        self._classes = [np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)]

    def add(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch) -> None:
        """Take in what both versions answered.

        Raises
        ------
        ValueError
            If both batches come from one version, or from others than before, or a request was given before or to
            both, or their features differ in width; nothing is changed then.
        """
        batches = (champion_batch, challenger_batch)
        self._check(*batches)
        self._versions = (champion_batch.model_version, challenger_batch.model_version)
        for index, batch in enumerate(batches):
            self._log.add(batch)
            self._requests[index] += len(batch)
            self._latency_ms[index] = np.concatenate([self._latency_ms[index], batch.latency_ms])[-LATENCIES_KEPT:]
            counts = np.bincount(batch.predictions, minlength=len(self._classes[index]))
            counts[: len(self._classes[index])] += self._classes[index]
            self._classes[index] = counts

    def record_labels(self, label_batch: LabelBatch) -> None:
        """Take in labels of answers given before; others are left out."""
        labelled = self._log.join(label_batch)
        for index, version in enumerate(self._versions or ()):
            mine = labelled.model_versions == version
            self._labelled[index] += int(mine.sum())
            self._errors[index] += int((mine & ~labelled.correct).sum())

    def record_failures(self, n_champion: int, n_challenger: int) -> None:
        """Count requests that a version was sent and did not answer."""
        failed = [check_integer(n_champion, "n_champion"), check_integer(n_challenger, "n_challenger")]
        self._requests += failed
        self._failed += failed

    def summary(self) -> tuple[VersionEvidence, VersionEvidence]:
        """Return the counts of champion and challenger so far."""
        return self._of(0), self._of(1)

    def _of(self, index: int) -> VersionEvidence:
        """Return one version's counts."""
        latency_ms = self._latency_ms[index]
        slow_ms = float(np.percentile(latency_ms, SLOW_PERCENTILE)) if len(latency_ms) else float("nan")
        return VersionEvidence(
            n_requests=int(self._requests[index]),
            n_failed=int(self._failed[index]),
            n_labelled=int(self._labelled[index]),
            n_errors=int(self._errors[index]),
            slow_ms=slow_ms,
            class_counts=tuple(self._classes[index].tolist()),
        )

    def _check(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch) -> None:
        """Raise ValueError unless both batches can be taken."""
        versions = (champion_batch.model_version, challenger_batch.model_version)
        if versions[0] == versions[1]:
            raise ValueError(f"challenger_batch must come from another version, got {versions[1]}.")
        if self._versions not in (None, versions):
            raise ValueError(f"both batches must come from versions {self._versions}, got {versions}.")
        if len(champion_batch) and len(challenger_batch):
            check_columns(challenger_batch.features, champion_batch.features.shape[1])
        self._log.check_new(as_request_ids(np.concatenate([champion_batch.request_ids, challenger_batch.request_ids])))
