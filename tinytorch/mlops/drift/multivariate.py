"""Floor 2, drift: all columns in one test, which sees what no column shows alone: how they hang together.

What it adds to `univariate`: a changed correlation, and many small shifts that only add up together; it does not say
which column. May import contracts and `stats`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinytorch._arguments import check_choice, check_in_range, check_integer
from tinytorch.mlops.contracts import DriftReport
from tinytorch.mlops.drift._common import (
    ALL_FEATURES,
    DEFAULT_DRIFT_ALPHA,
    DEFAULT_MINIMUM_EFFECT,
    QUESTIONS_WITH_MISSING,
    StandardUnits,
    missing_shift,
    read_reference,
    read_window,
    require_fitted,
)
from tinytorch.stats import (
    TwoSampleResult,
    adjust_pvalues,
    covariance_shift_test,
    energy_test,
    mmd_test,
    pca_reconstruction_test,
)

# The smallest p-value is then 0.001, and 0.002 where missing values ask a second question: below the usual alpha.
DEFAULT_PERMUTATIONS = 999
# The entries of a covariance matrix that a change leaves alone make its mean change small: no size fits every width.
MINIMUM_EFFECTS = {
    "mmd": DEFAULT_MINIMUM_EFFECT,
    "energy": DEFAULT_MINIMUM_EFFECT,
    "covariance": 0.0,
    "pca": DEFAULT_MINIMUM_EFFECT,
}
# Pairs of reference rows that a ruler averages over: their means are then known to about one percent.
RULER_PAIRS = 4_000
# Shifts, in standard deviations, for which the statistic is tabulated; in between it is interpolated, and beyond 20 a
# number says no more than "far".
RULER_SHIFTS = np.concatenate([np.arange(0.0, 3.0, 0.1), np.arange(3.0, 20.5, 0.5)])
# Cohen's d is infinite where rows do not vary at all; a report holds numbers.
LARGEST_EFFECT_SIZE = 100.0

Closeness = Callable[[np.ndarray], np.ndarray]


class MultivariateDetector:
    """Flags a window whose rows, taken whole, come from another law than the reference's.

    Columns are put in standard deviations of the reference first, and values beyond 5 are taken as 5. The report has
    one row, "all features". Its p-value is the share of shuffles that lie at least as far apart; the shuffles are
    drawn from `seed`, so the same window always gets the same report. Where values are missing they are taken as the
    reference's mean, and the p-value is twice the smaller of that and of the missing rates' own tests (Holm). Rows
    that depend on their neighbours in time are not exchangeable, and raise false alarms. Time grows with the square
    of the rows for "mmd" and "energy", with the square of the columns for "covariance".

    Parameters
    ----------
    test : str
        "mmd" or "energy" see any difference, given enough rows; "covariance" sees spreads and correlations but no
        shift of the mean; "pca" sees rows that no longer follow the reference's main directions.
    alpha : float
        Chance that a window without drift is flagged, at most.
    minimum_effect : float, optional
        In the unit of the effect size, which is for "mmd" and "energy" the shift of every row in some direction, in
        standard deviations, that would move the reference as far; for "pca" Cohen's d of the rows' errors; for
        "covariance" the root mean square change of an entry of the correlation matrix. By default 0.2, except for
        "covariance" 0.
    n_permutations : int
        Number of shuffles P; no p-value is below 1 / (1 + P).
    seed : int
        Draws the shuffles.

    References
    ----------
    See `mmd_test`, `energy_test`, `covariance_shift_test` and `pca_reconstruction_test` in `tinytorch.stats`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> detector = MultivariateDetector("energy").fit(rng.normal(size=(300, 2)))
    >>> turned = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=200)
    >>> print(detector.detect_drift(turned, now=0.0))
    drift (low) in 1 of 1 features: all features
    """

    def __init__(
        self,
        test: str = "mmd",
        alpha: float = DEFAULT_DRIFT_ALPHA,
        minimum_effect: float | None = None,
        n_permutations: int = DEFAULT_PERMUTATIONS,
        seed: int = 0,
    ) -> None:
        self.test = check_choice(test, "test", MINIMUM_EFFECTS)
        self.n_permutations = check_integer(n_permutations, "n_permutations", minimum=1)
        self.alpha = check_in_range(alpha, "alpha", QUESTIONS_WITH_MISSING / (1 + n_permutations), 1.0)
        wanted = MINIMUM_EFFECTS[test] if minimum_effect is None else minimum_effect
        self.minimum_effect = check_in_range(wanted, "minimum_effect", 0.0, np.inf)
        self.seed = check_integer(seed, "seed")

    def fit(self, reference: np.ndarray) -> MultivariateDetector:
        """Learn the reference of shape (n, n_features); NaN stands for a missing value.

        Raises
        ------
        ValueError
            If it is malformed, has fewer than 2 rows (for "pca" 4 rows and 2 columns), or a feature without any value.
        """
        table = read_reference(reference)
        if self.test == "pca":
            check_integer(len(table), "number of reference rows", minimum=4)
            check_integer(table.shape[1], "number of columns", minimum=2)
        units = StandardUnits.from_reference(table)
        standardised = units.standardise(table)
        self._run = self._choose_test(standardised)
        self.reference_, self.units_, self._standardised = table, units, standardised
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
        result = self._run(self._standardised, self.units_.standardise(table), rng=np.random.default_rng(self.seed))
        pvalue, effect_size = self._ask_missing(table, float(result.pvalue[0]), float(result.effect_size[0]))
        return DriftReport(
            feature_names=(ALL_FEATURES,),
            method=f"{self.test} of all columns, {self.n_permutations} shuffles",
            statistic=result.statistic,
            pvalue=np.array([pvalue]),
            adjusted_pvalue=np.array([pvalue]),
            effect_size=np.clip([effect_size], -LARGEST_EFFECT_SIZE, LARGEST_EFFECT_SIZE),
            missing_rate=np.array([np.isnan(table).mean(axis=0).max()]),
            alpha=self.alpha,
            minimum_effect=self.minimum_effect,
            n_reference=len(self.reference_),
            n_current=len(table),
            timestamp=now,
        )

    def _ask_missing(self, current: np.ndarray, pvalue: float, effect_size: float) -> tuple[float, float]:
        """Return p-value and effect size after the second question, if any value is missing: did its rate change?"""
        if not (np.isnan(self.reference_).any() or np.isnan(current).any()):
            return pvalue, effect_size
        pvalues, effects = missing_shift(self.reference_, current)
        smallest = min(pvalue, float(adjust_pvalues(pvalues, "holm").min()))
        return min(1.0, QUESTIONS_WITH_MISSING * smallest), max(effect_size, float(effects.max()), key=abs)

    def _choose_test(self, reference: np.ndarray) -> Callable[..., TwoSampleResult]:
        """Return the test to run on standardised tables."""
        if self.test == "covariance":
            return partial(covariance_shift_test, n_permutations=self.n_permutations)
        if self.test == "pca":
            return partial(pca_reconstruction_test, n_permutations=self.n_permutations)
        pairs = _DrawnPairs.from_reference(reference, np.random.default_rng(self.seed))
        if self.test == "energy":
            return partial(_energy_in_shifts, ruler=_energy_ruler(pairs), n_permutations=self.n_permutations)
        return partial(_mmd_in_shifts, ruler=_mmd_ruler(pairs), n_permutations=self.n_permutations)


@dataclass(frozen=True, eq=False)
class _DrawnPairs:
    """Pairs of reference rows, by squared distance and by distance along a random direction."""

    squared: np.ndarray
    along: np.ndarray

    @classmethod
    def from_reference(cls, reference: np.ndarray, rng: np.random.Generator) -> _DrawnPairs:
        """Draw pairs of different rows, each with its own direction."""
        first = rng.integers(len(reference), size=RULER_PAIRS)
        second = (first + rng.integers(1, len(reference), size=RULER_PAIRS)) % len(reference)
        apart = reference[first] - reference[second]
        directions = rng.normal(size=apart.shape)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return cls(np.einsum("ij,ij->i", apart, apart), np.einsum("ij,ij->i", apart, directions))

    def mean_distances(self, distance_of: Closeness) -> np.ndarray:
        """Return the mean of `distance_of(squared distance)`, one row of each pair moved by each of the shifts."""
        means = []
        for shift in RULER_SHIFTS:
            moved = [np.maximum(self.squared + sign * 2.0 * shift * self.along + shift**2, 0.0) for sign in (1, -1)]
            means.append(np.mean([distance_of(squared).mean() for squared in moved]))
        return np.maximum.accumulate(means)


@dataclass(frozen=True, eq=False)
class _Ruler:
    """The mean distance of a moved row from one that stayed, for every shift of `RULER_SHIFTS`."""

    distances: np.ndarray
    bandwidth: float = 1.0

    def shift_of(self, moved: float) -> np.ndarray:
        """Return the shift that raises the mean distance by `moved`, shape (1,)."""
        shift: np.ndarray = np.interp(np.array([moved]), self.distances - self.distances[0], RULER_SHIFTS)
        return shift


def _mmd_ruler(pairs: _DrawnPairs) -> _Ruler:
    """Return the ruler of 1 - k, with the pairs' median distance as bandwidth."""
    bandwidth = float(np.sqrt(np.median(pairs.squared))) or 1.0
    return _Ruler(pairs.mean_distances(lambda squared: 1.0 - np.exp(-squared / (2.0 * bandwidth**2))), bandwidth)


def _energy_ruler(pairs: _DrawnPairs) -> _Ruler:
    """Return the ruler of Euclidean distances."""
    return _Ruler(pairs.mean_distances(np.sqrt))


def _mmd_in_shifts(
    reference: np.ndarray, current: np.ndarray, *, rng: np.random.Generator, ruler: _Ruler, n_permutations: int
) -> TwoSampleResult:
    """Run the MMD test; the effect size is an equivalent shift.

    Moving one of two samples of one law by a shift raises MMD^2 from 0 to 2 E k(x - x') - 2 E k(x - x' - shift).
    """
    result = mmd_test(reference, current, rng=rng, n_permutations=n_permutations, bandwidth=ruler.bandwidth)
    return TwoSampleResult(result.statistic, result.pvalue, ruler.shift_of(float(result.statistic[0]) / 2.0))


def _energy_in_shifts(
    reference: np.ndarray, current: np.ndarray, *, rng: np.random.Generator, ruler: _Ruler, n_permutations: int
) -> TwoSampleResult:
    """Run the energy test; the effect size is an equivalent shift.

    The statistic's mean without any drift, E|x - x'|, is taken off first: it is there however many rows there are.
    Moving one of two samples of one law by a shift raises E from 0 to 2 E|x - x' - shift| - 2 E|x - x'|.
    """
    result = energy_test(reference, current, rng=rng, n_permutations=n_permutations)
    n, m = len(reference), len(current)
    energy = (float(result.statistic[0]) - ruler.distances[0]) * (n + m) / (n * m)
    return TwoSampleResult(result.statistic, result.pvalue, ruler.shift_of(energy / 2.0))
