"""Floor 5: the loop on a student's own lessons: each that passes its check runs, the library stands in for the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from tinytorch.checks.calls import ContractError
from tinytorch.checks.comparison import check_comparison
from tinytorch.checks.detector import check_detector
from tinytorch.checks.monitor import check_monitor
from tinytorch.checks.registry import check_registry
from tinytorch.checks.rollout import check_rollout
from tinytorch.checks.split import Split, check_split
from tinytorch.checks.trigger import check_trigger
from tinytorch.cli.stages import (
    CANARY_MINIMUM_LABELS,
    CANARY_WEIGHTS,
    COOLDOWN_S,
    DEMO_DRIFT_ALPHA,
    Stages,
    library_stages,
)
from tinytorch.datasets import FEATURE_NAMES, load_digits
from tinytorch.mlops.contracts import Comparison, Detector, Monitor, Registry, Rollout, Trigger
from tinytorch.mlops.deploy import lesson as deployment
from tinytorch.mlops.drift import lesson as drift
from tinytorch.mlops.monitor import lesson as monitoring
from tinytorch.mlops.retrain import lesson as retraining

Chosen = TypeVar("Chosen")

# Part of the loop -> the stage whose lesson makes it.
LESSON_OF_PART = {
    "monitor": "monitor",
    "drift": "drift",
    "trigger": "retrain",
    "comparison": "retrain",
    "registry": "deploy",
    "split": "deploy",
    "rollout": "deploy",
}
ALL_LESSONS = frozenset(LESSON_OF_PART.values())

# The lesson's detector is fitted when it is made; its check then fits it to rows of its own.
_ANY_BASELINE = np.eye(2)


def lesson_stages(
    model_name: str, baseline_accuracy: float, n_baseline: int, lessons: Collection[str] = ALL_LESSONS
) -> Stages:
    """Return the student's own parts where they pass their checks, and the library's elsewhere.

    Parameters
    ----------
    model_name : str
    baseline_accuracy : float
        Measured on `n_baseline` rows that the model was not trained on.
    n_baseline : int
    lessons : collection of str
        The stages whose lesson is tried; every other part is the library's.

    Returns
    -------
    Stages
        Its `origins` hold one sentence a part: whose it is, and why, if it is the library's.

    Examples
    --------
    >>> stages = lesson_stages("digits", 0.95, 197)
    >>> [origin.split(":")[0] for origin in stages.origins]
    ['monitor', 'drift', 'trigger', 'comparison', 'registry', 'split', 'rollout']
    """
    library, choice = library_stages(model_name, baseline_accuracy, n_baseline), _Choice(lessons)
    my_monitor = partial(_my_monitor, model_name, baseline_accuracy, n_baseline)
    return Stages(
        monitor=choice.take("monitor: ModelMonitor", my_monitor, library.monitor),
        detector=choice.take("drift: DriftDetector", _my_detector, library.detector),
        trigger=choice.take("trigger: RetrainingTrigger", _my_trigger, library.trigger),
        compare=choice.take("comparison: compare_models", _my_comparison, library.compare),
        registry=choice.take("registry: ModelRegistry", _my_registry, library.registry),
        split=choice.take("split: route", _my_split, library.split),
        make_rollout=choice.take("rollout: ThresholdGate", _my_rollout, library.make_rollout),
        first_weight=CANARY_WEIGHTS[0],
        origins=tuple(choice.origins),
    )


class _Choice:
    """Takes the student's part if it passes its check, else the library's, and writes down which it was."""

    def __init__(self, lessons: Collection[str]) -> None:
        self._lessons = lessons
        self.origins: list[str] = []

    def take(self, title: str, check_mine: Callable[[], Chosen], library: Chosen) -> Chosen:
        """Return what `check_mine` returns, or `library` if it raises `ContractError`; `title` is "part: name"."""
        part, name = title.split(": ")
        if LESSON_OF_PART[part] not in self._lessons:
            self.origins.append(f"{part}: the library's {_library_name(library)}")
            return library
        try:
            mine = check_mine()
        except ContractError as error:
            self.origins.append(f"{part}: the library's {_library_name(library)}, because your {name}: {error}")
            return library
        self.origins.append(f"{part}: your {name}")
        return mine


def _library_name(part: Any) -> str:
    """Return the name of a function or of an object's class; of a maker, that of what it makes."""
    if isinstance(part, FunctionType) and part.__name__ == "<lambda>":
        part = part()
    return str(getattr(part, "__name__", type(part).__name__))


def _my_monitor(model_name: str, baseline_accuracy: float, n_baseline: int) -> Monitor:
    check_monitor(_new_monitor)
    return _new_monitor(model_name, baseline_accuracy, n_baseline)


def _new_monitor(model_name: str, baseline_accuracy: float, n_baseline: int) -> Monitor:
    """Make the lesson's monitor, which is told the number of rows afterwards."""
    monitor = monitoring.ModelMonitor(model_name, baseline_accuracy)
    monitor.reset_baseline(baseline_accuracy, n_baseline)
    return monitor


def _my_detector() -> Detector:
    """The pipeline fits it again, to the rows that it hands to every detector."""
    check_detector(lambda: drift.DriftDetector(_ANY_BASELINE))
    return drift.DriftDetector(load_digits().training.features, FEATURE_NAMES, DEMO_DRIFT_ALPHA)


def _my_trigger() -> Trigger:
    check_trigger(retraining.RetrainingTrigger)
    return retraining.RetrainingTrigger(COOLDOWN_S)


def _my_comparison() -> Comparison:
    check_comparison(retraining.compare_models)
    return retraining.compare_models


def _my_registry() -> Registry:
    check_registry(deployment.ModelRegistry)
    return deployment.ModelRegistry()


def _my_split() -> Split:
    check_split(deployment.route)
    return deployment.route


def _my_rollout() -> Callable[[], Rollout]:
    def make_rollout() -> Rollout:
        return deployment.ThresholdGate(CANARY_WEIGHTS, CANARY_MINIMUM_LABELS)

    check_rollout(make_rollout)
    return make_rollout
