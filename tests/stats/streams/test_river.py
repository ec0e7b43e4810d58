"""Alarms agree with river's: recorded ones, those in its documentation, and those of the river installed here."""

from __future__ import annotations

import importlib.util
import random
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tinytorch.stats.streams import ADWIN, DDM, EDDM, HDDM_A, HDDM_W, KSWIN, PageHinkley

HERE = Path(__file__).parent
OF_VALUES = {
    "PageHinkley()": PageHinkley,
    "PageHinkley(threshold=10.0, mode='up')": partial(PageHinkley, threshold=10.0, mode="up"),
    "PageHinkley(min_instances=5, delta=0.1, threshold=20.0, fading=0.99, mode='down')": partial(
        PageHinkley, min_instances=5, delta=0.1, threshold=20.0, fading=0.99, mode="down"
    ),
    "ADWIN()": ADWIN,
    "ADWIN(delta=0.1, clock=5, max_buckets=3, min_window_length=2, grace_period=20)": partial(
        ADWIN, delta=0.1, clock=5, max_buckets=3, min_window_length=2, grace_period=20
    ),
    "KSWIN(window_size=60, stat_size=30)": partial(KSWIN, window_size=60, stat_size=30),
}
OF_ERRORS = {
    "DDM()": DDM,
    "DDM(warm_start=80, drift_threshold=2.0)": partial(DDM, warm_start=80, drift_threshold=2.0),
    "EDDM()": EDDM,
    "EDDM(warm_start=10, beta=0.6)": partial(EDDM, warm_start=10, beta=0.6),
    "HDDM_A()": HDDM_A,
    "HDDM_A(drift_confidence=0.05, two_sided=True)": partial(HDDM_A, drift_confidence=0.05, two_sided=True),
    "HDDM_W()": HDDM_W,
    "HDDM_W(drift_confidence=0.05, smoothing=0.2, two_sided=True)": partial(
        HDDM_W, drift_confidence=0.05, smoothing=0.2, two_sided=True
    ),
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(HERE / "river_alarms.npz") as arrays:
        return dict(arrays)


def assert_alarms_agree(recorded: dict[str, np.ndarray], make, kind: str, name: str) -> None:
    n_alarms = 0
    for number in range(sum(key.startswith(f"{kind}/") for key in recorded)):
        detector = make().update(recorded[f"{kind}/{number}"])
        assert detector.alarms_[0].tolist() == recorded[f"{name}/{number}"].tolist()
        n_alarms += detector.alarms_[0].size
    assert n_alarms >= 5, "the recorded series must raise alarms"


@pytest.mark.parametrize("name", OF_VALUES)
def test_alarms_over_values_are_those_recorded_from_river(recorded, name):
    assert_alarms_agree(recorded, OF_VALUES[name], "values", name)


@pytest.mark.parametrize("name", OF_ERRORS)
def test_alarms_over_errors_are_those_recorded_from_river(recorded, name):
    assert_alarms_agree(recorded, OF_ERRORS[name], "errors", name)


@pytest.mark.parametrize(("make", "position"), [(PageHinkley, 1006), (ADWIN, 1023)])
def test_alarms_over_values_are_those_in_rivers_documentation(make, position):
    rng = random.Random(12345)
    values = rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)
    assert make().update(values).alarms_[0].tolist() == [position]


@pytest.mark.parametrize(
    ("make", "position"), [(DDM, 1334), (partial(EDDM, beta=0.75), 1278), (HDDM_A, 1206), (HDDM_W, 1077)]
)
def test_alarms_over_errors_are_those_in_rivers_documentation(make, position):
    rng = random.Random(42)
    errors = rng.choices([0, 1], k=1000) + rng.choices([0, 1], k=1000, weights=[0.3, 0.7])
    assert make().update(errors).alarms_[0].tolist() == [position]


def test_the_river_installed_here_raises_the_recorded_alarms(recorded):
    pytest.importorskip("river", reason="river, of the bench extra, is not installed")
    spec = importlib.util.spec_from_file_location("make_river_alarms", HERE / "make_river_alarms.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = script.make()
    assert set(made) == set(recorded)
    for name, array in made.items():
        if name.startswith("HDDM_W") and script.forgets_leading_zeros():
            continue
        np.testing.assert_array_equal(array, recorded[name], err_msg=name)
