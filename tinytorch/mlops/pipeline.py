"""Floor 3: the loop. Joins four stages that do not know each other; which ones, its caller decides.

Predictions and labels -> monitor -> drift -> retrain -> deploy -> serving. One edge leads back: after a deployment
the detector's reference and the monitor's baseline are set anew. May import floors 0 to 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.mlops.chapter import TrafficChapter
from tinytorch.mlops.contracts import (
    Alert,
    Detector,
    LabelBatch,
    LabelledBatch,
    Model,
    ModelVersion,
    Monitor,
    PredictionBatch,
    Registry,
    RetrainResult,
    Rollout,
    Trigger,
)
from tinytorch.mlops.hashing import hash_data, hash_model
from tinytorch.mlops.labelled_rows import LabelledRows
from tinytorch.mlops.prediction_log import PredictionLog
from tinytorch.mlops.retrain.session import RetrainingData, RetrainingSession, hold_out
from tinytorch.mlops.serving import Router
from tinytorch.mlops.status import Event, PipelineStatus, SystemHealth
from tinytorch.mlops.trial import Trial
from tinytorch.mlops.validate import (
    as_features,
    as_labels,
    check_columns,
    check_moment,
    check_rows,
    check_same_length,
)

# With 120 held-out rows a lead of 10 points is seen in nine of ten comparisons.
DEFAULT_MINIMUM_ROWS = 120


@dataclass(frozen=True)
class RetrainingStage:
    """What retraining needs: when, how, and the rows that the first model was trained on.

    `is_holdout(request_ids)` says which labelled rows are kept from training, for the comparison only.

    Examples
    --------
    >>> from tinytorch.mlops.retrain import BudgetedTrigger, NetworkTrainer, RetrainingSession, compare_by_mcnemar
    >>> session = RetrainingSession(NetworkTrainer(), compare_by_mcnemar)
    >>> stage = RetrainingStage(BudgetedTrigger(), session, np.zeros((6, 2)), np.arange(6),
    ...                         is_holdout=lambda request_ids: request_ids % 3 == 0, rng=np.random.default_rng(0))
    >>> stage.base_features.shape, stage.is_holdout(np.arange(4))
    ((6, 2), array([ True, False, False,  True]))
    """

    trigger: Trigger
    session: RetrainingSession
    base_features: np.ndarray
    base_labels: np.ndarray
    is_holdout: Callable[[np.ndarray], np.ndarray]
    rng: np.random.Generator
    minimum_rows: int = DEFAULT_MINIMUM_ROWS

    def __post_init__(self) -> None:
        check_integer(self.minimum_rows, "minimum_rows", minimum=1)
        arrays = {
            "base_features": as_features(self.base_features, "base_features"),
            "base_labels": as_labels(self.base_labels, "base_labels"),
        }
        check_rows(arrays["base_features"], "base_features")
        check_same_length(arrays)
        for name, array in arrays.items():
            object.__setattr__(self, name, array)


@dataclass(frozen=True)
class DeploymentStage:
    """What deployment needs: where versions live, how traffic is split, and how a rollout is run.

    Examples
    --------
    >>> from tinytorch.mlops.deploy import AuditedRegistry, CanaryRollout, split_traffic
    >>> stage = DeploymentStage(AuditedRegistry(), split_traffic, CanaryRollout, first_weight=0.25)
    >>> stage.make_rollout().challenger_weight
    0.25
    """

    registry: Registry
    split: Callable[[np.ndarray, float, str], np.ndarray]
    make_rollout: Callable[[], Rollout]
    first_weight: float

    def __post_init__(self) -> None:
        check_in_range(self.first_weight, "first_weight", 0.0, 1.0)


class MLOpsPipeline:
    """Runs one model's loop: serve, watch, retrain, roll out, and begin again.

    The caller hands in requests with `predict`, labels with `record_labels` when they come, and turns the crank with
    `run_cycle`. Any object that satisfies a stage's protocol can take its place, the student's own among them.

    Parameters
    ----------
    model_name : str
    monitor : Monitor
    detector : Detector
    retraining : RetrainingStage
    deployment : DeploymentStage

    Examples
    --------
    A classifier that tells whether the first of two features is positive, with the library's own parts. The same on
    real digits that drift is `tinytorch demo`; its source is `tinytorch/cli/demo_run.py`.

    >>> from tinytorch.mlops.deploy import AuditedRegistry, CanaryRollout, split_traffic
    >>> from tinytorch.mlops.drift import UnivariateDetector
    >>> from tinytorch.mlops.monitor import WindowedMonitor
    >>> from tinytorch.mlops.retrain import BudgetedTrigger, NetworkTrainer, RetrainingSession, compare_by_mcnemar
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(400, 2))
    >>> labels = features[:, 0] > 0
    >>> trainer = NetworkTrainer(hidden_units=8, epochs=20)
    >>> champion = trainer.train(features[:300], labels[:300], rng)
    >>> accuracy = float((champion.predict(features[300:]) == labels[300:]).mean())
    >>> retraining = RetrainingStage(
    ...     BudgetedTrigger(), RetrainingSession(trainer, compare_by_mcnemar), features[:300], labels[:300],
    ...     is_holdout=lambda request_ids: request_ids % 3 == 0, rng=rng)
    >>> deployment = DeploymentStage(AuditedRegistry(), split_traffic, CanaryRollout, first_weight=0.25)
    >>> monitor = WindowedMonitor("sign", accuracy, n_baseline=100)
    >>> pipeline = MLOpsPipeline("sign", monitor, UnivariateDetector(), retraining, deployment)
    >>> pipeline.start_monitoring(champion, accuracy, n_baseline=100, now=0.0).version
    1
    >>> requests = rng.normal(size=(40, 2))
    >>> (answers,) = pipeline.predict(np.arange(40), requests, now=60.0)
    >>> print(answers)
    40 predictions by version 1
    >>> len(pipeline.record_labels(LabelBatch(np.arange(40), requests[:, 0] > 0, timestamp=120.0)))
    40
    >>> pipeline.run_cycle(now=120.0)
    ()
    >>> pipeline.check_system_health().healthy
    True
    """

    def __init__(
        self,
        model_name: str,
        monitor: Monitor,
        detector: Detector,
        retraining: RetrainingStage,
        deployment: DeploymentStage,
    ) -> None:
        self.model_name = model_name
        self.monitor = monitor
        self.detector = detector
        self.retraining = retraining
        self.deployment = deployment
        self._router = Router(deployment.registry, model_name, deployment.split)
        self._log = PredictionLog()
        self._labelled = LabelledRows()
        self._events: list[Event] = []
        self._firing: dict[str, Alert] = {}
        self._n_requests = 0
        self._chapter = TrafficChapter(began_at=0.0)
        self._trial: Trial | None = None
        # What traffic looked like when each champion was put in charge: it comes back with the champion.
        self._references: dict[int, np.ndarray] = {}

    def start_monitoring(self, champion: Model, baseline_accuracy: float, n_baseline: int, now: float) -> ModelVersion:
        """Register the first model, promote it, and set reference and baseline.

        Parameters
        ----------
        champion : Model
        baseline_accuracy : float
            Measured on `n_baseline` rows that the model was not trained on.
        n_baseline : int
        now : float
            Seconds since the epoch.

        Raises
        ------
        ValueError
            If the pipeline was started before, the model has no fingerprint, or a figure is out of range; nothing is
            changed then.
        """
        check_moment(now, "now")
        check_in_range(baseline_accuracy, "baseline_accuracy", 0.0, 1.0)
        check_integer(n_baseline, "n_baseline", minimum=1)
        if self._references:
            raise ValueError(f"start_monitoring must be called once, got version {max(self._references)} already.")
        base = self.retraining
        draft = ModelVersion(
            self.model_name,
            content_hash=hash_model(champion),
            data_hash=hash_data(base.base_features, base.base_labels),
            metrics={"accuracy": baseline_accuracy, "n_rows": n_baseline},
            created_at=now,
        )
        self.detector.fit(base.base_features)
        version = self.deployment.registry.register(champion, draft)
        self._put_in_charge(version, base.base_features, now)
        self._note(now, "started", f"{version} serves, accuracy {baseline_accuracy:.3f} on {n_baseline} rows")
        return version

    def predict(self, request_ids: np.ndarray, features: np.ndarray, now: float) -> tuple[PredictionBatch, ...]:
        """Answer requests, and let the monitor see the champion's answers.

        Returns
        -------
        tuple of PredictionBatch
            The champion's answers and, while a rollout runs, the challenger's.

        Raises
        ------
        ValueError
            If the pipeline was not started, the requests are malformed, or an id is waiting for its label already;
            nothing is changed then.
        """
        check_moment(now, "now")
        self._check_started()
        table = as_features(features)
        check_columns(table, self.retraining.base_features.shape[1])
        batches, failure = self._router.route(request_ids, table, now)
        for batch in batches:
            self._log.check_new(batch.request_ids)
        self._take_alerts(self.monitor.observe(batches[0]), now)
        for batch in batches:
            self._log.add(batch)
            self._n_requests += len(batch)
        self._chapter.add(np.concatenate([batch.features for batch in batches]), now)
        if self._trial is not None and failure is not None:
            self._withdraw(self._trial, f"the challenger failed: {failure}", now)
        elif self._trial is not None:
            self._trial.add_answers(*batches)
        return batches

    def record_labels(self, label_batch: LabelBatch) -> LabelledBatch:
        """Take in late labels, and return the answers that they belong to.

        Raises
        ------
        ValueError
            If the pipeline was not started, or a label is no class of the model that answered its request; nothing
            is changed then.
        """
        self._check_started()
        self._log.check_labels(label_batch)
        self._take_alerts(self.monitor.record_labels(label_batch), label_batch.timestamp)
        labelled = self._log.join(label_batch)
        self._labelled.add(labelled)
        if self._trial is not None:
            self._trial.add_labels(label_batch)
        return labelled

    def run_cycle(self, now: float) -> tuple[Event, ...]:
        """Look for drift; then judge the rollout that is running or, without one, consider a retraining.

        Returns
        -------
        tuple of Event
            What happened in this cycle.

        Raises
        ------
        ValueError
            If `now` is no moment; nothing is changed then.
        """
        check_moment(now, "now")
        seen = len(self._events)
        self._look_for_drift(now)
        if self._trial is not None:
            self._judge_trial(self._trial, now)
        else:
            self._consider_retraining(now)
        return tuple(self._events[seen:])

    def check_system_health(self) -> SystemHealth:
        """Return the alerts that are firing, the newest drift report, and who is on trial. Changes nothing."""
        on_trial = self._trial.challenger.version if self._trial else None
        return SystemHealth(tuple(self._firing.values()), self._chapter.report, on_trial)

    def get_pipeline_status(self) -> PipelineStatus:
        """Return who serves, who is on trial, and every event so far. Changes nothing."""
        return PipelineStatus(
            champion=self.deployment.registry.get(self.model_name, "champion"),
            challenger=self._trial.challenger if self._trial else None,
            challenger_weight=self._router.challenger_weight,
            n_requests=self._n_requests,
            events=tuple(self._events),
        )

    def roll_back(self, now: float) -> ModelVersion:
        """Put the version before the champion back in charge; the next request is answered by it.

        Baseline and drift reference are again those that it had, and a trial that is running ends.

        Raises
        ------
        ValueError
            If there is no version before, or `now` is no moment; nothing is changed then.
        """
        check_moment(now, "now")
        registry = self.deployment.registry
        version = registry.rollback(self.model_name, registry.revision(self.model_name))
        self._watch_from(version, now)
        if version.version in self._references:
            self.detector.fit(self._references[version.version])
        self._note(now, "rolled_back", f"version {version.version} serves again")
        return version

    def _check_started(self) -> None:
        """Raise ValueError unless a first champion has been put in charge."""
        if not self._references:
            raise ValueError(f"start_monitoring must be called first, got no champion of {self.model_name!r}.")

    def _look_for_drift(self, now: float) -> None:
        """Compare the newest window with the reference, and note when drift begins or ends."""
        window = self._chapter.window()
        if window is None:
            return
        report = self.detector.detect_drift(window, now)
        if self._chapter.take_report(report):
            self._note(now, "drift" if report.drifted else "drift_over", str(report))

    def _consider_retraining(self, now: float) -> None:
        """Ask the trigger; if it says yes and there are rows enough, train and judge a challenger."""
        firing = tuple(self._firing.values())
        decision = self.retraining.trigger.check_trigger_conditions(firing, self._chapter.report, now)
        if not decision.should_retrain:
            return
        data = self._collect_rows()
        if data is None:
            return
        self.retraining.trigger.record_retraining(now)
        self._note(now, "retraining", f"{decision}; {len(data.train_labels)} rows to train on")
        champion = self.deployment.registry.load(self.model_name, "champion")
        self._judge_challenger(self.retraining.session.run(champion, data, self.retraining.rng), data, now)

    def _collect_rows(self) -> RetrainingData | None:
        """Return base rows and recent labelled rows to train on, and other recent rows to judge on, if enough."""
        stage = self.retraining
        recent = self._labelled.since(self._chapter.relevant_since)
        if recent is None:
            return None
        held = np.asarray(stage.is_holdout(recent.request_ids), dtype=bool)
        if min(int(held.sum()), int((~held).sum())) < stage.minimum_rows:
            return None
        rows = hold_out(held, recent.features, recent.labels)
        return replace(
            rows,
            train_features=np.concatenate([stage.base_features, rows.train_features]),
            train_labels=np.concatenate([stage.base_labels, rows.train_labels]),
        )

    def _judge_challenger(self, result: RetrainResult, data: RetrainingData, now: float) -> None:
        """Register an accepted challenger and begin its rollout; note why not, otherwise."""
        if result.challenger is None or not result.accepted:
            self._note(now, "retraining_failed" if result.failure else "challenger_rejected", str(result))
            return
        draft = ModelVersion(
            self.model_name,
            data_hash=hash_data(data.train_features, data.train_labels),
            metrics={"accuracy": result.challenger_score, "n_rows": len(data.holdout_labels)},
            parent=self.deployment.registry.get(self.model_name, "champion").version,
            created_at=now,
        )
        try:
            version = self.deployment.registry.register(result.challenger, draft)
        except ValueError as error:  # a model without a fingerprint must not stop the loop
            self._note(now, "retraining_failed", f"the challenger cannot be registered: {error}")
            return
        self._trial = Trial(version, self.deployment.make_rollout())
        self._router.start_rollout(version.version, self.deployment.first_weight)
        self._note(now, "canary", f"{result}; {version} gets {self.deployment.first_weight:.0%} of traffic")

    def _judge_trial(self, trial: Trial, now: float) -> None:
        """Do what the rollout decides on what was observed."""
        decision = trial.judge(now)
        if decision is None or decision.action == "hold":
            return
        if decision.action == "roll_back":
            self._withdraw(trial, str(decision), now)
        elif decision.challenger_weight >= 1.0:
            self._promote(trial.challenger, str(decision), now)
        else:
            self._router.start_rollout(trial.challenger.version, decision.challenger_weight)
            self._note(now, "canary", str(decision))

    def _promote(self, version: ModelVersion, reason: str, now: float) -> None:
        """Make the challenger the champion, and begin to watch it from its own baseline and reference."""
        reference = self._chapter.reference()
        self.detector.fit(reference)
        self._put_in_charge(version, reference, now)
        self._note(now, "promoted", f"version {version.version} serves; {reason}")

    def _put_in_charge(self, version: ModelVersion, reference: np.ndarray, now: float) -> None:
        """Move the champion pointer; the detector knows the reference already, since to learn it may fail."""
        registry = self.deployment.registry
        registry.promote(self.model_name, version.version, registry.revision(self.model_name))
        self._references[version.version] = reference
        self._watch_from(version, now)

    def _withdraw(self, trial: Trial, reason: str, now: float) -> None:
        """End the trial; the champion answers everything from the next request on."""
        self._end_trial()
        self._note(now, "rolled_back", f"version {trial.challenger.version} is withdrawn; {reason}")

    def _watch_from(self, version: ModelVersion, now: float) -> None:
        """Judge the version that serves now by its own accuracy, with no alert inherited and nobody on trial."""
        self._end_trial()
        self._firing.clear()
        self._chapter = TrafficChapter(began_at=now)
        if {"accuracy", "n_rows"} <= version.metrics.keys():  # else somebody else registered it, without its figures
            self.monitor.reset_baseline(version.metrics["accuracy"], int(version.metrics["n_rows"]))

    def _end_trial(self) -> None:
        """Take the challenger out of traffic."""
        self._router.stop_rollout()
        self._trial = None

    def _take_alerts(self, alerts: tuple[Alert, ...], now: float) -> None:
        """Remember which alerts are firing."""
        for alert in alerts:
            if alert.state == "firing":
                self._firing[alert.rule] = alert
            else:
                self._firing.pop(alert.rule, None)
            self._note(now, "alert" if alert.state == "firing" else "alert_over", str(alert))

    def _note(self, now: float, kind: str, message: str) -> None:
        """Write an event down."""
        self._events.append(Event(now, kind, message))
