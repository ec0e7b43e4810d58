"""Floor 2, monitor: how good predicted probabilities are: log loss, calibration error, area under the ROC curve.

    log loss           mean of -log(probability of the true class)
    calibration error  sum over bins of confidence |share right - mean confidence| x share of the rows
    AUC                chance that a row of the class scores higher than a row of another, ties counting half
May import contracts, validate and `stats`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.mlops.monitor._logit import logit_interval
from tinytorch.mlops.monitor._means import mean_intervals
from tinytorch.mlops.monitor.metric import Metric
from tinytorch.mlops.validate import as_labels, as_probabilities, check_rows, check_same_length
from tinytorch.stats import wilson_interval
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE

# A probability of 0 for what did happen would make the mean infinite: the smallest step of float64 above 0 (to 1).
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
# Ten bins of confidence, as in most published reliability diagrams.
CALIBRATION_BINS = 10
# Rows that are added to every bin in the resamples, half of them right: a bin in which all rows are right has no spread
# of its own, and would pass for one that cannot be wrong (Agresti and Coull's four, for shares).
ROWS_ADDED_TO_A_BIN = 4
# Resamples of the calibration error: the ends of a 95% interval rest on 12 of them each.
CALIBRATION_RESAMPLES = 500
MINIMUM_ROWS = 2
# A ranking needs rows of the class and others.
MINIMUM_CLASSES = 2


def probability_metrics(
    labels: Any, probabilities: Any, *, rng: np.random.Generator, confidence: float = DEFAULT_CONFIDENCE
) -> tuple[Metric, ...]:
    """Return log loss, calibration error and, where two classes occur, AUC, each with its interval.

    Parameters
    ----------
    labels : array_like of shape (n,)
        Class indices.
    probabilities : array_like of shape (n, n_classes)
    rng : numpy.random.Generator
        Draws the resamples of the log loss and of the calibration error.
    confidence : float
        In (0, 1).

    Returns
    -------
    tuple of Metric
        "AUC" is that of class 1 for two classes; for more, the mean over the classes that occur, each against the
        rest. The calibration error is biased upwards by chance (in every bin chance only adds to it); its interval
        allows for that and is wider than need be. The log loss of rows without a single error says nothing about
        what an error would cost: its interval is too narrow then.

    Raises
    ------
    ValueError
        If the lengths differ, there are fewer than 2 rows, or a label has no probability.

    References
    ----------
    C. Guo et al., On Calibration of Modern Neural Networks (2017). E. R. DeLong et al., Comparing the Areas under Two
    or More Correlated Receiver Operating Characteristic Curves, Biometrics 44 (1988).

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    >>> loss, calibration, auc = probability_metrics([0, 0, 1, 1], probabilities, rng=np.random.default_rng(0))
    >>> round(loss.value, 3), round(calibration.value, 3), auc.value
    (0.4, 0.3, 1.0)
    """
    table = as_probabilities(probabilities)
    truth = as_labels(labels, "labels", table.shape[1])
    check_same_length({"labels": truth, "probabilities": table})
    check_rows(truth, "labels", MINIMUM_ROWS)
    check_in_range(confidence, "confidence", 0, 1, open_ends=True)
    return (
        _log_loss(truth, table, rng, confidence),
        _calibration_error(truth, table, rng, confidence),
        *_auc(truth, table, confidence),
    )


def _log_loss(labels: np.ndarray, probabilities: np.ndarray, rng: np.random.Generator, confidence: float) -> Metric:
    """Return the mean surprise at the true class, in natural logarithms."""
    of_truth = probabilities[np.arange(len(labels)), labels] / probabilities.sum(axis=1)
    losses = -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0))
    low, high = mean_intervals(losses[:, np.newaxis], rng, confidence)
    return Metric("log loss", float(losses.mean()), float(low[0]), float(high[0]), len(labels))


def _calibration_error(
    labels: np.ndarray, probabilities: np.ndarray, rng: np.random.Generator, confidence: float
) -> Metric:
    """Return the expected calibration error over bins of equal width.

    The figure is a norm, so it differs from the true one by at most the norm of what chance adds to the bins: the
    resamples measure that, and the interval holds (it is wider than need be).
    """
    confidences = probabilities.max(axis=1)
    surplus = (probabilities.argmax(axis=1) == labels) - confidences
    bins = np.minimum((confidences * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    in_bins = np.zeros((len(labels), CALIBRATION_BINS))
    in_bins[np.arange(len(labels)), bins] = surplus / len(labels)
    value = min(1.0, float(np.abs(in_bins.sum(axis=0)).sum()))  # rounding can carry it past 1
    moved = np.vstack([in_bins, _added_rows(confidences, bins)])
    chance = np.empty(CALIBRATION_RESAMPLES)
    for place in range(CALIBRATION_RESAMPLES):
        weights = np.bincount(rng.integers(0, len(moved), len(moved)), minlength=len(moved))
        chance[place] = np.abs((weights - 1) @ moved).sum()
    reach = float(np.quantile(chance, confidence))
    return Metric("calibration error", value, max(0.0, value - reach), min(1.0, value + reach), len(labels))


def _added_rows(confidences: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return what rows of the mean confidence would add to each bin that has rows, right and wrong in turn."""
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    taken = np.flatnonzero(counts)
    means = np.bincount(bins, weights=confidences, minlength=CALIBRATION_BINS)[taken] / counts[taken]
    rows = np.zeros((ROWS_ADDED_TO_A_BIN, len(taken), CALIBRATION_BINS))
    is_right = np.arange(ROWS_ADDED_TO_A_BIN)[:, np.newaxis] % 2
    rows[:, np.arange(len(taken)), taken] = (is_right - means) / len(bins)
    return rows.reshape(-1, CALIBRATION_BINS)


def _auc(labels: np.ndarray, probabilities: np.ndarray, confidence: float) -> tuple[Metric, ...]:
    """Return the area under the ROC curve, or nothing where only one class occurs.

    Its variance is that of each row's own influence on it (DeLong), taken on the logit scale, which keeps the
    interval inside 0 and 1. A perfect ranking has no spread to measure: Wilson's interval of the smaller group.
    """
    occurring = np.unique(labels)
    if len(occurring) < MINIMUM_CLASSES:
        return ()
    classes = occurring[1:] if probabilities.shape[1] == MINIMUM_CLASSES else occurring
    pairs = [_influence(labels == one, probabilities[:, one]) for one in classes]
    value = float(np.mean([area for area, _ in pairs]))
    n = len(labels)
    error = float(np.mean([influence for _, influence in pairs], axis=0).std(ddof=1)) / math.sqrt(n)
    if error > 0.0 and 0.0 < value < 1.0:
        return (Metric("AUC", value, *logit_interval(value, error, confidence), n),)
    smaller = int(np.minimum(np.bincount(labels)[classes], n - np.bincount(labels)[classes]).min())
    low, high = map(float, wilson_interval(round(value * smaller), smaller, confidence))
    return (Metric("AUC", value, low, high, n),)


def _influence(is_class: np.ndarray, scores: np.ndarray) -> tuple[float, np.ndarray]:
    """Return one class's area, and how much each row moves it, of shape (n,)."""
    inside, outside = np.sort(scores[is_class]), np.sort(scores[~is_class])
    beats = _share_below(outside, scores)
    area = float(beats[is_class].mean())
    loses = 1.0 - _share_below(inside, scores)
    return area, np.where(is_class, (beats - area) / is_class.mean(), (loses - area) / (~is_class).mean())


def _share_below(ordered: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the share of sorted values below each score, equal ones counting half."""
    return np.asarray((ordered.searchsorted(scores) + ordered.searchsorted(scores, side="right")) / (2 * len(ordered)))
