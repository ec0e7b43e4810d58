"""Maximum mean discrepancy: do two samples differ in any way at all, all columns taken together? Imports numpy only.

MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y), with k(u, v) = exp(-|u - v|^2 / (2 bandwidth^2)) and x, x' from one law,
y, y' from the other: zero if and only if the two laws are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_generator, check_integer, check_positive
from tinytorch.stats._inputs import as_pair
from tinytorch.stats._pairwise import Kernel, PairSums, centred_points, permuted_pair_sums, squared_distances
from tinytorch.stats._permutations import DEFAULT_PERMUTATIONS, permutation_pvalue
from tinytorch.stats._results import TwoSampleResult

# Rows that the median distance is taken over: their 44,850 pairs fix it to a few percent, and so the kernel's width.
BANDWIDTH_ROWS = 300
# From this many pooled rows on, float32 halves the work; below, the work is small and float64 keeps ties exact.
SINGLE_PRECISION_ROWS = 1000
# float32 keeps a squared distance of this many squared bandwidths to 1e-4, and so the kernel to 1e-4.
SINGLE_PRECISION_RADIUS = 1000.0
# In units of the widest value. Squares in units of anything smaller overflow, and only ties are that near anyway.
SMALLEST_BANDWIDTH = 1e-150
# Two statistics this many roundings apart are tied.
TIED_ROUNDINGS = 4.0


def mmd_test(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    rng: np.random.Generator,
    n_permutations: int = DEFAULT_PERMUTATIONS,
    bandwidth: float | None = None,
) -> TwoSampleResult:
    """Test whether two samples come from one law, all columns together, by the maximum mean discrepancy.

    The columns enter one distance, so bring them to one scale first if their units differ. Under the null
    hypothesis the labels can be shuffled: the p-value is the share of shuffles with at least the observed MMD^2. For
    samples of one size (20 rows or more) row i of one is swapped with row i of the other at random, which keeps the
    test's size and costs a quarter. Time grows with the square of the pooled rows, memory with the rows. Rows that
    depend on their neighbours in time are not exchangeable, and raise false alarms.

    Parameters
    ----------
    reference : array_like of shape (n_reference, n_features) or (n_reference,)
        At least two rows.
    current : array_like of shape (n_current, n_features) or (n_current,)
        At least two rows.
    rng : numpy.random.Generator
        Draws the shuffles, and the rows of the median if there are more than 300.
    n_permutations : int
        Number of shuffles P; no p-value is below 1 / (1 + P).
    bandwidth : float, optional
        Distance at which the kernel has fallen to 0.61. By default the median distance between two pooled rows
        (of 300 random rows if there are more; a choice blind to the labels, so the test keeps its size).

    Returns
    -------
    TwoSampleResult
        Arrays of shape (1,). `statistic` is the unbiased estimate of MMD^2, which can be negative; with 1,000
        pooled rows or more it is computed in single precision, good to about 1e-6. `effect_size` is MMD, the
        distance of the two mean embeddings, from 0 (none) to 1.41 (apart).

    Raises
    ------
    ValueError
        If a sample is not a finite table, has fewer than two rows, or their columns differ in number; if
        `bandwidth` is not positive or `n_permutations` is below 1.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schoelkopf and Smola (2012), A kernel two-sample test, JMLR 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reference, current = rng.normal(size=(100, 5)), rng.normal(size=(100, 5)) + 1.0
    >>> result = mmd_test(reference, current, rng=rng)
    >>> result.pvalue.round(3)
    array([0.005])
    """
    left, right = as_pair(reference, current)
    check_generator(rng)
    check_integer(n_permutations, "n_permutations", minimum=1)
    check_integer(len(left), "number of reference rows", minimum=2)
    check_integer(len(right), "number of current rows", minimum=2)
    points, exponent = centred_points(left, right)
    if bandwidth is None:
        width = _median_distance(points, rng)
    else:
        width = max(np.ldexp(check_positive(bandwidth, "bandwidth"), -exponent), SMALLEST_BANDWIDTH)
    kernel, rounding = _gaussian_kernel(points / (np.sqrt(2.0) * width))
    sums = permuted_pair_sums(kernel, len(left), len(right), n_permutations, rng)
    statistics = _unbiased(sums, len(left), len(right))
    effect_size = np.sqrt(np.maximum(statistics[:1], 0.0))
    return TwoSampleResult(statistics[:1], permutation_pvalue(statistics[:, np.newaxis], rounding), effect_size)


def _unbiased(sums: PairSums, n_reference: int, n_current: int) -> np.ndarray:
    """MMD^2 of every labelling, from means over pairs of different rows."""
    own = 2 * sums.reference / (n_reference * (n_reference - 1)) + 2 * sums.current / (n_current * (n_current - 1))
    return np.asarray(own - 2 * sums.between / (n_reference * n_current))


def _median_distance(points: np.ndarray, rng: np.random.Generator) -> float:
    """Median distance between two rows; where more than half of the pairs coincide, the mean one, or 1 if all do."""
    if len(points) > BANDWIDTH_ROWS:
        points = points[rng.choice(len(points), BANDWIDTH_ROWS, replace=False)]
    squared = squared_distances(points, points)[np.triu_indices(len(points), 1)]
    return float(np.sqrt(np.median(squared))) or float(np.sqrt(squared).mean()) or 1.0


def _gaussian_kernel(points: np.ndarray) -> tuple[Kernel, float]:
    """Kernel exp(-|u - v|^2) between rows of `points`, and the rounding error of a mean of it.

    The exponent 2 u'v - |u|^2 - |v|^2 is one product of the points with two columns appended. The same rounded
    kernel serves every labelling, so single precision cannot change the test's size.
    """
    squared_norms = np.einsum("ij,ij->i", points, points)[:, np.newaxis]
    ones = np.ones_like(squared_norms)
    single = len(points) >= SINGLE_PRECISION_ROWS and squared_norms.max() <= SINGLE_PRECISION_RADIUS
    precision = np.float32 if single else np.float64
    left = np.hstack([2 * points, -squared_norms, ones]).astype(precision)
    right = np.hstack([points, ones, -squared_norms]).astype(precision)

    def kernel(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        exponents = left[rows] @ right[columns].T
        np.minimum(exponents, 0, out=exponents)
        return np.asarray(np.exp(exponents, out=exponents))

    return kernel, TIED_ROUNDINGS * float(np.finfo(precision).eps)
