"""Stage 1, monitor: is the model still as good as on the day it was deployed?

Every function and class of the lesson and of its siblings, by name. Defaults stay in their files: the same name
holds another value in each.
"""

from tinytorch.mlops.monitor.alert_rule import AlertRule, Look
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
from tinytorch.mlops.monitor.windowed import WindowedMonitor

__all__ = [
    "AccuracyWatch",
    "AlertRule",
    "LateLabels",
    "Look",
    "ModelMonitor",
    "SimpleModelMonitor",
    "WindowedMonitor",
    "accuracy_standard_error",
    "alert_threshold",
    "batch_accuracy",
    "count_in_a_row",
    "make_alert",
    "should_fire",
]
