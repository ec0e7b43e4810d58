"""Stage 3, retrain: when to train a new model, and whether to keep it."""

from tinytorch.mlops.retrain.comparison import compare_by_mcnemar
from tinytorch.mlops.retrain.lesson import RetrainingTrigger, compare_models
from tinytorch.mlops.retrain.network import NetworkModel, NetworkTrainer, TrainingDivergedError
from tinytorch.mlops.retrain.session import RetrainingData, RetrainingSession
from tinytorch.mlops.retrain.trigger import BudgetedTrigger

__all__ = [
    "BudgetedTrigger",
    "NetworkModel",
    "NetworkTrainer",
    "RetrainingData",
    "RetrainingSession",
    "RetrainingTrigger",
    "TrainingDivergedError",
    "compare_by_mcnemar",
    "compare_models",
]
