"""Floor 3, the marking room: what every model must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from functools import partial

import numpy as np

from tinytorch.checks.calls import in_words, malformed_tables, must_refuse, require, require_unchanged, watch
from tinytorch.mlops.contracts import Model
from tinytorch.mlops.validate import PROBABILITY_TOLERANCE

# Networks work in float32, and a table is multiplied in another order than a row: answers may differ by its rounding.
ROUNDING = 1e-5
ROWS_ASKED_ALONE = 5


def check_model(model: Model, features: np.ndarray) -> None:
    """Try a model: its answers are probabilities, each row's own, the same every time.

    Parameters
    ----------
    model : Model
    features : ndarray of shape (n, n_features)
        Rows that the model can answer, at least 5 of at least 2 features, without missing values.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.
    ValueError
        If `features` has too few rows or columns to try anything.

    Examples
    --------
    >>> class Uniform:
    ...     def predict_proba(self, features):
    ...         return np.full((len(features), 2), 0.5)
    >>> check_model(Uniform(), np.zeros((5, 2)))
    Traceback (most recent call last):
    ...
    tinytorch.checks.calls.ContractError: predict_proba of ragged rows: expected a ValueError, got [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]].
    """  # noqa: E501
    table = np.array(features, dtype=np.float64)
    if table.ndim != 2 or len(table) < ROWS_ASKED_ALONE or table.shape[1] < 2:
        raise ValueError(f"features must have at least {ROWS_ASKED_ALONE} rows and 2 columns, got {table.shape}.")
    watched = watch(model, "model")
    answers = require_probabilities(watched, table)
    _answers_each_row_alone(watched, table, answers)
    _answers_no_rows(watched, table, answers.shape[1])
    _refuses_bad_features(watched, table, answers)


def require_probabilities(model: Model, features: np.ndarray) -> np.ndarray:
    """Return the answers of a watched model, or raise `ContractError` if they are no probabilities.

    Examples
    --------
    >>> class Uniform:
    ...     def predict_proba(self, features):
    ...         return np.full((len(features), 2), 0.5)
    >>> require_probabilities(Uniform(), np.zeros((3, 4))).shape
    (3, 2)
    """
    kept = features.copy()
    answers = model.predict_proba(features)
    require_unchanged(features, kept, "model.predict_proba")
    call = f"model.predict_proba of {len(features)} rows"
    is_table = isinstance(answers, np.ndarray) and answers.ndim == 2 and len(answers) == len(features)
    require(is_table and answers.shape[1] >= 2, call, f"an array of shape ({len(features)}, n_classes)", answers)
    in_range = bool((np.isfinite(answers) & (answers >= 0) & (answers <= 1)).all())
    require(in_range, call, "probabilities from 0 to 1", answers)
    sums = answers.sum(axis=1)
    require(bool(np.allclose(sums, 1.0, rtol=0, atol=PROBABILITY_TOLERANCE)), call, "rows that add up to 1", sums)
    return answers


def _answers_each_row_alone(model: Model, table: np.ndarray, answers: np.ndarray) -> None:
    again = require_probabilities(model, table)
    require(np.array_equal(again, answers), "model.predict_proba of the same rows again", "the same answers", again)
    table.setflags(write=False)
    backwards = require_probabilities(model, table[::-1])
    same = bool(np.allclose(backwards[::-1], answers, rtol=0, atol=ROUNDING))
    require(same, "model.predict_proba of the rows in reverse order", "the same answers in reverse order", backwards)
    for row in range(ROWS_ASKED_ALONE):
        alone = require_probabilities(model, table[row : row + 1])
        same = bool(np.allclose(alone[0], answers[row], rtol=0, atol=ROUNDING))
        require(same, f"model.predict_proba of row {row} alone", f"its answer among others, {answers[row]}", alone[0])


def _answers_no_rows(model: Model, table: np.ndarray, n_classes: int) -> None:
    nothing = model.predict_proba(table[:0])
    is_empty = isinstance(nothing, np.ndarray) and nothing.shape == (0, n_classes)
    require(is_empty, "model.predict_proba of no rows", f"an array of shape (0, {n_classes})", nothing)


def _refuses_bad_features(model: Model, table: np.ndarray, answers: np.ndarray) -> None:
    missing = table.copy()
    missing[0, 0] = np.nan
    bad = {**malformed_tables(table), "a missing value (NaN)": missing, "a column too few": table[:, 1:]}
    del bad["no rows"]
    for what, rows in bad.items():
        must_refuse(partial(model.predict_proba, rows), f"predict_proba of {what}")
    after = require_probabilities(model, table)
    words = f"the same answers, {in_words(answers)}"
    require(np.array_equal(after, answers), "predict_proba after calls that were refused", words, after)
