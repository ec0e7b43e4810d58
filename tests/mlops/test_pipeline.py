"""The loop: what it refuses changes nothing, what goes wrong leaves the champion serving, and it closes on digits."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from batches import Always

from tinytorch.datasets import DriftPlan, TrafficSchedule, TrafficStep, kept_for_comparison, load_digits, stream
from tinytorch.mlops.contracts import (
    Alert,
    DriftReport,
    LabelBatch,
    ModelComparison,
    PredictionBatch,
    RetrainDecision,
    RolloutDecision,
)
from tinytorch.mlops.deploy import AuditedRegistry, CanaryRollout, split_traffic
from tinytorch.mlops.drift import UnivariateDetector
from tinytorch.mlops.hashing import hash_data, hash_model
from tinytorch.mlops.monitor import WindowedMonitor
from tinytorch.mlops.pipeline import DeploymentStage, MLOpsPipeline, RetrainingStage
from tinytorch.mlops.retrain import BudgetedTrigger, NetworkTrainer, RetrainingSession, compare_by_mcnemar

HOUR_S = 3600.0


class SpyMonitor:
    """A monitor that writes down what it is shown, and raises or alerts when told to."""

    def __init__(self) -> None:
        self.observed: list[PredictionBatch] = []
        self.labels: list[LabelBatch] = []
        self.baselines: list[tuple[float, int]] = []
        self.alerts: tuple[Alert, ...] = ()
        self.error: Exception | None = None

    def observe(self, batch: PredictionBatch) -> tuple[Alert, ...]:
        if self.error is not None:
            raise self.error
        self.observed.append(batch)
        return ()

    def record_labels(self, label_batch: LabelBatch) -> tuple[Alert, ...]:
        if self.error is not None:
            raise self.error
        self.labels.append(label_batch)
        alerts, self.alerts = self.alerts, ()
        return alerts

    def reset_baseline(self, baseline_accuracy: float, n_baseline: int) -> None:
        self.baselines.append((baseline_accuracy, n_baseline))


class SpyDetector:
    """A detector that remembers its references and sees drift when told to."""

    def __init__(self) -> None:
        self.references: list[np.ndarray] = []
        self.windows: list[np.ndarray] = []
        self.pvalue = 1.0
        self.error: Exception | None = None

    def fit(self, reference: np.ndarray) -> SpyDetector:
        if self.error is not None:
            raise self.error
        self.references.append(reference)
        return self

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        self.windows.append(current)
        p = self.pvalue
        return DriftReport(("a",), "spy", [0.9], [p], [p], [0.9], [0.0], 0.05, 0.1, 10, len(current), now)


class SpyTrigger:
    """A trigger that says yes when told to."""

    def __init__(self) -> None:
        self.wants = False
        self.asked: list[tuple[Any, Any, float]] = []
        self.begun: list[float] = []

    def check_trigger_conditions(self, alerts: Any, report: Any, now: float) -> RetrainDecision:
        self.asked.append((alerts, report, now))
        return RetrainDecision(self.wants, ("told to",))

    def record_retraining(self, now: float) -> None:
        self.begun.append(now)


class Gives:
    """A trainer that gives a model away or raises, and remembers what it was given."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.seen: list[tuple[np.ndarray, np.ndarray]] = []

    def train(self, features: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Any:
        self.seen.append((features, labels))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Script:
    """A rollout that decides what it was told to."""

    def __init__(self, *decisions: RolloutDecision) -> None:
        self.decisions = list(decisions)
        self.labels: list[LabelBatch] = []
        self.steps: list[tuple[PredictionBatch, PredictionBatch]] = []

    def step(self, champion_batch: Any, challenger_batch: Any, now: float) -> RolloutDecision:
        self.steps.append((champion_batch, challenger_batch))
        return self.decisions.pop(0) if self.decisions else RolloutDecision("hold", 0.5, ("script is over",))

    def record_labels(self, label_batch: LabelBatch) -> None:
        self.labels.append(label_batch)


class Loop:
    """A pipeline of spies on two features and ten classes; the challenger always answers 1, the champion 0."""

    def __init__(
        self,
        challenger: Any = None,
        *,
        rollout: Script | None = None,
        minimum_rows: int = 4,
        lead: float = 0.5,
        first_weight: float = 0.5,
    ) -> None:
        self.monitor, self.detector, self.trigger = SpyMonitor(), SpyDetector(), SpyTrigger()
        self.champion = Always(0, n_classes=10)
        self.trainer = Gives(Always(1, n_classes=10) if challenger is None else challenger)
        self.registry = AuditedRegistry()
        self.rollout = rollout or Script()
        comparison = ModelComparison(0.5, 0.5 + lead, 0.001 if lead > 0 else 1.0, 8)
        self.session = RetrainingSession(self.trainer, lambda *_: comparison)
        self.base = np.zeros((6, 2)), np.arange(6)
        retraining = RetrainingStage(
            self.trigger, self.session, *self.base, kept_for_comparison, np.random.default_rng(0), minimum_rows
        )
        deployment = DeploymentStage(self.registry, split_traffic, lambda: self.rollout, first_weight)
        self.pipeline = MLOpsPipeline("digits", self.monitor, self.detector, retraining, deployment)
        self.pipeline.start_monitoring(self.champion, 0.9, 200, now=0.0)
        self.next_id = 0

    def serve(self, n_rows: int = 40, now: float = 1.0, value: float = 1.0) -> tuple[PredictionBatch, ...]:
        ids = self.next_id + np.arange(n_rows)
        self.next_id += n_rows
        return self.pipeline.predict(ids, np.full((n_rows, 2), value), now)

    def label(self, batches: tuple[PredictionBatch, ...], label: int = 1, now: float = 1.0) -> Any:
        ids = np.concatenate([batch.request_ids for batch in batches])
        return self.pipeline.record_labels(LabelBatch(ids, np.full(len(ids), label), now))

    def begin_trial(self) -> None:
        """Serve, label and retrain, so that version 2 is on trial."""
        self.label(self.serve())
        self.trigger.wants = True
        self.pipeline.run_cycle(now=1.0)
        self.trigger.wants = False

    def kinds(self) -> list[str]:
        return [event.kind for event in self.pipeline.get_pipeline_status().events]

    def state(self) -> Any:
        """Everything that could change, as a comparable value."""
        pipeline = self.pipeline
        status = pipeline.get_pipeline_status()
        return copy.deepcopy(
            (
                str(status.to_dict()),
                str(pipeline.check_system_health().to_dict()),
                sorted(pipeline._log._waiting),
                [batch.request_ids.tolist() for batch in pipeline._labelled._batches],
                [moment for moment, _ in pipeline._chapter._batches],
                None if pipeline._trial is None else (len(pipeline._trial._answers), len(pipeline._trial._labels)),
                (len(self.monitor.observed), len(self.monitor.labels), self.monitor.baselines),
                (len(self.detector.references), len(self.detector.windows)),
                len(self.registry.history("digits")),
            )
        )


NAN = float("nan")
PROMOTE = RolloutDecision("advance", 1.0, ("better",))

BAD_REQUESTS = [
    ([1, 1], np.zeros((2, 2)), 5.0, "request_ids must be distinct"),
    ([900, 0], np.zeros((2, 2)), 5.0, "request_ids must be new, got 0, which waits for its label"),
    ([900], np.zeros((2, 2)), 5.0, "request_ids, features must have the same length"),
    ([900], [[NAN, 0.0]], 5.0, "features must be finite"),
    ([900], np.zeros((1, 3)), 5.0, "features must have 2 columns, got 3"),
    ([900, 901], [[0.0, 0.0], [0.0]], 5.0, "features must be a rectangular array"),
    ([900], [["a", "b"]], 5.0, "features must be numbers"),
    ([0.5], np.zeros((1, 2)), 5.0, "request_ids must be integers or strings"),
    ([900], np.zeros((1, 2)), NAN, "now must be in"),
    ([900], np.zeros((1, 2)), "a", "now must be in"),
    ([], [], 5.0, "features must have 2 columns, got 1"),
]


@pytest.mark.parametrize("on_trial", [False, True])
@pytest.mark.parametrize(("ids", "features", "now", "message"), BAD_REQUESTS)
def test_refused_requests_change_nothing(ids: Any, features: Any, now: float, message: str, on_trial: bool):
    loop = Loop()
    if on_trial:
        loop.begin_trial()
        loop.next_id = 0  # the labelled ids may come again
    loop.serve()
    before = loop.state()
    with pytest.raises(ValueError, match=message):
        loop.pipeline.predict(ids, features, now)
    assert loop.state() == before
    loop.next_id = 2000
    assert len(loop.serve()) == (2 if on_trial else 1)


def test_a_monitor_that_fails_changes_nothing_either():
    loop = Loop()
    batches = loop.serve()
    before = loop.state()
    loop.monitor.error = RuntimeError("monitor is down")
    with pytest.raises(RuntimeError, match="monitor is down"):
        loop.serve()
    with pytest.raises(RuntimeError, match="monitor is down"):
        loop.label(batches)
    assert loop.state() == before


@pytest.mark.parametrize("answer", [None, RuntimeError("no")])
def test_a_champion_that_cannot_answer_is_an_error_and_changes_nothing(answer: Any):
    loop = Loop()
    loop.serve()
    before = loop.state()
    loop.champion.answer = answer
    with pytest.raises((ValueError, RuntimeError)):
        loop.serve()
    assert loop.state() == before


def test_labels_of_no_class_are_refused_and_change_nothing():
    loop = Loop()
    batches = loop.serve()
    before = loop.state()
    with pytest.raises(ValueError, match="labels must be class indices below 10, got 10 for request 0"):
        loop.label(batches, label=10)
    assert loop.state() == before
    assert len(loop.label(batches, label=9)) == 40


def test_labels_of_strangers_are_counted_and_left_out():
    loop = Loop()
    loop.serve()
    labelled = loop.pipeline.record_labels(LabelBatch([0, 5000], [1, 77], 1.0))
    assert (len(labelled), labelled.n_unmatched) == (1, 1)


def test_the_monitor_sees_the_champions_answers_only():
    loop = Loop()
    loop.begin_trial()
    champion, challenger = loop.serve()
    assert loop.monitor.observed[-1] is champion
    assert champion.model_version == 1
    assert (challenger.predictions == 1).all()
    assert loop.pipeline.get_pipeline_status().n_requests == 80


def test_alerts_are_remembered_until_they_are_resolved_and_shown_to_the_trigger():
    loop = Loop()
    firing = Alert("accuracy_low", "firing", "critical", 0.5, 0.8, 1.0, 1, "fell")
    resolved = Alert("accuracy_low", "resolved", "critical", 0.9, 0.85, 2.0, 1, "is back")
    loop.monitor.alerts = (firing,)
    loop.label(loop.serve())
    loop.pipeline.run_cycle(now=1.0)
    assert loop.trigger.asked[-1][0] == (firing,)
    assert loop.pipeline.check_system_health().firing_alerts == (firing,)
    loop.monitor.alerts = (resolved,)
    loop.label(loop.serve())
    loop.pipeline.run_cycle(now=2.0)
    assert loop.trigger.asked[-1][0] == ()
    assert loop.pipeline.check_system_health().healthy
    assert loop.kinds() == ["started", "alert", "alert_over"]


def test_drift_is_looked_for_in_the_newest_window_and_noted_when_it_begins_and_ends():
    loop = Loop()
    for step in range(4):
        loop.serve(now=float(step))
        assert loop.pipeline.run_cycle(now=float(step)) == ()
    assert loop.detector.windows == []
    loop.serve(now=4.0)
    loop.detector.pvalue = 0.001
    (event,) = loop.pipeline.run_cycle(now=4.0)
    assert (event.kind, event.timestamp) == ("drift", 4.0)
    assert loop.detector.windows[0].shape == (200, 2)
    assert loop.pipeline.run_cycle(now=5.0) == ()
    assert loop.trigger.asked[-1][1].drifted
    loop.detector.pvalue = 1.0
    assert [event.kind for event in loop.pipeline.run_cycle(now=6.0)] == ["drift_over"]


def test_batches_without_requests_are_answered_and_no_window_is_made_of_them():
    loop = Loop()
    for _ in range(6):
        (batch,) = loop.serve(n_rows=0)
        assert len(batch) == 0
    assert loop.pipeline.run_cycle(now=1.0) == ()
    assert loop.detector.windows == []


def test_retraining_uses_base_rows_and_one_half_of_the_recent_ones():
    loop = Loop()
    loop.begin_trial()
    features, labels = loop.trainer.seen[0]
    assert features.shape == (6 + 20, 2)
    assert labels.tolist() == [*range(6), *[1] * 20]
    assert loop.trigger.begun == [1.0]
    entry = loop.registry.get("digits", "latest")
    assert (entry.version, entry.parent, entry.created_at) == (2, 1, 1.0)
    assert entry.data_hash == hash_data(features, labels)
    assert entry.content_hash == hash_model(loop.trainer.outcome)
    assert dict(entry.metrics) == {"accuracy": 1.0, "n_rows": 20}
    assert loop.kinds() == ["started", "retraining", "canary"]
    status = loop.pipeline.get_pipeline_status()
    assert (status.champion.version, status.challenger.version, status.challenger_weight) == (1, 2, 0.5)


@pytest.mark.parametrize(("n_rows", "begun"), [(40, []), (42, [1.0])])
def test_too_few_rows_wait_without_using_up_the_budget(n_rows: int, begun: list[float]):
    loop = Loop(minimum_rows=21)
    loop.label(loop.serve(n_rows))
    loop.trigger.wants = True
    loop.pipeline.run_cycle(now=1.0)
    assert loop.trigger.begun == begun


def test_once_drift_was_seen_only_rows_since_then_are_learned_from():
    loop = Loop()
    for step in range(6):
        loop.detector.pvalue = 0.001 if step >= 4 else 1.0
        loop.label(loop.serve(now=float(step), value=float(step)))
        loop.pipeline.run_cycle(now=float(step))
    loop.trigger.wants = True
    loop.pipeline.run_cycle(now=6.0)
    features, _ = loop.trainer.seen[0]
    assert sorted(set(features[6:, 0])) == [4.0, 5.0]


def test_a_request_id_that_comes_again_does_not_stop_the_loop():
    loop = Loop()
    for _ in range(2):
        loop.next_id = 0
        loop.label(loop.serve())
    loop.trigger.wants = True
    loop.pipeline.run_cycle(now=1.0)
    assert loop.trainer.seen[0][0].shape == (26, 2)
    for _ in range(2):  # and again, between two looks of the rollout
        loop.next_id = 100
        loop.label(loop.serve())
    loop.pipeline.run_cycle(now=2.0)
    ((champion, challenger),) = loop.rollout.steps
    assert sorted([*champion.request_ids, *challenger.request_ids]) == list(range(100, 140))


@pytest.mark.parametrize(
    ("outcome", "kind", "said"),
    [
        (RuntimeError("disk full"), "retraining_failed", "RuntimeError: disk full"),
        (object(), "retraining_failed", "cannot be registered: model must have a state_dict"),
        (Always(1, n_classes=10), "challenger_rejected", "challenger rejected"),
    ],
)
def test_without_an_accepted_challenger_the_champion_stays_and_the_reason_is_told(outcome: Any, kind: str, said: str):
    loop = Loop(outcome, lead=-0.1 if isinstance(outcome, Always) else 0.5)
    before = hash_model(loop.champion)
    loop.begin_trial()
    event = loop.pipeline.get_pipeline_status().events[-1]
    assert event.kind == kind
    assert said in event.message
    assert loop.pipeline.check_system_health().challenger_version is None
    assert hash_model(loop.champion) == before
    assert loop.registry.revision("digits") == 1
    (batch,) = loop.serve()
    assert (batch.predictions == 0).all()
    assert loop.trigger.begun == [1.0]  # a failure costs its cooldown, too


@pytest.mark.parametrize("answer", [None, RuntimeError("out of memory")])
def test_a_challenger_that_fails_in_traffic_is_withdrawn_and_no_client_sees_it(answer: Any):
    loop = Loop()
    loop.begin_trial()
    loop.trainer.outcome.answer = answer
    (batch,) = loop.serve()
    assert (len(batch), batch.model_version) == (40, 1)
    assert loop.pipeline.check_system_health().challenger_version is None
    event = loop.pipeline.get_pipeline_status().events[-1]
    assert event.kind == "rolled_back"
    assert "version 2 is withdrawn; the challenger failed" in event.message
    assert len(loop.label((batch,))) == 40  # its answers wait for their labels like any other
    assert loop.registry.get("digits", "champion").version == 1


def test_labels_without_delay_reach_a_rollout_that_was_not_shown_the_answers_yet():
    loop = Loop(rollout=Script())
    loop.begin_trial()
    batches = loop.serve()
    loop.label(batches)
    loop.pipeline.run_cycle(now=2.0)
    shown = [sorted(batch.request_ids.tolist()) for batch in loop.rollout.labels]
    assert shown[-1] == list(range(40, 80))  # after the step that showed the answers
    loop.serve()
    loop.pipeline.run_cycle(now=3.0)
    assert len(loop.rollout.labels) == len(shown)


def test_without_traffic_a_trial_stands_still():
    loop = Loop(rollout=Script(PROMOTE))
    loop.begin_trial()
    for moment in range(5):
        loop.pipeline.run_cycle(now=float(moment))
    assert loop.rollout.steps == []
    assert loop.registry.get("digits", "champion").version == 1


def test_a_larger_share_is_given_when_the_rollout_says_so_and_holding_changes_nothing():
    loop = Loop(rollout=Script(RolloutDecision("advance", 0.9, ("fine",))))
    loop.begin_trial()
    for share in (0.9, 0.9):
        loop.serve()
        loop.pipeline.run_cycle(now=2.0)
        assert loop.pipeline.get_pipeline_status().challenger_weight == share
    assert loop.kinds()[-1] == "canary"
    assert loop.kinds().count("canary") == 2


def test_a_rollback_of_the_rollout_ends_the_trial():
    loop = Loop(rollout=Script(RolloutDecision("roll_back", 0.0, ("worse",))))
    loop.begin_trial()
    loop.serve()
    (event,) = loop.pipeline.run_cycle(now=2.0)
    assert (event.kind, event.message) == ("rolled_back", "version 2 is withdrawn; roll back to 0% of traffic: worse")
    assert len(loop.serve()) == 1
    assert loop.registry.get("digits", "champion").version == 1
    assert loop.registry.revision("digits") == 1
    assert loop.pipeline.get_pipeline_status().challenger_weight == 0.0


def promoted_loop() -> Loop:
    loop = Loop(rollout=Script(PROMOTE))
    loop.monitor.alerts = (Alert("accuracy_low", "firing", "critical", 0.5, 0.8, 1.0, 1, "fell"),)
    loop.begin_trial()
    loop.serve(now=2.0, value=7.0)
    loop.pipeline.run_cycle(now=2.0)
    return loop


def test_after_a_promotion_the_next_request_is_the_new_versions_and_watching_begins_anew():
    loop = promoted_loop()
    assert loop.registry.get("digits", "champion").version == 2
    assert loop.kinds()[-1] == "promoted"
    (batch,) = loop.serve(now=3.0)
    assert (batch.model_version, set(batch.predictions)) == (2, {1})
    assert loop.monitor.baselines[-1] == (1.0, 20)
    reference = loop.detector.references[-1]
    assert sorted(set(reference[:, 0])) == [1.0, 7.0]  # all traffic since the start, as there was no drift
    health = loop.pipeline.check_system_health()
    assert (health.firing_alerts, health.drift_report, health.challenger_version) == ((), None, None)


@pytest.mark.parametrize("deploy", ["promote", "roll back"])
def test_a_deployment_begins_a_new_chapter_of_traffic(deploy: str):
    loop = promoted_loop()
    if deploy == "roll back":
        loop.pipeline.roll_back(now=2.5)
    loop.detector.pvalue = 0.001
    for step in range(4):
        loop.serve(now=3.0 + step, value=9.0)
        loop.pipeline.run_cycle(now=3.0 + step)
    assert loop.detector.windows == []  # what came before does not fill the window
    loop.serve(now=7.0, value=9.0)
    (event,) = loop.pipeline.run_cycle(now=7.0)
    assert event.kind == "drift"
    assert set(loop.detector.windows[0][:, 0]) == {9.0}


def test_rolling_back_answers_the_very_next_request_by_the_old_version_and_gives_it_its_old_yardsticks():
    loop = promoted_loop()
    assert loop.pipeline.roll_back(now=4.0).version == 1
    (batch,) = loop.serve(now=4.0)
    assert (batch.model_version, set(batch.predictions)) == (1, {0})
    assert loop.monitor.baselines[-1] == (0.9, 200)
    np.testing.assert_array_equal(loop.detector.references[-1], loop.base[0])
    assert str(loop.pipeline.get_pipeline_status().events[-1]) == "rolled_back: version 1 serves again"
    before = loop.state()
    with pytest.raises(ValueError, match="name must have an earlier champion"):
        loop.pipeline.roll_back(now=5.0)
    assert loop.state() == before


def test_rolling_back_during_a_trial_ends_the_trial():
    loop = promoted_loop()
    loop.label(loop.serve(now=3.0), now=3.0)
    loop.trigger.wants = True
    loop.pipeline.run_cycle(now=3.0)
    assert loop.pipeline.check_system_health().challenger_version == 3
    loop.pipeline.roll_back(now=4.0)
    assert loop.pipeline.check_system_health().challenger_version is None
    (batch,) = loop.serve(now=4.0)
    assert batch.model_version == 1


def test_a_detector_that_cannot_learn_the_new_reference_keeps_the_old_champion():
    loop = Loop(rollout=Script(PROMOTE, PROMOTE))
    loop.begin_trial()
    loop.serve(now=2.0)
    loop.detector.error = ValueError("too few rows")
    with pytest.raises(ValueError, match="too few rows"):
        loop.pipeline.run_cycle(now=2.0)
    assert loop.registry.get("digits", "champion").version == 1
    loop.detector.error = None
    loop.serve(now=3.0)
    loop.pipeline.run_cycle(now=3.0)
    assert loop.registry.get("digits", "champion").version == 2


def test_a_version_that_somebody_else_registered_may_come_back_without_figures():
    loop = Loop()
    registry = AuditedRegistry()
    registry.register(Always(3, n_classes=10), loop.registry.get("digits", 1).__class__("digits"))
    registry.promote("digits", 1, 0)
    deployment = DeploymentStage(registry, split_traffic, lambda: loop.rollout, 0.5)
    pipeline = MLOpsPipeline("digits", loop.monitor, loop.detector, loop.pipeline.retraining, deployment)
    pipeline.start_monitoring(loop.champion, 0.9, 200, now=0.0)
    n_baselines = len(loop.monitor.baselines)
    pipeline.roll_back(now=1.0)
    (batch,) = pipeline.predict([1], np.zeros((1, 2)), now=1.0)
    assert batch.predictions.tolist() == [3]
    assert len(loop.monitor.baselines) == n_baselines


def test_the_first_version_is_registered_with_what_it_was_made_from():
    loop = Loop()
    entry = loop.registry.get("digits", "champion")
    assert (entry.version, entry.parent, dict(entry.metrics)) == (1, None, {"accuracy": 0.9, "n_rows": 200})
    assert entry.data_hash == hash_data(np.zeros((6, 2)), np.arange(6))
    assert loop.monitor.baselines[-1] == (0.9, 200)
    np.testing.assert_array_equal(loop.detector.references[-1], loop.base[0])


def test_before_it_is_started_a_pipeline_says_that_there_is_no_model():
    loop = Loop()
    deployment = DeploymentStage(AuditedRegistry(), split_traffic, lambda: loop.rollout, 0.5)
    pipeline = MLOpsPipeline("digits", loop.monitor, loop.detector, loop.pipeline.retraining, deployment)
    n_labels = len(loop.monitor.labels)
    for call in (
        lambda: pipeline.predict([1], np.zeros((1, 2)), now=0.0),
        lambda: pipeline.record_labels(LabelBatch([1], [1], 0.0)),
    ):
        with pytest.raises(ValueError, match="start_monitoring must be called first, got no champion of 'digits'"):
            call()
    assert len(loop.monitor.labels) == n_labels
    assert pipeline.run_cycle(now=0.0) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"champion": None}, "model must have a state_dict"),
        ({"baseline_accuracy": 1.5}, "baseline_accuracy must be in"),
        ({"baseline_accuracy": NAN}, "baseline_accuracy must be in"),
        ({"n_baseline": 0}, "n_baseline must be an integer >= 1"),
        ({"now": NAN}, "now must be in"),
        ({"now": "a"}, "now must be in"),
    ],
)
def test_a_refused_start_changes_nothing(change: dict[str, Any], message: str):
    loop = Loop()
    monitor, detector, registry = SpyMonitor(), SpyDetector(), AuditedRegistry()
    deployment = DeploymentStage(registry, split_traffic, lambda: loop.rollout, 0.5)
    pipeline = MLOpsPipeline("digits", monitor, detector, loop.pipeline.retraining, deployment)
    arguments = {"champion": loop.champion, "baseline_accuracy": 0.9, "n_baseline": 200, "now": 0.0}
    with pytest.raises(ValueError, match=message):
        pipeline.start_monitoring(**(arguments | change))
    assert (monitor.baselines, detector.references) == ([], [])
    assert pipeline.start_monitoring(**arguments).version == 1


def test_a_detector_that_cannot_learn_the_first_reference_registers_nothing():
    loop = Loop()
    monitor, detector = SpyMonitor(), SpyDetector()
    detector.error = ValueError("too few rows")
    deployment = DeploymentStage(AuditedRegistry(), split_traffic, lambda: loop.rollout, 0.5)
    pipeline = MLOpsPipeline("digits", monitor, detector, loop.pipeline.retraining, deployment)
    with pytest.raises(ValueError, match="too few rows"):
        pipeline.start_monitoring(loop.champion, 0.9, 200, now=0.0)
    assert monitor.baselines == []
    detector.error = None
    assert pipeline.start_monitoring(loop.champion, 0.9, 200, now=0.0).version == 1


def test_a_second_start_is_refused_and_changes_nothing():
    loop = Loop()
    before = loop.state()
    with pytest.raises(ValueError, match="start_monitoring must be called once, got version 1 already"):
        loop.pipeline.start_monitoring(loop.champion, 0.9, 200, now=1.0)
    assert loop.state() == before


@pytest.mark.parametrize("now", [NAN, float("inf"), "a", None])
def test_a_cycle_or_a_rollback_at_no_moment_is_refused_and_changes_nothing(now: Any):
    loop = promoted_loop()
    before = loop.state()
    for call in (loop.pipeline.run_cycle, loop.pipeline.roll_back):
        with pytest.raises(ValueError, match="now must be in"):
            call(now=now)
    assert loop.state() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minimum_rows": 0}, "minimum_rows must be an integer >= 1"),
        ({"base_features": [[0.0], [1.0, 2.0]]}, "base_features must be a rectangular array"),
        ({"base_features": np.zeros((0, 2)), "base_labels": []}, "base_features must have at least 1 row"),
        ({"base_labels": [0]}, "base_features, base_labels must have the same length"),
        ({"base_labels": [0, 0.5]}, "base_labels must be class indices"),
    ],
)
def test_the_retraining_stage_is_checked_when_it_is_made(change: dict[str, Any], message: str):
    fields = {
        "trigger": SpyTrigger(),
        "session": None,
        "base_features": np.zeros((2, 2)),
        "base_labels": [0, 1],
        "is_holdout": kept_for_comparison,
        "rng": np.random.default_rng(0),
    }
    with pytest.raises(ValueError, match=message):
        RetrainingStage(**(fields | change))


def test_the_first_weight_is_a_share():
    with pytest.raises(ValueError, match="first_weight must be in"):
        Loop(first_weight=1.5)


# The whole loop, with the library's own parts, on real digits -------------------------------------------------------


class Digits:
    """A real pipeline on the digits, sent through a plan hour by hour."""

    def __init__(self, kind: str, trainer: Any = None, label_delay_s: float = HOUR_S) -> None:
        digits = load_digits()
        rng = np.random.default_rng(1)
        first = NetworkTrainer(hidden_units=64, epochs=30)
        self.champion = first.train(digits.training.features, digits.training.labels, rng)
        right = self.champion.predict(digits.validation.features) == digits.validation.labels
        self.accuracy, self.training = float(right.mean()), digits.training.features
        self.detector = UnivariateDetector(0.002)
        self.monitor = WindowedMonitor("digits", self.accuracy, len(right))
        self.registry = AuditedRegistry()
        retraining = RetrainingStage(
            BudgetedTrigger(cooldown_s=3 * HOUR_S),
            RetrainingSession(trainer or NetworkTrainer(hidden_units=64, epochs=30), compare_by_mcnemar),
            digits.training.features,
            digits.training.labels,
            kept_for_comparison,
            rng,
            minimum_rows=100,
        )
        deployment = DeploymentStage(self.registry, split_traffic, lambda: CanaryRollout(minimum_labels=10), 0.25)
        self.pipeline = MLOpsPipeline("digits", self.monitor, self.detector, retraining, deployment)
        self.pipeline.start_monitoring(self.champion, self.accuracy, len(right), now=0.0)
        schedule = TrafficSchedule(label_delay_s=label_delay_s)
        self.stream = stream(DriftPlan(kind, start_step=5), np.random.default_rng(2), schedule)
        self.waiting: list[TrafficStep] = []
        self.correct: list[np.ndarray] = []

    def run(self, until: Callable[[Digits], bool] = lambda _: False) -> None:
        for step in self.stream:
            self.pipeline.predict(step.request_ids, step.features, step.timestamp)
            self.waiting.append(step)
            while self.waiting and self.waiting[0].labels_known_at <= step.timestamp:
                due = self.waiting.pop(0)
                labelled = self.pipeline.record_labels(LabelBatch(due.request_ids, due.labels, step.timestamp))
                assert labelled.n_unmatched == 0
                self.correct.append(labelled.correct)
            self.pipeline.run_cycle(step.timestamp)
            if until(self):
                return

    def time_of(self, kind: str) -> float:
        times = [event.timestamp for event in self.pipeline.get_pipeline_status().events if event.kind == kind]
        return times[0] if times else float("inf")


@pytest.mark.parametrize("label_delay_s", [0.0, HOUR_S])
def test_a_harmful_drift_is_seen_learned_and_promoted_and_can_be_taken_back(label_delay_s: float):
    digits = Digits("shift", label_delay_s=label_delay_s)
    assert digits.accuracy > 0.9
    digits.run(until=lambda run: run.registry.revision("digits") > 1)
    assert 5 * HOUR_S <= digits.time_of("drift") <= digits.time_of("alert") <= digits.time_of("retraining")
    assert digits.time_of("retraining") < digits.time_of("promoted") < float("inf")
    champion = digits.pipeline.get_pipeline_status().champion
    assert champion.version >= 2
    assert champion.parent == 1
    assert champion.content_hash != digits.registry.get("digits", 1).content_hash

    # The yardsticks are those of the new champion.
    assert digits.monitor.baseline_accuracy == champion.metrics["accuracy"]
    assert digits.monitor.n_baseline == champion.metrics["n_rows"]
    assert digits.pipeline.check_system_health().healthy
    assert len(digits.detector.reference_) != len(digits.training)
    assert not digits.detector.detect_drift(digits.detector.reference_[:80], now=0.0).drifted

    # The next request is answered by it; after roll_back the very next one by the old version.
    step = next(digits.stream)
    (batch,) = digits.pipeline.predict(step.request_ids, step.features, step.timestamp)
    assert batch.model_version == champion.version
    improved = (batch.predictions == step.labels).mean()
    assert digits.pipeline.roll_back(now=step.timestamp).version == 1
    step = next(digits.stream)
    (batch,) = digits.pipeline.predict(step.request_ids, step.features, step.timestamp)
    assert batch.model_version == 1
    np.testing.assert_array_equal(batch.predictions, digits.champion.predict(step.features))
    np.testing.assert_array_equal(digits.detector.reference_, digits.training)
    assert digits.monitor.baseline_accuracy == digits.accuracy
    assert improved > np.concatenate(digits.correct[5:8]).mean()


def test_a_training_that_diverges_leaves_the_champion_serving_and_is_told():
    digits = Digits("shift", trainer=NetworkTrainer(hidden_units=8, epochs=2, learning_rate=1e9))
    before = hash_model(digits.champion)
    digits.run(until=lambda run: run.time_of("retraining_failed") < float("inf"))
    event = digits.pipeline.get_pipeline_status().events[-1]
    assert event.kind == "retraining_failed"
    assert "TrainingDivergedError: train_loss must be finite" in event.message
    assert hash_model(digits.champion) == before
    assert digits.registry.get("digits", "latest").version == 1
    step = next(digits.stream)
    (batch,) = digits.pipeline.predict(step.request_ids, step.features, step.timestamp)
    np.testing.assert_array_equal(batch.predictions, digits.champion.predict(step.features))


def test_without_drift_nothing_happens():
    digits = Digits("none")
    digits.run()
    assert [event.kind for event in digits.pipeline.get_pipeline_status().events] == ["started"]
    assert np.concatenate(digits.correct).mean() > 0.9
