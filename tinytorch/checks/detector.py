"""Floor 3, the marking room: what every drift detector must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinytorch.checks.calls import in_words, malformed_tables, must_refuse, require, require_unchanged, watch
from tinytorch.mlops.contracts import Detector, DriftReport

MakeDetector = Callable[[], Detector]

# What the demo compares: a training set of 600 rows with a window of 200.
N_REFERENCE = 600
N_CURRENT = 200
N_FEATURES = 5
# Whole numbers from 0 to 10, so that a detector for categories can be tried as well as one for numbers.
LOWEST, MIDDLE, HIGHEST = 0, 5, 10
ONE_SIGMA = 2.0
MOVED = 2
NOW = 7200.0
SEED = 15
# With alpha at 5%, more than 2 of 8 clean windows are flagged in 1 run of 170; at 1%, in 1 of 19,000 (binomial).
N_CLEAN_WINDOWS = 8
MOST_FALSE_ALARMS = 2
# A shift of one standard deviation, measured in any reasonable way.
SMALLEST_EFFECT, LARGEST_EFFECT_SEEN = 0.5, 2.0
# A quarter of the rows holds something that the reference never held.
SHARE_SPOILED = 0.25
FAR_OUTSIDE = 1000.0


def check_detector(make_detector: MakeDetector) -> None:
    """Try a detector: a shift of one sigma is flagged, the same data are not, and no table makes it stumble.

    Parameters
    ----------
    make_detector : callable
        `make_detector()` returns a new detector with an `alpha` of at most 0.05; whether it is fitted already makes
        no difference, as `fit` is called before it is used.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.drift import UnivariateDetector
    >>> check_detector(UnivariateDetector)
    """
    for try_out in (
        _answers_in_records,
        _flags_one_sigma,
        _stays_quiet_on_the_same_data,
        _counts_values_far_outside,
        _counts_missing_values,
        _takes_constant_columns,
        _changes_nothing,
        _keeps_its_own_reference,
        _refuses_bad_references,
        _refuses_bad_windows,
        _says_when_unfitted,
    ):
        try_out(make_detector)


def draw_grades(n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return a table of whole numbers from 0 to 10, bell-shaped, of shape (n_rows, 5).

    Examples
    --------
    >>> draw_grades(2, np.random.default_rng(0)).shape
    (2, 5)
    """
    table: np.ndarray = np.clip(np.round(rng.normal(MIDDLE, ONE_SIGMA, (n_rows, N_FEATURES))), LOWEST, HIGHEST)
    return table


def _draw_pair() -> tuple[np.ndarray, np.ndarray]:
    """Return a reference and a window of the same kind."""
    rng = np.random.default_rng(SEED)
    return draw_grades(N_REFERENCE, rng), draw_grades(N_CURRENT, rng)


def _fitted(make_detector: MakeDetector, reference: np.ndarray) -> Detector:
    """Return a watched detector with this reference, and look at what `fit` gives back."""
    detector = watch(make_detector, "make_detector")()
    returned = watch(detector, "detector").fit(reference)
    require(returned is detector, "detector.fit(reference)", "the detector itself", returned)
    return watch(detector, "detector")


def _detect(detector: Detector, current: np.ndarray, situation: str) -> DriftReport:
    """Return the report on a window, which must be a `DriftReport` without NaN."""
    report = detector.detect_drift(current, NOW)
    require(isinstance(report, DriftReport), f"detect_drift of {situation}", "a DriftReport", report)
    for name in ("pvalue", "adjusted_pvalue"):
        values = getattr(report, name)
        in_range = bool(((values >= 0) & (values <= 1)).all())
        require(in_range, f"detect_drift of {situation}", f"{name} from 0 to 1", values)
    return report


def _answers_in_records(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    report = _detect(_fitted(make_detector, reference), current, "a window")
    rows = (report.n_reference, report.n_current)
    require(rows == (N_REFERENCE, N_CURRENT), "n_reference, n_current of a report", "(600, 200)", rows)
    require(report.timestamp == NOW, f"timestamp of detect_drift(current, now={NOW})", f"{NOW}", report.timestamp)
    smaller = bool((report.adjusted_pvalue < report.pvalue).any())
    require(not smaller, "adjusted_pvalue of a report", "at least pvalue", report.adjusted_pvalue)


def _flags_one_sigma(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    current[:, MOVED] += ONE_SIGMA
    situation = "a window in which one of five features moved by one standard deviation"
    report = _detect(_fitted(make_detector, reference), current, situation)
    require(report.drifted, f"detect_drift of {situation}", "drift", report)
    largest = float(np.abs(report.effect_size).max())
    is_sigma = SMALLEST_EFFECT <= largest <= LARGEST_EFFECT_SEEN
    require(is_sigma, f"effect_size in {situation}", "about 1, in standard deviations", report.effect_size)
    if len(report.feature_names) == N_FEATURES:
        flagged = np.flatnonzero(report.is_drifted)
        require(flagged.tolist() == [MOVED], f"detect_drift of {situation}", f"column {MOVED} flagged", flagged)


def _stays_quiet_on_the_same_data(make_detector: MakeDetector) -> None:
    reference, _ = _draw_pair()
    detector = _fitted(make_detector, reference)
    report = _detect(detector, reference[::3], "every third row of the reference")
    require(not report.drifted, "detect_drift of every third row of the reference", "no drift", report)
    rng = np.random.default_rng(SEED + 1)
    windows = [draw_grades(N_CURRENT, rng) for _ in range(N_CLEAN_WINDOWS)]
    n_flagged = sum(_detect(detector, window, "a clean window").drifted for window in windows)
    situation = f"detect_drift of {N_CLEAN_WINDOWS} windows drawn like the reference"
    require(n_flagged <= MOST_FALSE_ALARMS, situation, "hardly any flagged", f"{n_flagged} flagged")


def _counts_values_far_outside(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    n_spoiled = int(SHARE_SPOILED * N_CURRENT)
    current[:n_spoiled, MOVED] = FAR_OUTSIDE
    situation = "a window in which a quarter of one column lies far outside the reference's range"
    report = _detect(_fitted(make_detector, reference), current, situation)
    require(report.drifted, f"detect_drift of {situation}", "drift", report)


def _counts_missing_values(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    current[: int(SHARE_SPOILED * N_CURRENT), MOVED] = np.nan
    situation = "a window in which a quarter of one column is missing (NaN)"
    report = _detect(_fitted(make_detector, reference), current, situation)
    require(report.drifted, f"detect_drift of {situation}", "drift", report)
    highest = float(report.missing_rate.max())
    require(highest == SHARE_SPOILED, f"missing_rate of {situation}", f"{SHARE_SPOILED} there", report.missing_rate)


def _takes_constant_columns(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    reference[:, MOVED] = current[:, MOVED] = MIDDLE
    detector = _fitted(make_detector, reference)
    report = _detect(detector, current, "a column that is constant, now as before")
    require(not report.drifted, "detect_drift of a column that is constant, now as before", "no drift", report)
    current[:, MOVED] = HIGHEST
    report = _detect(detector, current, "a constant column that holds another value now")
    require(report.drifted, "detect_drift of a constant column that holds another value now", "drift", report)


def _changes_nothing(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    current[:, MOVED] += ONE_SIGMA
    kept_reference, kept_current = reference.copy(), current.copy()
    detector = _fitted(make_detector, reference)
    require_unchanged(reference, kept_reference, "detector.fit")
    first = _detect(detector, current, "a window")
    require_unchanged(current, kept_current, "detector.detect_drift")
    _detect(detector, reference[:N_CURRENT], "another window")
    require_same_report(_detect(detector, current, "a window"), first, "the same window for the second time")


def require_same_report(report: DriftReport, expected: DriftReport, situation: str) -> None:
    """Raise `ContractError` unless two reports hold the same numbers.

    Examples
    --------
    >>> report = DriftReport(("a",), "KS", [0.1], [0.4], [0.4], [0.1], [0.0], alpha=0.01, minimum_effect=0.1,
    ...                      n_reference=600, n_current=200, timestamp=0.0)
    >>> require_same_report(report, report, "the same window")
    """
    same = report.to_dict() == expected.to_dict()
    numbers = f"the same report as before, effects {in_words(expected.effect_size)}"
    require(same, f"detect_drift of {situation}", numbers, f"effects {in_words(report.effect_size)}")


def _keeps_its_own_reference(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    given = reference.copy()
    detector = _fitted(make_detector, given)
    before = _detect(detector, current, "a window")
    given += ONE_SIGMA
    after = _detect(detector, current, "a window")
    require_same_report(after, before, "a window after the caller changed its own reference array")
    watch(detector, "detector").fit(given)
    report = _detect(detector, current, "a window after fit with another reference")
    require(report.drifted, "detect_drift after fit with a reference one sigma higher", "drift", report)


def _refuses_bad_references(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    detector = _fitted(make_detector, reference)
    before = _detect(detector, current, "a window")
    empty_column = reference.copy()
    empty_column[:, MOVED] = np.nan
    bad = {**malformed_tables(reference), "a column without any value": empty_column}
    for what, table in bad.items():
        must_refuse(partial(detector.fit, table), f"detector.fit with {what}")
    require_same_report(_detect(detector, current, "a window"), before, "a window after fits that were refused")


def _refuses_bad_windows(make_detector: MakeDetector) -> None:
    reference, current = _draw_pair()
    detector = _fitted(make_detector, reference)
    before = _detect(detector, current, "a window")
    bad = {**malformed_tables(current), "a column too few": current[:, 1:]}
    for what, table in bad.items():
        call = f"detector.detect_drift of a window with {what}"
        must_refuse(partial(detector.detect_drift, table, NOW), call)
    require_same_report(_detect(detector, current, "a window"), before, "a window after others were refused")


def _says_when_unfitted(make_detector: MakeDetector) -> None:
    """A detector that was fitted by its constructor may answer, or find the width wrong."""
    detector = watch(watch(make_detector, "make_detector")(), "detector")
    answers: list[object] = []
    _, current = _draw_pair()

    def detect() -> None:
        answers.append(detector.detect_drift(current, NOW))
        raise ValueError("a report is as good as a refusal here")

    must_refuse(watch(detect, "detect_drift"), "detector.detect_drift before fit")
    require(all(isinstance(answer, DriftReport) for answer in answers), "detect_drift before fit", "a refusal", answers)
