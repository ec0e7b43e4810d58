"""KSWIN: the newest values of a sliding window against its older ones, by Kolmogorov and Smirnov's test.

An alarm is raised where D = max |F_newer - F_older| has an exact two-sample p-value of at most alpha. As the sizes of
both parts stay the same, that is where the whole number n_newer n_older D reaches one critical value.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.stats.ks_exact import exact_pvalue
from tinytorch.stats.streams._scans import LONGEST_CYCLE, advance_with_restarts, first_true
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase


class KSWIN(StreamDetectorBase):
    """Raise an alarm when the distribution of the newest values differs from that of the older ones in the window.

    Sees any change of distribution, of spread or shape as well as of mean. The test is repeated at every observation,
    so alpha is not the rate of false alarms: with the default parameters, over independent continuous values, one
    comes every 1,080 observations on average. On values with ties (counts, 0 or 1) they are rarer.

    Parameters
    ----------
    alpha : float in (0, 1)
        Largest p-value of a single test that raises an alarm.
    window_size : int
        Observations in the window.
    stat_size : int
        How many of them are the newest.

    Raises
    ------
    ValueError
        If alpha is not in (0, 1), a size is not an integer >= 1, `stat_size` is not smaller than `window_size`, or
        the parts are so small that no distance reaches alpha.

    Notes
    -----
    The paper and `river.drift.KSWIN` compare the newest values with a random sample, as large, of the older ones; here
    they are compared with all the older ones, which needs no random numbers and finds changes sooner. river also asks
    for D > 0.1 besides the p-value, which its documentation does not say; here the p-value alone decides. Like river's,
    the window is empty after an alarm. With ``window_size == 2 * stat_size`` river's sample is all of the older values,
    and alarms agree with it wherever its second condition holds.

    References
    ----------
    Raab, C., Heusinger, M. and Schleif, F.-M. (2020). Reactive soft prototype computing for concept drift streams.
    Neurocomputing 416, 340-351.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> values = np.concatenate([rng.normal(0, 1, 200), rng.normal(0, 4, 100)])
    >>> KSWIN().update(values).alarms_
    (array([229]),)
    """

    _cycle = LONGEST_CYCLE
    _block_values = 1024  # every value stands for a whole window

    def __init__(self, alpha: float = 0.005, window_size: int = 100, stat_size: int = 30) -> None:
        super().__init__()
        self.alpha = check_in_range(alpha, "alpha", 0.0, 1.0, open_ends=True)
        self.window_size = check_integer(window_size, "window_size", minimum=2)
        self.stat_size = check_integer(stat_size, "stat_size", minimum=1)
        if not self.stat_size < self.window_size:
            raise ValueError(f"stat_size must be < window_size = {self.window_size}, got {self.stat_size}.")
        self._critical = critical_excess(self.alpha, self.stat_size, self.window_size - self.stat_size)

    def _check_values(self, table: np.ndarray) -> None:
        """Any finite numbers will do."""

    def _start(self, n_streams: int) -> np.ndarray:
        """Count, and the values of the window but one, oldest first."""
        return np.zeros((self.window_size, n_streams))

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, table, position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        n_steps = values.shape[1]
        n_blind = np.maximum(self.window_size - 1 - state[0], 0)
        joined = np.concatenate([state[1:].T, values], axis=1)
        skipped = min(int(n_blind.min()), n_steps)
        alarms = np.zeros(values.shape, dtype=bool)
        if skipped < n_steps:
            windows = sliding_window_view(joined[:, skipped:], self.window_size, axis=1)
            alarms[:, skipped:] = self._excess(windows) >= self._critical
        return first_true(alarms, n_blind), np.concatenate([[state[0] + n_steps], joined[:, n_steps:].T])

    def _excess(self, windows: np.ndarray) -> np.ndarray:
        """Return n_newer n_older D of every window along the last axis."""
        n_older = self.window_size - self.stat_size
        order = windows.argsort(axis=-1)
        ranked = np.take_along_axis(windows, order, axis=-1)
        difference = np.where(order >= n_older, n_older, -self.stat_size).cumsum(axis=-1)
        # Within a run of equal values the distribution functions have not yet taken their full step.
        difference[..., :-1][ranked[..., :-1] == ranked[..., 1:]] = 0
        largest: np.ndarray = np.abs(difference).max(axis=-1)
        return largest


def critical_excess(alpha: float, n_newer: int, n_older: int) -> int:
    """Return the smallest n_newer n_older D with an exact p-value of at most alpha.

    Raises
    ------
    ValueError
        If even D = 1 has a larger p-value.

    Examples
    --------
    >>> critical_excess(0.005, 30, 70)
    780
    """
    step = math.gcd(n_newer, n_older)  # distances lie on multiples of it
    low, high = 0, n_newer * n_older // step
    if exact_pvalue(np.array([high * step]), n_newer, n_older, "two-sided")[0] > alpha:
        raise ValueError(f"window_size and stat_size must let some distance reach alpha = {alpha}, but none does.")
    while high - low > 1:
        middle = (low + high) // 2
        reaches = exact_pvalue(np.array([middle * step]), n_newer, n_older, "two-sided")[0] <= alpha
        low, high = (low, middle) if reaches else (middle, high)
    return high * step
