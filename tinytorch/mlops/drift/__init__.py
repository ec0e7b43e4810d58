"""Stage 2, drift: do today's inputs still look like those the model was trained on?"""

from tinytorch.mlops.drift.categorical import CategoricalDetector
from tinytorch.mlops.drift.classifier import ClassifierDetector
from tinytorch.mlops.drift.lesson import (
    BasicDriftDetector,
    DriftDetector,
    adjusted_pvalue,
    constant_columns,
    missing_rate,
    out_of_range_rate,
    shuffle_pvalue,
    shuffled_shifts,
    standard_shift,
)
from tinytorch.mlops.drift.multivariate import MultivariateDetector
from tinytorch.mlops.drift.prediction import PredictionDriftDetector
from tinytorch.mlops.drift.streaming import StreamingDetector
from tinytorch.mlops.drift.univariate import UnivariateDetector

__all__ = [
    "BasicDriftDetector",
    "CategoricalDetector",
    "ClassifierDetector",
    "DriftDetector",
    "MultivariateDetector",
    "PredictionDriftDetector",
    "StreamingDetector",
    "UnivariateDetector",
    "adjusted_pvalue",
    "constant_columns",
    "missing_rate",
    "out_of_range_rate",
    "shuffle_pvalue",
    "shuffled_shifts",
    "standard_shift",
]
