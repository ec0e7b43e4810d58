"""Floor 2, deploy: a challenger in the shadow, which sees a share of traffic and answers nobody.

May import contracts, the split and the staged rollout.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch, RolloutDecision
from tinytorch.mlops.deploy.gates import Gate
from tinytorch.mlops.deploy.plan import ALL_TRAFFIC, DEFAULT_PLAN, RolloutPlan
from tinytorch.mlops.deploy.split import split_traffic
from tinytorch.mlops.deploy.staged import StagedRollout
from tinytorch.mlops.validate import check_text

# Mirroring all requests would double the work of serving.
DEFAULT_MIRROR_SHARE = 0.1


class ShadowRollout:
    """Mirrors a share of requests to the challenger, compares, and never gives it any traffic.

    It is no canary with other numbers: its weight stays 0, "advance" means ready for one, and both versions answer
    the same requests. So it passes no check of a rollout that ends with all traffic on the challenger.

    Parameters
    ----------
    mirror_share : float
        In [0, 1].
    plan : RolloutPlan
        What is asked of the challenger until it is ready; its weights do not matter.
    gate : Gate, optional
        A new `SequentialGate` when not given.
    salt : str
        Names the experiment: another salt mirrors other requests.

    Raises
    ------
    ValueError
        If `mirror_share` or `salt` breaks its rule.

    Examples
    --------
    >>> rollout = ShadowRollout(mirror_share=0.2, plan=RolloutPlan(minimum_requests=10))
    >>> ids = np.arange(1_000)
    >>> mirrored = rollout.mirrors(ids)
    >>> bool(0.15 < mirrored.mean() < 0.25)
    True
    >>> def answers(ids, version):
    ...     n = len(ids)
    ...     return PredictionBatch(ids, np.zeros((n, 1)), ids % 2, None, np.ones(n), 0.0, version)
    >>> decision = rollout.step(answers(ids, 1), answers(ids[mirrored], 2), now=0.0)
    >>> decision.action, decision.challenger_weight, rollout.ready, rollout.agreement
    ('advance', 0.0, True, 1.0)
    """

    challenger_weight = 0.0

    def __init__(
        self,
        mirror_share: float = DEFAULT_MIRROR_SHARE,
        plan: RolloutPlan = DEFAULT_PLAN,
        gate: Gate | None = None,
        salt: str = "",
    ) -> None:
        self.mirror_share = check_in_range(mirror_share, "mirror_share", 0.0, 1.0)
        self.salt = check_text(salt, "salt", allow_empty=True)
        self.plan = replace(plan, weights=(0.0, ALL_TRAFFIC))
        self._staged = StagedRollout(self.plan, gate, mirrored=True)
        self._n_shared = self._n_agreed = 0

    @property
    def ready(self) -> bool:
        """Whether enough was compared and nothing found, so that a canary may begin."""
        return self._staged.challenger_weight == ALL_TRAFFIC

    @property
    def finished(self) -> bool:
        """Whether nothing is left to decide."""
        return self._staged.finished

    @property
    def agreement(self) -> float:
        """Share of mirrored requests that both versions gave the same class; NaN before the first."""
        return self._n_agreed / self._n_shared if self._n_shared else float("nan")

    def mirrors(self, request_ids: np.ndarray) -> np.ndarray:
        """Return which requests the challenger is to see as well, as booleans of shape (n,)."""
        return split_traffic(request_ids, self.mirror_share, self.salt)

    def step(self, champion_batch: PredictionBatch, challenger_batch: PredictionBatch, now: float) -> RolloutDecision:
        """Take in all answers of the champion and the challenger's to mirrored requests, and decide.

        Raises
        ------
        ValueError
            If the batches cannot be taken (see `EvidenceLog.add`) or `now` is no moment; nothing is changed then.
        """
        decision = self._staged.step(champion_batch, challenger_batch, now)
        answers = dict(zip(champion_batch.request_ids.tolist(), champion_batch.predictions.tolist(), strict=True))
        mirrored = zip(challenger_batch.request_ids.tolist(), challenger_batch.predictions.tolist(), strict=True)
        agreed = [answers[key] == prediction for key, prediction in mirrored if key in answers]
        self._n_shared += len(agreed)
        self._n_agreed += sum(agreed)
        compared = f"the same answer to {self._n_agreed} of {self._n_shared} mirrored requests"
        return replace(decision, challenger_weight=self.challenger_weight, evidence=(*decision.evidence, compared))

    def record_labels(self, label_batch: LabelBatch) -> None:
        """Take in labels of batches given to `step` before; each counts for both versions."""
        self._staged.record_labels(label_batch)

    def record_failures(self, n_champion: int, n_challenger: int) -> None:
        """Count requests that a version was sent since the last step and did not answer."""
        self._staged.record_failures(n_champion, n_challenger)

    def roll_back(self, reason: str) -> RolloutDecision:
        """End the trial now, whatever the analysis says."""
        return self._staged.roll_back(reason)
