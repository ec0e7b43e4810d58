"""The monitor's check finds what is wrong with wrong monitors, and names it."""

from __future__ import annotations

from functools import partial

import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.monitor import check_monitor
from tinytorch.mlops.monitor import WindowedMonitor


class RepeatsItself(WindowedMonitor):
    """Reports the state at every look in place of its changes."""

    def record_labels(self, label_batch):
        super().record_labels(label_batch)
        return self.firing_alerts()


class NeverClears(WindowedMonitor):
    def record_labels(self, label_batch):
        return tuple(alert for alert in super().record_labels(label_batch) if alert.state == "firing")


class ReturnsNothing(WindowedMonitor):
    def observe(self, batch):
        super().observe(batch)


class CannotTakeForeignLabels(WindowedMonitor):
    def record_labels(self, label_batch):
        known = dict.fromkeys(range(10_000))
        for key in label_batch.request_ids.tolist():
            known[key]
        return super().record_labels(label_batch)


class CountsTwice(WindowedMonitor):
    """Keeps no note of which labels have come, and lets answers wait again."""

    seen: dict = {}  # noqa: RUF012

    def observe(self, batch):
        self.seen = {**self.seen, int(batch.request_ids[0]) if len(batch) else None: batch}
        return super().observe(batch)

    def record_labels(self, label_batch):
        alerts = super().record_labels(label_batch)
        batch = self.seen.get(int(label_batch.request_ids.min()) if len(label_batch) else None)
        if batch is not None and len(batch):
            super().observe(batch)
        return alerts


class BeginsOnce(WindowedMonitor):
    """Keeps its first baseline, and the alert that fires."""

    begun = False

    def reset_baseline(self, baseline_accuracy, n_baseline):
        if not self.begun:
            super().reset_baseline(baseline_accuracy, n_baseline)
            self.begun = True


class TakesAnyBaseline(WindowedMonitor):
    def reset_baseline(self, baseline_accuracy, n_baseline):
        if n_baseline > 0:
            super().reset_baseline(min(max(baseline_accuracy, 0.0), 1.0), n_baseline)


@pytest.mark.parametrize(
    ("make_monitor", "sentence"),
    [
        (partial(WindowedMonitor, standard_errors=0.01), "20 batches at the baseline's 95%.*: expected no alert"),
        (
            partial(WindowedMonitor, standard_errors=40.0),
            "half of the answers wrong: expected one alert in all",
        ),
        (RepeatsItself, r"expected one alert in all, firing, got \['firing', 'firing'"),
        (NeverClears, "ten healthy batches after the alert fired: expected one alert in all, resolved, got none"),
        (ReturnsNothing, r"monitor.observe\(50 predictions by version 3\): expected a tuple of Alert, got None"),
        (CannotTakeForeignLabels, r"monitor.record_labels\(50 labels\): .* KeyError was raised"),
        (CountsTwice, "record_labels of labels that came before: expected no alert: they count once"),
        (BeginsOnce, r"a fall after reset_baseline\(0.95, 200\): expected one alert in all, firing, got none"),
        (TakesAnyBaseline, r"monitor.reset_baseline\(1.5, 200\): expected a ValueError, got None"),
    ],
)
def test_a_wrong_monitor_is_told_what_is_wrong(make_monitor, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_monitor(make_monitor)


def test_a_monitor_that_is_not_yet_written_is_told_apart():
    class Unwritten(WindowedMonitor):
        def record_labels(self, label_batch):
            raise NotImplementedError("write this part")

    with pytest.raises(ContractError, match=r"^not yet written: record_labels, which monitor.record_labels"):
        check_monitor(Unwritten)
