"""CUSUM: cumulative sums above and below a known mean. Sits on the workbench `_scans`.

With z_t = (x_t - mean) / standard_deviation, an alarm is raised when one of
    up_t = max(0, up_(t-1) + z_t - allowance),   down_t = max(0, down_(t-1) - z_t - allowance)
passes the threshold. Unrolled, up_t is how far the sum of z - allowance stands above its lowest value so far.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_choice, check_in_range, check_positive
from tinytorch.stats.streams._scans import (
    BLOCK_VALUES,
    DIRECTIONS,
    LONGEST_CYCLE,
    advance_with_restarts,
    first_climb,
    running_sum,
)
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase
from tinytorch.stats.streams._targets import Target


class CUSUM(StreamDetectorBase):
    """Raise an alarm when the values have stayed off a known mean for too long, by Page's cumulative sums.

    With the default parameters and independent normal values at the known mean, a two-sided chart raises a false
    alarm every 465 observations on average (a one-sided one every 930); after a shift of one standard deviation it
    takes 10.4 observations. A mean and standard deviation that are only estimated make false alarms more frequent.

    Parameters
    ----------
    mean : float or array_like of shape (n_streams,)
        The mean while all is well.
    standard_deviation : float or array_like of shape (n_streams,)
        The standard deviation of one value while all is well.
    allowance : float
        Shift, in standard deviations, that is let pass per value; half the shift that should be found is best.
    threshold : float
        Alarm when a sum passes it, in standard deviations.
    mode : {"both", "up", "down"}
        Which shifts to look for. With "both" either sum may raise the alarm, and both start anew after it.

    Raises
    ------
    ValueError
        If a standard deviation or the threshold is not > 0, the allowance is < 0, or the mode is not one of the three.

    References
    ----------
    Page, E. S. (1954). Continuous inspection schemes. Biometrika 41, 100-115.
    Brook, D. and Evans, D. A. (1972). An approach to the probability distribution of cusum run length.
    Biometrika 59, 539-549 (the way the run lengths above are computed in the tests).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> values = np.concatenate([rng.normal(0, 1, 200), rng.normal(1, 1, 15)])
    >>> detector = CUSUM(mean=0.0, standard_deviation=1.0).update(values)
    >>> detector.drift_detected, int(detector.alarms_[0][0])
    (True, 203)
    """

    _cycle = LONGEST_CYCLE
    _block_values = BLOCK_VALUES

    def __init__(
        self,
        mean: ArrayLike = 0.0,
        standard_deviation: ArrayLike = 1.0,
        allowance: float = 0.5,
        threshold: float = 5.0,
        mode: str = "both",
    ) -> None:
        self.target = Target(mean, standard_deviation)
        super().__init__(self.target.n_streams)
        self.allowance = check_in_range(allowance, "allowance", 0.0, float("inf"))
        self.threshold = check_positive(threshold, "threshold")
        self.mode = check_choice(mode, "mode", DIRECTIONS)

    def _check_values(self, table: np.ndarray) -> None:
        """Any finite numbers will do."""

    def _start(self, n_streams: int) -> np.ndarray:
        """Steps in this cycle, sum of z, and the lowest levels up and down."""
        return np.zeros((4, n_streams))

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, self.target.standardise(table), position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        if position % self._cycle == 0:
            state = self._rebase(state)
        steps, total, lowest_up, lowest_down = state
        n_steps = values.shape[1]
        sums = running_sum(values, total)
        allowed = self.allowance * (steps[:, np.newaxis] + np.arange(1, n_steps + 1))
        first = np.full(len(values), n_steps)
        if self.mode != "down":
            found, lowest_up = first_climb(sums - allowed, lowest_up, self.threshold)
            first = np.minimum(first, found)
        if self.mode != "up":
            found, lowest_down = first_climb(-sums - allowed, lowest_down, self.threshold)
            first = np.minimum(first, found)
        return first, np.stack([steps + n_steps, sums[:, -1], lowest_up, lowest_down])

    def _rebase(self, state: np.ndarray) -> np.ndarray:
        """Measure the lowest levels from where the sums stand now, so that the sums never grow large."""
        steps, total, lowest_up, lowest_down = state
        allowed = self.allowance * steps
        nothing = np.zeros_like(steps)
        return np.stack([nothing, nothing, lowest_up - (total - allowed), lowest_down - (-total - allowed)])
