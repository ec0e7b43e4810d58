"""DDM: the error rate of a model against the lowest it has been. Sits on the workbench `_scans`.

After n observations the error rate is p with the standard deviation s = sqrt(p (1 - p) / n). An alarm is raised where
p + s > p_min + drift_threshold * s_min, with p_min and s_min taken where p + s was lowest.
"""

from __future__ import annotations

import numpy as np

from tinytorch._arguments import check_integer, check_positive
from tinytorch.stats.streams._scans import (
    BLOCK_VALUES,
    LONGEST_CYCLE,
    advance_with_restarts,
    at_record,
    first_true,
    record_steps,
    running_sum,
)
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase, check_errors


class DDM(StreamDetectorBase):
    """Raise an alarm when a model's error rate has risen significantly above its lowest.

    With the default parameters, the share of streams of 10,000 independent observations with a false alarm is 62% at
    an error rate of 0.05, 45% at 0.1 and 20% at 0.3, most of them in the first thousand: the lowest rate is taken while
    the counts are still small. After a faultless start the very next error raises one.

    Parameters
    ----------
    warm_start : int
        Observations after a start before anything is compared.
    drift_threshold : float
        Rise that raises the alarm, in standard deviations of the lowest error rate.

    Raises
    ------
    ValueError
        If `warm_start` is not an integer >= 1 or `drift_threshold` not > 0; from `update`, if a value is not 0 or 1.

    Notes
    -----
    Alarms and restarts are those of `river.drift.binary.DDM` (versions 0.23 and 0.26); there is no warning zone.

    References
    ----------
    Gama, J., Medas, P., Castillo, G. and Rodrigues, P. (2004). Learning with drift detection. SBIA 2004, 286-295.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4])
    >>> DDM().update(errors).alarms_
    (array([1041]),)
    """

    _cycle = LONGEST_CYCLE
    _block_values = BLOCK_VALUES

    def __init__(self, warm_start: int = 30, drift_threshold: float = 3.0) -> None:
        super().__init__()
        self.warm_start = check_integer(warm_start, "warm_start", minimum=1)
        self.drift_threshold = check_positive(drift_threshold, "drift_threshold")

    def _check_values(self, table: np.ndarray) -> None:
        check_errors(table)

    def _start(self, n_streams: int) -> np.ndarray:
        """Count, errors, lowest rate, and its deviation; the sum of the last two is infinite at first."""
        state = np.zeros((4, n_streams))
        state[2] = np.inf
        return state

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, table, position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        count, total, lowest_rate, lowest_deviation = state
        counts = count[:, np.newaxis] + np.arange(1.0, values.shape[1] + 1)
        errors = running_sum(values, total)
        rates = errors / counts
        deviations = np.sqrt(rates * (1 - rates) / counts)
        warm = counts > self.warm_start
        levels = np.where(warm, rates + deviations, np.inf)
        records = record_steps(levels, lowest_rate + lowest_deviation, ties=True)
        lowest_rates = at_record(np.where(warm, rates, np.inf), lowest_rate, records)
        lowest_deviations = at_record(deviations, lowest_deviation, records)
        alarms = warm & (rates + deviations > lowest_rates + self.drift_threshold * lowest_deviations)
        after = np.stack([counts[:, -1], errors[:, -1], lowest_rates[:, -1], lowest_deviations[:, -1]])
        return first_true(alarms), after
