"""Floor 2, monitor: the bootstrap interval of a mean, as exact as the number of rows allows. May import `stats`."""

from __future__ import annotations

import numpy as np

from tinytorch.stats import Interval, bootstrap_interval, percentile_interval

# Above it skewness hardly moves the mean of so many rows, and BCa's work grows with the square of their number.
MOST_ROWS_FOR_BCA = 2_000
# The ends of a 95% interval rest on 25 resamples each.
RESAMPLES = 1_000


def mean_intervals(columns: np.ndarray, rng: np.random.Generator, confidence: float) -> Interval:
    """Return the bootstrap interval of the mean of each column.

    Examples
    --------
    >>> low, high = mean_intervals(np.arange(100.0)[:, np.newaxis], np.random.default_rng(0), 0.95)
    >>> bool(low[0] < 49.5 < high[0])
    True
    """
    interval = bootstrap_interval if len(columns) <= MOST_ROWS_FOR_BCA else percentile_interval
    return interval(columns, rng=rng, n_resamples=RESAMPLES, confidence=confidence)
