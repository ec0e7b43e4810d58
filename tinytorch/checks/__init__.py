"""Floor 3, the marking room: one check for each contract, for the lessons, the library and whatever replaces them.

`check_cases` tries a single function of a lesson; the others try a whole part of the loop.
"""

from tinytorch.checks.calls import ContractError
from tinytorch.checks.cases import Case, CheckFailed, check_cases, if_written
from tinytorch.checks.comparison import check_comparison
from tinytorch.checks.detector import check_detector
from tinytorch.checks.model import check_model
from tinytorch.checks.monitor import check_monitor
from tinytorch.checks.registry import check_registry
from tinytorch.checks.rollout import check_rollout
from tinytorch.checks.split import check_split
from tinytorch.checks.stream import check_stream_detector
from tinytorch.checks.summary import check_summary
from tinytorch.checks.trainer import check_trainer
from tinytorch.checks.trigger import check_trigger

__all__ = [
    "Case",
    "CheckFailed",
    "ContractError",
    "check_cases",
    "check_comparison",
    "check_detector",
    "check_model",
    "check_monitor",
    "check_registry",
    "check_rollout",
    "check_split",
    "check_stream_detector",
    "check_summary",
    "check_trainer",
    "check_trigger",
    "if_written",
]
