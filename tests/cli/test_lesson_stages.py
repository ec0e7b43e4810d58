"""The loop takes the student's parts where they keep their contracts, and says whose each part is."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.cli import lesson_stages as module
from tinytorch.cli.lesson_stages import lesson_stages
from tinytorch.cli.stages import library_stages
from tinytorch.mlops.deploy import lesson as deployment
from tinytorch.mlops.drift import lesson as drift
from tinytorch.mlops.monitor import lesson as monitoring
from tinytorch.mlops.retrain import lesson as retraining

# (module, blank, the part that needs it, the sentence that begins its origin)
BLANKS = [
    (monitoring, "count_in_a_row", "monitor", "the library's WindowedMonitor, because your ModelMonitor"),
    (drift, "shuffled_shifts", "detector", "the library's UnivariateDetector, because your DriftDetector"),
    (retraining, "reasons_to_retrain", "trigger", "the library's BudgetedTrigger, because your RetrainingTrigger"),
    (retraining, "coin_flip_pvalue", "compare", "the library's compare_by_mcnemar, because your compare_models"),
    (deployment, "move_back", "registry", "the library's AuditedRegistry, because your ModelRegistry"),
    (deployment, "route", "split", "the library's split_traffic, because your route"),
    (deployment, "judge_canary", "make_rollout", "the library's CanaryRollout, because your ThresholdGate"),
]
TITLES = {
    "monitor": "monitor",
    "detector": "drift",
    "trigger": "trigger",
    "compare": "comparison",
    "registry": "registry",
    "split": "split",
    "make_rollout": "rollout",
}


def unfinished(name):
    """What a student's notebook holds before anything is written."""

    def blank(*arguments, **named):
        raise NotImplementedError("write this part")

    blank.__code__ = blank.__code__.replace(co_name=name)
    return blank


@pytest.fixture
def make_stages(monkeypatch):
    """A function that makes the stages; the slow check of the detector is skipped where another part is looked at."""

    def make(without_drift_check: bool):
        if without_drift_check:
            monkeypatch.setattr(module, "check_detector", lambda make_detector: make_detector())
        return lesson_stages("digits", 0.95, 197)

    return make


def test_finished_lessons_run_the_whole_loop():
    stages = lesson_stages("digits", 0.95, 197)
    assert stages.origins == (
        "monitor: your ModelMonitor",
        "drift: your DriftDetector",
        "trigger: your RetrainingTrigger",
        "comparison: your compare_models",
        "registry: your ModelRegistry",
        "split: your route",
        "rollout: your ThresholdGate",
    )
    assert isinstance(stages.monitor, monitoring.ModelMonitor)
    assert isinstance(stages.detector, drift.DriftDetector)
    assert isinstance(stages.trigger, retraining.RetrainingTrigger)
    assert isinstance(stages.registry, deployment.ModelRegistry)
    assert isinstance(stages.make_rollout(), deployment.ThresholdGate)
    assert stages.compare is retraining.compare_models
    assert stages.split is deployment.route


def test_the_students_parts_are_tuned_as_the_librarys_are():
    mine, library = lesson_stages("digits", 0.95, 197), library_stages("digits", 0.95, 197)
    assert mine.detector.alpha == library.detector.alpha
    assert mine.trigger.cooldown_s == library.trigger.cooldown_s
    assert mine.make_rollout().weights == library.make_rollout().weights
    assert mine.make_rollout().minimum_labels == library.make_rollout().minimum_labels
    assert mine.monitor.watch.n_baseline == library.monitor.n_baseline == 197
    assert mine.first_weight == mine.make_rollout().weights[0]


@pytest.mark.parametrize(("lesson", "blank", "part", "sentence"), BLANKS, ids=[row[1] for row in BLANKS])
def test_an_unfinished_lesson_leaves_its_place_to_the_library(monkeypatch, make_stages, lesson, blank, part, sentence):
    monkeypatch.setattr(lesson, blank, unfinished(blank))
    stages = make_stages(without_drift_check=part != "detector")
    said = {origin.split(":")[0]: origin for origin in stages.origins}
    assert said[TITLES[part]].startswith(f"{TITLES[part]}: {sentence}: not yet written: {blank}, which ")
    library = library_stages("digits", 0.95, 197)
    if part in ("compare", "split"):
        assert getattr(stages, part) is getattr(library, part)
    elif part == "make_rollout":
        assert type(stages.make_rollout()) is type(library.make_rollout())
    else:
        assert type(getattr(stages, part)) is type(getattr(library, part))
    assert sum(" the library's " in origin for origin in stages.origins) == 1


def test_a_wrong_lesson_is_told_what_is_wrong(monkeypatch, make_stages):
    monkeypatch.setattr(
        deployment, "route", lambda request_ids, challenger_weight, salt="": np.zeros(len(request_ids), dtype=bool)
    )
    stages = make_stages(without_drift_check=True)
    origin = next(origin for origin in stages.origins if origin.startswith("split"))
    assert origin.startswith("split: the library's split_traffic, because your route: split of 4000 requests")
    assert "expected a share of 0.1" in origin


def test_a_fault_of_the_library_is_not_laid_at_the_students_door(monkeypatch):
    def broken(make_registry):
        raise RuntimeError("the check itself is broken")

    monkeypatch.setattr(module, "check_detector", lambda make_detector: None)
    monkeypatch.setattr(module, "check_registry", broken)
    with pytest.raises(RuntimeError, match="the check itself is broken"):
        lesson_stages("digits", 0.95, 197)


def test_without_any_lesson_the_loop_is_the_librarys(monkeypatch):
    def refuse(*arguments):
        raise ContractError("not yet written: everything.")

    for name in ("comparison", "detector", "monitor", "registry", "rollout", "split", "trigger"):
        monkeypatch.setattr(module, f"check_{name}", refuse)
    stages = lesson_stages("digits", 0.95, 197)
    assert all(": the library's " in origin for origin in stages.origins)
    assert len(stages.origins) == 7
