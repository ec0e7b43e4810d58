"""Units and effect sizes that several tests of this floor share. Imports numpy only."""

from __future__ import annotations

import numpy as np


def in_common_unit(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both tables with one row taken off and divided by a power of two per column, and that power.

    What comes out lies in [-1, 1]: a huge offset then costs no digits, squares neither overflow nor vanish, and a
    constant column is exactly 0. Dividing by a power of two rounds nothing.

    Examples
    --------
    >>> left, right, unit = in_common_unit(np.array([[1e9], [1e9 + 3]]), np.array([[1e9 + 1]]))
    >>> left.ravel(), right.ravel(), unit
    (array([0.  , 0.75]), array([0.25]), array([4.]))
    """
    origin = 0.5 * reference[:1]  # halves, so that the widest columns do not overflow when subtracted
    left, right = 0.5 * reference - origin, 0.5 * current - origin
    widest = np.maximum(np.abs(left).max(axis=0), np.abs(right).max(axis=0))
    exponent = np.frexp(widest)[1]
    return np.ldexp(left, -exponent), np.ldexp(right, -exponent), np.ldexp(2.0, np.minimum(exponent, 1022))


def standardised_difference(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return Cohen's d per column: (mean(current) - mean(reference)) / pooled standard deviation.

    Equal constants give 0 and unequal constants an infinity with the sign of the difference. The pooled standard
    deviation divides the squares about each sample's mean by n + m - 2 (by 1 if both samples hold a single row).
    Expects tables in a common unit.

    References
    ----------
    J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. (1988), section 2.2.

    Examples
    --------
    >>> standardised_difference(np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])).round(3)
    array([0.707])
    """
    mean_left, mean_right = reference.mean(axis=0), current.mean(axis=0)
    squares = ((reference - mean_left) ** 2).sum(axis=0) + ((current - mean_right) ** 2).sum(axis=0)
    spread = np.sqrt(squares / max(1, len(reference) + len(current) - 2))
    return ratio_or_infinity(mean_right - mean_left, spread)


def ratio_or_infinity(difference: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return difference / spread; with no spread 0 for no difference and otherwise an infinity with its sign.

    Examples
    --------
    >>> ratio_or_infinity(np.array([1.0, 0.0, -1.0]), np.array([2.0, 0.0, 0.0]))
    array([ 0.5,  0. , -inf])
    """
    certain = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    return np.asarray(np.divide(difference, spread, out=certain, where=spread > 0))
