"""Stage 1, monitor: is the model still as good as on the day it was deployed?"""

from tinytorch.mlops.monitor.alert_rule import AlertRule, Look
from tinytorch.mlops.monitor.lesson import (
    AccuracyWatch,
    ModelMonitor,
    SimpleModelMonitor,
    accuracy_standard_error,
    alert_threshold,
    batch_accuracy,
    count_in_a_row,
    should_fire,
)
from tinytorch.mlops.monitor.windowed import WindowedMonitor

__all__ = [
    "AccuracyWatch",
    "AlertRule",
    "Look",
    "ModelMonitor",
    "SimpleModelMonitor",
    "WindowedMonitor",
    "accuracy_standard_error",
    "alert_threshold",
    "batch_accuracy",
    "count_in_a_row",
    "should_fire",
]
