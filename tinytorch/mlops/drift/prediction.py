"""Floor 2, drift: a model's answers instead of its inputs: other classes, or other probabilities than before.

What it adds to `univariate`: of all that may change in the inputs it sees what moves this model, long before labels
come. May import contracts and `stats`.
"""

from __future__ import annotations

import numpy as np

from tinytorch._arguments import check_choice, check_in_range
from tinytorch.mlops.contracts import DriftReport, Model
from tinytorch.mlops.drift._common import (
    DEFAULT_DRIFT_ALPHA,
    DEFAULT_MINIMUM_EFFECT,
    equivalent_shift,
    read_reference,
    read_window,
    require_fitted,
)
from tinytorch.mlops.drift._shares import SHARE_TESTS, compare_shares
from tinytorch.mlops.validate import as_probabilities, check_columns, check_rows, check_same_length
from tinytorch.stats import adjust_pvalues, ks_2samp

# What the first row of the report is called.
PREDICTED_CLASS = "predicted class"


class PredictionDriftDetector:
    """Flags a window to which a model answers otherwise than to the reference.

    The report's first row, "predicted class", compares the shares of the most probable classes by chi-square (rare
    classes counted together, by Fisher's exact test). One row per class, "probability of class k", compares that
    class's probabilities by Kolmogorov-Smirnov: a model that grows unsure is seen before its answers change. P-values
    are corrected by Holm's method over all rows. Effect sizes are the shift of a normal distribution, in standard
    deviations, that would move the same share of the rows. Rows with a missing value are not shown to the model; they
    count as a predicted class of their own, "no answer". Drift of the answers is not a fall of accuracy: the answers
    to other inputs may be other and right.

    Parameters
    ----------
    model : Model
        Anything with `predict_proba`.
    alpha : float
        Chance that a window without drift has any row of the report flagged, at most.
    minimum_effect : float
        In standard deviations.
    test : str
        "chi2" or "g", for the predicted classes.

    Examples
    --------
    >>> class Coin:
    ...     def predict_proba(self, features):
    ...         heads = 1.0 / (1.0 + np.exp(-features[:, 0]))
    ...         return np.column_stack([1.0 - heads, heads])
    >>> rng = np.random.default_rng(0)
    >>> detector = PredictionDriftDetector(Coin()).fit(rng.normal(size=(500, 2)))
    >>> print(detector.detect_drift(rng.normal(size=(200, 2)) + [0.0, 1.0], now=0.0))
    no drift in 3 features
    >>> print(detector.detect_drift(rng.normal(size=(200, 2)) + [1.0, 0.0], now=0.0))
    drift (high) in 3 of 3 features: probability of class 0, probability of class 1, predicted class
    """

    def __init__(
        self,
        model: Model,
        alpha: float = DEFAULT_DRIFT_ALPHA,
        minimum_effect: float = DEFAULT_MINIMUM_EFFECT,
        test: str = "chi2",
    ) -> None:
        if not isinstance(model, Model):
            raise ValueError(f"model must have a method predict_proba, got {type(model).__name__}.")
        self.model = model
        self.alpha = check_in_range(alpha, "alpha", 0, 1, open_ends=True)
        self.minimum_effect = check_in_range(minimum_effect, "minimum_effect", 0.0, np.inf)
        self.test = check_choice(test, "test", SHARE_TESTS)

    def fit(self, reference: np.ndarray) -> PredictionDriftDetector:
        """Ask the model about the reference of shape (n, n_features) and keep its answers.

        Raises
        ------
        ValueError
            If the reference is malformed, has fewer than 2 rows without a missing value, or a feature without any
            value, or if the model does not answer with probabilities.
        """
        table = read_reference(reference)
        answers = self._answer(table)
        check_rows(answers, "reference rows without a missing value", minimum=2)
        self.reference_ = table
        self.probabilities_ = answers
        self.feature_names_ = (PREDICTED_CLASS, *(f"probability of class {k}" for k in range(answers.shape[1])))
        return self

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        """Ask the model about a window of shape (n, n_features) and compare its answers with those to the reference.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the window is malformed or has other columns than the reference, or the model does not answer with
            probabilities for as many classes as before.
        """
        require_fitted(self)
        table = read_window(current, self.reference_.shape[1])
        statistic, pvalue, distance = self._compare(self._answer(table), len(table))
        no_answer = np.isnan(table).any(axis=1).mean()
        return DriftReport(
            feature_names=self.feature_names_,
            method=f"{self.test} of predicted classes, Kolmogorov-Smirnov of probabilities, holm",
            statistic=statistic,
            pvalue=pvalue,
            adjusted_pvalue=adjust_pvalues(pvalue, "holm"),
            effect_size=equivalent_shift(distance, len(self.reference_) + len(table)),
            missing_rate=np.full(len(pvalue), no_answer),
            alpha=self.alpha,
            minimum_effect=self.minimum_effect,
            n_reference=len(self.reference_),
            n_current=len(table),
            timestamp=now,
        )

    def _answer(self, table: np.ndarray) -> np.ndarray:
        """Return the model's probabilities for the rows without a missing value."""
        asked = table[~np.isnan(table).any(axis=1)]
        if not len(asked) and hasattr(self, "probabilities_"):
            return self.probabilities_[:0]
        answers = as_probabilities(self.model.predict_proba(asked), "the model's answers")
        check_same_length({"rows": asked, "the model's answers": answers})
        return answers

    def _compare(self, answers: np.ndarray, n_current: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return statistic, p-value and distance for the predicted class and for each class's probability."""
        n_classes = self.probabilities_.shape[1]
        check_columns(answers, n_classes, "the model's answers")
        reference_counts = _count_classes(self.probabilities_, len(self.reference_))
        shares = compare_shares(reference_counts, _count_classes(answers, n_current), self.test)
        statistic, pvalue = np.zeros(n_classes), np.ones(n_classes)
        if len(answers):
            result = ks_2samp(self.probabilities_, answers)
            statistic, pvalue = result.statistic, result.pvalue
        return (
            np.concatenate([shares.statistic, statistic]),
            np.concatenate([shares.pvalue, pvalue]),
            np.concatenate([shares.distance, statistic]),
        )


def _count_classes(probabilities: np.ndarray, n_rows: int) -> np.ndarray:
    """Return how often each class is the most probable, and how many of the rows got no answer: (1, n_classes + 1)."""
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return np.append(counts, n_rows - len(probabilities))[np.newaxis]
