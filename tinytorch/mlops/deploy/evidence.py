"""Floor 2, deploy: what two versions on trial have shown so far, for a gate to judge. May import contracts, numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.mlops._record import Record
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.validate import check_columns

# The slow end of what users wait for; an average would hide it.
SLOW_PERCENTILE = 95.0
# Latencies remembered of each version, the newest: enough for a 95th percentile that hardly wavers.
LATENCIES_KEPT = 2_000
# The median is of these only, so that a version that becomes slow is seen within as many answers; fewer, and one stall
# of the machine would look like a slow version.
NEWEST_LATENCIES = 50
# More classes than any classifier here has; one count is kept for each, and a wild number must not fill the memory.
MAXIMUM_CLASSES = 100_000


@dataclass(frozen=True)
class VersionEvidence(Record):
    """Counts of one version since the trial began.

    Attributes
    ----------
    n_requests, n_failed, n_labelled, n_errors : int
        Requests sent to it, those it did not answer (a crash, NaN, a deadline missed), answers whose label has come,
        and wrong ones among these.
    typical_ms, slow_ms : float
        Median of its 50 newest latencies and 95th percentile of its 2,000 newest, in milliseconds; NaN before the
        first answer.
    class_counts : tuple of int
        How often it answered each class.

    Examples
    --------
    >>> evidence = VersionEvidence(102, 2, n_labelled=50, n_errors=5, typical_ms=1.0, slow_ms=2.0, class_counts=(100,))
    >>> evidence.n_answered, evidence.error_rate
    (100, 0.1)
    """

    n_requests: int
    n_failed: int
    n_labelled: int
    n_errors: int
    typical_ms: float
    slow_ms: float
    class_counts: tuple[int, ...]

    @property
    def n_answered(self) -> int:
        """Requests that it answered."""
        return self.n_requests - self.n_failed

    @property
    def error_rate(self) -> float:
        """Share of wrong answers among the labelled ones; NaN without labels."""
        return self.n_errors / self.n_labelled if self.n_labelled else float("nan")

    def __str__(self) -> str:
        return f"{self.n_answered} answers, {self.n_errors} errors in {self.n_labelled} labels, {self.n_failed} failed"


class EvidenceLog:
    """Counts what champion and challenger answered, and joins the labels that come late.

    Parameters
    ----------
    mirrored : bool
        Whether both versions may answer the same request, as when traffic is mirrored; its label then counts for both.

    Examples
    --------
    >>> log = EvidenceLog()
    >>> def answers(ids, version):
    ...     return PredictionBatch(ids, np.zeros((2, 1)), np.zeros(2), None, np.ones(2), 0.0, version)
    >>> log.add(answers([1, 2], 1), answers([3, 4], 2))
    >>> log.record_labels(LabelBatch([1, 3, 4], [0, 1, 0], timestamp=1.0))
    >>> print(*log.summary(), sep="; ")
    2 answers, 0 errors in 1 labels, 0 failed; 2 answers, 1 errors in 2 labels, 0 failed
    """

    def __init__(self, mirrored: bool = False) -> None:
        self.mirrored = mirrored
        self._logs = (PredictionLog(), PredictionLog())
        self._versions: tuple[int, int] | None = None
        self._n_features: int | None = None
        self._requests, self._failed, self._labelled, self._errors = (np.zeros(2, dtype=np.int64) for _ in range(4))
        self._latency_ms = [np.zeros(0), np.zeros(0)]
        self._classes = [np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)]

    def add(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch) -> None:
        """Take in what both versions answered.

        Raises
        ------
        ValueError
            If both batches come from one version, or from others than before, or a request was given before or
            (unless mirrored) to both, or their features differ in width, or a class is 100,000 or more; nothing is
            changed then.
        """
        batches = (champion_batch, challenger_batch)
        self._check_versions(*batches)
        self._check_requests(*batches)
        self._versions = (champion_batch.model_version, challenger_batch.model_version)
        self._n_features = self._width(*batches)
        for index, batch in enumerate(batches):
            self._logs[index].add(batch)
            self._requests[index] += len(batch)
            self._latency_ms[index] = np.concatenate([self._latency_ms[index], batch.latency_ms])[-LATENCIES_KEPT:]
            counts = np.bincount(batch.predictions, minlength=len(self._classes[index]))
            counts[: len(self._classes[index])] += self._classes[index]
            self._classes[index] = counts

    def record_labels(self, label_batch: LabelBatch) -> None:
        """Take in labels of answers given before; others are left out.

        Raises
        ------
        ValueError
            If a label is no class of the model that answered; nothing is changed then.
        """
        for log in self._logs:
            log.check_labels(label_batch)
        for index, log in enumerate(self._logs):
            labelled = log.join(label_batch)
            self._labelled[index] += len(labelled)
            self._errors[index] += int((~labelled.correct).sum())

    def record_failures(self, n_champion: int, n_challenger: int) -> None:
        """Count requests that a version was sent and did not answer.

        Raises
        ------
        ValueError
            If a count is no integer of at least 0; nothing is changed then.
        """
        failed = [check_integer(n_champion, "n_champion"), check_integer(n_challenger, "n_challenger")]
        self._requests += failed
        self._failed += failed

    def summary(self) -> tuple[VersionEvidence, VersionEvidence]:
        """Return the counts of champion and challenger so far."""
        return self._of(0), self._of(1)

    def _of(self, index: int) -> VersionEvidence:
        """Return one version's counts."""
        latency_ms = self._latency_ms[index]
        any_ms = latency_ms if len(latency_ms) else np.full(1, np.nan)
        return VersionEvidence(
            n_requests=int(self._requests[index]),
            n_failed=int(self._failed[index]),
            n_labelled=int(self._labelled[index]),
            n_errors=int(self._errors[index]),
            typical_ms=float(np.median(any_ms[-NEWEST_LATENCIES:])),
            slow_ms=float(np.percentile(any_ms, SLOW_PERCENTILE)),
            class_counts=tuple(self._classes[index].tolist()),
        )

    def _width(self, *batches: PredictionBatch) -> int | None:
        """Return how many features a request has: as many as the first one had."""
        first = next((batch.features.shape[1] for batch in batches if len(batch)), None)
        return first if self._n_features is None else self._n_features

    def _check_versions(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch) -> None:
        """Raise ValueError unless the batches come from two versions, the same as before."""
        versions = (champion_batch.model_version, challenger_batch.model_version)
        if versions[0] == versions[1]:
            raise ValueError(f"challenger_batch must come from another version, got {versions[1]}.")
        if self._versions not in (None, versions):
            raise ValueError(f"both batches must come from versions {self._versions}, got {versions}.")

    def _check_requests(self, *batches: PredictionBatch) -> None:
        """Raise ValueError unless all requests are new, of one width, and answered with a class that can be counted."""
        n_features = self._width(*batches)
        for batch in batches:
            if len(batch) and n_features is not None:
                check_columns(batch.features, n_features)
            largest = int(batch.predictions.max(initial=0))
            if largest >= MAXIMUM_CLASSES:
                raise ValueError(f"predictions must be classes below {MAXIMUM_CLASSES}, got {largest}.")
        champion_log, challenger_log = self._logs
        for log, batch in zip(self._logs, batches, strict=True):
            log.check_new(batch.request_ids)
        if not self.mirrored:
            champion_log.check_new(batches[1].request_ids)
            challenger_log.check_new(batches[0].request_ids)
            shared = set(batches[0].request_ids.tolist()) & set(batches[1].request_ids.tolist())
            if shared:
                raise ValueError(f"request_ids must go to one version each, got {min(shared, key=str)!r} twice.")
