"""Stage 2, drift: do today's inputs still look like those the model was trained on?

Every function and class of the lesson and of its siblings, by name. Defaults stay in their files: the same name
holds another value in each.
"""

from tinytorch.mlops.drift.categorical import CategoricalDetector, MissingCategory
from tinytorch.mlops.drift.classifier import ClassifierDetector
from tinytorch.mlops.drift.lesson import (
    BasicDriftDetector,
    DriftDetector,
    adjusted_pvalue,
    compare_with_shuffles,
    constant_columns,
    draw_shuffles,
    in_standard_deviations,
    missing_rate,
    out_of_range_rate,
    quality_problems,
    read_baseline,
    read_table,
    shuffle_pvalue,
    shuffled_shifts,
    standard_shift,
    strongest_view,
    three_views,
    write_report,
)
from tinytorch.mlops.drift.multivariate import MultivariateDetector
from tinytorch.mlops.drift.prediction import PredictionDriftDetector
from tinytorch.mlops.drift.streaming import AlarmStream, StreamingDetector, cusum_for_many_features
from tinytorch.mlops.drift.univariate import UnivariateDetector

__all__ = [
    "AlarmStream",
    "BasicDriftDetector",
    "CategoricalDetector",
    "ClassifierDetector",
    "DriftDetector",
    "MissingCategory",
    "MultivariateDetector",
    "PredictionDriftDetector",
    "StreamingDetector",
    "UnivariateDetector",
    "adjusted_pvalue",
    "compare_with_shuffles",
    "constant_columns",
    "cusum_for_many_features",
    "draw_shuffles",
    "in_standard_deviations",
    "missing_rate",
    "out_of_range_rate",
    "quality_problems",
    "read_baseline",
    "read_table",
    "shuffle_pvalue",
    "shuffled_shifts",
    "standard_shift",
    "strongest_view",
    "three_views",
    "write_report",
]
