"""Floor 2, deploy: blue-green, all traffic switched at once with an instant way back. May import the staged rollout."""

from __future__ import annotations

from dataclasses import replace

from tinytorch.mlops.deploy.gates import Gate
from tinytorch.mlops.deploy.plan import ALL_TRAFFIC, DEFAULT_PLAN, RolloutPlan
from tinytorch.mlops.deploy.staged import StagedRollout

# The old version stays loaded for an hour of real traffic: what a version breaks mostly shows in the first.
DEFAULT_WATCH_S = 3600.0


class BlueGreenRollout(StagedRollout):
    """Tries the challenger on mirrored requests, then gives it all traffic at once and keeps the champion loaded.

    Before the switch users are answered by the champion alone. For `watch_s` seconds after it a gate that fails, or a
    person, switches back at once; `keeps_champion` says until when the champion must stay loaded.

    Parameters
    ----------
    plan : RolloutPlan
        What is asked of the challenger before the switch, and how long it is watched after it (an hour, if the plan
        says 0); its weights do not matter.
    gate : Gate, optional
        A new `SequentialGate` when not given.

    Examples
    --------
    >>> import numpy as np
    >>> from tinytorch.mlops.contracts import PredictionBatch
    >>> rollout = BlueGreenRollout(RolloutPlan(minimum_requests=10))
    >>> def answers(ids, version):
    ...     n = len(ids)
    ...     return PredictionBatch(ids, np.zeros((n, 1)), np.zeros(n), None, np.ones(n), 0.0, version)
    >>> rollout.challenger_weight
    0.0
    >>> rollout.step(answers(np.arange(20), 1), answers(np.arange(20), 2), now=0.0).challenger_weight
    1.0
    >>> rollout.keeps_champion, rollout.roll_back("users complain").challenger_weight
    (True, 0.0)
    """

    def __init__(self, plan: RolloutPlan = DEFAULT_PLAN, gate: Gate | None = None) -> None:
        watched = replace(plan, weights=(0.0, ALL_TRAFFIC), watch_s=plan.watch_s or DEFAULT_WATCH_S)
        super().__init__(watched, gate, mirrored=True)

    @property
    def keeps_champion(self) -> bool:
        """Whether the champion must stay loaded: always, until the challenger has been watched for `watch_s`."""
        return self.challenger_weight < ALL_TRAFFIC or not self.finished
