"""Floor 2, monitor: how large are the errors of a regression today, before any target has come?

    direct loss estimation: a second model learns |prediction - target| from the features and the prediction
    on earlier rows, and its mean over today's rows is the error to expect
The second model is additive: each column is cut into bins, and every bin adds its own amount (ridge regression).
May import contracts, validate and numpy.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from tinytorch._arguments import check_generator, check_in_range, check_positive
from tinytorch.mlops.monitor.metric import Metric
from tinytorch.mlops.validate import (
    NotFittedError,
    as_features,
    as_values,
    check_columns,
    check_rows,
    check_same_length,
)
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE

# Enough to follow a curve, and 12% of the rows in each.
BINS = 8
# In rows: a bin's amount is drawn towards zero as if this many rows in it had said so.
DEFAULT_RIDGE = 5.0
# As for the accuracy's estimate: the spread of so many models is known to 7%.
RESAMPLES = 100
# A bin of eight then holds at least a dozen rows.
MINIMUM_REFERENCE_ROWS = 100


class LossEstimator:
    """Estimates the mean absolute error of a regression model without targets, with an interval.

    Honest as long as the errors still depend on the features as they did: it follows a shift towards inputs that
    were hard before, and is blind to a changed relation between inputs and targets.

    Parameters
    ----------
    ridge : float
        How strongly the amounts of the bins are drawn together, in rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> size = rng.uniform(0.0, 1.0, (600, 1))
    >>> targets = size[:, 0] * rng.normal(size=600)  # the larger, the less certain
    >>> estimator = LossEstimator().fit(size, np.zeros(600), targets, rng)
    >>> large, small = np.full((200, 1), 0.95), np.full((200, 1), 0.05)
    >>> estimator.estimate(large, np.zeros(200)).low > estimator.estimate(small, np.zeros(200)).high
    True

    References
    ----------
    NannyML, Estimation of Performance of the Monitored Model (documentation, "DLE").
    """

    def __init__(self, ridge: float = DEFAULT_RIDGE) -> None:
        self.ridge = check_positive(ridge, "ridge")

    def fit(self, features: Any, predictions: Any, targets: Any, rng: np.random.Generator) -> LossEstimator:
        """Learn how large the errors are, from rows that the model was not trained on.

        Parameters
        ----------
        features : array_like of shape (n, n_features)
        predictions, targets : array_like of shape (n,)
        rng : numpy.random.Generator
            Draws the resamples that tell how well the second model is known.

        Raises
        ------
        ValueError
            If there are fewer than 100 rows, the lengths differ, or a value is not a finite number.
        """
        check_generator(rng)
        table, guess = as_features(features), as_values(predictions, "predictions")
        truth = as_values(targets, "targets")
        check_same_length({"features": table, "predictions": guess, "targets": truth})
        check_rows(truth, "targets", MINIMUM_REFERENCE_ROWS)
        columns, losses = np.column_stack([table, guess]), np.abs(guess - truth)
        edges = np.quantile(columns, np.arange(1, BINS) / BINS, axis=0).T
        design, everyone = _in_bins(columns, edges), np.arange(len(truth))
        drawn = [everyone, *(rng.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES))]
        amounts = np.array([self._amounts(design[rows], losses[rows]) for rows in drawn])
        self.n_features_, self.edges_, self.amounts_ = table.shape[1], edges, amounts
        self.spread_ = float(np.std(losses - design @ amounts[0], ddof=1))
        return self

    def estimate(self, features: Any, predictions: Any, *, confidence: float = DEFAULT_CONFIDENCE) -> Metric:
        """Return the mean absolute error to expect on these rows, in the unit of the targets.

        Parameters
        ----------
        features : array_like of shape (n, n_features)
        predictions : array_like of shape (n,)
        confidence : float
            In (0, 1). The interval is for the error that these rows will turn out to have.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If there are no rows, or other columns than in `fit`.
        """
        if not hasattr(self, "amounts_"):
            raise NotFittedError("LossEstimator is not fitted: call fit(features, predictions, targets, rng) first.")
        table, guess = as_features(features), as_values(predictions, "predictions")
        check_same_length({"features": table, "predictions": guess})
        check_rows(table, "features")
        check_columns(table, self.n_features_)
        check_in_range(confidence, "confidence", 0, 1, open_ends=True)
        means = _in_bins(np.column_stack([table, guess]), self.edges_).mean(axis=0) @ self.amounts_.T
        variance = self.spread_**2 / len(table) + means[1:].var(ddof=1)
        reach = float(NormalDist().inv_cdf((1 + confidence) / 2) * np.sqrt(variance))
        value = max(0.0, float(means[0]))
        return Metric("estimated MAE", value, max(0.0, value - reach), value + reach, len(table))

    def _amounts(self, design: np.ndarray, losses: np.ndarray) -> np.ndarray:
        """Return the amount of every bin, and the overall one first, which is not drawn to zero."""
        penalty = np.full(design.shape[1], self.ridge)
        penalty[0] = 0.0
        return np.linalg.solve(design.T @ design + np.diag(penalty), design.T @ losses)


def _in_bins(columns: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return a column of ones and, for every bin of every column, which rows fall into it."""
    places = [edge.searchsorted(column, side="left") for column, edge in zip(columns.T, edges, strict=True)]
    blocks = [np.equal.outer(place, np.arange(BINS)) for place in places]
    return np.column_stack([np.ones(len(columns)), *blocks]).astype(float)
