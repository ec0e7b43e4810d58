"""The trainer's check finds what is wrong with wrong trainers, and names it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.trainer import check_trainer
from tinytorch.mlops.validate import as_features, as_labels, check_rows, check_same_length


class NearestCentre:
    """A model that answers with the class whose centre is nearest."""

    def __init__(self, centres):
        self.centres = centres

    def predict_proba(self, features):
        distance = ((as_features(features)[:, np.newaxis] - self.centres) ** 2).sum(axis=2)
        weights = np.exp(distance.min(axis=1, keepdims=True) - distance)
        return weights / weights.sum(axis=1, keepdims=True)


class Right:
    """Takes the mean of each class for its centre, give or take a little."""

    noise = 1e-3

    def read(self, features, labels):
        table, targets = as_features(features), as_labels(labels)
        check_same_length({"features": table, "labels": targets})
        check_rows(table, "features")
        return table, targets

    def train(self, features, labels, rng):
        table, targets = self.read(features, labels)
        centres = np.array([table[targets == index].mean(axis=0) for index in range(targets.max() + 1)])
        return NearestCentre(centres + rng.normal(0.0, self.noise, centres.shape))


class LearnsNothing(Right):
    def train(self, features, labels, rng):
        model = super().train(features, labels, rng)
        return NearestCentre(np.zeros_like(model.centres))


class BringsItsOwnRandomness(Right):
    def __init__(self):
        self.rng = np.random.default_rng(1)

    def train(self, features, labels, rng):
        return super().train(features, labels, self.rng)


class TrainsTheOldModelOn(Right):
    """Gives out the same model every time, with new weights inside."""

    model = NearestCentre(np.zeros((3, 6)))

    def train(self, features, labels, rng):
        self.model.centres = super().train(features, labels, rng).centres
        return self.model


class ShufflesInPlace(Right):
    def train(self, features, labels, rng):
        model = super().train(features, labels, rng)
        rng.shuffle(features)
        return model


class DropsBadLabels(Right):
    def train(self, features, labels, rng):
        if len(labels) == len(features) and isinstance(features, np.ndarray):
            known = np.asarray(labels) >= 0
            features, labels = features[known], labels[known]
        return super().train(features, labels, rng)


class TakesNaN(Right):
    def read(self, features, labels):
        table, targets = as_features(features, allow_missing=True), as_labels(labels)
        return super().read(np.nan_to_num(table), targets)


class GivesWeights(Right):
    def train(self, features, labels, rng):
        return super().train(features, labels, rng).centres


def test_a_right_trainer_passes():
    check_trainer(Right())


@pytest.mark.parametrize(
    ("trainer", "sentence"),
    [
        (
            LearnsNothing(),
            "accuracy on fresh rows of three classes that lie far apart: expected at least 0.95, got 0.3",
        ),
        (BringsItsOwnRandomness(), "training again with the same seed: expected a model with the same answers"),
        (TrainsTheOldModelOn(), "the first model after later trainings: expected its answers unchanged"),
        (ShufflesInPlace(), "trainer.train changed the array it was given"),
        (DropsBadLabels(), "trainer.train with a label below 0: expected a ValueError"),
        (TakesNaN(), r"trainer.train with a missing value \(NaN\): expected a ValueError"),
        (GivesWeights(), "trainer.train: expected a model with predict_proba"),
    ],
)
def test_a_wrong_trainer_is_told_what_is_wrong(trainer, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_trainer(trainer)
