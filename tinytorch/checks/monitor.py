"""Floor 3, the marking room: what every monitor must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from tinytorch.checks.calls import in_words, must_refuse, require, watch
from tinytorch.mlops.contracts import Alert, LabelBatch, Monitor, PredictionBatch

MakeMonitor = Callable[[str, float, int], Monitor]

BASELINE_ACCURACY = 0.95
N_BASELINE = 200
# Enough labels in one delivery for any monitor to look at them.
ROWS_PER_BATCH = 50
# Errors in batches of 50 at an accuracy of 95%, as chance scatters them: twice in a row below the baseline.
HEALTHY_ERRORS = (2, 3, 4, 1, 3, 2, 5, 3, 0, 2)
# Half of the answers wrong, where one in twenty was: twelve standard errors.
FALLEN_ERRORS = (25,) * 8
SECONDS_PER_BATCH = 3600.0
MODEL_VERSION = 3
# So few answers say nothing, even if all are wrong.
TOO_FEW = 3


def check_monitor(make_monitor: MakeMonitor) -> None:
    """Try a monitor: alerts only when the state changes, on a real fall and not by chance, whatever the labels do.

    Parameters
    ----------
    make_monitor : callable
        `make_monitor(model_name, baseline_accuracy, n_baseline)` returns a new monitor.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.monitor import WindowedMonitor
    >>> check_monitor(WindowedMonitor)
    """
    for try_out in (
        _stays_quiet_by_chance,
        _fires_and_resolves,
        _needs_evidence,
        _takes_labels_in_any_order,
        _leaves_foreign_labels_out,
        _takes_empty_batches,
        _refuses_repeated_requests,
        _begins_again,
        _refuses_bad_baselines,
    ):
        try_out(make_monitor)


class _Shift:
    """One monitor at work: hands over batches with a chosen number of errors, and collects the alerts."""

    def __init__(self, make_monitor: MakeMonitor) -> None:
        self.monitor = watch(watch(make_monitor, "make_monitor")("digits", BASELINE_ACCURACY, N_BASELINE), "monitor")
        self.n_batches = 0

    def answers(self, n_rows: int = ROWS_PER_BATCH) -> PredictionBatch:
        """Return new answers, all of class 1, that the monitor has seen."""
        ids = np.arange(n_rows) + ROWS_PER_BATCH * self.n_batches
        zeros = np.zeros((n_rows, 1))
        batch = PredictionBatch(ids, zeros, np.ones(n_rows), None, zeros[:, 0], self.now, MODEL_VERSION)
        self.n_batches += 1
        require_alerts(self.monitor.observe(batch), f"monitor.observe({batch})")
        return batch

    @property
    def now(self) -> float:
        """The time in seconds."""
        return SECONDS_PER_BATCH * self.n_batches

    def deliver(self, labels: LabelBatch) -> tuple[Alert, ...]:
        """Hand labels over and return the alerts."""
        return require_alerts(self.monitor.record_labels(labels), f"monitor.record_labels({labels})")

    def work(self, errors: tuple[int, ...]) -> list[Alert]:
        """Serve one batch after the other, with so many errors in each, and return all alerts."""
        return [alert for n_errors in errors for alert in self.deliver(label(self.answers(), n_errors, self.now))]


def label(batch: PredictionBatch, n_errors: int, now: float) -> LabelBatch:
    """Return labels for all answers of a batch, the first `n_errors` of which differ from the prediction.

    Examples
    --------
    >>> batch = PredictionBatch([1, 2], [[0.0], [1.0]], [1, 1], None, [0.2, 0.3], timestamp=0.0, model_version=1)
    >>> label(batch, 1, now=60.0).labels
    array([0, 1])
    """
    return LabelBatch(batch.request_ids, np.where(np.arange(len(batch)) < n_errors, 0, batch.predictions), now)


def require_alerts(alerts: object, call: str) -> tuple[Alert, ...]:
    """Return alerts if they are a tuple of `Alert`, or raise `ContractError`.

    Examples
    --------
    >>> require_alerts((), "monitor.observe(batch)")
    ()
    """
    is_right = isinstance(alerts, tuple) and all(isinstance(alert, Alert) for alert in alerts)
    require(is_right, call, "a tuple of Alert", alerts)
    return alerts  # type: ignore[return-value]


def _stays_quiet_by_chance(make_monitor: MakeMonitor) -> None:
    alerts = _Shift(make_monitor).work(HEALTHY_ERRORS * 2)
    situation = f"record_labels of 20 batches at the baseline's {BASELINE_ACCURACY:.0%}, give or take chance"
    require(not alerts, situation, "no alert", tuple(alerts))


def _fires_and_resolves(make_monitor: MakeMonitor) -> None:
    shift = _Shift(make_monitor)
    for time in ("", " for the second time"):
        shift.work(HEALTHY_ERRORS)
        fallen = shift.work(FALLEN_ERRORS)
        situation = f"record_labels of {len(FALLEN_ERRORS)} batches with half of the answers wrong{time}"
        _require_one(fallen, "firing", situation)
        _require_fields(fallen[0], shift, situation)
        healthy = shift.work(HEALTHY_ERRORS)
        _require_one(healthy, "resolved", f"record_labels of ten healthy batches after the alert fired{time}")
        same_rule = healthy[0].rule == fallen[0].rule
        require(same_rule, "the alert that is resolved", f"the rule {fallen[0].rule!r} that fired", healthy[0].rule)


def _require_one(alerts: list[Alert], state: str, situation: str) -> None:
    """Raise unless there is one alert, in this state: alerts report changes, not states."""
    states = [alert.state for alert in alerts]
    require(states == [state], situation, f"one alert in all, {state}", f"{states or 'none'}")


def _require_fields(alert: Alert, shift: _Shift, situation: str) -> None:
    """Raise unless a firing accuracy alert says when, about which model, and how far."""
    require(alert.value < alert.threshold, situation, f"a value below the threshold {alert.threshold:.3g}", alert.value)
    require(alert.model_version == MODEL_VERSION, situation, f"model_version {MODEL_VERSION}", alert.model_version)
    on_time = alert.timestamp % SECONDS_PER_BATCH == 0 and 0 < alert.timestamp <= shift.now
    require(on_time, situation, "the timestamp of the labels that made it fire", alert.timestamp)
    require(bool(alert.message), situation, "a message for people", alert.message)


def _needs_evidence(make_monitor: MakeMonitor) -> None:
    shift = _Shift(make_monitor)
    alerts = shift.deliver(label(shift.answers(TOO_FEW), TOO_FEW, shift.now))
    require(not alerts, f"record_labels of {TOO_FEW} wrong answers in all", "no alert: so few may be chance", alerts)


def _takes_labels_in_any_order(make_monitor: MakeMonitor) -> None:
    in_order, backwards = _Shift(make_monitor), _Shift(make_monitor)
    expected = in_order.work(FALLEN_ERRORS)
    got: list[Alert] = []
    for n_errors in FALLEN_ERRORS:
        labels = label(backwards.answers(), n_errors, backwards.now)
        got.extend(backwards.deliver(LabelBatch(labels.request_ids[::-1], labels.labels[::-1], labels.timestamp)))
    _require_same(got, expected, "of batches in reverse order")


def _leaves_foreign_labels_out(make_monitor: MakeMonitor) -> None:
    shift, untouched = _Shift(make_monitor), _Shift(make_monitor)
    for _ in range(3):
        foreign = LabelBatch(-1 - np.arange(ROWS_PER_BATCH), np.zeros(ROWS_PER_BATCH), shift.now)
        alerts = shift.deliver(foreign)
        require(not alerts, "record_labels of requests that nobody observed", "no alert", alerts)
    wrong = label(shift.answers(), ROWS_PER_BATCH, shift.now)
    theirs = untouched.deliver(label(untouched.answers(), ROWS_PER_BATCH, shift.now))
    _require_same(shift.deliver(wrong), theirs, "after labels of unknown requests")
    for _ in range(3):
        alerts = shift.deliver(wrong)
        require(not alerts, "record_labels of labels that came before", "no alert: they count once", alerts)
    _require_same(shift.work(FALLEN_ERRORS), untouched.work(FALLEN_ERRORS), "after labels that came twice")


def _require_same(alerts: Iterable[Alert], expected: Iterable[Alert], situation: str) -> None:
    """Raise unless a monitor and its undisturbed twin say the same."""
    got, undisturbed = tuple(alerts), tuple(expected)
    call = f"record_labels {situation}"
    require(got == undisturbed, call, f"the alerts as without that, {in_words(undisturbed)}", got)


def _takes_empty_batches(make_monitor: MakeMonitor) -> None:
    shift, untouched = _Shift(make_monitor), _Shift(make_monitor)
    alerts = (*shift.deliver(label(shift.answers(0), 0, shift.now)), *shift.work(FALLEN_ERRORS))
    untouched.n_batches = 1
    _require_same(alerts, tuple(untouched.work(FALLEN_ERRORS)), "after a batch without rows")


def _refuses_repeated_requests(make_monitor: MakeMonitor) -> None:
    shift, untouched = _Shift(make_monitor), _Shift(make_monitor)
    batch, same = shift.answers(), untouched.answers()
    must_refuse(partial(shift.monitor.observe, batch), "monitor.observe of requests that still wait for their labels")
    _require_same(
        (*shift.deliver(label(batch, ROWS_PER_BATCH, shift.now)), *shift.work(FALLEN_ERRORS)),
        (*untouched.deliver(label(same, ROWS_PER_BATCH, shift.now)), *untouched.work(FALLEN_ERRORS)),
        "after an observe that was refused",
    )


def _begins_again(make_monitor: MakeMonitor) -> None:
    shift = _Shift(make_monitor)
    shift.work(FALLEN_ERRORS)
    late = [label(shift.answers(), ROWS_PER_BATCH, shift.now) for _ in FALLEN_ERRORS]
    shift.monitor.reset_baseline(0.5, N_BASELINE)
    alerts = [alert for labels in late for alert in shift.deliver(labels)]
    require(not alerts, "record_labels of the old model's answers after reset_baseline", "no alert", tuple(alerts))
    alerts = shift.work(FALLEN_ERRORS)
    require(not alerts, "half of the answers wrong after reset_baseline(0.5, 200)", "no alert", tuple(alerts))
    shift.monitor.reset_baseline(BASELINE_ACCURACY, N_BASELINE)
    _require_one(shift.work(FALLEN_ERRORS), "firing", "a fall after reset_baseline(0.95, 200)")


def _refuses_bad_baselines(make_monitor: MakeMonitor) -> None:
    shift, untouched = _Shift(make_monitor), _Shift(make_monitor)
    for accuracy, n_rows in ((1.5, N_BASELINE), (-0.1, N_BASELINE), (float("nan"), N_BASELINE), (0.5, 0)):
        call = f"monitor.reset_baseline({accuracy}, {n_rows})"
        must_refuse(partial(shift.monitor.reset_baseline, accuracy, n_rows), call)
    _require_same(shift.work(FALLEN_ERRORS), untouched.work(FALLEN_ERRORS), "after a reset_baseline that was refused")
