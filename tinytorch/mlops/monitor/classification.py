"""Floor 2, monitor: how good class predictions are, each figure with an interval that needs no random draws.

    precision of a class  right among those predicted as it        recall  right among those that are it
    F1 of a class         2J / (1 + J),  J = right / (predicted as it or being it)
    over all classes      their plain mean ("macro"); balanced accuracy is the mean recall
Shares of separate rows put their intervals together by their squares. F1 of several classes rests on the same rows
(an error counts in two classes), so its error is that of each row's own influence on it. May import contracts, validate
and `stats`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.mlops.monitor._logit import logit_interval
from tinytorch.mlops.monitor.metric import Metric
from tinytorch.mlops.validate import as_labels, check_rows, check_same_length
from tinytorch.stats import Interval, wilson_interval
from tinytorch.stats.intervals import DEFAULT_CONFIDENCE


def classification_metrics(
    labels: Any, predictions: Any, *, positive_class: int | None = None, confidence: float = DEFAULT_CONFIDENCE
) -> tuple[Metric, ...]:
    """Return accuracy, balanced accuracy, precision, recall and F1, each with its interval.

    Accuracy and the figures of one class are shares, with Wilson's interval. Of several classes the intervals are
    put together by Zou and Donner's rule, which adds up the squared distances of the single bounds; for F1 over
    several classes by the delta method on the logit scale.

    Parameters
    ----------
    labels, predictions : array_like of shape (n,)
        Class indices.
    positive_class : int, optional
        Precision, recall and F1 of this class alone; the mean over all classes that occur when not given.
    confidence : float
        In (0, 1).

    Returns
    -------
    tuple of Metric
        scikit-learn's figures with `average="macro"` and `zero_division=0`: a class that is never predicted has
        precision 0, and one that never is the label has recall 0.

    Raises
    ------
    ValueError
        If the lengths differ, there are no rows, or an entry is no class index.

    References
    ----------
    G. Y. Zou and A. Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27
    (2008). C. Goutte and E. Gaussier, A Probabilistic Interpretation of Precision, Recall and F-score (2005).

    Examples
    --------
    >>> for metric in classification_metrics([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1])[:2]:
    ...     print(metric)
    accuracy 0.833 [0.436, 0.970], 6 rows
    balanced accuracy 0.833 [0.471, 0.969], 6 rows
    """
    truth, guess = as_labels(labels, "labels"), as_labels(predictions, "predictions")
    check_same_length({"labels": truth, "predictions": guess})
    check_rows(truth, "labels")
    counts = _ClassCounts(truth, guess)
    right, n = int(counts.right.sum()), len(truth)
    chosen = np.arange(len(counts.classes)) if positive_class is None else counts.place_of(positive_class)
    is_label = counts.is_label > 0
    shares = {
        "balanced accuracy": _mean_share(counts.right[is_label], counts.is_label[is_label], confidence),
        "precision": _mean_share(counts.right[chosen], counts.is_predicted[chosen], confidence),
        "recall": _mean_share(counts.right[chosen], counts.is_label[chosen], confidence),
        "F1": _mean_f1(counts, chosen, confidence),
    }
    low, high = wilson_interval(right, n, confidence)
    accuracy = Metric("accuracy", right / n, float(low), float(high), n)
    return (accuracy, *(Metric(name, *figures, n) for name, figures in shares.items()))


class _ClassCounts:
    """How often each class that occurs is the label, is predicted, is both, is either."""

    def __init__(self, labels: np.ndarray, predictions: np.ndarray) -> None:
        self.classes, places = np.unique(np.concatenate([labels, predictions]), return_inverse=True)
        size = len(self.classes)
        pairs = places[: len(labels)] * size + places[len(labels) :]
        self.confusion = np.bincount(pairs, minlength=size**2).reshape(size, size)
        self.is_label, self.is_predicted = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        self.right = self.confusion.diagonal()
        self.is_either = self.is_label + self.is_predicted - self.right

    def place_of(self, one_class: int) -> np.ndarray:
        """Return where a class stands, as an array of shape (1,)."""
        check_integer(one_class, "positive_class", minimum=0)
        place = np.flatnonzero(self.classes == one_class)
        if not place.size:
            raise ValueError(f"positive_class must occur in the labels or predictions, got {one_class}.")
        return place


def _class_shares(successes: np.ndarray, n: np.ndarray, confidence: float) -> tuple[np.ndarray, Interval]:
    """Return shares and their intervals; of no rows the share is 0, and nothing is known about it."""
    some = n > 0
    low, high = wilson_interval(successes, np.maximum(n, 1), confidence)
    bounds = Interval(np.where(some, low, 0.0), np.where(some, high, 1.0))
    return successes / np.maximum(n, 1), bounds


def _mean_share(successes: np.ndarray, n: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Return the mean of shares with its interval."""
    return _mean_of(*_class_shares(successes, n, confidence))


def _mean_f1(counts: _ClassCounts, chosen: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Return the mean F1 with its interval; of one class, or without a measurable error, by way of its share J."""
    overlap, (low, high) = _class_shares(counts.right[chosen], counts.is_either[chosen], confidence)
    value, lower, upper = (2 * share / (1 + share) for share in (overlap, low, high))
    error = _f1_standard_error(counts)
    if len(chosen) == 1 or error == 0.0:
        return _mean_of(value, Interval(lower, upper))
    return float(value.mean()), *logit_interval(float(value.mean()), error, confidence)


def _f1_standard_error(counts: _ClassCounts) -> float:
    """Return the standard error of F1 over all classes: a row adds 1 to its label, its prediction, and perhaps both."""
    total = counts.is_label + counts.is_predicted
    f1 = 2 * counts.right / total
    as_label, as_prediction = np.meshgrid(f1 / total, f1 / total, indexing="ij")
    influence = np.diag(2 / total) - as_label - as_prediction  # of one row in each cell of the confusion table
    return float(np.sqrt((counts.confusion * influence**2).sum()) / len(total))


def _mean_of(values: np.ndarray, bounds: Interval) -> tuple[float, float, float]:
    """Return the mean of independent figures and its interval: squared distances to the bounds add up."""
    value = float(values.mean())
    below = np.sqrt(((values - bounds.low) ** 2).sum()) / len(values)
    above = np.sqrt(((bounds.high - values) ** 2).sum()) / len(values)
    return value, float(max(0.0, value - below)), float(min(1.0, value + above))
