"""Floor 2, drift: every feature against its own reference, by Kolmogorov-Smirnov, corrected for their number.

What it adds to the lesson's detector: an exact test of the whole distribution, missing values as a signal of their
own, and effect sizes in one unit. May import contracts and `stats`.
"""

from __future__ import annotations

import numpy as np

from tinytorch._arguments import check_choice, check_in_range
from tinytorch.mlops.contracts import DriftReport
from tinytorch.mlops.drift._common import (
    DEFAULT_DRIFT_ALPHA,
    DEFAULT_MINIMUM_EFFECT,
    QUESTIONS_WITH_MISSING,
    equivalent_shift,
    name_features,
    read_reference,
    read_window,
    require_fitted,
)
from tinytorch.stats import adjust_pvalues, ks_2samp
from tinytorch.stats.missing import missing_rate_test


class UnivariateDetector:
    """Flags features whose distribution moved, keeping the chance of any false flag in a window at most `alpha`.

    Each feature's p-value is that of the two-sample Kolmogorov-Smirnov test; where values are missing, it is twice
    the smaller of that and of the missing rate's own test. The effect size is the shift of a normal distribution, in
    standard deviations, that would give the same Kolmogorov-Smirnov distance: 0.2 is small, 0.5 medium, 0.8 large.

    Parameters
    ----------
    alpha : float
        Chance that a window without drift has any feature flagged, at most (with "holm" or "bonferroni").
    minimum_effect : float
        In standard deviations.
    correction : str
        "holm", "bonferroni", "benjamini-hochberg" or "benjamini-yekutieli".
    feature_names : sequence of str, optional

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> detector = UnivariateDetector(feature_names=("age", "income")).fit(rng.normal(size=(500, 2)))
    >>> print(detector.detect_drift(rng.normal(size=(200, 2)) + [0.0, 1.0], now=0.0))
    drift (high) in 1 of 2 features: income
    """

    def __init__(
        self,
        alpha: float = DEFAULT_DRIFT_ALPHA,
        minimum_effect: float = DEFAULT_MINIMUM_EFFECT,
        correction: str = "holm",
        feature_names: tuple[str, ...] | None = None,
    ) -> None:
        self.alpha = check_in_range(alpha, "alpha", 0, 1, open_ends=True)
        self.minimum_effect = check_in_range(minimum_effect, "minimum_effect", 0.0, np.inf)
        self.correction = check_choice(
            correction, "correction", ("holm", "bonferroni", "benjamini-hochberg", "benjamini-yekutieli")
        )
        self.feature_names = None if feature_names is None else tuple(feature_names)

    def fit(self, reference: np.ndarray) -> UnivariateDetector:
        """Learn the reference of shape (n, n_features); NaN stands for a missing value.

        Raises
        ------
        ValueError
            If it is malformed, has fewer than 2 rows, a feature without any value, or not one column per name.
        """
        self.reference_ = read_reference(reference, self.feature_names)
        self.feature_names_ = name_features(self.feature_names, self.reference_.shape[1])
        return self

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        """Compare a window of shape (n, n_features) with the reference.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the window is malformed or has other columns than the reference.
        """
        require_fitted(self)
        table = read_window(current, self.reference_.shape[1])
        statistic, pvalue = self._test(table)
        return DriftReport(
            feature_names=self.feature_names_,
            method=f"Kolmogorov-Smirnov, {self.correction}",
            statistic=statistic,
            pvalue=pvalue,
            adjusted_pvalue=adjust_pvalues(pvalue, self.correction),
            effect_size=equivalent_shift(statistic, len(self.reference_) + len(table)),
            missing_rate=np.isnan(table).mean(axis=0),
            alpha=self.alpha,
            minimum_effect=self.minimum_effect,
            n_reference=len(self.reference_),
            n_current=len(table),
            timestamp=now,
        )

    def _test(self, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return statistic and p-value per feature; features with missing values are taken one by one."""
        incomplete = np.isnan(self.reference_).any(axis=0) | np.isnan(current).any(axis=0)
        statistic, pvalue = np.zeros(len(incomplete)), np.ones(len(incomplete))
        if not incomplete.all():
            result = ks_2samp(self.reference_[:, ~incomplete], current[:, ~incomplete])
            statistic[~incomplete], pvalue[~incomplete] = result.statistic, result.pvalue
        for column in np.flatnonzero(incomplete):
            statistic[column], pvalue[column] = _test_with_missing(self.reference_[:, column], current[:, column])
        return statistic, pvalue


def _test_with_missing(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Ask both questions of one feature: did its values move, did its missing rate?"""
    rate = missing_rate_test(reference, current)
    distance, pvalue = float(np.abs(rate.effect_size[0])), float(rate.pvalue[0])
    present = current[~np.isnan(current)]
    if present.size:
        values = ks_2samp(reference[~np.isnan(reference)], present)
        distance, pvalue = max(distance, float(values.statistic[0])), min(pvalue, float(values.pvalue[0]))
    return distance, min(1.0, QUESTIONS_WITH_MISSING * pvalue)
