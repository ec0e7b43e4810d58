"""Floor 2, retrain: one retraining from rows to verdict, whatever happens on the way. May import contracts.

The champion is read and never written. Whatever the trainer raises is recorded in the result, so that a failed
retraining leaves everything as it was and nobody has to guess why.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.mlops.contracts import ChallengerTrainer, Comparison, Model, RetrainResult
from tinytorch.mlops.validate import as_features, as_labels, check_rows, check_same_length

# One challenger in twenty that is no better than the champion would pass; the canary looks once more.
DEFAULT_COMPARISON_ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class RetrainingData:
    """Rows to train on, and other rows to judge on.

    Raises
    ------
    ValueError
        If a part is empty or its lengths differ.

    Examples
    --------
    >>> data = RetrainingData(np.zeros((4, 2)), np.zeros(4), np.ones((3, 2)), np.zeros(3))
    >>> len(data.train_labels), len(data.holdout_labels)
    (4, 3)
    """

    train_features: np.ndarray
    train_labels: np.ndarray
    holdout_features: np.ndarray
    holdout_labels: np.ndarray

    def __post_init__(self) -> None:
        for part in ("train", "holdout"):
            features = as_features(getattr(self, f"{part}_features"), f"{part}_features")
            labels = as_labels(getattr(self, f"{part}_labels"), f"{part}_labels")
            check_rows(features, f"{part}_features")
            check_same_length({f"{part}_features": features, f"{part}_labels": labels})


def hold_out(held: np.ndarray, features: np.ndarray, labels: np.ndarray) -> RetrainingData:
    """Keep some labelled rows back for the comparison and train on the others.

    Parameters
    ----------
    held : ndarray of bool, shape (n,)
        Which rows are kept back, such as `kept_for_comparison(request_ids)`.
    features : ndarray of shape (n, n_features)
    labels : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If either part would be empty.

    Examples
    --------
    >>> data = hold_out(np.array([True, False, True]), np.zeros((3, 2)), np.array([7, 8, 9]))
    >>> data.train_labels.tolist(), data.holdout_labels.tolist()
    ([8], [7, 9])
    """
    return RetrainingData(*(part[rows] for rows in (~held, held) for part in (features, labels)))


class RetrainingSession:
    """Trains a challenger and compares it with the champion.

    Parameters
    ----------
    trainer : ChallengerTrainer
    compare : Comparison
    alpha : float
        The challenger is accepted if it leads and chance explains its lead with at most this probability.
    clock : callable
        Returns seconds; measures the duration.

    Examples
    --------
    >>> class Always:
    ...     def __init__(self, answer):
    ...         self.answer = answer
    ...     def predict_proba(self, features):
    ...         return np.eye(2)[np.full(len(features), self.answer)]
    ...     def train(self, features, labels, rng):
    ...         return Always(int(np.median(labels)))
    >>> from tinytorch.mlops.retrain.comparison import compare_by_mcnemar
    >>> ones = RetrainingData(np.zeros((9, 1)), np.ones(9), np.zeros((9, 1)), np.ones(9))
    >>> session = RetrainingSession(Always(0), compare_by_mcnemar)
    >>> print(session.run(Always(0), ones, np.random.default_rng(0)))
    challenger accepted: 1.000 against 0.000 (p = 0.002)
    """

    def __init__(
        self,
        trainer: ChallengerTrainer,
        compare: Comparison,
        alpha: float = DEFAULT_COMPARISON_ALPHA,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.trainer = trainer
        self.compare = compare
        self.alpha = check_in_range(alpha, "alpha", 0, 1, open_ends=True)
        self.clock = clock

    def run(self, champion: Model, data: RetrainingData, rng: np.random.Generator) -> RetrainResult:
        """Train, compare, and return the verdict; a failure becomes part of the verdict."""
        started = self.clock()
        try:
            challenger = self.trainer.train(data.train_features, data.train_labels, rng)
            comparison = self.compare(champion, challenger, data.holdout_features, data.holdout_labels)
        except Exception as error:  # whatever a trainer may raise is recorded, so nothing is caught in silence
            failure = f"{type(error).__name__}: {error}"
            return RetrainResult(None, math.nan, math.nan, 1.0, False, failure, self.clock() - started)
        leads = comparison.challenger_score > comparison.champion_score
        return RetrainResult(
            challenger=challenger,
            champion_score=comparison.champion_score,
            challenger_score=comparison.challenger_score,
            pvalue=comparison.pvalue,
            accepted=bool(leads and comparison.pvalue <= self.alpha),
            failure=None,
            duration_s=self.clock() - started,
        )
