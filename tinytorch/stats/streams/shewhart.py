"""Shewhart's chart: every value on its own against fixed limits, |x_t - mean| > n_sigmas * standard_deviation.

Touches numpy and the hall (`_stream`) only: without memory there is nothing to carry from value to value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_positive
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase
from tinytorch.stats.streams._targets import Target


class Shewhart(StreamDetectorBase):
    """Raise an alarm at every value that lies outside fixed limits around a known mean.

    With the default three sigmas and normal values at the known mean, one value in 370.4 raises a false alarm. A
    shift of one standard deviation is found after 43.9 values on average, of three after 2: this chart is for large
    shifts; `CUSUM` and `EWMA` are for small ones that last.

    Parameters
    ----------
    mean : float or array_like of shape (n_streams,)
        The mean while all is well. With batches as observations, give the batch means as values.
    standard_deviation : float or array_like of shape (n_streams,)
        The standard deviation of one value while all is well.
    n_sigmas : float
        Distance of the limits from the mean, in standard deviations.

    Raises
    ------
    ValueError
        If a standard deviation or `n_sigmas` is not > 0.

    References
    ----------
    Shewhart, W. A. (1931). Economic Control of Quality of Manufactured Product. Van Nostrand.

    Examples
    --------
    >>> Shewhart(mean=10.0, standard_deviation=1.0).update([9.0, 10.5, 14.0, 6.0]).alarms_
    (array([2, 3]),)
    """

    def __init__(self, mean: ArrayLike = 0.0, standard_deviation: ArrayLike = 1.0, n_sigmas: float = 3.0) -> None:
        self.target = Target(mean, standard_deviation)
        super().__init__(self.target.n_streams)
        self.n_sigmas = check_positive(n_sigmas, "n_sigmas")

    def _check_values(self, table: np.ndarray) -> None:
        """Any finite numbers will do."""

    def _start(self, n_streams: int) -> None:
        """Nothing is carried from value to value."""

    def _advance(self, state: None, table: np.ndarray, position: int) -> tuple[None, Alarms]:
        outside = np.abs(self.target.standardise(table)) > self.n_sigmas
        return None, [(position + np.flatnonzero(stream)).tolist() for stream in outside.T]
