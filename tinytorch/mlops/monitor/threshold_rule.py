"""Floor 2, monitor: alert rules in time: how long a value must be bad before an alert fires, and good before it clears.

    inactive -> pending   the value passes `fire_above` (or `fire_below`)
    pending  -> firing    it has stayed there for `for_s` seconds
    firing   -> inactive  it is back past `clear_below` (`clear_above`), and has been for `keep_firing_s` seconds
Without a second threshold a rule behaves as Prometheus' alerting rules do; a test holds the two together. May
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
_CLEARS = {"above": "clear_below", "below": "clear_above"}


@dataclass(frozen=True)
class ThresholdRule(Record):
    """When a value is bad enough, for long enough, to call somebody.

    Attributes
    ----------
    name : str
    fire_above, fire_below : float
        The value is bad above the one, or below the other; a rule has one of them.
    clear_below, clear_above : float, optional
        Where a firing alert clears, as soon as the value reaches it; the first threshold when not given. A gap between
        the two keeps a value that wavers about one threshold from firing and clearing again and again.
    for_s, keep_firing_s : float
        Seconds.
    severity : "info", "warning" or "critical"

    Raises
    ------
    ValueError
        If the rule has no threshold or both, the clearing one is of the other direction or lies on its bad side, a
        duration is negative, or a threshold is not finite.

    Examples
    --------
    >>> print(ThresholdRule("errors_high", fire_above=0.05, clear_below=0.02, for_s=300.0))
    errors_high: above 0.05 for 300 s fires (critical), clears at 0.02
    """

    name: str
    fire_above: float | None = None
    clear_below: float | None = None
    fire_below: float | None = None
    clear_above: float | None = None
    for_s: float = 0.0
    keep_firing_s: float = 0.0
    severity: Literal["info", "warning", "critical"] = "critical"

    def __post_init__(self) -> None:
        check_text(self.name, "name")
        check_choice(self.severity, "severity", ("info", "warning", "critical"))
        for name in ("for_s", "keep_firing_s"):
            check_in_range(getattr(self, name), name, 0.0, math.inf)
        if (self.fire_above is None) == (self.fire_below is None):
            given = f"{self.fire_above}, {self.fire_below}"
            raise ValueError(f"one of fire_above and fire_below must be given, got {given}.")
        for name in ("fire_above", "clear_below", "fire_below", "clear_above"):
            if getattr(self, name) is not None:
                check_in_range(getattr(self, name), name, -math.inf, math.inf)
        self._check_clearing()

    @property
    def direction(self) -> Literal["above", "below"]:
        """On which side of `fire_at` the value is bad."""
        return "below" if self.fire_above is None else "above"

    @property
    def fire_at(self) -> float:
        """The threshold at which the alert begins."""
        return float(self.fire_above if self.fire_above is not None else self.fire_below)  # type: ignore[arg-type]

    @property
    def clear_at(self) -> float:
        """The threshold at which a firing alert clears."""
        given = self.clear_below if self.direction == "above" else self.clear_above
        return self.fire_at if given is None else given

    def _check_clearing(self) -> None:
        """Refuse a clearing threshold of the other direction, or on the bad side of the first."""
        other = _CLEARS["below" if self.direction == "above" else "above"]
        if getattr(self, other) is not None:
            raise ValueError(f"{other} must not stand with fire_{self.direction}, got {getattr(self, other)}.")
        if self._is_past(self.clear_at, self.fire_at):
            rule = f"{_CLEARS[self.direction]} must not lie {self.direction} fire_{self.direction}"
            raise ValueError(f"{rule}, got {self.clear_at} and {self.fire_at}.")

    def is_bad(self, value: float | None, firing: bool) -> bool:
        """Tell whether a value is bad: past the first threshold, or while the alert is firing past the second.

        No value (None or NaN) is never bad, as in Prometheus: watch for silence with a rule on the number of rows.
        """
        threshold = self.clear_at if firing else self.fire_at
        return value is not None and self._is_past(value, threshold)

    def alert(self, state: State, value: float | None, now: float, model_version: int) -> Alert:
        """Write down that this rule fires, or (in any other state) was resolved.

        The sentence says what is true now: an alert that a silence held back may be said after the value went back.
        Without a value the record carries the threshold in its place.

        Examples
        --------
        >>> print(ThresholdRule("errors_high", fire_above=0.05).alert("firing", 0.2, 0.0, model_version=1))
        errors_high firing (critical): 0.2 is above 0.05
        """
        is_bad = self.is_bad(value, firing=False)
        threshold = self.fire_at if is_bad else self.clear_at
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
        clears = "" if self.clear_at == self.fire_at else f", clears at {self.clear_at:g}"
        return f"{self.name}: {self.direction} {self.fire_at:g}{lasting} fires ({self.severity}){clears}"


class RuleState:
    """Where one rule stands; it is told one value after another, in the order of time.

    Examples
    --------
    >>> state = RuleState(ThresholdRule("errors_high", fire_above=0.05, for_s=60.0))
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
