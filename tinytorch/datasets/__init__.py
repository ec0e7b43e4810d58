"""The bundled digits, ways to corrupt them, and traffic made of them. Floor 0: numpy only."""

from tinytorch.datasets.corruptions import CORRUPTIONS, Corruption, corrupt
from tinytorch.datasets.digits import (
    FEATURE_NAMES,
    IMAGE_SIDE,
    N_CLASSES,
    N_PIXELS,
    DigitSplits,
    LabelledImages,
    kept_for_comparison,
    load_digits,
)
from tinytorch.datasets.population import class_mix_order
from tinytorch.datasets.traffic import (
    DEFAULT_SEVERITY,
    DRIFT_KINDS,
    SPEEDS,
    DriftPlan,
    TrafficSchedule,
    TrafficStep,
    TrafficStream,
    stream,
)

__all__ = [
    "CORRUPTIONS",
    "Corruption",
    "DEFAULT_SEVERITY",
    "DRIFT_KINDS",
    "DigitSplits",
    "DriftPlan",
    "FEATURE_NAMES",
    "IMAGE_SIDE",
    "LabelledImages",
    "N_CLASSES",
    "N_PIXELS",
    "SPEEDS",
    "TrafficSchedule",
    "TrafficStep",
    "TrafficStream",
    "class_mix_order",
    "corrupt",
    "kept_for_comparison",
    "load_digits",
    "stream",
]
