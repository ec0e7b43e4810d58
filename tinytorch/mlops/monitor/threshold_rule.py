"""Floor 2, monitor: alert rules in time: how long a value must be bad before an alert fires, and good before it clears.

    inactive -> pending   the value passes `fire_at`
    pending  -> firing    it has stayed there for `for_s` seconds
    firing   -> inactive  it is back past `clear_at`, and has been for `keep_firing_s` seconds
Without a `clear_at` of its own a rule behaves as Prometheus' alerting rules do; a test holds the two together. May
import contracts; knows nothing of what the values measure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tinytorch._arguments import check_choice, check_in_range
from tinytorch.mlops._record import Record
from tinytorch.mlops.contracts import Alert
from tinytorch.mlops.validate import check_moment, check_text

State = Literal["inactive", "pending", "firing"]


@dataclass(frozen=True)
class ThresholdRule(Record):
    """When a value is bad enough, for long enough, to call somebody.

    Attributes
    ----------
    name : str
    direction : "above" or "below"
        On which side of `fire_at` the value is bad.
    fire_at : float
    clear_at : float, optional
        Where a firing alert clears; `fire_at` when not given. A gap between the two keeps a value that wavers about
        one threshold from firing and clearing again and again.
    for_s, keep_firing_s : float
        Seconds.
    severity : "info", "warning" or "critical"

    Raises
    ------
    ValueError
        If `clear_at` lies on the bad side of `fire_at`, a duration is negative, or a threshold is not finite.

    Examples
    --------
    >>> print(ThresholdRule("errors_high", "above", fire_at=0.05, clear_at=0.02, for_s=300.0))
    errors_high: above 0.05 for 300 s fires (critical), clears at 0.02
    """

    name: str
    direction: Literal["above", "below"]
    fire_at: float
    clear_at: float | None = None
    for_s: float = 0.0
    keep_firing_s: float = 0.0
    severity: Literal["info", "warning", "critical"] = "critical"

    def __post_init__(self) -> None:
        check_text(self.name, "name")
        check_choice(self.direction, "direction", ("above", "below"))
        check_choice(self.severity, "severity", ("info", "warning", "critical"))
        check_in_range(self.fire_at, "fire_at", -math.inf, math.inf)
        for name in ("for_s", "keep_firing_s"):
            check_in_range(getattr(self, name), name, 0.0, math.inf)
        if self.clear_at is not None:
            check_in_range(self.clear_at, "clear_at", -math.inf, math.inf)
            if self._is_past(self.clear_at, self.fire_at):
                raise ValueError(
                    f"clear_at must not lie {self.direction} fire_at, got {self.clear_at} and {self.fire_at}."
                )

    def is_bad(self, value: float | None, firing: bool) -> bool:
        """Tell whether a value is bad: past `fire_at`, or past `clear_at` while the alert is firing.

        No value (None or NaN) is never bad, as in Prometheus: watch for silence with a rule on the number of rows.
        """
        threshold = self.fire_at if self.clear_at is None or not firing else self.clear_at
        return value is not None and self._is_past(value, threshold)

    def alert(self, state: State, value: float | None, now: float, model_version: int) -> Alert:
        """Write down that this rule fires, or (in any other state) was resolved.

        The sentence says what is true now: an alert that a silence held back may be said after the value went back.
        Without a value the record carries the threshold in its place.

        Examples
        --------
        >>> print(ThresholdRule("errors_high", "above", fire_at=0.05).alert("firing", 0.2, 0.0, model_version=1))
        errors_high firing (critical): 0.2 is above 0.05
        """
        is_bad = self.is_bad(value, firing=False)
        threshold = self.fire_at if is_bad or self.clear_at is None else self.clear_at
        return Alert(
            rule=self.name,
            state="firing" if state == "firing" else "resolved",
            severity=self.severity,
            value=threshold if value is None else value,
            threshold=threshold,
            timestamp=now,
            model_version=model_version,
            message=self._sentence(state, value, threshold),
        )

    def _sentence(self, state: State, value: float | None, threshold: float) -> str:
        """Say where the value stands, and why the state is another one if it is."""
        kept = state == "firing" and not self.is_bad(value, firing=True)
        why = ", the alert is kept firing" if kept else ", not yet for long enough" if state == "pending" else ""
        if value is None:
            return f"there is no value{why}"
        side = self.direction if self._is_past(value, threshold) else f"no longer {self.direction}"
        return f"{value:.3g} is {side} {threshold:.3g}{why}"

    def _is_past(self, value: float, threshold: float) -> bool:
        return value > threshold if self.direction == "above" else value < threshold

    def __str__(self) -> str:
        lasting = f" for {self.for_s:g} s" if self.for_s else ""
        clears = "" if self.clear_at is None else f", clears at {self.clear_at:g}"
        return f"{self.name}: {self.direction} {self.fire_at:g}{lasting} fires ({self.severity}){clears}"


class RuleState:
    """Where one rule stands; it is told one value after another, in the order of time.

    Examples
    --------
    >>> state = RuleState(ThresholdRule("errors_high", "above", fire_at=0.05, for_s=60.0))
    >>> [state.step(0.2, now).state for now in (0.0, 60.0, 120.0)]
    ['pending', 'firing', 'firing']
    >>> state.step(0.0, 180.0).state
    'inactive'
    """

    def __init__(self, rule: ThresholdRule) -> None:
        self.rule = rule
        self.state: State = "inactive"
        self.now = -math.inf
        self._bad_since = self._good_since = math.nan

    def step(self, value: float | None, now: float) -> RuleState:
        """Take in the value at `now` (seconds since the epoch), or None if there is none.

        Raises
        ------
        ValueError
            If `now` lies before the value taken in last: nothing has changed then.
        """
        check_moment(now, "now")
        if now < self.now:
            raise ValueError(f"now must be >= {self.now}, the moment of the last value, got {now}.")
        self.now = now
        if self.rule.is_bad(value, self.state == "firing"):
            self._bad(now)
        else:
            self._good(now)
        return self

    def _bad(self, now: float) -> None:
        """Begin to wait, or fire once the wait is over."""
        self._good_since = math.nan
        if self.state == "inactive":
            self.state, self._bad_since = "pending", now
        if self.state == "pending" and now - self._bad_since >= self.rule.for_s:
            self.state = "firing"

    def _good(self, now: float) -> None:
        """Clear, unless a firing alert is to be kept for a while."""
        if self.state == "firing" and self.rule.keep_firing_s > 0:
            self._good_since = now if math.isnan(self._good_since) else self._good_since
            if now - self._good_since < self.rule.keep_firing_s:
                return
        self.state, self._bad_since, self._good_since = "inactive", math.nan, math.nan
