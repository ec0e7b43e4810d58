"""Floor 2, monitor: how right is the model today, before any label has come? From its own confidence.

    confidence-based performance estimation (CBPE):
    expected accuracy = mean over today's rows of c(confidence),
    c = share right at that confidence, learnt from earlier rows with labels:
    logit c = offset + a log(confidence) - b log(1 - confidence)      (beta calibration)
May import contracts, validate and numpy.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from tinytorch._arguments import check_generator, check_in_range
from tinytorch.mlops.monitor.metric import Metric
from tinytorch.mlops.validate import (
    NotFittedError,
    as_labels,
    as_probabilities,
    check_columns,
    check_rows,
    check_same_length,
)
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE

# The spread of as many curves is known to 7%, which moves the interval's width by less than that.
CALIBRATION_RESAMPLES = 100
# Three numbers are learnt, and a good model is rarely wrong: fewer rows would hold too few errors.
MINIMUM_REFERENCE_ROWS = 50
# Networks in float32 answer exactly 1; a certainty beyond one in a million cannot be checked by anybody.
CONFIDENCE_MARGIN = 1e-6
# A model that means what it says: the three numbers are drawn there by one row's worth of evidence each.
HONEST = np.array([0.0, 1.0, 1.0])
EVIDENCE_FOR_HONESTY = 1.0
# Newton's steps double the digits that are right; one that goes too far is halved and costs a round.
ROUNDS = 15


class AccuracyEstimator:
    """Estimates accuracy from predicted probabilities alone, with an interval.

    `fit` learns from labelled rows how often the model is right at each confidence. The estimate is honest as
    long as that still holds: it follows a change in *which* inputs come, and is blind to inputs on which the model is
    confidently wrong: of digits under dirt on the lens it expects 0.83 right where 0.61 are. Check it whenever labels
    come.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> certain = rng.uniform(0.5, 1.0, 500)
    >>> labels = np.where(rng.random(500) < certain, 0, 1)
    >>> estimator = AccuracyEstimator().fit(np.column_stack([certain, 1 - certain]), labels, rng)
    >>> unsure = estimator.estimate(np.tile([0.6, 0.4], (200, 1)))
    >>> unsure.low < 0.6 < unsure.high
    True

    References
    ----------
    NannyML, Estimation of Performance of the Monitored Model (documentation, "CBPE"). M. Kull, T. Silva Filho and
    P. Flach, Beta Calibration (2017).
    """

    def fit(self, probabilities: Any, labels: Any, rng: np.random.Generator) -> AccuracyEstimator:
        """Learn how often the model is right at each confidence.

        Parameters
        ----------
        probabilities : array_like of shape (n, n_classes)
            Of rows that the model was not trained on.
        labels : array_like of shape (n,)
        rng : numpy.random.Generator
            Draws the resamples that tell how well the curve is known.

        Raises
        ------
        ValueError
            If there are fewer than 50 rows, the lengths differ, or a label has no probability.
        """
        check_generator(rng)
        table = as_probabilities(probabilities)
        truth = as_labels(labels, "labels", table.shape[1])
        check_same_length({"labels": truth, "probabilities": table})
        check_rows(truth, "labels", MINIMUM_REFERENCE_ROWS)
        right = (table.argmax(axis=1) == truth).astype(float)
        n = len(truth)
        weights = np.ones((1 + CALIBRATION_RESAMPLES, n))
        weights[1:] = rng.multinomial(n, np.full(n, 1 / n), size=CALIBRATION_RESAMPLES)
        self.n_classes_, self.curves_ = table.shape[1], _fit_curves(_regressors(table), right, weights)
        return self

    def estimate(self, probabilities: Any, *, confidence: float = DEFAULT_CONFIDENCE) -> Metric:
        """Return the accuracy to expect on these rows; the interval is for the share that will turn out right.

        Parameters
        ----------
        probabilities : array_like of shape (n, n_classes)
        confidence : float
            In (0, 1).

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If there are no rows, or other classes than in `fit`.
        """
        if not hasattr(self, "curves_"):
            raise NotFittedError("AccuracyEstimator is not fitted: call fit(probabilities, labels, rng) first.")
        table = as_probabilities(probabilities)
        check_rows(table, "probabilities")
        check_columns(table, self.n_classes_, "probabilities")
        check_in_range(confidence, "confidence", 0, 1, open_ends=True)
        chances = _logistic(self.curves_ @ _regressors(table).T)
        means = chances.mean(axis=1)
        of_rows = float((chances[0] * (1 - chances[0])).sum()) / len(table) ** 2
        reach = NormalDist().inv_cdf((1 + confidence) / 2) * np.sqrt(of_rows + means[1:].var(ddof=1))
        value = float(means[0])
        return Metric(
            "estimated accuracy", value, float(max(0.0, value - reach)), float(min(1.0, value + reach)), len(table)
        )


def _regressors(probabilities: np.ndarray) -> np.ndarray:
    """Return what the calibrating curve is made of, (n, 3): 1, log(confidence), -log(1 - confidence)."""
    confidences = np.clip(probabilities.max(axis=1), CONFIDENCE_MARGIN, 1 - CONFIDENCE_MARGIN)
    return np.column_stack([np.ones(len(confidences)), np.log(confidences), -np.log1p(-confidences)])


def _logistic(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-logits)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def _fit_curves(regressors: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the numbers of one curve per row of weights, (n_curves, 3), of the largest penalised likelihood."""
    curves = np.tile(HONEST, (len(weights), 1))
    best, steps = _likelihood(curves, regressors, right, weights), _newton_steps(curves, regressors, right, weights)
    for _ in range(ROUNDS):
        reached = _likelihood(curves + steps, regressors, right, weights)
        better = (reached > best)[:, np.newaxis]
        best, curves = np.maximum(reached, best), np.where(better, curves + steps, curves)
        steps = np.where(better, _newton_steps(curves, regressors, right, weights), 0.5 * steps)
    return curves


def _likelihood(curves: np.ndarray, regressors: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the logarithm of the penalised likelihood of every curve, (n_curves,)."""
    logits = curves @ regressors.T
    surprise = (weights * np.logaddexp(0.0, np.where(right > 0, -logits, logits))).sum(axis=1)
    return np.asarray(-surprise - 0.5 * EVIDENCE_FOR_HONESTY * ((curves - HONEST) ** 2).sum(axis=1))


def _newton_steps(curves: np.ndarray, regressors: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return where Newton's method would go next from each curve, (n_curves, 3)."""
    chances = _logistic(curves @ regressors.T)
    slopes = (weights * (right - chances)) @ regressors - EVIDENCE_FOR_HONESTY * (curves - HONEST)
    bends = np.einsum("kn,ni,nj->kij", weights * chances * (1 - chances), regressors, regressors, optimize=True)
    bends += EVIDENCE_FOR_HONESTY * np.eye(len(HONEST))
    return np.asarray(np.linalg.solve(bends, slopes[:, :, np.newaxis])[:, :, 0])
