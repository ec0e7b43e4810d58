"""Stage 1, monitor: is the model still as good as on the day it was deployed?

Every function and class of the lesson and of its siblings, by name. Defaults stay in their files: the same name
holds another value in each.
"""

from tinytorch.mlops.monitor.alert_board import AlertBoard
from tinytorch.mlops.monitor.alert_rule import AlertRule, Look
from tinytorch.mlops.monitor.classification import classification_metrics
from tinytorch.mlops.monitor.estimated_accuracy import AccuracyEstimator
from tinytorch.mlops.monitor.estimated_loss import LossEstimator
from tinytorch.mlops.monitor.lesson import (
    AccuracyWatch,
    LateLabels,
    ModelMonitor,
    SimpleModelMonitor,
    accuracy_standard_error,
    alert_threshold,
    batch_accuracy,
    count_in_a_row,
    make_alert,
    should_fire,
)
from tinytorch.mlops.monitor.metric import Metric
from tinytorch.mlops.monitor.probabilities import probability_metrics
from tinytorch.mlops.monitor.regression import regression_metrics
from tinytorch.mlops.monitor.slices import Slice, accuracy_by_slice, worst_slice
from tinytorch.mlops.monitor.threshold_rule import RuleState, ThresholdRule
from tinytorch.mlops.monitor.windowed import WindowedMonitor

__all__ = [
    "AccuracyEstimator",
    "AccuracyWatch",
    "AlertBoard",
    "AlertRule",
    "LateLabels",
    "Look",
    "LossEstimator",
    "Metric",
    "ModelMonitor",
    "RuleState",
    "SimpleModelMonitor",
    "Slice",
    "ThresholdRule",
    "WindowedMonitor",
    "accuracy_by_slice",
    "accuracy_standard_error",
    "alert_threshold",
    "batch_accuracy",
    "classification_metrics",
    "count_in_a_row",
    "make_alert",
    "probability_metrics",
    "regression_metrics",
    "should_fire",
    "worst_slice",
]
