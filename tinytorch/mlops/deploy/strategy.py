"""Floor 2, deploy: the choice of a kind of rollout, which then starts one trial after another. May import them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tinytorch._arguments import check_choice, check_in_range
from tinytorch.mlops.deploy.blue_green import BlueGreenRollout
from tinytorch.mlops.deploy.gates import Gate, SequentialGate
from tinytorch.mlops.deploy.plan import DEFAULT_PLAN, RolloutPlan
from tinytorch.mlops.deploy.rolling import DEFAULT_WORKERS, RollingRollout, check_workers
from tinytorch.mlops.deploy.shadow import DEFAULT_MIRROR_SHARE, ShadowRollout
from tinytorch.mlops.deploy.staged import StagedRollout

KINDS = ("canary", "blue_green", "rolling", "shadow")


@dataclass(frozen=True)
class DeploymentStrategy:
    """How new versions are brought out here: the kind, what each step asks for, and who judges.

    Attributes
    ----------
    kind : "canary", "blue_green", "rolling" or "shadow"
    plan : RolloutPlan
    make_gate : callable
        `make_gate()` returns a new gate for each trial, as gates may remember.
    n_workers : int
        For "rolling": how many workers there are, at least 2.
    mirror_share : float
        For "shadow": the share of requests that is mirrored, in [0, 1].

    Raises
    ------
    ValueError
        If an attribute breaks its rule.

    Examples
    --------
    >>> DeploymentStrategy("canary", RolloutPlan(weights=(0.2, 1.0))).start().challenger_weight
    0.2
    >>> DeploymentStrategy("rolling", n_workers=2).start().challenger_weight
    0.5
    """

    kind: Literal["canary", "blue_green", "rolling", "shadow"] = "canary"
    plan: RolloutPlan = DEFAULT_PLAN
    make_gate: Callable[[], Gate] = SequentialGate
    n_workers: int = DEFAULT_WORKERS
    mirror_share: float = DEFAULT_MIRROR_SHARE

    def __post_init__(self) -> None:
        check_choice(self.kind, "kind", KINDS)
        check_workers(self.n_workers)
        check_in_range(self.mirror_share, "mirror_share", 0.0, 1.0)

    def start(self) -> StagedRollout | ShadowRollout:
        """Return a new rollout for the next challenger."""
        gate = self.make_gate()
        if self.kind == "blue_green":
            return BlueGreenRollout(self.plan, gate)
        if self.kind == "rolling":
            return RollingRollout(self.n_workers, self.plan, gate)
        if self.kind == "shadow":
            return ShadowRollout(self.mirror_share, self.plan, gate)
        return StagedRollout(self.plan, gate)
