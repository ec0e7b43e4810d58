"""Units and effect sizes that several tests of this floor share. Imports numpy only."""

from __future__ import annotations

import numpy as np

# Powers of two that can be both multiplied and divided by without leaving float64.
SMALLEST_EXPONENT, LARGEST_EXPONENT = -1000, 1022


def in_common_unit(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both tables with one row taken off and divided by a power of two per column, and that power.

    What comes out lies in [-1, 1]: a huge offset then costs no digits, squares neither overflow nor vanish, and a
    constant column is exactly 0. Dividing by a power of two rounds nothing. Both tables are new.

    Examples
    --------
    >>> left, right, unit = in_common_unit(np.array([[1e9], [1e9 + 3]]), np.array([[1e9 + 1]]))
    >>> left.ravel(), right.ravel(), unit
    (array([0.  , 0.75]), array([0.25]), array([4.]))
    """
    origin = 0.5 * reference[:1]  # halves, so that the widest columns do not overflow when subtracted
    tables = [0.5 * reference, 0.5 * current]
    widest = np.zeros(reference.shape[1])
    for table in tables:
        table -= origin
        widest = np.maximum(widest, np.maximum(table.max(axis=0), -table.min(axis=0)))
    exponent = np.maximum(np.frexp(widest)[1], SMALLEST_EXPONENT)
    for table in tables:
        table *= np.ldexp(1.0, -exponent)
    return tables[0], tables[1], np.ldexp(2.0, np.minimum(exponent, LARGEST_EXPONENT))


def mean_and_squares(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per column the mean and the sum of squared distances from it; `table` is in a common unit.

    Examples
    --------
    >>> mean_and_squares(np.array([[0.0], [2.0]]))
    (array([1.]), array([2.]))
    """
    mean = table.mean(axis=0)
    apart = table - mean
    return mean, np.einsum("ij,ij->j", apart, apart)


def standardised_difference(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return Cohen's d per column of two tables in a common unit: see `cohens_d`.

    Examples
    --------
    >>> standardised_difference(np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])).round(3)
    array([0.707])
    """
    return cohens_d(mean_and_squares(reference), mean_and_squares(current), len(reference) + len(current))


def cohens_d(
    reference: tuple[np.ndarray, np.ndarray], current: tuple[np.ndarray, np.ndarray], rows: int
) -> np.ndarray:
    """Return Cohen's d per column, from each sample's mean and squares and the number of rows of both together.

    d = (mean(current) - mean(reference)) / pooled standard deviation, which divides the squares by rows - 2 (by 1 if
    both samples hold a single row). Equal constants give 0, unequal ones an infinity with the difference's sign.

    References
    ----------
    J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. (1988), section 2.2.

    Examples
    --------
    >>> samples = np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])
    >>> cohens_d(*map(mean_and_squares, samples), rows=4).round(3)
    array([0.707])
    """
    spread = np.sqrt((reference[1] + current[1]) / max(1, rows - 2))
    return ratio_or_infinity(current[0] - reference[0], spread)


def ratio_or_infinity(difference: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return difference / spread; with no spread 0 for no difference and otherwise an infinity with its sign.

    Examples
    --------
    >>> ratio_or_infinity(np.array([1.0, 0.0, -1.0]), np.array([2.0, 0.0, 0.0]))
    array([ 0.5,  0. , -inf])
    """
    certain = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    return np.asarray(np.divide(difference, spread, out=certain, where=spread > 0))
