"""Floor 2, deploy: how a challenger is brought into traffic: the shares, the least evidence, the patience.

May import the cellar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinytorch._arguments import check_choice, check_in_range, check_integer

# A share that hurts few if the challenger is bad, then a quarter, then half, then everyone.
DEFAULT_STEPS = (0.1, 0.25, 0.5, 1.0)
# Each version must have answered this many requests in a step; with fewer a pass would mean "nothing seen".
DEFAULT_MINIMUM_REQUESTS = 50
# As many looks without a verdict in one step end the waiting.
DEFAULT_PATIENCE = 20
ALL_TRAFFIC = 1.0


@dataclass(frozen=True)
class RolloutPlan:
    """How a challenger is brought into traffic.

    Attributes
    ----------
    weights : tuple of float
        The challenger's share at each step, rising to 1.
    step_s : float
        Seconds that each step lasts at least.
    minimum_requests, minimum_labels : int
        Answers, and labelled ones, that each version needs in a step before it can advance. Without labels (0) the
        step is judged by failures, latency and the classes answered.
    patience : int
        Inconclusive looks in one step before `when_undecided`.
    when_undecided : "roll_back" or "freeze"
        Freezing keeps the share as it is and waits for a person.
    watch_s : float
        Seconds after the last step during which the old version is kept loaded and a bad challenger still rolled back.

    Raises
    ------
    ValueError
        If the weights do not rise to 1, or a number breaks its rule.

    Examples
    --------
    >>> RolloutPlan(weights=(0.5, 1.0), minimum_labels=20).weights
    (0.5, 1.0)
    """

    weights: tuple[float, ...] = DEFAULT_STEPS
    step_s: float = 0.0
    minimum_requests: int = DEFAULT_MINIMUM_REQUESTS
    minimum_labels: int = 0
    patience: int = DEFAULT_PATIENCE
    when_undecided: Literal["roll_back", "freeze"] = "roll_back"
    watch_s: float = 0.0

    def __post_init__(self) -> None:
        weights = tuple(check_in_range(weight, "weights", 0.0, ALL_TRAFFIC) for weight in self.weights)
        if not weights or list(weights) != sorted(set(weights)) or weights[-1] != ALL_TRAFFIC:
            raise ValueError(f"weights must rise and end with 1.0, got {self.weights!r}.")
        object.__setattr__(self, "weights", weights)
        check_in_range(self.step_s, "step_s", 0.0, float("inf"))
        check_integer(self.minimum_requests, "minimum_requests", minimum=1)
        check_integer(self.minimum_labels, "minimum_labels", minimum=0)
        check_integer(self.patience, "patience", minimum=1)
        check_choice(self.when_undecided, "when_undecided", ("roll_back", "freeze"))
        check_in_range(self.watch_s, "watch_s", 0.0, float("inf"))


DEFAULT_PLAN = RolloutPlan()
