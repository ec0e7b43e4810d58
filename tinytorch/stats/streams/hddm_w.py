"""HDDM_W: a fading mean of bounded values against the lowest it can have been. Sits on the workbench `_scans`.

The mean m_t = smoothing x_t + (1 - smoothing) m_(t-1), m_1 = x_1, has the bound (McDiarmid) e_t = sqrt(c_t
log(1 / confidence) / 2), where c_t is the sum of its squared weights. The cut is where m + e was lowest. A second mean
starts behind the cut; an alarm is raised where it stands above m at the cut by more than the bound for both.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.stats.streams._scans import (
    BLOCK_VALUES,
    FadingSum,
    advance_with_restarts,
    at_record,
    first_true,
    record_steps,
)
from tinytorch.stats.streams._stream import Alarms, StreamDetectorBase, check_fractions


class HDDM_W(StreamDetectorBase):
    """Raise an alarm when the fading mean of values in [0, 1] has risen, by McDiarmid's bound on weighted averages.

    Made for gradual changes; `HDDM_A` is for sudden ones. With the default parameters, the share of streams of 10,000
    independent observations with a false alarm is 0% at an error rate of 0.1 and 99% at 0.3 (one every 2,700
    observations): with `smoothing` so large the bound is wide at low rates and met by chance at high ones.

    Parameters
    ----------
    drift_confidence : float in (0, 1)
        Smaller means fewer false alarms and later true ones. It bounds the false alarms of one comparison.
    smoothing : float in (0, 1)
        Weight of the newest value.
    two_sided : bool
        Raise alarms for falls of the mean as well.

    Raises
    ------
    ValueError
        If `drift_confidence` or `smoothing` is not in (0, 1); from `update`, if a value is not in [0, 1].

    Notes
    -----
    Alarms and restarts are those of river 0.26's `drift.binary.HDDMW`; there is no warning zone. (River 0.23's
    `HDDM_W` lost every 0 before the first other value from its means, and so raised other alarms.)

    References
    ----------
    Frias-Blanco, I., del Campo-Avila, J., Ramos-Jimenez, G., Morales-Bueno, R., Ortiz-Diaz, A. and Caballero-Mota, Y.
    (2015). Online and non-parametric drift detection methods based on Hoeffding's bounds. IEEE Transactions on
    Knowledge and Data Engineering 27, 810-823.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(200) < 0.4])
    >>> HDDM_W().update(errors).alarms_
    (array([1017]),)
    """

    _block_values = BLOCK_VALUES

    def __init__(
        self,
        drift_confidence: float = 0.001,
        smoothing: float = 0.05,
        two_sided: bool = False,
    ) -> None:
        super().__init__()
        self.drift_confidence = check_in_range(drift_confidence, "drift_confidence", 0.0, 1.0, open_ends=True)
        self.smoothing = check_in_range(smoothing, "smoothing", 0.0, 1.0, open_ends=True)
        self.two_sided = bool(two_sided)
        self._fading = FadingSum(1.0 - smoothing)
        self._cycle = self._fading.cycle

    def _check_values(self, table: np.ndarray) -> None:
        check_fractions(table)

    def _start(self, n_streams: int) -> np.ndarray:
        """Count, scaled sum; then for rises and for falls: level, count and mean at the cut, first value behind it."""
        state = np.zeros((10, n_streams))
        state[[2, 6]] = np.inf
        return state

    def _advance(self, state: np.ndarray, table: np.ndarray, position: int) -> tuple[np.ndarray, Alarms]:
        return advance_with_restarts(self, state, table, position)

    def _scan(self, state: np.ndarray, values: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        counts = state[0][:, np.newaxis] + np.arange(1.0, values.shape[1] + 1)
        weighted = values * self.smoothing
        weighted[:, 0] = np.where(state[0] == 0, values[:, 0], weighted[:, 0])  # the mean of one value is that value
        means, carried = self._fading.scan(weighted, state[1], position)
        alarms, cut = self._rises(counts, means, values, state[2:6])
        fall_cut = state[6:]
        if self.two_sided:
            falls, fall_cut = self._rises(counts, -means, -values, fall_cut)
            alarms |= falls
        return first_true(alarms), np.stack([counts[:, -1], carried, *cut, *fall_cut])

    def _rises(
        self, counts: np.ndarray, means: np.ndarray, values: np.ndarray, cut: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return where the mean behind the cut has risen above that up to the cut, and the cut after the block.

        The mean behind the cut is the mean of all, less what it still owes to the values up to the cut, with the
        first value behind the cut put in the place of their mean.
        """
        log_confidence = math.log(1 / self.drift_confidence)
        levels = means + np.sqrt(self._squared_weights(counts) * log_confidence / 2)
        records = record_steps(levels, cut[0], ties=False)
        cut_counts, cut_means = at_record(counts, cut[1], records), at_record(means, cut[2], records)
        first_behind = _first_behind(values, records, cut[3], counts[:, 0] == cut[1] + 1)
        ages = counts - cut_counts
        newer_means = means + np.exp(ages * math.log(1 - self.smoothing)) * (first_behind - cut_means)
        both = self._squared_weights(cut_counts) + self._squared_weights(ages)
        alarms = (ages > 0) & (newer_means - cut_means > np.sqrt(both * log_confidence / 2))
        cut_levels = at_record(levels, cut[0], records)
        return alarms, np.stack([cut_levels[:, -1], cut_counts[:, -1], cut_means[:, -1], first_behind[:, -1]])

    def _squared_weights(self, counts: np.ndarray) -> np.ndarray:
        """Return the sum of squared weights after `counts` values, reckoned as the method does: 1 after none."""
        kept = (1 - self.smoothing) ** 2
        limit = self.smoothing**2 / (1 - kept)
        return limit + (1 - limit) * np.exp(counts * math.log(kept))


def _first_behind(
    values: np.ndarray, records: np.ndarray, carried: np.ndarray, cut_just_before: np.ndarray
) -> np.ndarray:
    """Return the first value behind the cut in force at each step (of no meaning at the cut itself)."""
    carried = np.where(cut_just_before, values[:, 0], carried)
    following = np.column_stack([values[:, 1:], values[:, -1]])
    return at_record(following, carried, records)
