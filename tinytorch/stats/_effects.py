"""Effect sizes that several tests of this floor report. Imports numpy only."""

from __future__ import annotations

import numpy as np


def standardised_difference(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return Cohen's d per column: (mean(current) - mean(reference)) / pooled standard deviation.

    Equal constants give 0 and unequal constants an infinity with the sign of the difference. The pooled standard
    deviation divides the squares about each sample's mean by n + m - 2 (by 1 if both samples hold a single row).

    References
    ----------
    J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. (1988), section 2.2.

    Examples
    --------
    >>> standardised_difference(np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])).round(3)
    array([0.707])
    """
    centre = reference[:1]  # taken off first, so that a huge offset costs no digits and a constant is exactly 0
    left, right = reference - centre, current - centre
    difference = right.mean(axis=0) - left.mean(axis=0)
    squares = ((left - left.mean(axis=0)) ** 2).sum(axis=0) + ((right - right.mean(axis=0)) ** 2).sum(axis=0)
    spread = np.sqrt(squares / max(1, len(left) + len(right) - 2))
    unscaled = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    return np.asarray(np.divide(difference, spread, out=unscaled, where=spread > 0))
