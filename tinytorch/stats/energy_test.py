"""The multivariate energy test: do two samples differ, judged by distances alone? Imports numpy only.

E = 2 E|x - y| - E|x - x'| - E|y - y'|, with x, x' from one law and y, y' from the other: never negative, and zero if
and only if the two laws are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_generator, check_integer
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._pairwise import Kernel, centred_points, permuted_pair_sums, squared_distances
from tinytorch.stats._permutations import DEFAULT_PERMUTATIONS, permutation_pvalue
from tinytorch.stats._results import TwoSampleResult

# Two statistics this many roundings of a mean distance apart are tied.
TIED_ROUNDINGS = 16.0


def energy_test(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    rng: np.random.Generator,
    n_permutations: int = DEFAULT_PERMUTATIONS,
) -> TwoSampleResult:
    """Test whether two samples come from one law, all columns together, by Szekely and Rizzo's energy statistic.

    Unlike MMD there is no bandwidth to choose. The columns enter one distance, so bring them to one scale first if
    their units differ. The p-value is the share of label shuffles with at least the observed statistic; samples of
    one size (20 rows or more) are shuffled by swapping row i of one with row i of the other. Time grows with the
    square of the pooled rows, memory with the rows. Rows that depend on their neighbours in time are not
    exchangeable, and raise false alarms.

    Parameters
    ----------
    reference : array_like of shape (n_reference, n_features) or (n_reference,)
    current : array_like of shape (n_current, n_features) or (n_current,)
    rng : numpy.random.Generator
        Draws the shuffles.
    n_permutations : int
        Number of shuffles P; no p-value is below 1 / (1 + P).

    Returns
    -------
    TwoSampleResult
        Arrays of shape (1,). `statistic` is n m / (n + m) times E over all pairs (V-statistic; for one column
        n m / (n + m) times the square of `scipy.stats.energy_distance`). `effect_size` is E / (2 E|x - y|), the
        coefficient of inhomogeneity: 0 for samples alike, 1 for two separate points, free of units.

    Raises
    ------
    ValueError
        If a sample is not a finite table, their columns differ in number, or `n_permutations` is below 1.

    References
    ----------
    Szekely and Rizzo (2013), Energy statistics: a class of statistics based on distances, Journal of Statistical
    Planning and Inference 143.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> result = energy_test([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], rng=rng)
    >>> result.statistic, result.effect_size
    (array([3.]), array([1.]))
    """
    left, right = as_pair(reference, current)
    check_generator(rng)
    check_integer(n_permutations, "n_permutations", minimum=1)
    n, m = len(left), len(right)
    points, exponent = centred_points(left, right)
    sums = permuted_pair_sums(_distance_kernel(points), n, m, n_permutations, rng)
    apart = 2 * sums.between / (n * m)
    energies = apart - 2 * sums.reference / n**2 - 2 * sums.current / m**2
    rounding = TIED_ROUNDINGS * float(np.finfo(np.float64).eps) * apart[0]
    effect_size = np.maximum(energies[:1], 0.0) / (apart[:1] or 1.0)
    return TwoSampleResult(
        np.ldexp(n * m / (n + m) * energies[:1], exponent),
        permutation_pvalue(energies[:, np.newaxis], rounding),
        effect_size,
    )


def _distance_kernel(points: np.ndarray) -> Kernel:
    """Euclidean distance between rows of `points`."""

    def kernel(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        squared = squared_distances(points[rows], points[columns])
        return np.asarray(np.sqrt(squared, out=squared))

    return kernel
