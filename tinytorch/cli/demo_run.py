"""Floor 5: the demo's run itself: real digits through the whole loop, step by step. Prints nothing.

Time is that of the stream, an hour a step; the latencies, the training and every verdict are real.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tinytorch.cli.stages import Stages, library_stages
from tinytorch.datasets import DriftPlan, TrafficSchedule, TrafficStep, TrafficStream, kept_for_comparison, load_digits
from tinytorch.mlops.contracts import DriftReport, LabelBatch, LabelledBatch, PredictionBatch
from tinytorch.mlops.networks import EpochProgress
from tinytorch.mlops.pipeline import DeploymentStage, MLOpsPipeline, RetrainingStage
from tinytorch.mlops.retrain import NetworkModel, NetworkTrainer, RetrainingSession
from tinytorch.mlops.status import Event

MODEL_NAME = "digits"
# Five clean steps fill the first window; twenty are left for detection, retraining, trial and recovery.
DRIFT_START_STEP = 5
# Each half of the labelled rows since the drift began: between seven and eight steps of traffic.
MINIMUM_ROWS = 150
# Labels come one step late: the inputs can speak first, and there are only a thousand images to wait with.
LABEL_DELAY_S = 3600.0


@dataclass(frozen=True, eq=False)
class StepRecord:
    """What one step showed: the answers, the newest drift report, and what happened."""

    timestamp: float
    batches: tuple[PredictionBatch, ...]
    report: DriftReport | None
    events: tuple[Event, ...]
    labelled: LabelledBatch | None


@dataclass(eq=False)
class DemoRun:
    """Everything that a finished run leaves behind, for the verdict and for the page of plots."""

    kind: str
    severity: float
    seed: int
    baseline_accuracy: float
    n_baseline: int
    drift_began_at: float
    pipeline: MLOpsPipeline
    origins: tuple[str, ...]
    reference: np.ndarray
    steps: list[StepRecord] = field(default_factory=list)

    def first_event(self, kind: str) -> float | None:
        """Return when an event of this kind first happened; None if it never did."""
        times = [event.timestamp for event in self.pipeline.get_pipeline_status().events if event.kind == kind]
        return times[0] if times else None

    def labelled(self) -> list[LabelledBatch]:
        """Return the labelled answers, one batch for each step of traffic, in the order of serving."""
        parts = [step.labelled for step in self.steps if step.labelled is not None and len(step.labelled)]
        return sorted(parts, key=lambda part: float(part.served_at[0]))

    def correct_in_order(self) -> np.ndarray:
        """Return for every labelled answer whether it was right, in the order of serving, shape (n,)."""
        return np.concatenate([part.correct for part in self.labelled()])


class Demo:
    """Trains the first model, then sends the stream through the pipeline.

    Parameters
    ----------
    plan : DriftPlan
    seed : int
        Draws the first weights, the order of the traffic and the corruption: the same seed gives the same run.
    make_stages : callable
        `make_stages(model_name, baseline_accuracy, n_baseline)` returns the parts of the loop.
    on_epoch_end : callable, optional
        Called after each epoch of every training, for a progress bar.

    Examples
    --------
    >>> demo = Demo(DriftPlan("none"), seed=0)
    >>> run = demo.start()
    >>> run.baseline_accuracy > 0.9
    True
    >>> first = next(demo.steps(run))
    >>> len(first.batches[0])
    40
    """

    def __init__(
        self,
        plan: DriftPlan,
        seed: int,
        make_stages: Callable[[str, float, int], Stages] = library_stages,
        on_epoch_end: Callable[[EpochProgress], object] | None = None,
    ) -> None:
        self.plan = plan
        self.seed = seed
        self.make_stages = make_stages
        self.trainer = NetworkTrainer(on_epoch_end=on_epoch_end)
        # Independent streams, so that another plan changes neither the weights nor the order of the images.
        training, traffic, retraining = np.random.SeedSequence(seed).spawn(3)
        self._training_rng = np.random.default_rng(training)
        self._retraining_rng = np.random.default_rng(retraining)
        self.digits = load_digits()
        schedule = TrafficSchedule(label_delay_s=LABEL_DELAY_S)
        self.stream = TrafficStream(self.digits.traffic, plan, np.random.default_rng(traffic), schedule)

    def start(self) -> DemoRun:
        """Train the first model, measure it on rows it has not seen, and put it in charge."""
        training, validation = self.digits.training, self.digits.validation
        champion: NetworkModel = self.trainer.train(training.features, training.labels, self._training_rng)
        accuracy = float((champion.predict(validation.features) == validation.labels).mean())
        stages = self.make_stages(MODEL_NAME, accuracy, len(validation))
        pipeline = self._build(stages)
        pipeline.start_monitoring(champion, accuracy, len(validation), now=self.stream.schedule.start_time)
        began_at = self.plan.start_step * self.stream.schedule.step_seconds + self.stream.schedule.start_time
        return DemoRun(
            kind=self.plan.kind,
            severity=self.plan.full_severity,
            seed=self.seed,
            baseline_accuracy=accuracy,
            n_baseline=len(validation),
            drift_began_at=began_at,
            pipeline=pipeline,
            origins=stages.origins,
            reference=training.features,
        )

    def steps(self, run: DemoRun) -> Iterator[StepRecord]:
        """Send the stream through the loop; after its end, time goes on until the last labels have come."""
        waiting: deque[TrafficStep] = deque()
        now = self.stream.schedule.start_time
        for step in self.stream:
            now = step.timestamp
            batches = run.pipeline.predict(step.request_ids, step.features, now)
            waiting.append(step)
            yield self._finish_step(run, batches, waiting, now)
        while waiting:
            now += self.stream.schedule.step_seconds
            yield self._finish_step(run, (), waiting, now)

    def _finish_step(
        self, run: DemoRun, batches: tuple[PredictionBatch, ...], waiting: deque[TrafficStep], now: float
    ) -> StepRecord:
        """Hand over the labels that are known by now, turn the crank, and write the step down."""
        seen = len(run.pipeline.get_pipeline_status().events)
        labelled = None
        if waiting and waiting[0].labels_known_at <= now:
            due = waiting.popleft()
            labelled = run.pipeline.record_labels(LabelBatch(due.request_ids, due.labels, now))
        run.pipeline.run_cycle(now)
        status = run.pipeline.get_pipeline_status()
        report = run.pipeline.check_system_health().drift_report
        record = StepRecord(now, batches, report, status.events[seen:], labelled)
        run.steps.append(record)
        return record

    def _build(self, stages: Stages) -> MLOpsPipeline:
        """Join the parts into a pipeline."""
        training = self.digits.training
        retraining = RetrainingStage(
            trigger=stages.trigger,
            session=RetrainingSession(self.trainer, stages.compare),
            base_features=training.features,
            base_labels=training.labels,
            is_holdout=kept_for_comparison,
            rng=self._retraining_rng,
            minimum_rows=MINIMUM_ROWS,
        )
        deployment = DeploymentStage(stages.registry, stages.split, stages.make_rollout, stages.first_weight)
        return MLOpsPipeline(MODEL_NAME, stages.monitor, stages.detector, retraining, deployment)
