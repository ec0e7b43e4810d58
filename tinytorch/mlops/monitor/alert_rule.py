"""Floor 2, monitor: an alert that needs several breaches to fire and several good values to clear.

Two thresholds instead of one: a value that wavers about a single threshold would fire and clear at every look. May
import contracts and numpy; knows nothing of what the value measures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tinytorch._arguments import check_choice, check_in_range, check_integer
from tinytorch.mlops.contracts import Alert
from tinytorch.mlops.validate import check_moment

# One bad look can be chance; two in a row at the default thresholds hardly ever are.
DEFAULT_BREACHES_TO_FIRE = 2
DEFAULT_LOOKS_TO_CLEAR = 2


@dataclass(frozen=True)
class Look:
    """One look at a watched value, with the thresholds that hold for it (they may depend on the sample size).

    Raises
    ------
    ValueError
        If a number is NaN or infinite: such a value would neither fire nor clear, in silence.

    Examples
    --------
    >>> Look(value=0.8, fire_at=0.9, clear_at=0.93, timestamp=0.0, model_version=1).value
    0.8
    """

    value: float
    fire_at: float
    clear_at: float
    timestamp: float
    model_version: int

    def __post_init__(self) -> None:
        for name in ("value", "fire_at", "clear_at"):
            check_in_range(getattr(self, name), name, -math.inf, math.inf)
        check_moment(self.timestamp, "timestamp")


class AlertRule:
    """Turns looks at a value into alerts: `firing` after several breaches in a row, `resolved` after several clears.

    Parameters
    ----------
    name : str
    direction : "below" or "above"
        On which side of `fire_at` a look is a breach.
    severity : "info", "warning" or "critical"
    breaches_to_fire, looks_to_clear : int

    Examples
    --------
    >>> rule = AlertRule("accuracy_low", "below")
    >>> bad = Look(value=0.8, fire_at=0.9, clear_at=0.93, timestamp=0.0, model_version=1)
    >>> rule.update(bad), str(rule.update(bad))
    (None, 'accuracy_low firing (critical): 0.8 is below 0.9, 2 looks in a row')
    """

    def __init__(
        self,
        name: str,
        direction: Literal["below", "above"],
        severity: Literal["info", "warning", "critical"] = "critical",
        breaches_to_fire: int = DEFAULT_BREACHES_TO_FIRE,
        looks_to_clear: int = DEFAULT_LOOKS_TO_CLEAR,
    ) -> None:
        self.name = name
        self.direction = check_choice(direction, "direction", ("below", "above"))
        self.severity = severity
        self.breaches_to_fire = check_integer(breaches_to_fire, "breaches_to_fire", minimum=1)
        self.looks_to_clear = check_integer(looks_to_clear, "looks_to_clear", minimum=1)
        check_choice(severity, "severity", ("info", "warning", "critical"))
        self._firing: Alert | None = None
        self._in_a_row = 0

    @property
    def firing(self) -> Alert | None:
        """The alert that is firing now, if one is."""
        return self._firing

    def update(self, look: Look) -> Alert | None:
        """Take in one look and return an alert if its state changed.

        Raises
        ------
        ValueError
            If `clear_at` lies on the bad side of `fire_at`: the alert would clear while it should fire.
        """
        if self._is_worse(look.clear_at, look.fire_at):
            raise ValueError(f"clear_at must not lie {self.direction} fire_at, got {look.clear_at} and {look.fire_at}.")
        if self._firing is None:
            return self._update_quiet(look)
        return self._update_firing(look)

    def reset(self) -> None:
        """Forget everything, as after a deployment: a new model starts with a clean sheet."""
        self._firing, self._in_a_row = None, 0

    def _update_quiet(self, look: Look) -> Alert | None:
        """Count breaches; fire when there are enough in a row."""
        self._in_a_row = self._in_a_row + 1 if self._is_worse(look.value, look.fire_at) else 0
        if self._in_a_row < self.breaches_to_fire:
            return None
        reason = f"{look.value:.3g} is {self.direction} {look.fire_at:.3g}, {self._in_a_row} looks in a row"
        self._firing = self._alert("firing", look, look.fire_at, reason)
        self._in_a_row = 0
        return self._firing

    def _update_firing(self, look: Look) -> Alert | None:
        """Count looks on the good side of the clear threshold; resolve when there are enough in a row."""
        self._in_a_row = 0 if self._is_worse(look.value, look.clear_at) else self._in_a_row + 1
        if self._in_a_row < self.looks_to_clear:
            return None
        self.reset()
        return self._alert("resolved", look, look.clear_at, f"{look.value:.3g} is back at {look.clear_at:.3g}")

    def _is_worse(self, value: float, threshold: float) -> bool:
        """Tell whether a value lies on the bad side of a threshold."""
        return value < threshold if self.direction == "below" else value > threshold

    def _alert(self, state: Literal["firing", "resolved"], look: Look, threshold: float, message: str) -> Alert:
        """Write the alert down."""
        return Alert(
            rule=self.name,
            state=state,
            severity=self.severity,
            value=look.value,
            threshold=threshold,
            timestamp=look.timestamp,
            model_version=look.model_version,
            message=message,
        )
