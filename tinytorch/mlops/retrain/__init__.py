"""Stage 3, retrain: when to train a new model, and whether to keep it.

Every function and class of the lesson and of its siblings, by name. Defaults stay in their files: the same name
holds another value in each.
"""

from tinytorch.mlops.retrain.comparison import compare_by_mcnemar
from tinytorch.mlops.retrain.lesson import (
    RetrainingTrigger,
    as_rules,
    as_time,
    coin_flip_pvalue,
    compare_models,
    cooldown_is_over,
    count_disagreements,
    is_better,
    last_time,
    reasons_to_retrain,
    split_rows,
    train_safely,
)
from tinytorch.mlops.retrain.network import NetworkModel, NetworkTrainer, TrainingDivergedError
from tinytorch.mlops.retrain.session import RetrainingData, RetrainingSession, hold_out
from tinytorch.mlops.retrain.trigger import BudgetedTrigger

__all__ = [
    "BudgetedTrigger",
    "NetworkModel",
    "NetworkTrainer",
    "RetrainingData",
    "RetrainingSession",
    "RetrainingTrigger",
    "TrainingDivergedError",
    "as_rules",
    "as_time",
    "coin_flip_pvalue",
    "compare_by_mcnemar",
    "compare_models",
    "cooldown_is_over",
    "count_disagreements",
    "hold_out",
    "is_better",
    "last_time",
    "reasons_to_retrain",
    "split_rows",
    "train_safely",
]
