"""Stage 1, monitor: is the model still as good as on the day it was deployed?"""

from tinytorch.mlops.monitor.alert_rule import AlertRule, Look
from tinytorch.mlops.monitor.windowed import WindowedMonitor

__all__ = ["AlertRule", "Look", "WindowedMonitor"]
