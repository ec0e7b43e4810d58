"""Floor 3, the marking room: what every trainer of challengers must do, tried on one. May import numpy, the records."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinytorch.checks.calls import malformed_tables, must_refuse, require, require_unchanged, watch
from tinytorch.checks.model import require_probabilities
from tinytorch.mlops.contracts import ChallengerTrainer, Model

# Three clouds of points, so far apart (six standard deviations) that hardly a row lies on the wrong side.
N_CLASSES = 3
N_TRAINING_ROWS = 240
N_FRESH_ROWS = 120
N_CLOUD_FEATURES = 6
DISTANCE = 6.0
# Chance gives a third; the best possible is all but a row in a thousand.
ACCURACY_NEEDED = 0.95
CLOUD_SEED = 4
TRAINING_SEED = 8


def check_trainer(trainer: ChallengerTrainer) -> None:
    """Try a trainer: it learns what can be learned, repeats itself, and touches neither its data nor older models.

    It is made to train four times on 240 rows of three classes.

    Parameters
    ----------
    trainer : ChallengerTrainer

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.retrain import NetworkTrainer
    >>> check_trainer(NetworkTrainer(hidden_units=16, epochs=20))
    """
    rng = np.random.default_rng(CLOUD_SEED)
    features, labels = draw_clouds(N_TRAINING_ROWS, rng)
    fresh, truth = draw_clouds(N_FRESH_ROWS, rng)
    model = _trained(trainer, features, labels)
    answers = require_probabilities(model, fresh)
    accuracy = float((answers.argmax(axis=1) == truth).mean())
    situation = "the model's accuracy on fresh rows of three classes that lie far apart"
    require(accuracy >= ACCURACY_NEEDED, situation, f"at least {ACCURACY_NEEDED}", accuracy)
    again = require_probabilities(_trained(trainer, features, labels), fresh)
    require(np.array_equal(again, answers), "training again with the same seed", "a model with the same answers", again)
    _trained(trainer, -features, (labels + 1) % N_CLASSES)
    after = require_probabilities(model, fresh)
    require(np.array_equal(after, answers), "the first model after later trainings", "its answers unchanged", after)
    _refuses_bad_rows(trainer, features, labels)


def draw_clouds(n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return features (n_rows, 6) and labels (n_rows,) of three classes that lie far apart.

    Examples
    --------
    >>> features, labels = draw_clouds(3, np.random.default_rng(0))
    >>> labels
    array([0, 1, 2])
    """
    labels = np.arange(n_rows) % N_CLASSES
    features = rng.normal(size=(n_rows, N_CLOUD_FEATURES))
    features[np.arange(n_rows), labels] += DISTANCE
    return features, labels


def _trained(trainer: ChallengerTrainer, features: np.ndarray, labels: np.ndarray) -> Model:
    """Train with the one seed, and look whether the data are still what they were."""
    kept_features, kept_labels = features.copy(), labels.copy()
    model = watch(trainer, "trainer").train(features, labels, np.random.default_rng(TRAINING_SEED))
    require_unchanged(features, kept_features, "trainer.train")
    require_unchanged(labels, kept_labels, "trainer.train")
    require(hasattr(model, "predict_proba"), "trainer.train", "a model with predict_proba", model)
    return watch(model, "model")


def _refuses_bad_rows(trainer: ChallengerTrainer, features: np.ndarray, labels: np.ndarray) -> None:
    missing = features.copy()
    missing[0, 0] = np.nan
    bad: dict[str, tuple[Any, Any]] = {what: (table, labels) for what, table in malformed_tables(features).items()}
    bad["no rows"] = (features[:0], labels[:0])
    bad["a missing value (NaN)"] = (missing, labels)
    bad["fewer labels than rows"] = (features, labels[1:])
    bad["a label below 0"] = (features, labels - 1)
    bad["labels between two classes"] = (features, labels + 0.5)
    watched = watch(trainer, "trainer")
    for what, (table, targets) in bad.items():
        rng = np.random.default_rng(TRAINING_SEED)
        must_refuse(partial(watched.train, table, targets, rng), f"trainer.train with {what}")
