"""HDDM_A: the mean of bounded values against the lowest it can have been. Sits on the workbench `_scans`.

By Hoeffding's inequality the mean of n values in [0, 1] lies within e(n) = sqrt(log(1 / confidence) / (2 n)) of the
true one. The cut is where mean + e(n) was lowest; an alarm is raised where the mean of all values has risen above the
mean up to the cut by sqrt(log(2 / confidence) (n - n_cut) / (2 n n_cut)) or more.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.stats.streams._scans import (
    BLOCK_VALUES,
    LONGEST_CYCLE,
    advance_with_restarts,
    at_record,
    first_true,
    record_steps,
    running_sum,
)
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase, check_fractions


class HDDM_A(StreamDetectorBase):
    """Raise an alarm when the mean of values in [0, 1] has risen, by Hoeffding's bound on averages.

    Made for sudden changes; `HDDM_W` is for gradual ones. With the default parameters, the share of streams of 10,000
    independent observations with a false alarm is 2% at an error rate of 0.1 and 16% at 0.3.

    Parameters
    ----------
    drift_confidence : float in (0, 1)
        Smaller means fewer false alarms and later true ones. It bounds the false alarms of one comparison.
    two_sided : bool
        Raise alarms for falls of the mean as well.

    Raises
    ------
    ValueError
        If `drift_confidence` is not in (0, 1); from `update`, if a value is not in [0, 1].

    Notes
    -----
    Alarms and restarts are those of river 0.26's `drift.binary.HDDMA` (`HDDM_A` in 0.23); there is no warning zone.

    References
    ----------
    Frias-Blanco, I., del Campo-Avila, J., Ramos-Jimenez, G., Morales-Bueno, R., Ortiz-Diaz, A. and Caballero-Mota, Y.
    (2015). Online and non-parametric drift detection methods based on Hoeffding's bounds. IEEE Transactions on
    Knowledge and Data Engineering 27, 810-823.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4])
    >>> HDDM_A().update(errors).alarms_
    (array([1017]),)
    """

    _cycle = LONGEST_CYCLE
    _block_values = BLOCK_VALUES

    def __init__(self, drift_confidence: float = 0.001, two_sided: bool = False) -> None:
        super().__init__()
        self.drift_confidence = check_in_range(drift_confidence, "drift_confidence", 0.0, 1.0, open_ends=True)
        self.two_sided = bool(two_sided)

    def _check_values(self, table: np.ndarray) -> None:
        check_fractions(table)

    def _start(self, n_streams: int) -> np.ndarray:
        """Count, total; then for rises and for falls: level, count and mean at the cut."""
        state = np.zeros((8, n_streams))
        state[[2, 5]] = np.inf
        return state

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, table, position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        counts = state[0][:, np.newaxis] + np.arange(1.0, values.shape[1] + 1)
        totals = running_sum(values, state[1])
        means = totals / counts
        alarms, cut = self._rises(counts, means, state[2:5])
        fall_cut = state[5:]
        if self.two_sided:
            falls, fall_cut = self._rises(counts, -means, fall_cut)
            alarms |= falls
        return first_true(alarms), np.stack([counts[:, -1], totals[:, -1], *cut, *fall_cut])

    def _rises(self, counts: np.ndarray, means: np.ndarray, cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where the mean has risen above that of the cut, and the cut after the block."""
        levels = means + np.sqrt(math.log(1 / self.drift_confidence) / (2 * counts))
        records = record_steps(levels, cut[0], ties=True)
        cut_counts, cut_means = at_record(counts, cut[1], records), at_record(means, cut[2], records)
        cut_levels = at_record(levels, cut[0], records)
        newer_share = (counts - cut_counts) / (counts * cut_counts)
        bounds = np.sqrt(newer_share / 2 * math.log(2 / self.drift_confidence))
        alarms = (counts > cut_counts) & (means - cut_means >= bounds)
        return alarms, np.stack([cut_levels[:, -1], cut_counts[:, -1], cut_means[:, -1]])
