"""EDDM: the distance between two errors of a model against the longest it has been. Sits on the workbench `_scans`.

With the mean m and the standard deviation s of all distances so far, an alarm is raised at an error where
(m + 2 s) / max(m + 2 s) < beta.
"""

from __future__ import annotations

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.stats.streams._scans import (
    BLOCK_VALUES,
    LONGEST_CYCLE,
    advance_with_restarts,
    first_true,
    running_sum,
)
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase, check_errors


class EDDM(StreamDetectorBase):
    """Raise an alarm when a model's errors have drawn closer together than they were.

    This detector is quick, and with the default parameters it raises many false alarms: over independent errors at a
    fixed rate of 0.1 one every 610 observations, at a rate of 0.3 one every 540; of streams of 10,000 observations 96%
    have at least one. Smaller `beta` helps.

    Parameters
    ----------
    warm_start : int
        Errors after a start before the first alarm may be raised, and observations before anything is compared.
    beta : float in (0, 1]
        Share of the longest distance below which an alarm is raised; smaller means fewer alarms.

    Raises
    ------
    ValueError
        If `warm_start` is not an integer >= 1 or beta not in (0, 1]; from `update`, if a value is not 0 or 1.

    Notes
    -----
    Alarms and restarts are those of `river.drift.binary.EDDM` (versions 0.23 and 0.26); there is no warning zone.

    References
    ----------
    Baena-Garcia, M., del Campo-Avila, J., Fidalgo, R., Bifet, A., Gavalda, R. and Morales-Bueno, R. (2006). Early drift
    detection method. Fourth International Workshop on Knowledge Discovery from Data Streams.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4])
    >>> EDDM(beta=0.75).update(errors).alarms_
    (array([1151]),)
    """

    _cycle = LONGEST_CYCLE
    _block_values = BLOCK_VALUES

    def __init__(self, warm_start: int = 30, beta: float = 0.9) -> None:
        super().__init__()
        self.warm_start = check_integer(warm_start, "warm_start", minimum=1)
        self.beta = check_in_range(beta, "beta", 0.0, 1.0)

    def _check_values(self, table: np.ndarray) -> None:
        check_errors(table)

    def _start(self, n_streams: int) -> np.ndarray:
        """Count, count at the last error, errors, sum and squares of distances, largest m + 2 s."""
        return np.zeros((6, n_streams))

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, table, position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        count, last_error, n_errors, total, squares, longest = state
        counts = count[:, np.newaxis] + np.arange(1.0, values.shape[1] + 1)
        errors = running_sum(values, n_errors)
        last = np.column_stack([last_error, np.where(values == 1, counts, 0.0)])
        np.maximum.accumulate(last, axis=1, out=last)
        distances = values * (counts - last[:, :-1])  # 0 where there is no error
        totals, all_squares = running_sum(distances, total), running_sum(distances**2, squares)
        compared = (values == 1) & (counts > self.warm_start)
        levels = np.where(compared, _mean_plus_deviations(errors, totals, all_squares), 0.0)
        highest = np.maximum.accumulate(np.column_stack([longest, levels]), axis=1)[:, 1:]
        alarms = compared & (errors > self.warm_start) & (levels < self.beta * highest)
        after = [counts, last, errors, totals, all_squares, highest]
        return first_true(alarms), np.stack([array[:, -1] for array in after])


def _mean_plus_deviations(n: np.ndarray, totals: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return mean + 2 standard deviations of n distances; all sums are of whole numbers, so nothing cancels."""
    at_least_one = np.maximum(n, 1)
    variances = np.maximum(n * squares - totals**2, 0) / (at_least_one * np.maximum(n - 1, 1))
    levels: np.ndarray = totals / at_least_one + 2 * np.sqrt(variances)
    return levels
