"""StreamingDetector: a memory from window to window, and windows judged alone at a level that holds for any stream."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.checks.detector import check_detector
from tinytorch.datasets import FEATURE_NAMES, load_digits
from tinytorch.mlops.drift import StreamingDetector, UnivariateDetector
from tinytorch.mlops.validate import NotFittedError
from tinytorch.stats import ADWIN, CUSUM, DDM, EWMA, PageHinkley

# Easily alarmed on standardised values: without calibration most clean windows would be flagged.
NERVOUS = [partial(CUSUM, threshold=3.0), partial(PageHinkley, threshold=10.0), partial(EWMA, n_sigmas=2.0)]


def normal(n_rows: int, n_features: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(n_rows, n_features))


@pytest.mark.parametrize("make_stream", [None, ADWIN], ids=["CUSUM", "ADWIN"])
def test_it_keeps_the_contract_of_detectors(make_stream):
    check_detector(partial(StreamingDetector, make_stream) if make_stream else StreamingDetector)


@pytest.mark.parametrize("make_stream", NERVOUS, ids=["CUSUM", "PageHinkley", "EWMA"])
def test_false_alarms_stay_below_alpha_even_with_a_nervous_stream(make_stream, most_false_alarms):
    rng = np.random.default_rng(1)
    n_windows = 20
    detector = StreamingDetector(make_stream, alpha=0.1)
    n_flagged = n_alarmed = 0
    for _ in range(n_windows):
        detector.fit(normal(60, 2, rng))
        report = detector.detect_drift(normal(60, 2, rng), 0.0)
        n_flagged, n_alarmed = n_flagged + report.drifted, n_alarmed + bool(report.statistic.any())
    assert n_alarmed > most_false_alarms(0.1, n_windows)  # the streams alone would break the level
    assert n_flagged <= most_false_alarms(0.1, n_windows)


def test_default_false_alarms_stay_below_alpha_with_heavy_tails(most_false_alarms):
    rng = np.random.default_rng(2)
    n_windows = 60
    detector = StreamingDetector(alpha=0.05)
    n_flagged = 0
    for _ in range(n_windows):
        detector.fit(rng.standard_t(2, size=(200, 4)))
        n_flagged += detector.detect_drift(rng.standard_t(2, size=(100, 4)), 0.0).drifted
    assert n_flagged <= most_false_alarms(0.05, n_windows)


def test_a_shift_at_the_end_of_a_window_is_found_where_the_univariate_detector_calls_it_small():
    """Ten bad rows of 200 move 5% of the rows at most, 0.13 standard deviations over the whole window."""
    rng = np.random.default_rng(3)
    reference, window = normal(600, 5, rng), normal(200, 5, rng)
    window[-10:, 4] += 4.0
    assert "feature_4" not in UnivariateDetector().fit(reference).detect_drift(window, 0.0).drifted_features
    report = StreamingDetector().fit(reference).detect_drift(window, 0.0)
    assert report.drifted_features == ("feature_4",)
    assert report.effect_size[4] > 2.0


def test_adjusted_pvalues_are_those_of_the_largest_feature_of_every_shuffle():
    rng = np.random.default_rng(4)
    window = normal(100, 3, rng)
    window[50:, 0] += 1.0
    report = StreamingDetector(partial(CUSUM, threshold=3.0)).fit(normal(200, 3, rng)).detect_drift(window, 0.0)
    assert (report.adjusted_pvalue >= report.pvalue).all()
    assert report.pvalue.min() == pytest.approx(1 / 300)
    assert (300 * report.pvalue).round(6).tolist() == np.rint(300 * report.pvalue).tolist()


def test_corrupted_digits_are_caught_row_by_row():
    digits = load_digits()
    row = slice(24, 32)  # one row of pixels of the image
    clean = digits.validation.features[:150, row]
    dead = clean.copy()
    dead[100:, 3] = 0.0
    detector = StreamingDetector(feature_names=FEATURE_NAMES[row]).fit(digits.training.features[:, row])
    assert not detector.detect_drift(clean, 0.0).drifted
    assert detector.detect_drift(dead, 0.0).drifted_features == (FEATURE_NAMES[27],)


def test_memory_goes_from_window_to_window_and_detect_drift_leaves_it_alone():
    rng = np.random.default_rng(5)
    detector = StreamingDetector(feature_names=("a", "b")).fit(normal(400, 2, rng))
    assert not detector.drift_detected and [len(found) for found in detector.alarms_] == [0, 0]
    small = np.concatenate([normal(30, 2, rng) + np.array([0.0, shift]) for shift in (0.0, 0.9, 0.9)])
    seen = []
    for start in range(0, len(small), 10):
        detector.detect_drift(normal(50, 2, rng) + 3.0, 0.0)
        seen.append(detector.update(small[start : start + 10]).drifted_features)
    assert seen[:3] == [()] * 3 and ("b",) in seen[3:] and not any("a" in names for names in seen)
    assert 30 <= detector.alarms_[1][0] < 90


@given(st.lists(st.integers(0, 120), max_size=5))
@settings(max_examples=15)
def test_the_cut_into_windows_does_not_matter(cuts):
    rng = np.random.default_rng(6)
    reference, values = normal(100, 2, rng), np.cumsum(normal(120, 2, rng), axis=0) / 3
    whole = StreamingDetector().fit(reference).update(values)
    parts = StreamingDetector().fit(reference)
    for part in np.split(values, sorted(cuts)):
        parts.update(part)
    for one, other in zip(whole.alarms_, parts.alarms_, strict=True):
        assert one.tolist() == other.tolist()
    assert sum(len(found) for found in whole.alarms_) > 0


def test_the_error_stream_of_a_model_is_read_as_it_is():
    rng = np.random.default_rng(7)
    reference, later = (rng.random(500) < 0.1).astype(float), (rng.random(300) < 0.4).astype(float)
    detector = StreamingDetector(partial(DDM, drift_threshold=4.0), standardise=False).fit(reference)
    expected = DDM(drift_threshold=4.0).update(np.concatenate([reference, later])).alarms_[0]
    detector.update(later)
    assert detector.drift_detected
    assert detector.alarms_[0].tolist() == (expected[expected >= 500] - 500).tolist()
    assert detector.detect_drift(later, 0.0).drifted
    with pytest.raises(ValueError, match="values must be 0"):
        detector.update([0.5])


def test_rows_that_are_refused_leave_no_trace_in_memory():
    rng = np.random.default_rng(8)
    reference, values = normal(100, 2, rng), normal(60, 2, rng) + 0.8
    undisturbed = StreamingDetector().fit(reference).update(values)
    detector = StreamingDetector().fit(reference).update(values[:25])
    for bad in ([[np.nan, 0.0]], [[np.inf, 0.0]], [[1.0]], [["a", "b"]], [[0.0], [0.0, 1.0]], np.zeros((1, 1, 2))):
        with pytest.raises(ValueError, match="values"):
            detector.update(bad)
    detector.update(values[25:])
    assert [found.tolist() for found in detector.alarms_] == [found.tolist() for found in undisturbed.alarms_]
    assert detector.alarms_[0].size


def test_bad_tables_are_refused_and_leave_no_trace(refuses_without_a_trace):
    rng = np.random.default_rng(9)
    reference, window = normal(60, 3, rng), normal(40, 3, rng) + 1.0
    infinite = np.where(np.arange(60)[:, np.newaxis] == 3, np.inf, reference)
    bad = [infinite, reference[:1], [["a"] * 3] * 4, np.zeros((2, 2, 2))]
    empty_column = np.where(np.arange(3) == 1, np.nan, reference)
    refuses_without_a_trace(StreamingDetector().fit(reference), window, [*bad, empty_column], [*bad, reference[:, 1:]])


@pytest.mark.parametrize("use", ["drift_detected", "drifted_features", "alarms_", "update", "detect_drift"])
def test_an_unfitted_detector_says_so(use):
    detector = StreamingDetector()
    with pytest.raises(NotFittedError, match="must be fitted before"):
        found = getattr(detector, use)
        found(np.zeros((5, 1)), *([0.0] if use == "detect_drift" else []))


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"make_stream": CUSUM()}, "make_stream must be callable"),
        ({"alpha": 0.001}, "alpha must be in"),
        ({"seed": 0.5}, "seed must be an integer"),
    ],
)
def test_the_constructor_refuses_what_breaks_a_rule(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        StreamingDetector(**arguments)
