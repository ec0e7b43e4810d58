"""Floor 2, retrain: when to retrain, with a cooldown and a budget. May import contracts.

What it adds to the lesson's trigger: a budget of retrainings per period, so that a signal that never clears cannot
keep a cluster busy.
"""

from __future__ import annotations

import math

from tinytorch._arguments import check_integer, check_positive
from tinytorch.mlops.contracts import Alert, DriftReport, RetrainDecision
from tinytorch.mlops.validate import check_moment

# Six hours: labels of the new model must have had time to arrive before it is judged again.
DEFAULT_COOLDOWN_S = 6 * 3600.0
# Three a week: more often than that, retraining treats a symptom.
DEFAULT_BUDGET = 3
DEFAULT_PERIOD_S = 7 * 24 * 3600.0


class BudgetedTrigger:
    """Retrains when an alert of a watched rule fires, outside the cooldown and within the budget.

    Drift alone is no reason: inputs can move without harm. It is reported as a reason to watch.

    Parameters
    ----------
    cooldown_s : float
        Seconds after a retraining in which none is begun.
    budget : int
        Retrainings allowed in any `period_s` seconds.
    period_s : float
    rules : tuple of str
        Alert rules that are reasons to retrain.

    Examples
    --------
    >>> trigger = BudgetedTrigger(cooldown_s=3600)
    >>> alert = Alert("accuracy_low", "firing", "critical", 0.8, 0.9, 0.0, 1, "accuracy fell")
    >>> print(trigger.check_trigger_conditions((alert,), None, now=0.0))
    retrain: accuracy_low is firing
    >>> trigger.record_retraining(now=0.0)
    >>> print(trigger.check_trigger_conditions((alert,), None, now=60.0))
    keep the champion: accuracy_low is firing; cooling down for 3540 s more
    """

    def __init__(
        self,
        cooldown_s: float = DEFAULT_COOLDOWN_S,
        budget: int = DEFAULT_BUDGET,
        period_s: float = DEFAULT_PERIOD_S,
        rules: tuple[str, ...] = ("accuracy_low",),
    ) -> None:
        self.cooldown_s = check_positive(cooldown_s, "cooldown_s")
        self.budget = check_integer(budget, "budget", minimum=1)
        self.period_s = check_positive(period_s, "period_s")
        self.rules = tuple(rules)
        self._begun_at: list[float] = []

    def check_trigger_conditions(
        self, alerts: tuple[Alert, ...], report: DriftReport | None, now: float
    ) -> RetrainDecision:
        """Judge the alerts that are firing and the newest drift report. Changes nothing."""
        check_moment(now, "now")
        causes = [f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" and alert.rule in self.rules]
        watched = [f"{report}, to be watched"] if report is not None and report.drifted else []
        if not causes:
            return RetrainDecision(False, (*watched, "accuracy holds"))
        obstacle = self._obstacle(now)
        if obstacle is not None:
            return RetrainDecision(False, (*causes, obstacle))
        return RetrainDecision(True, (*causes, *watched))

    def record_retraining(self, now: float) -> None:
        """Remember that a retraining was begun now."""
        self._begun_at.append(check_moment(now, "now"))

    def _obstacle(self, now: float) -> str | None:
        """Return what speaks against a retraining now, if anything does."""
        left_s = max(self._begun_at, default=-math.inf) + self.cooldown_s - now
        if left_s > 0:
            return f"cooling down for {left_s:.0f} s more"
        recent = [begun for begun in self._begun_at if now - begun < self.period_s]
        if len(recent) >= self.budget:
            return f"the budget of {self.budget} retrainings in {self.period_s:.0f} s is used up"
        return None
