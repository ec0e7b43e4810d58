"""Floor 2, deploy: a rolling update, one more worker on the new version at each step. May import the staged rollout."""

from __future__ import annotations

from dataclasses import replace

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.mlops.deploy.gates import Gate
from tinytorch.mlops.deploy.plan import DEFAULT_PLAN, RolloutPlan
from tinytorch.mlops.deploy.staged import StagedRollout

DEFAULT_WORKERS = 4
# One at a time, more would take days; and each is a step that is kept in memory.
MAXIMUM_WORKERS = 1_000


def check_workers(n_workers: int) -> int:
    """Return a number of workers that a rolling update can go through one by one.

    Raises
    ------
    ValueError
        If it is no integer from 2 to 1,000.

    Examples
    --------
    >>> check_workers(4)
    4
    """
    check_in_range(check_integer(n_workers, "n_workers", minimum=2), "n_workers", 2, MAXIMUM_WORKERS)
    return n_workers


class RollingRollout(StagedRollout):
    """Moves one worker after the other to the challenger, and judges in between.

    Workers share the traffic evenly, so the challenger's share is that of its workers.

    Parameters
    ----------
    n_workers : int
        From 2, for with one there is no "in between", to 1,000.
    plan : RolloutPlan
        What each step asks for; its weights do not matter.
    gate : Gate, optional
        A new `SequentialGate` when not given.

    Raises
    ------
    ValueError
        If `n_workers` is no integer from 2 to 1,000.

    Examples
    --------
    >>> rollout = RollingRollout(n_workers=4)
    >>> rollout.workers_on_challenger, rollout.challenger_weight
    ((0,), 0.25)
    """

    def __init__(
        self, n_workers: int = DEFAULT_WORKERS, plan: RolloutPlan = DEFAULT_PLAN, gate: Gate | None = None
    ) -> None:
        self.n_workers = check_workers(n_workers)
        shares = tuple(moved / n_workers for moved in range(1, n_workers + 1))
        super().__init__(replace(plan, weights=shares), gate)

    @property
    def workers_on_challenger(self) -> tuple[int, ...]:
        """Numbers of the workers that must run the challenger now; after a rollback none."""
        return tuple(range(round(self.challenger_weight * self.n_workers)))
