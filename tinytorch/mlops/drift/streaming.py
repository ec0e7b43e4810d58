"""Floor 2, drift: one stream detector per feature, fed row by row, that says when a change began.

What it adds to `univariate`: a memory from window to window (`update`), and windows that are good at first and bad at
the end (`detect_drift`). May import contracts and `stats`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.mlops.contracts import DriftReport
from tinytorch.mlops.drift._common import (
    DEFAULT_DRIFT_ALPHA,
    QUESTIONS_WITH_MISSING,
    StandardUnits,
    equivalent_shift,
    missing_shift,
    name_features,
    read_reference,
    read_window,
    require_fitted,
)
from tinytorch.mlops.validate import as_features, check_columns
from tinytorch.stats import CUSUM, adjust_pvalues, ks_2samp

# The smallest p-value is then 1/300, and 1/150 where missing values ask a second question: below the usual alpha.
N_SHUFFLES = 299
# Values of shuffled streams held at once: 32 MB.
VALUES_AT_ONCE = 4_000_000
# A two-sided CUSUM with this threshold raises a false alarm once in some 70,000 normal values, so that 64 features
# with 200 rows each mostly stay quiet; a shift of one standard deviation takes 20 rows instead of 10.
DEFAULT_THRESHOLD = 10.0


class AlarmStream(Protocol):
    """A `StreamDetector` that also says where its alarms were: all of `tinytorch.stats.streams`."""

    def update(self, values: ArrayLike) -> Any:
        """Take in rows of shape (n, n_streams)."""

    @property
    def drifted_streams(self) -> np.ndarray:
        """Which streams the last update raised an alarm in, booleans of shape (n_streams,)."""

    @property
    def alarms_(self) -> tuple[np.ndarray, ...]:
        """Positions of all alarms so far, one array per stream."""


def cusum_for_many_features() -> CUSUM:
    """Return the default stream detector: CUSUM for shifts of about one standard deviation, with rare false alarms.

    Examples
    --------
    >>> cusum_for_many_features().threshold
    10.0
    """
    return CUSUM(threshold=DEFAULT_THRESHOLD)


class StreamingDetector:
    """Runs a stream detector on every feature, in standard deviations of the reference.

    Two ways to use it. `update` is fed every window in turn and remembers: `drift_detected`, `drifted_features` and
    `alarms_` say what it found; how often it is wrong is the stream detector's own matter. `detect_drift` judges one
    window by itself and remembers nothing: a new stream detector reads the reference and then the window. Evidence is
    the number of alarms in the window and, between equal numbers, how soon the first one comes: number + share of the
    window from the first alarm on. Shuffling the rows of both together says how much evidence chance alone gives in
    any feature (Westfall and Young's correction, exact for rows that do not depend on their neighbours), so the chance
    of any false flag is at most `alpha`, whichever stream detector it is. A stream detector that is easily alarmed
    has little power then. Where there is an alarm at all, the time this takes grows with 300 times the values of
    reference and window.

    The effect size is that of the rows from the first alarm on: the shift of a normal distribution, in standard
    deviations, that would give their Kolmogorov-Smirnov distance from the reference; 0 without an alarm. How small a
    shift is let pass is the stream detector's own parameter, so `minimum_effect` of the report is 0.

    Parameters
    ----------
    make_stream : callable
        Returns a new detector of `tinytorch.stats.streams`. By default a CUSUM with threshold 10.
    alpha : float
        Chance that a window without drift has any feature flagged, at most.
    standardise : bool
        Whether to measure values in standard deviations of the reference, and those beyond 5 as 5. Switch it off
        for errors (0 or 1), as DDM, EDDM and HDDM read them.
    feature_names : sequence of str, optional
    seed : int
        Draws the shuffles of `detect_drift`.

    References
    ----------
    P. H. Westfall and S. S. Young, Resampling-Based Multiple Testing (1993), chapter 2 (the largest of all features).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> detector = StreamingDetector(feature_names=("age", "income")).fit(rng.normal(size=(500, 2)))
    >>> window = rng.normal(size=(200, 2))
    >>> window[150:, 1] += 1.5
    >>> print(detector.detect_drift(window, now=0.0))
    drift (high) in 1 of 2 features: income
    >>> detector.update(window[:150]).drift_detected, detector.update(window[150:]).drifted_features
    (False, ('income',))
    """

    def __init__(
        self,
        make_stream: Callable[[], AlarmStream] = cusum_for_many_features,
        alpha: float = DEFAULT_DRIFT_ALPHA,
        standardise: bool = True,
        feature_names: tuple[str, ...] | None = None,
        seed: int = 0,
    ) -> None:
        if not callable(make_stream):
            raise ValueError(f"make_stream must be callable, got {make_stream!r}.")
        self.make_stream = make_stream
        self.alpha = check_in_range(alpha, "alpha", QUESTIONS_WITH_MISSING / (1 + N_SHUFFLES), 1.0)
        self.standardise = bool(standardise)
        self.feature_names = None if feature_names is None else tuple(feature_names)
        self.seed = check_integer(seed, "seed")

    def fit(self, reference: np.ndarray) -> StreamingDetector:
        """Learn the reference of shape (n, n_features), rows in order of time; NaN stands for a missing value.

        The memory that `update` builds begins anew, after these rows.

        Raises
        ------
        ValueError
            If it is malformed, has fewer than 2 rows, a feature without any value, or not one column per name.
        """
        table = read_reference(reference, self.feature_names)
        units = StandardUnits.from_reference(table)
        stream = self.make_stream()
        stream.update(units.standardise(table) if self.standardise else table)
        stream.update(table[:0])  # so that no alarm within the reference is news
        self.reference_, self.units_, self.stream_ = table, units, stream
        self.feature_names_ = name_features(self.feature_names, table.shape[1])
        return self

    def update(self, values: np.ndarray) -> StreamingDetector:
        """Take in the next rows, shape (n, n_features), in order of time, and remember them; n may be 0.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the rows are malformed, have NaN or other columns than the reference. Nothing is remembered then.
        """
        require_fitted(self, "update")
        table = as_features(values, "values")
        check_columns(table, self.reference_.shape[1], "values")
        self.stream_.update(self.units_.standardise(table) if self.standardise else table)
        return self

    @property
    def drift_detected(self) -> bool:
        """Whether the last update raised an alarm in any feature."""
        return bool(self.drifted_features)

    @property
    def drifted_features(self) -> tuple[str, ...]:
        """The features in which the last update raised an alarm."""
        require_fitted(self, "drifted_features")
        return tuple(self.feature_names_[column] for column in np.flatnonzero(self.stream_.drifted_streams))

    @property
    def alarms_(self) -> tuple[np.ndarray, ...]:
        """Positions of all alarms, one array per feature; the first row after the reference has position 0."""
        require_fitted(self, "alarms_")
        n = len(self.reference_)
        return tuple(positions[positions >= n] - n for positions in self.stream_.alarms_)

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        """Judge a window of shape (n, n_features), rows in order of time, by itself; changes no memory.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the window is malformed or has other columns than the reference.
        """
        require_fitted(self)
        table = read_window(current, self.reference_.shape[1])
        evidence = self._shuffled_evidence(table)
        pvalue = _share_at_least(evidence, evidence[0])
        adjusted = _share_at_least(evidence.max(axis=1, keepdims=True), evidence[0])
        effect_size = self._effect_sizes(table, evidence[0])
        if np.isnan(self.reference_).any() or np.isnan(table).any():
            missing_pvalue, missing_effect = missing_shift(self.reference_, table)
            pvalue = _smaller_of_two(pvalue, missing_pvalue)
            adjusted = _smaller_of_two(adjusted, adjust_pvalues(missing_pvalue, "holm"))
            effect_size = np.maximum(effect_size, missing_effect)
        return DriftReport(
            feature_names=self.feature_names_,
            method=f"{type(self.make_stream()).__name__}, Westfall-Young with {N_SHUFFLES} shuffles",
            statistic=evidence[0],
            pvalue=pvalue,
            adjusted_pvalue=adjusted,
            effect_size=effect_size,
            missing_rate=np.isnan(table).mean(axis=0),
            alpha=self.alpha,
            minimum_effect=0.0,
            n_reference=len(self.reference_),
            n_current=len(table),
            timestamp=now,
        )

    def _shuffled_evidence(self, current: np.ndarray) -> np.ndarray:
        """Return the evidence of every shuffle, (1 + N_SHUFFLES, n_features); row 0 is what was observed.

        Without any alarm there is nothing to explain by chance, and row 0 is all.
        """
        rows = np.concatenate([self.reference_, current])
        observed = self._evidence(rows[np.newaxis])
        if not observed.any():
            return observed
        rng = np.random.default_rng(self.seed)
        orders = np.stack([rng.permutation(len(rows)) for _ in range(N_SHUFFLES)])
        at_once = max(1, VALUES_AT_ONCE // rows.size)
        parts = [self._evidence(rows[orders[start : start + at_once]]) for start in range(0, N_SHUFFLES, at_once)]
        return np.concatenate([observed, *parts])

    def _evidence(self, tables: np.ndarray) -> np.ndarray:
        """Return the evidence in tables of shape (n_tables, n + m, n_features), shape (n_tables, n_features)."""
        n_tables, n_rows, n_features = tables.shape
        n = len(self.reference_)
        streams = tables.transpose(1, 0, 2).reshape(n_rows, -1)
        if self.standardise:
            streams = _in_own_units(streams, n)
        detector = self.make_stream()
        detector.update(streams)
        alarms = (found[found >= n] for found in detector.alarms_)
        evidence = [len(found) + (n_rows - found[0]) / (n_rows - n) if len(found) else 0.0 for found in alarms]
        return np.array(evidence).reshape(n_tables, n_features)

    def _effect_sizes(self, current: np.ndarray, evidence: np.ndarray) -> np.ndarray:
        """Return, per feature, how far the rows from the first alarm on lie from the reference."""
        effect_sizes = np.zeros(len(evidence))
        for column in np.flatnonzero(evidence):
            share = evidence[column] - np.ceil(evidence[column]) + 1.0  # the number of alarms taken off, in (0, 1]
            reference, changed = self.reference_[:, column], current[-round(share * len(current)) :, column]
            reference, changed = reference[~np.isnan(reference)], changed[~np.isnan(changed)]
            if changed.size:
                distance = ks_2samp(reference, changed).statistic
                effect_sizes[column] = equivalent_shift(distance, len(reference) + len(changed))[0]
        return effect_sizes


def _in_own_units(streams: np.ndarray, n_reference: int) -> np.ndarray:
    """Measure every stream in standard deviations of its own first rows; shuffles are then treated like the data."""
    present = ~np.isnan(streams[:n_reference]).all(axis=0)
    standardised = np.zeros(streams.shape)
    units = StandardUnits.from_reference(streams[:n_reference, present])
    standardised[:, present] = units.standardise(streams[:, present])
    return standardised


def _share_at_least(evidence: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the share of rows of `evidence`, its own first row among them, that reach `observed`; 1 for no alarm."""
    share: np.ndarray = (evidence >= observed).mean(axis=0)
    return share


def _smaller_of_two(pvalue: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the p-value of the better of two questions, doubled because two were asked."""
    smaller: np.ndarray = np.minimum(1.0, QUESTIONS_WITH_MISSING * np.minimum(pvalue, other))
    return smaller
