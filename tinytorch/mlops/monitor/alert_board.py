"""Floor 2, monitor: all alert rules of a model on one board, which speaks only when something changes.

May import contracts and the rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.mlops.contracts import Alert
from tinytorch.mlops.monitor.threshold_rule import RuleState, State, ThresholdRule
from tinytorch.mlops.validate import check_distinct, check_moment


class AlertBoard:
    """Keeps the state of several rules, and reports each change once.

    An alert that goes on firing is not repeated. A silenced rule goes on being followed, and says nothing; when the
    silence ends, what changed in the meantime is said with the next values.

    Parameters
    ----------
    rules : sequence of ThresholdRule
        With distinct names; each watches the value of its own name.

    Raises
    ------
    ValueError
        If there are no rules or two have one name.

    Examples
    --------
    >>> board = AlertBoard([ThresholdRule("accuracy", fire_below=0.9, clear_above=0.93)])
    >>> [str(alert) for alert in board.update({"accuracy": 0.85}, now=0.0, model_version=1)]
    ['accuracy firing (critical): 0.85 is below 0.9']
    >>> board.update({"accuracy": 0.91}, now=60.0, model_version=1)
    ()
    >>> [str(alert) for alert in board.update({"accuracy": 0.95}, now=120.0, model_version=1)]
    ['accuracy resolved (critical): 0.95 is no longer below 0.93']
    """

    def __init__(self, rules: Sequence[ThresholdRule]) -> None:
        if not rules:
            raise ValueError("rules must hold at least one rule, got none.")
        check_distinct([rule.name for rule in rules], "rules")
        self._states = {rule.name: RuleState(rule) for rule in rules}
        self._said: dict[str, Alert] = {}
        self._silent_until: dict[str, float] = {}

    def update(self, values: Mapping[str, float | None], now: float, model_version: int) -> tuple[Alert, ...]:
        """Take in the values at `now` and return what changed, in the order of the rules.

        Parameters
        ----------
        values : mapping of str to float or None
            Rule name -> value. A rule without one sees "no value", which is never bad.
        now : float
            Seconds since the epoch, never before the last call's.
        model_version : int

        Raises
        ------
        ValueError
            If a name has no rule, a value is no finite number, None or NaN, or `now` lies in the past; then no rule
            has moved.
        """
        self._check(values, now)
        check_integer(model_version, "model_version", minimum=0)
        known = {name: _known(value, name) for name, value in values.items()}
        changes = (self._follow(name, known.get(name), now, model_version) for name in self._states)
        return tuple(change for change in changes if change is not None)

    def silence(self, name: str, until: float) -> None:
        """Say nothing about a rule before the moment `until` (seconds since the epoch); an earlier one ends it."""
        self._state_of(name)
        self._silent_until[name] = check_moment(until, "until")

    def state(self, name: str) -> State:
        """Return where a rule stands: "inactive", "pending" or "firing", silenced or not."""
        return self._state_of(name).state

    def firing(self) -> tuple[Alert, ...]:
        """Return the alerts that were said to fire and have not been resolved since."""
        return tuple(self._said.values())

    def _state_of(self, name: str) -> RuleState:
        if name not in self._states:
            raise ValueError(f"name must be one of {', '.join(self._states)}, got {name!r}.")
        return self._states[name]

    def _check(self, values: Mapping[str, float | None], now: float) -> None:
        """Refuse the call before any rule has moved."""
        check_moment(now, "now")
        for name in values:
            self._state_of(name)
        latest = max(state.now for state in self._states.values())
        if now < latest:
            raise ValueError(f"now must be >= {latest}, the moment of the last values, got {now}.")

    def _follow(self, name: str, value: float | None, now: float, model_version: int) -> Alert | None:
        """Move one rule; return what is to be said about it now."""
        state = self._states[name].step(value, now)
        is_firing, said = state.state == "firing", self._said.get(name)
        if is_firing == (said is not None) or now < self._silent_until.get(name, -math.inf):
            return None
        change = state.rule.alert(state.state, value, now, model_version)
        if value is None and said is not None:
            change = replace(change, value=said.value)  # the last that was known
        if is_firing:
            self._said[name] = change
        else:
            del self._said[name]
        return change


def _known(value: float | None, name: str) -> float | None:
    """Return a value as a float, and None for NaN, or refuse it."""
    if value is None or value != value:
        return None
    return float(check_in_range(value, f"values[{name!r}]", -math.inf, math.inf))
