"""What every stream detector promises, tried on all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats import streams
from tinytorch.stats.streams import (
    ADWIN,
    CUSUM,
    DDM,
    EDDM,
    EWMA,
    HDDM_A,
    HDDM_W,
    KSWIN,
    PageHinkley,
    Shewhart,
)

OF_VALUES = {
    "ADWIN": ADWIN,
    "ADWIN with every check": partial(ADWIN, clock=1),
    "CUSUM": CUSUM,
    "CUSUM upwards": partial(CUSUM, mode="up", threshold=12.0),
    "EWMA": EWMA,
    "EWMA with hardly any memory": partial(EWMA, smoothing=0.97),
    "KSWIN": partial(KSWIN, window_size=40, stat_size=12),
    "PageHinkley": PageHinkley,
    "PageHinkley that forgets nothing": partial(PageHinkley, fading=1.0),
    "PageHinkley that forgets fast": partial(PageHinkley, fading=0.8, threshold=6.0),
    "Shewhart": Shewhart,
}
OF_ERRORS = {
    "DDM": DDM,
    "EDDM": EDDM,
    "HDDM_A": HDDM_A,
    "HDDM_A on both sides": partial(HDDM_A, two_sided=True),
    "HDDM_W": HDDM_W,
    "HDDM_W on both sides": partial(HDDM_W, two_sided=True),
}
EVERY = OF_VALUES | OF_ERRORS
of_every_detector = pytest.mark.parametrize("name", EVERY)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def table_for(changing_values, changing_errors) -> Callable[..., np.ndarray]:
    """A function (name, seed, n_streams, n) -> table of values that the detector reads."""

    def make(name: str, seed: int, n_streams: int = 1, n: int = 1500) -> np.ndarray:
        source = changing_values if name in OF_VALUES else changing_errors
        return np.column_stack([source(seed + 7919 * stream, n) for stream in range(n_streams)])

    return make


def listed(detector) -> list[list[int]]:
    return [found.tolist() for found in detector.alarms_]


def test_every_detector_is_tried_here():
    tried = {getattr(make, "func", make).__name__ for make in EVERY.values()}
    assert tried == set(streams.__all__)


@of_every_detector
@settings(max_examples=12)
@given(seed=seeds, cuts=st.lists(st.integers(0, 1500), max_size=12))
def test_streams_cut_anywhere_give_the_same_alarms(table_for, name, seed, cuts):
    table = table_for(name, seed, n_streams=2)
    whole = EVERY[name]().update(table)
    parts = EVERY[name]()
    for part in np.split(table, sorted(cuts)):
        parts.update(part)
    assert listed(parts) == listed(whole)
    assert parts.n_observations == whole.n_observations == len(table)


@of_every_detector
@pytest.mark.parametrize("seed", [5, 6, 7])
def test_one_value_at_a_time_gives_the_alarms_of_the_batch(table_for, name, seed):
    values = table_for(name, seed, n=400)[:, 0]
    whole, single = EVERY[name]().update(values), EVERY[name]()
    fired = [position for position, value in enumerate(values) if single.update(value).drift_detected]
    assert [fired] == listed(single) == listed(whole)


@of_every_detector
@settings(max_examples=8)
@given(seed=seeds)
def test_parallel_streams_give_the_alarms_that_each_gives_alone(table_for, name, seed):
    table = table_for(name, seed, n_streams=5)
    together = EVERY[name]().update(table)
    alone = [listed(EVERY[name]().update(stream))[0] for stream in table.T]
    assert listed(together) == alone


@of_every_detector
def test_the_data_of_the_shared_tests_raise_alarms(table_for, name):
    found = [len(alarms) for seed in range(4) for alarms in EVERY[name]().update(table_for(name, seed, 3)).alarms_]
    assert sum(found) >= 4, found


@of_every_detector
def test_a_cut_across_many_blocks_changes_nothing(table_for, name):
    """Longer than any block, cycle or segment, in one piece and in large odd ones."""
    n = 20_000 if "KSWIN" not in name else 4000
    rng = np.random.default_rng(8)
    table = rng.normal(0, 0.5, (n, 2)) if name in OF_VALUES else (rng.random((n, 2)) < 0.2).astype(float)
    table[n // 2 :] = 1.0
    whole, parts = EVERY[name]().update(table), EVERY[name]()
    for part in np.split(table, [1, 600, n // 3, n // 2 + 1, n - 5]):
        parts.update(part)
    assert listed(parts) == listed(whole)


@of_every_detector
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([0.0, np.nan], "NaN"),
        ([0.0, np.inf], "finite"),
        ("text", "numbers"),
        ([[0.0], [0.0, 1.0]], "numbers"),
        ([[0.0, 1.0]], r"of shape \(n,\) or \(n, 1\), got shape \(1, 2\)"),
        (np.zeros((2, 1, 1)), "shape"),
        (np.zeros((2, 0)), "shape"),
    ],
)
def test_a_failed_update_leaves_the_detector_as_it_was(table_for, name, bad, message):
    values = table_for(name, 3, n=900)
    detector, untouched = EVERY[name](), EVERY[name]()
    for part in np.split(values, [450]):
        detector.update(part)
        before = (listed(detector), detector.drift_detected, detector.n_observations)
        with pytest.raises(ValueError, match=message):
            detector.update(bad)
        assert (listed(detector), detector.drift_detected, detector.n_observations) == before
    assert listed(detector) == listed(untouched.update(values))


@of_every_detector
def test_a_failed_first_update_does_not_fix_the_number_of_streams(name):
    detector = EVERY[name]()
    with pytest.raises(ValueError, match="NaN"):
        detector.update([[0.0, np.nan]])
    assert detector.n_streams is None
    assert detector.update([[0.0, 1.0, 0.0]]).n_streams == 3


@of_every_detector
def test_the_values_handed_in_are_left_as_they_are(table_for, name):
    for table in (table_for(name, 1), table_for(name, 1, n_streams=3)):
        before = table.copy()
        EVERY[name]().update(table)
        np.testing.assert_array_equal(table, before)


@of_every_detector
def test_an_update_without_observations_changes_nothing(table_for, name):
    table = table_for(name, 2, n_streams=2, n=600)
    detector = EVERY[name]().update(table[:300]).update(np.zeros((0, 2)))
    assert not detector.drift_detected
    assert listed(detector.update(table[300:])) == listed(EVERY[name]().update(table))


@of_every_detector
def test_alarms_of_the_last_update_are_told_apart_from_older_ones(table_for, name):
    table = table_for(name, 4, n_streams=3)
    detector, seen = EVERY[name](), 0
    for part in np.array_split(table, 10):
        detector.update(part)
        fresh = [bool(np.any((found >= seen) & (found < seen + len(part)))) for found in detector.alarms_]
        assert detector.drifted_streams.tolist() == fresh
        assert detector.drift_detected == any(fresh)
        seen += len(part)


@of_every_detector
def test_a_detector_without_data_has_no_alarms(name):
    detector = EVERY[name]()
    assert not detector.drift_detected
    assert detector.alarms_ == ()
    assert detector.n_observations == 0


@of_every_detector
def test_constant_values_raise_no_alarm(name):
    assert listed(EVERY[name]().update(np.zeros((3000, 2)))) == [[], []]


@pytest.mark.parametrize("name", OF_VALUES)
def test_enormous_values_are_refused_before_their_squares_overflow(name):
    detector = EVERY[name]()
    with pytest.raises(ValueError, match="at most 1e\\+140"):
        detector.update([0.0, -1e145])
    assert detector.update([0.0, 1e139, -1e139]).n_observations == 3


@pytest.mark.parametrize("name", ["DDM", "EDDM"])
def test_detectors_of_errors_refuse_what_is_neither_right_nor_wrong(name):
    with pytest.raises(ValueError, match=r"0 \(right\) or 1 \(an error\), got 0.5"):
        EVERY[name]().update([0.0, 0.5])


@pytest.mark.parametrize("name", ["HDDM_A", "HDDM_W"])
def test_detectors_with_bounds_refuse_values_outside_them(name):
    assert not EVERY[name]().update([0.0, 0.5, 1.0]).drift_detected
    with pytest.raises(ValueError, match=r"values must be in \[0, 1\], got -0.1"):
        EVERY[name]().update([0.0, -0.1])


@pytest.mark.parametrize("name", OF_ERRORS)
def test_truth_values_are_read_as_errors(changing_errors, name):
    errors = changing_errors(6)
    assert listed(EVERY[name]().update(errors.astype(bool))) == listed(EVERY[name]().update(errors))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ADWIN(delta=0), r"delta must be in \(0.0, 1.0\), got 0"),
        (lambda: ADWIN(clock=0), "clock must be an integer >= 1, got 0"),
        (lambda: ADWIN(max_buckets=1), "max_buckets must be an integer >= 2, got 1"),
        (lambda: CUSUM(threshold=-1), "threshold must be > 0, got -1"),
        (lambda: CUSUM(allowance=-0.5), "allowance must be in"),
        (lambda: CUSUM(mode="sideways"), "mode must be one of"),
        (lambda: CUSUM(mean=np.nan), "mean must hold no NaN"),
        (lambda: CUSUM(standard_deviation=0), "standard_deviation must be > 0, got 0.0"),
        (lambda: CUSUM([0.0, 1.0], [1.0, 1.0, 1.0]), "standard_deviation must have one value per stream"),
        (lambda: EWMA(smoothing=1.0), r"smoothing must be in \(0.0, 1.0\), got 1.0"),
        (lambda: Shewhart(n_sigmas=0), "n_sigmas must be > 0, got 0"),
        (lambda: Shewhart(mean="high"), "mean must be a number"),
        (lambda: Shewhart(mean=[[0.0]]), "mean must be a number or one number per stream"),
        (lambda: PageHinkley(fading=0), r"fading must be in \[0.01, 1.0\], got 0"),
        (lambda: PageHinkley(fading=1.5), r"fading must be in \[0.01, 1.0\], got 1.5"),
        (lambda: PageHinkley(mode=None), "mode must be one of"),
        (lambda: DDM(warm_start=2.5), "warm_start must be an integer >= 1, got 2.5"),
        (lambda: EDDM(beta=2), r"beta must be in \[0.0, 1.0\], got 2"),
        (lambda: HDDM_A(drift_confidence=1), r"drift_confidence must be in \(0.0, 1.0\), got 1"),
        (lambda: HDDM_W(smoothing=0), r"smoothing must be in \(0.0, 1.0\), got 0"),
        (lambda: KSWIN(stat_size=100), "stat_size must be < window_size = 100, got 100"),
        (lambda: KSWIN(alpha=1e-9, window_size=10, stat_size=5), "let some distance reach alpha"),
    ],
)
def test_bad_arguments_are_refused_by_name_rule_and_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()
