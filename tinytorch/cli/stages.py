"""Floor 5: which classes run in the loop: the library's siblings. The one place where concrete stages meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinytorch.datasets import FEATURE_NAMES
from tinytorch.mlops.contracts import Comparison, Detector, Monitor, Registry, Rollout, Trigger
from tinytorch.mlops.deploy import AuditedRegistry, CanaryRollout, split_traffic
from tinytorch.mlops.drift import UnivariateDetector
from tinytorch.mlops.monitor import WindowedMonitor
from tinytorch.mlops.retrain import BudgetedTrigger, compare_by_mcnemar

# A run looks at drift some twenty times, at overlapping windows, and at most one clean run in a hundred may raise any
# alarm. Pixels are discrete and the images' roles stratified, which makes the test cautious: in 150 clean runs the
# smallest corrected p-value of a whole run was 0.008, so that at 0.002 there is room to spare (`make drills` counts).
DEMO_DRIFT_ALPHA = 0.002
# The trial is short, as there are only a thousand images: a quarter of the traffic, then half, then all of it.
CANARY_WEIGHTS = (0.25, 0.5, 1.0)
CANARY_MINIMUM_LABELS = 10
# Three steps of an hour: a rejected challenger may be followed by one that has seen more.
COOLDOWN_S = 3 * 3600.0


@dataclass(frozen=True)
class Stages:
    """The parts of one loop, each made fresh for a run; `origins` says in words where each came from."""

    monitor: Monitor
    detector: Detector
    trigger: Trigger
    compare: Comparison
    registry: Registry
    split: Callable[[np.ndarray, float, str], np.ndarray]
    make_rollout: Callable[[], Rollout]
    first_weight: float
    origins: tuple[str, ...]


def library_stages(model_name: str, baseline_accuracy: float, n_baseline: int) -> Stages:
    """Return the library's own parts, tuned for a run of a thousand images.

    Examples
    --------
    >>> library_stages("digits", 0.95, 197).origins
    ("every stage: the library's",)
    """
    return Stages(
        monitor=WindowedMonitor(model_name, baseline_accuracy, n_baseline),
        detector=UnivariateDetector(DEMO_DRIFT_ALPHA, feature_names=FEATURE_NAMES),
        trigger=BudgetedTrigger(COOLDOWN_S),
        compare=compare_by_mcnemar,
        registry=AuditedRegistry(),
        split=split_traffic,
        make_rollout=lambda: CanaryRollout(CANARY_WEIGHTS, CANARY_MINIMUM_LABELS),
        first_weight=CANARY_WEIGHTS[0],
        origins=("every stage: the library's",),
    )
