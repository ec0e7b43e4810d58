"""Covariance shift: have the columns' spreads or their relations to each other changed? Imports numpy only.

T = ||S_reference - S_current||^2, the sum of squares over all entries of the difference of the covariance matrices,
every column divided by its pooled standard deviation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_generator, check_integer
from tinytorch.stats._effects import in_common_unit
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._permutations import DEFAULT_PERMUTATIONS, permutation_pvalue, random_labels
from tinytorch.stats._results import TwoSampleResult

# Two statistics this many relative roundings of the largest one apart are tied.
TIED_ROUNDINGS = 1000.0


def covariance_shift_test(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    rng: np.random.Generator,
    n_permutations: int = DEFAULT_PERMUTATIONS,
) -> TwoSampleResult:
    """Test whether two samples have the same covariance matrix, whatever their means.

    Each sample is centred at its own mean, so a shift of the means alone goes unseen, and each residual is stretched
    by sqrt(n / (n - 1)), so that residuals of a small sample are not smaller. The residuals' labels are then shuffled.
    Residuals are only almost exchangeable (each sample's sum to zero), so the size is approximate: close to nominal
    once each sample has some ten rows a column (measured at 0.05: 0.05 to 0.06 on normal data; 0.07 on 50 rows of
    Student's t with three degrees of freedom, whose tails hardly let a covariance be known).

    Two columns of one sign of correlation in the reference and the other in `current` are found, though each column
    alone looks the same. Time grows with the rows and the square of the columns; memory is one table and the labels.

    Parameters
    ----------
    reference : array_like of shape (n_reference, n_features) or (n_reference,)
        At least two rows.
    current : array_like of shape (n_current, n_features) or (n_current,)
        At least two rows.
    rng : numpy.random.Generator
        Draws the shuffles.
    n_permutations : int
        Number of shuffles P; no p-value is below 1 / (1 + P).

    Returns
    -------
    TwoSampleResult
        Arrays of shape (1,). `statistic` is T; `effect_size` is sqrt(T) / n_features, the root mean square change of
        an entry, in units of the pooled variances. A constant column has nothing to change and adds 0.

    Raises
    ------
    ValueError
        If a sample is not a finite table, has fewer than two rows, their columns differ in number, or
        `n_permutations` is below 1.

    References
    ----------
    Anderson (2006), Distance-based tests for homogeneity of multivariate dispersions, Biometrics 62 (residuals as
    what is permuted).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reference = rng.normal(size=(200, 2))
    >>> current = rng.normal(size=(200, 2))
    >>> current[:, 1] = 0.6 * current[:, 1] + 0.8 * current[:, 0]
    >>> covariance_shift_test(reference, current, rng=rng).pvalue.round(3)
    array([0.005])
    """
    left, right = as_pair(reference, current)
    check_generator(rng)
    check_integer(n_permutations, "n_permutations", minimum=1)
    n = check_integer(len(left), "number of reference rows", minimum=2)
    m = check_integer(len(right), "number of current rows", minimum=2)
    left, right, _ = in_common_unit(left, right)
    residuals = np.concatenate([_residuals(left), _residuals(right)])
    spread = np.sqrt(np.mean(residuals**2, axis=0))
    residuals /= np.where(spread > 0, spread, 1.0)
    labels = random_labels(n, m, n_permutations, rng)
    weights = labels * (1 / n + 1 / m)
    weights -= 1 / m
    statistics = _squared_differences(residuals, weights)
    rounding = TIED_ROUNDINGS * float(np.finfo(np.float64).eps) * statistics.max()
    return TwoSampleResult(
        statistics[:1],
        permutation_pvalue(statistics[:, np.newaxis], rounding),
        np.sqrt(statistics[:1]) / left.shape[1],
    )


def _residuals(sample: np.ndarray) -> np.ndarray:
    """Distances from the sample's own mean, stretched so that their mean square is the unbiased variance."""
    centred = sample - sample.mean(axis=0)
    centred[:, np.ptp(sample, axis=0) == 0] = 0.0  # the mean of a constant column can be a rounding beside it
    return np.asarray(centred * np.sqrt(len(sample) / (len(sample) - 1)))


def _squared_differences(residuals: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum over all entries of (sum_i w_i r_i r_i')^2, for every row w of `weights`, one matrix row at a time."""
    total = np.zeros(len(weights))
    for column in range(residuals.shape[1]):
        products = residuals[:, column : column + 1] * residuals[:, column:]
        squares = (weights @ products) ** 2
        total += squares[:, 0] + 2 * squares[:, 1:].sum(axis=1)  # the entries above the diagonal stand below it too
    return total
