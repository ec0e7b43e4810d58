"""Stage 4, deploy: ship a version, watch it, and roll it back."""

from tinytorch.mlops.deploy.canary import CanaryRollout
from tinytorch.mlops.deploy.lesson import ModelRegistry, ThresholdGate, route
from tinytorch.mlops.deploy.registry import AuditedRegistry, PointerMove
from tinytorch.mlops.deploy.split import split_traffic

__all__ = [
    "AuditedRegistry",
    "CanaryRollout",
    "ModelRegistry",
    "PointerMove",
    "ThresholdGate",
    "route",
    "split_traffic",
]
