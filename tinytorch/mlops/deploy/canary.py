"""Floor 2, deploy: a canary that compares both versions on what was observed, and can say no. May import `stats`."""

from __future__ import annotations

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch, RolloutDecision
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.validate import as_request_ids, check_columns, check_moment
from tinytorch.stats import two_proportion_test

# First a share that hurts few if the challenger is bad, then half, then everyone.
DEFAULT_WEIGHTS = (0.25, 0.5, 1.0)
# Each version must have answered this many labelled requests in a step before the step is judged.
DEFAULT_MINIMUM_LABELS = 20
# At most this often a whole rollout calls an equally good challenger worse; each look gets an equal part of it.
DEFAULT_FALSE_ROLLBACK_RATE = 0.05
DEFAULT_MAXIMUM_LOOKS = 10


class CanaryRollout:
    """Raises the challenger's share of traffic step by step, and rolls back when it is significantly worse.

    A look is a step before which new labels came. At each look the error rates seen since the rollout began are
    compared by a one-sided test of two proportions at the level `false_rollback_rate / maximum_looks` (Bonferroni
    over the looks). Worse: roll back. Not enough labels, or more errors than the champion without significance: hold.
    Otherwise: advance. Without traffic it never advances, and after `maximum_looks` looks without a verdict it rolls
    back: that befalls about one in four equally good challengers, which nobody needs, and hardly any better one.

    Parameters
    ----------
    weights : tuple of float
        The challenger's share at each step, rising to 1.
    minimum_labels : int
        Labelled answers that each version needs since the last advance.
    false_rollback_rate : float
    maximum_looks : int

    Examples
    --------
    >>> rollout = CanaryRollout(weights=(0.5, 1.0), minimum_labels=10)
    >>> def answers(ids, version):
    ...     n = len(ids)
    ...     return PredictionBatch(ids, np.zeros((n, 1)), np.zeros(n), None, np.ones(n), 0.0, version)
    >>> decision = rollout.step(answers(np.arange(20), 1), answers(np.arange(20, 40), 2), now=0.0)
    >>> decision.action
    'hold'
    >>> rollout.record_labels(LabelBatch(np.arange(40), np.repeat([1, 0], 20), timestamp=1.0))
    >>> decision = rollout.step(answers([], 1), answers([], 2), now=1.0)
    >>> decision.action, decision.challenger_weight
    ('advance', 1.0)
    >>> print(decision.evidence[0])
    champion 20 errors in 20, challenger 0 in 20; no sign that the challenger is worse (p = 1)
    """

    def __init__(
        self,
        weights: tuple[float, ...] = DEFAULT_WEIGHTS,
        minimum_labels: int = DEFAULT_MINIMUM_LABELS,
        false_rollback_rate: float = DEFAULT_FALSE_ROLLBACK_RATE,
        maximum_looks: int = DEFAULT_MAXIMUM_LOOKS,
    ) -> None:
        self.weights = tuple(check_in_range(weight, "weights", 0.0, 1.0) for weight in weights)
        if not self.weights or list(self.weights) != sorted(set(self.weights)) or self.weights[-1] != 1.0:
            raise ValueError(f"weights must rise and end with 1.0, got {weights!r}.")
        self.minimum_labels = check_integer(minimum_labels, "minimum_labels", minimum=1)
        self.false_rollback_rate = check_in_range(false_rollback_rate, "false_rollback_rate", 0, 1, open_ends=True)
        self.maximum_looks = check_integer(maximum_looks, "maximum_looks", minimum=1)
        self._position = 0
        self._looks = 0
        self._log = PredictionLog()
        self._versions: tuple[int, int] | None = None
        self._errors = np.zeros(2, dtype=np.int64)
        self._labelled = np.zeros(2, dtype=np.int64)
        self._labelled_at_last_advance = np.zeros(2, dtype=np.int64)
        self._labelled_at_last_look = np.zeros(2, dtype=np.int64)
        # A rollback is final.
        self._ended: RolloutDecision | None = None

    @property
    def challenger_weight(self) -> float:
        """The challenger's share of traffic now."""
        return self.weights[self._position]

    def step(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch, now: float) -> RolloutDecision:
        """Take in what both versions answered since the last step, and decide on the labels that have arrived.

        Raises
        ------
        ValueError
            If both batches come from one version, or from others than before, or a request was given before, or to
            both, or their features differ in width, or `now` is no moment; nothing is changed then.
        """
        check_moment(now, "now")
        self._check_batches(champion_batch, challenger_batch)
        self._log.add(champion_batch)
        self._log.add(challenger_batch)
        self._versions = (champion_batch.model_version, challenger_batch.model_version)
        decision = self._ended or self._decide()
        if decision.action == "roll_back":
            self._ended = decision
        return decision

    def record_labels(self, label_batch: LabelBatch) -> None:
        """Take in labels of batches given to `step` before; others are left out."""
        labelled = self._log.join(label_batch)
        for index, version in enumerate(self._versions or ()):
            mine = labelled.model_versions == version
            self._labelled[index] += int(mine.sum())
            self._errors[index] += int((mine & ~labelled.correct).sum())

    def _check_batches(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch) -> None:
        """Raise ValueError unless both batches can be taken."""
        versions = (champion_batch.model_version, challenger_batch.model_version)
        if versions[0] == versions[1]:
            raise ValueError(f"challenger_batch must come from another version, got {versions[1]}.")
        if self._versions not in (None, versions):
            raise ValueError(f"both batches must come from versions {self._versions}, got {versions}.")
        if len(champion_batch) and len(challenger_batch):
            check_columns(challenger_batch.features, champion_batch.features.shape[1])
        self._log.check_new(as_request_ids(np.concatenate([champion_batch.request_ids, challenger_batch.request_ids])))

    def _decide(self) -> RolloutDecision:
        """Compare if there is something new to compare, and as long as looks are left."""
        if self._looks >= self.maximum_looks and self.challenger_weight < 1.0:
            return RolloutDecision("roll_back", 0.0, (f"no verdict after {self._looks} looks",))
        fresh = self._labelled - self._labelled_at_last_advance
        if (fresh < self.minimum_labels).any():
            return self._hold(f"{fresh[0]} and {fresh[1]} labels, {self.minimum_labels} needed from each version")
        if (self._labelled == self._labelled_at_last_look).all():
            return self._hold("no labels since the last look")
        return self._judge()

    def _judge(self) -> RolloutDecision:
        """Compare the error rates and turn the comparison into a decision."""
        self._looks += 1
        self._labelled_at_last_look = self._labelled.copy()
        (champion_errors, challenger_errors), (n_champion, n_challenger) = self._errors, self._labelled
        result = two_proportion_test(champion_errors, n_champion, challenger_errors, n_challenger, "greater")
        counts = f"champion {champion_errors} errors in {n_champion}, challenger {challenger_errors} in {n_challenger}"
        pvalue = f"(p = {result.pvalue[0]:.2g})"
        if result.pvalue[0] <= self.false_rollback_rate / self.maximum_looks:
            return RolloutDecision("roll_back", 0.0, (f"{counts}; the challenger is worse {pvalue}",))
        if result.effect_size[0] > 0:
            return self._hold(f"{counts}; the challenger looks worse, which may be chance {pvalue}")
        self._position = min(self._position + 1, len(self.weights) - 1)
        self._labelled_at_last_advance = self._labelled.copy()
        evidence = f"{counts}; no sign that the challenger is worse {pvalue}"
        return RolloutDecision("advance", self.challenger_weight, (evidence,))

    def _hold(self, reason: str) -> RolloutDecision:
        """Stay where we are."""
        return RolloutDecision("hold", self.challenger_weight, (reason,))
