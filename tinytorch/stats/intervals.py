"""Intervals for a share, such as an accuracy or an error rate, from counts. Numpy only.

With k successes among n, share p = k/n and z the normal quantile of the confidence:
    Wilson           the q for which |p - q| <= z sqrt(q (1-q) / n)
    Clopper-Pearson  the q for which neither P(X >= k; q) nor P(X <= k; q) is below (1 - confidence) / 2
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_in_range
from tinytorch.stats.special_beta import beta_quantile

# What most readers expect an interval to mean when nobody says otherwise.
DEFAULT_CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A lower and an upper bound, element by element; unpacks as `low, high`.

    Examples
    --------
    >>> low, high = Interval(np.array([0.1]), np.array([0.3]))
    >>> high - low
    array([0.2])
    """

    low: np.ndarray
    high: np.ndarray


def wilson_interval(successes: ArrayLike, n: ArrayLike, confidence: float = DEFAULT_CONFIDENCE) -> Interval:
    """Return Wilson's interval for a share: covers about `confidence` on average, also near 0 and 1.

    Parameters
    ----------
    successes, n : array_like
        Counts, 0 <= successes <= n and n >= 1; they broadcast.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval
        Two arrays of the broadcast shape, of shape () for single counts.

    Raises
    ------
    ValueError
        If the counts or the confidence break these rules.

    References
    ----------
    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927).

    Examples
    --------
    >>> low, high = wilson_interval(180, 200)
    >>> print(f"{low:.3f} {high:.3f}")
    0.851 0.934
    """
    count, trials = check_counts(successes, n)
    z = NormalDist().inv_cdf(0.5 + 0.5 * check_in_range(confidence, "confidence", 0, 1, open_ends=True))
    centre = count + 0.5 * z**2
    half_width = z * np.sqrt(count * (trials - count) / trials + 0.25 * z**2)
    low = np.where(count == 0, 0.0, (centre - half_width) / (trials + z**2))  # exact ends: no rounding below 0
    high = np.where(count == trials, 1.0, (centre + half_width) / (trials + z**2))
    return Interval(low, high)


def clopper_pearson_interval(successes: ArrayLike, n: ArrayLike, confidence: float = DEFAULT_CONFIDENCE) -> Interval:
    """Return the Clopper-Pearson interval for a share: covers at least `confidence`, always, so it is wider.

    Parameters
    ----------
    successes, n : array_like
        Counts, 0 <= successes <= n and n >= 1; they broadcast.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval
        Two arrays of the broadcast shape, of shape () for single counts.

    Raises
    ------
    ValueError
        If the counts or the confidence break these rules.

    References
    ----------
    C. J. Clopper and E. S. Pearson, The Use of Confidence or Fiducial Limits, Biometrika 26 (1934).

    Examples
    --------
    >>> low, high = clopper_pearson_interval(180, 200)
    >>> print(f"{low:.3f} {high:.3f}")
    0.850 0.938
    """
    count, trials = check_counts(successes, n)
    tail = 0.5 * (1 - check_in_range(confidence, "confidence", 0, 1, open_ends=True))
    failures = trials - count
    low = beta_quantile(tail, np.maximum(count, 1), failures + 1)
    high = beta_quantile(1 - tail, count + 1, np.maximum(failures, 1))
    return Interval(np.where(count == 0, 0.0, low), np.where(failures == 0, 1.0, high))


def check_counts(
    successes: ArrayLike, n: ArrayLike, names: tuple[str, str] = ("successes", "n")
) -> tuple[np.ndarray, np.ndarray]:
    """Return both counts as float arrays of one shape, if they are whole and 0 <= successes <= n, n >= 1.

    Raises
    ------
    ValueError
        If they are not, by the given names.

    Examples
    --------
    >>> check_counts(3, [4, 5])
    (array([3., 3.]), array([4., 5.]))
    """
    count, trials = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64))
    for values, name in ((count, names[0]), (trials, names[1])):
        if not (np.isfinite(values) & (values == np.floor(values))).all():
            raise ValueError(f"{name} must be whole numbers, got {values.tolist()!r}.")
    if not (trials >= 1).all():
        raise ValueError(f"{names[1]} must be >= 1, got {float(trials.min())!r}.")
    if not ((count >= 0) & (count <= trials)).all():
        raise ValueError(f"{names[0]} must be in [0, {names[1]}], got {count.tolist()!r} of {trials.tolist()!r}.")
    return count, trials
