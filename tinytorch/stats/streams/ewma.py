"""EWMA: an exponentially weighted moving average held against fixed limits. Sits on the workbench `_scans`.

With z_t = (x_t - mean) / standard_deviation the average is a_t = (1 - smoothing) a_(t-1) + smoothing z_t, a_0 = 0.
In the long run its standard deviation is sqrt(smoothing / (2 - smoothing)); an alarm is raised outside n_sigmas of it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_in_range, check_positive
from tinytorch.stats.streams._scans import BLOCK_VALUES, FadingSum, advance_with_restarts, first_true
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase
from tinytorch.stats.streams._targets import Target


class EWMA(StreamDetectorBase):
    """Raise an alarm when a moving average of the values leaves its limits around a known mean.

    With the default parameters and independent normal values at the known mean, a false alarm comes every 500
    observations on average; a shift of one standard deviation is found after 10.3 observations. The limits are those
    of the long run from the first observation on, so the first few observations after a start raise alarms less often.

    Parameters
    ----------
    mean : float or array_like of shape (n_streams,)
        The mean while all is well.
    standard_deviation : float or array_like of shape (n_streams,)
        The standard deviation of one value while all is well.
    smoothing : float in (0, 1)
        Weight of the newest value: small finds small shifts, large finds large shifts sooner.
    n_sigmas : float
        Distance of the limits from the mean, in standard deviations of the average.

    Raises
    ------
    ValueError
        If a standard deviation or `n_sigmas` is not > 0, or `smoothing` is not in (0, 1).

    References
    ----------
    Roberts, S. W. (1959). Control chart tests based on geometric moving averages. Technometrics 1, 239-250.
    Lucas, J. M. and Saccucci, M. S. (1990). Exponentially weighted moving average control schemes: properties and
    enhancements. Technometrics 32, 1-12.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> values = np.concatenate([rng.normal(0, 1, 200), rng.normal(1, 1, 15)])
    >>> detector = EWMA(mean=0.0, standard_deviation=1.0).update(values)
    >>> detector.drift_detected, int(detector.alarms_[0][0])
    (True, 207)
    """

    _block_values = BLOCK_VALUES

    def __init__(
        self,
        mean: ArrayLike = 0.0,
        standard_deviation: ArrayLike = 1.0,
        smoothing: float = 0.1,
        n_sigmas: float = 2.814,
    ) -> None:
        self.target = Target(mean, standard_deviation)
        super().__init__(self.target.n_streams)
        self.smoothing = check_in_range(smoothing, "smoothing", 0.0, 1.0, open_ends=True)
        self.n_sigmas = check_positive(n_sigmas, "n_sigmas")
        self._fading = FadingSum(1.0 - smoothing)
        self._cycle = self._fading.cycle
        self._limit = n_sigmas * math.sqrt(smoothing / (2.0 - smoothing)) / smoothing

    def _check_values(self, table: np.ndarray) -> None:
        """Any finite numbers will do."""

    def _start(self, n_streams: int) -> np.ndarray:
        """Scaled sum to carry."""
        return np.zeros((1, n_streams))

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, self.target.standardise(table), position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        sums, carried = self._fading.scan(values, state[0], position)
        return first_true(np.abs(sums) > self._limit), carried[np.newaxis]
