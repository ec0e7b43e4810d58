"""The model's check finds what is wrong with wrong models, and names it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.model import check_model
from tinytorch.mlops.validate import as_features, check_columns

FEATURES = np.random.default_rng(0).normal(size=(20, 3))


class Right:
    """Class 1 is the more probable, the higher the first feature."""

    def predict_proba(self, features):
        table = as_features(features)
        check_columns(table, 3)
        share = 1.0 / (1.0 + np.exp(-table[:, 0]))
        return np.column_stack([1.0 - share, share])


class Unnormalised(Right):
    def predict_proba(self, features):
        return super().predict_proba(features) * 0.9


class GivesOneColumn(Right):
    def predict_proba(self, features):
        return super().predict_proba(features)[:, 1]


class BelowZero(Right):
    def predict_proba(self, features):
        return super().predict_proba(features) * 3.0 - 1.0


class CentresTheBatch(Right):
    """As a network that was left in training mode does with its batch norm."""

    def predict_proba(self, features):
        table = as_features(features)
        return super().predict_proba(table - (table.mean(axis=0) if len(table) else 0.0))


class TossesCoins(Right):
    """As a network that was left in training mode does with its dropout."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def predict_proba(self, features):
        table = as_features(features)
        return super().predict_proba(table * self.rng.choice([0.0, 2.0], table.shape))


class SortsItsRows(Right):
    def predict_proba(self, features):
        return (
            np.sort(super().predict_proba(features), axis=0)[::-1]
            if len(features) == 1
            else np.array(sorted(super().predict_proba(features).tolist())).reshape(-1, 2)
        )


class ScalesTheCallersTable(Right):
    def predict_proba(self, features):
        answers = super().predict_proba(features)
        np.asarray(features)[...] = 0.0
        return answers


class FillsMissing(Right):
    def predict_proba(self, features):
        return super().predict_proba(np.nan_to_num(as_features(features, allow_missing=True)))


class CannotAnswerNothing(Right):
    def predict_proba(self, features):
        table = as_features(features)
        table.max()
        return super().predict_proba(table)


def test_a_right_model_passes_and_its_table_is_left_alone():
    before = FEATURES.copy()
    check_model(Right(), FEATURES)
    np.testing.assert_array_equal(FEATURES, before)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (Unnormalised(), "predict_proba of 20 rows: expected rows that add up to 1"),
        (GivesOneColumn(), r"expected an array of shape \(20, n_classes\), got an array of shape \(20,\)"),
        (BelowZero(), "expected probabilities from 0 to 1"),
        (CentresTheBatch(), "predict_proba of row 0 alone: expected its answer among others"),
        (TossesCoins(), "predict_proba of the same rows again: expected the same answers"),
        (SortsItsRows(), "rows in reverse order: expected the same answers in reverse order"),
        (ScalesTheCallersTable(), "model.predict_proba changed the array it was given"),
        (FillsMissing(), r"predict_proba of a missing value \(NaN\): expected a ValueError"),
        (
            CannotAnswerNothing(),
            r"model.predict_proba\(.*\): expected an answer, but ValueError was raised in the line",
        ),
    ],
)
def test_a_wrong_model_is_told_what_is_wrong(model, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_model(model, FEATURES)


def test_too_small_a_table_is_refused():
    with pytest.raises(ValueError, match=r"features must have at least 5 rows and 2 columns, got \(4, 3\)"):
        check_model(Right(), FEATURES[:4])
