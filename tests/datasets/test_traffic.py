from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.datasets import (
    CORRUPTIONS,
    DEFAULT_SEVERITY,
    DRIFT_KINDS,
    SPEEDS,
    DriftPlan,
    TrafficSchedule,
    TrafficStream,
    corrupt,
    stream,
)

every_kind = pytest.mark.parametrize("kind", DRIFT_KINDS)


def joined(steps, name):
    return np.concatenate([getattr(step, name) for step in steps])


@every_kind
@pytest.mark.parametrize("speed", SPEEDS)
def test_each_image_is_served_at_most_once_with_its_own_label(kind, speed, splits):
    steps = list(stream(DriftPlan(kind, speed=speed), np.random.default_rng(0)))
    ids = joined(steps, "request_ids")
    assert len(np.unique(ids)) == len(ids)
    assert set(ids) <= set(splits.traffic.ids)
    label_of = dict(zip(splits.traffic.ids, splits.traffic.labels, strict=True))
    assert [label_of[i] for i in ids] == joined(steps, "labels").tolist()


@pytest.mark.parametrize("kind", ["none", *CORRUPTIONS])
def test_the_stream_serves_all_thousand_images(kind):
    traffic = stream(DriftPlan(kind), np.random.default_rng(4))
    assert traffic.n_steps == 25
    assert len(joined(list(traffic), "request_ids")) == 1000


@every_kind
def test_steps_before_the_drift_are_clean_and_later_ones_are_not(kind, splits):
    steps = list(stream(DriftPlan(kind, start_step=5), np.random.default_rng(2)))
    features_of = dict(zip(splits.traffic.ids, splits.traffic.features, strict=True))
    same = [np.array_equal(step.features, [features_of[i] for i in step.request_ids]) for step in steps]
    assert all(same[:5])
    assert any(same[5:]) == (kind in ("none", "class_mix"))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_same_seed_serves_the_same_images_whatever_the_corruption(kind):
    plain = list(stream(DriftPlan("none"), np.random.default_rng(9)))
    drifted = list(stream(DriftPlan(kind), np.random.default_rng(9)))
    np.testing.assert_array_equal(joined(plain, "request_ids"), joined(drifted, "request_ids"))


@every_kind
def test_the_same_seed_gives_the_same_stream_and_another_seed_another(kind):
    first, second, other = (list(stream(DriftPlan(kind), np.random.default_rng(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(joined(first, "features"), joined(second, "features"))
    assert not np.array_equal(joined(first, "request_ids")[:40], joined(other, "request_ids")[:40])


def test_the_camera_that_breaks_is_one_and_the_same_in_every_step(splits):
    steps = list(stream(DriftPlan("dead_pixels", severity=1.0, start_step=0), np.random.default_rng(0)))
    dead = [frozenset(np.flatnonzero(step.features.std(axis=0) == 0)) for step in steps]
    clean = dict(zip(splits.traffic.ids, splits.traffic.features, strict=True))
    broken = [
        frozenset(np.flatnonzero((step.features != [clean[i] for i in step.request_ids]).any(axis=0))) for step in steps
    ]
    # A pixel that is stuck at what it showed anyway is not seen to be broken; all that are seen stay stuck.
    everything_seen = frozenset().union(*broken)
    assert len(everything_seen) > 5
    assert all(everything_seen <= stuck for stuck in dead)


def test_noise_is_fresh_in_every_step():
    steps = stream(DriftPlan("noise", severity=1.0, start_step=0), np.random.default_rng(0)).take(2)
    corner = [step.features[:, 0] for step in steps]
    assert not np.array_equal(*corner)


def test_a_stream_that_is_exhausted_says_so_and_serves_nothing_more():
    traffic = stream(DriftPlan("none"), np.random.default_rng(0))
    assert len(traffic.take(20)) == 20
    with pytest.raises(ValueError, match=r"the stream is exhausted: n_steps must be <= 5 \(of 25\), got 6\."):
        traffic.take(6)
    assert traffic.n_left == 5
    assert len(list(traffic)) == 5
    with pytest.raises(StopIteration):
        next(traffic)
    with pytest.raises(ValueError, match="the stream is exhausted"):
        traffic.take(1)
    assert traffic.take(0) == []


def test_changing_a_step_does_not_change_the_stream():
    plan, schedule = DriftPlan("none"), TrafficSchedule(step_size=500)
    untouched = stream(plan, np.random.default_rng(0), schedule).take(2)
    traffic = stream(plan, np.random.default_rng(0), schedule)
    first = next(traffic)
    first.features[:] = 0.5
    first.features.resize((0, 64), refcheck=False)
    np.testing.assert_array_equal(next(traffic).features, untouched[1].features)


def test_timestamps_rise_evenly_and_labels_come_late():
    schedule = TrafficSchedule(step_size=100, step_seconds=60.0, label_delay_s=150.0, start_time=1000.0)
    steps = list(stream(DriftPlan("none"), np.random.default_rng(0), schedule))
    assert [step.timestamp for step in steps] == [1000.0 + 60.0 * k for k in range(10)]
    assert [step.labels_known_at for step in steps] == [1150.0 + 60.0 * k for k in range(10)]


def test_only_whole_steps_are_served():
    traffic = stream(DriftPlan("blur"), np.random.default_rng(0), TrafficSchedule(step_size=300))
    assert [len(step.labels) for step in traffic] == [300, 300, 300]


def test_a_step_larger_than_the_images_is_refused(splits):
    with pytest.raises(ValueError, match="images must hold at least one step of 198, got 197"):
        TrafficStream(splits.validation, DriftPlan("none"), np.random.default_rng(0), TrafficSchedule(step_size=198))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    speed=st.sampled_from(SPEEDS),
    severity=st.floats(0, 1),
    start=st.integers(0, 30),
    duration=st.integers(1, 10),
    n_steps=st.integers(0, 30),
)
def test_the_severity_is_zero_before_the_start_and_never_above_the_plan(speed, severity, start, duration, n_steps):
    plan = DriftPlan("noise", severity, start, speed, duration)
    by_step = plan.severity_by_step(n_steps)
    assert by_step.shape == (n_steps,)
    assert (by_step[:start] == 0).all()
    assert ((by_step >= 0) & (by_step <= severity)).all()
    if speed == "gradual":
        assert (np.diff(by_step) >= 0).all()
        assert (by_step[start + duration - 1 :] == severity).all()
    if speed == "recurring":
        assert (by_step[start : start + duration] == severity).all()
        assert (by_step[start + duration : start + 2 * duration] == 0).all()
        assert (by_step[start + 2 * duration : start + 3 * duration] == severity).all()


def test_the_stream_reports_the_severity_it_applied(splits):
    plan = DriftPlan("brightness", severity=0.6, start_step=2, speed="gradual", duration_steps=3)
    traffic = stream(plan, np.random.default_rng(0))
    clean = dict(zip(splits.traffic.ids, splits.traffic.features, strict=True))
    for severity, step in zip(traffic.severity_by_step, list(traffic), strict=True):
        original = np.array([clean[i] for i in step.request_ids])
        expected = corrupt(original, "brightness", severity, np.random.default_rng(0))
        np.testing.assert_allclose(step.features, expected, atol=1e-7)


def test_a_class_mix_drift_changes_which_digits_come_and_nothing_else():
    traffic = stream(DriftPlan("class_mix", severity=1.0, start_step=8), np.random.default_rng(0))
    before, after = traffic.take(8), list(traffic)
    assert len(np.unique(joined(before, "labels"))) == 10
    assert len(np.unique(joined(after, "labels"))) == 5


def test_every_kind_has_a_default_severity_and_none_is_never_severe():
    assert set(DEFAULT_SEVERITY) == set(DRIFT_KINDS)
    assert all(0 < DEFAULT_SEVERITY[kind] <= 1 for kind in DRIFT_KINDS if kind != "none")
    assert DriftPlan("none", severity=0.9).full_severity == 0
    assert DriftPlan("noise", severity=0.0).full_severity == 0
    assert DriftPlan("noise").full_severity == DEFAULT_SEVERITY["noise"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "fog"}, "kind must be one of 'none', .*, got 'fog'"),
        ({"kind": "noise", "severity": 1.5}, r"severity must be in \[0.0, 1.0\], got 1.5"),
        ({"kind": "noise", "severity": float("nan")}, "severity must be in"),
        ({"start_step": -1}, "start_step must be an integer >= 0, got -1"),
        ({"start_step": 1.5}, "start_step must be an integer >= 0, got 1.5"),
        ({"speed": "slow"}, "speed must be one of 'sudden', 'gradual', 'recurring', got 'slow'"),
        ({"duration_steps": 0}, "duration_steps must be an integer >= 1, got 0"),
    ],
)
def test_a_bad_plan_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DriftPlan(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step_size": 0}, "step_size must be an integer >= 1, got 0"),
        ({"step_seconds": 0.0}, "step_seconds must be > 0, got 0.0"),
        ({"label_delay_s": -1.0}, "label_delay_s must be in"),
        ({"start_time": float("inf")}, "start_time must be in"),
    ],
)
def test_a_bad_schedule_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TrafficSchedule(**arguments)
