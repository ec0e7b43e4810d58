"""Stage 4, deploy: ship a version, watch it, and roll it back.

Every function and class of the lesson and of its siblings, by name. Defaults stay in their files: the same name
holds another value in each.
"""

from tinytorch.mlops.deploy.blue_green import BlueGreenRollout
from tinytorch.mlops.deploy.canary import CanaryRollout
from tinytorch.mlops.deploy.evidence import EvidenceLog, VersionEvidence
from tinytorch.mlops.deploy.gates import Gate, GateVerdict, SequentialGate, ThresholdFailureGate
from tinytorch.mlops.deploy.lesson import (
    Action,
    CanaryCounts,
    ModelRegistry,
    Shelf,
    ThresholdGate,
    check_ladder,
    check_pair,
    find_shelf,
    hash_share,
    judge_canary,
    move_back,
    move_pointer,
    next_weight,
    promote_on,
    route,
    standard_error,
)
from tinytorch.mlops.deploy.plan import RolloutPlan
from tinytorch.mlops.deploy.registry import AuditedRegistry, PointerMove
from tinytorch.mlops.deploy.rolling import RollingRollout, check_workers
from tinytorch.mlops.deploy.shadow import ShadowRollout
from tinytorch.mlops.deploy.split import split_traffic
from tinytorch.mlops.deploy.staged import StagedRollout
from tinytorch.mlops.deploy.strategy import DeploymentStrategy

__all__ = [
    "Action",
    "AuditedRegistry",
    "BlueGreenRollout",
    "CanaryCounts",
    "CanaryRollout",
    "DeploymentStrategy",
    "EvidenceLog",
    "Gate",
    "ModelRegistry",
    "PointerMove",
    "RollingRollout",
    "RolloutPlan",
    "SequentialGate",
    "ShadowRollout",
    "Shelf",
    "StagedRollout",
    "ThresholdFailureGate",
    "ThresholdGate",
    "GateVerdict",
    "VersionEvidence",
    "check_ladder",
    "check_pair",
    "check_workers",
    "find_shelf",
    "hash_share",
    "judge_canary",
    "move_back",
    "move_pointer",
    "next_weight",
    "promote_on",
    "route",
    "split_traffic",
    "standard_error",
]
