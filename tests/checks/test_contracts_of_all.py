"""Every implementation that there is, the library's and the lessons', keeps its contract."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tinytorch.checks.comparison import check_comparison
from tinytorch.checks.detector import check_detector
from tinytorch.checks.model import check_model
from tinytorch.checks.monitor import check_monitor
from tinytorch.checks.registry import check_registry
from tinytorch.checks.rollout import check_rollout
from tinytorch.checks.split import check_split
from tinytorch.checks.stream import check_stream_detector
from tinytorch.checks.summary import check_summary
from tinytorch.checks.trainer import check_trainer, draw_clouds
from tinytorch.checks.trigger import check_trigger
from tinytorch.cli.stages import CANARY_MINIMUM_LABELS, CANARY_WEIGHTS, DEMO_DRIFT_ALPHA
from tinytorch.mlops import drift
from tinytorch.mlops.deploy import AuditedRegistry, CanaryRollout, ModelRegistry, ThresholdGate, route, split_traffic
from tinytorch.mlops.monitor import ModelMonitor, WindowedMonitor
from tinytorch.mlops.retrain import (
    BudgetedTrigger,
    NetworkTrainer,
    RetrainingTrigger,
    compare_by_mcnemar,
    compare_models,
)
from tinytorch.stats import streams, summaries
from tinytorch.stats.summaries import CategoryCounts, Histogram, Missing, Moments, Quantiles, TableSummary


class GradeReader:
    """A model whose answers can be judged for drift: the higher the third grade, the likelier is class 1."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        likely = 1.0 / (1.0 + np.exp(np.clip(5.0 - features[:, 2], -30.0, 30.0)))
        return np.column_stack([1.0 - likely, likely])


DETECTORS = {
    "univariate": drift.UnivariateDetector,
    "univariate of the demo": partial(drift.UnivariateDetector, DEMO_DRIFT_ALPHA),
    "univariate by another correction": partial(drift.UnivariateDetector, correction="benjamini-yekutieli"),
    "lesson of the demo": partial(drift.DriftDetector, np.eye(2), alpha=DEMO_DRIFT_ALPHA),
    "categorical": drift.CategoricalDetector,
    "classifier": drift.ClassifierDetector,
    "multivariate": drift.MultivariateDetector,
    "multivariate by energy": partial(drift.MultivariateDetector, "energy"),
    "prediction": partial(drift.PredictionDriftDetector, GradeReader()),
    "streaming": drift.StreamingDetector,
}
READ_ERRORS = {"DDM", "EDDM", "HDDM_A", "HDDM_W"}
EDGES = np.tile([2.0, 5.0], (3, 1))
SUMMARIES = {
    "CategoryCounts": (CategoryCounts.from_batch, lambda made: (*made.categories, *made.counts)),
    "Histogram": (partial(Histogram.from_batch, edges=EDGES), lambda made: (made.edges, made.counts)),
    "Missing": (Missing.from_batch, lambda made: (made.n_rows, made.n_missing)),
    "Moments": (
        Moments.from_batch,
        lambda made: (made.count, made.mean, made.variance, made.minimum, made.maximum),
    ),
    "Quantiles": (
        lambda table: Quantiles.from_batch(table, rng=np.random.default_rng(0)),
        lambda made: (made.count, *(made.quantile(share) for share in (0.1, 0.5, 0.9))),
    ),
    "TableSummary": (
        lambda table: TableSummary.from_batch(table, rng=np.random.default_rng(0), edges=EDGES[:2], categorical=[2]),
        lambda made: (made.missing.n_missing, made.moments.mean, made.histogram.counts, *made.categories.counts),
    ),
}


def lesson_monitor(model_name: str, baseline_accuracy: float, n_baseline: int) -> ModelMonitor:
    monitor = ModelMonitor(model_name, baseline_accuracy)
    monitor.reset_baseline(baseline_accuracy, n_baseline)
    return monitor


@pytest.mark.parametrize("make_monitor", [WindowedMonitor, lesson_monitor])
def test_every_monitor_keeps_the_contract(make_monitor):
    check_monitor(make_monitor)


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_keeps_the_contract(name):
    check_detector(DETECTORS[name])


def test_no_detector_is_forgotten_here():
    classes = {name for name in drift.__all__ if hasattr(getattr(drift, name), "detect_drift")}
    tried = {getattr(make, "func", make).__name__ for make in DETECTORS.values()}
    assert tried == classes


@pytest.mark.parametrize("name", streams.__all__)
def test_every_stream_detector_keeps_the_contract(name):
    check_stream_detector(getattr(streams, name), "errors" if name in READ_ERRORS else "numbers")


@pytest.mark.parametrize("make_trigger", [BudgetedTrigger, RetrainingTrigger])
def test_every_trigger_keeps_the_contract(make_trigger):
    check_trigger(make_trigger)


@pytest.mark.parametrize("trainer", [NetworkTrainer(), NetworkTrainer(hidden_units=16, epochs=20, n_classes=3)])
def test_every_trainer_keeps_the_contract(trainer):
    check_trainer(trainer)


def test_every_model_keeps_the_contract():
    features, labels = draw_clouds(60, np.random.default_rng(0))
    trainer = NetworkTrainer(hidden_units=8, epochs=5, n_classes=3)
    check_model(trainer.train(features, labels, np.random.default_rng(0)), features)


@pytest.mark.parametrize("compare", [compare_by_mcnemar, compare_models])
def test_every_comparison_keeps_the_contract(compare):
    check_comparison(compare)


@pytest.mark.parametrize("make_registry", [AuditedRegistry, ModelRegistry])
def test_every_registry_keeps_the_contract(make_registry):
    check_registry(make_registry)


@pytest.mark.parametrize("split", [split_traffic, route])
def test_every_split_keeps_the_contract(split):
    check_split(split)


@pytest.mark.parametrize("settings", [(), (CANARY_WEIGHTS, CANARY_MINIMUM_LABELS)], ids=["default", "of the demo"])
@pytest.mark.parametrize("make_rollout", [CanaryRollout, ThresholdGate])
def test_every_rollout_keeps_the_contract(make_rollout, settings):
    check_rollout(partial(make_rollout, *settings))


@pytest.mark.parametrize("kind", SUMMARIES)
def test_every_summary_keeps_the_contract(kind):
    check_summary(*SUMMARIES[kind])


def test_no_summary_is_forgotten_here():
    classes = {name for name in summaries.__all__ if hasattr(getattr(summaries, name), "from_batch")}
    assert set(SUMMARIES) == classes
