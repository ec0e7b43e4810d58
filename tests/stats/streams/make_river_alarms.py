"""Ask river where its detectors raise alarms, and store values and alarms in river_alarms.npz beside this file.

Run with `python tests/stats/streams/make_river_alarms.py` where river is installed (the `bench` extra). The tests need
no river; one of them runs `make` again where river is there. Recorded with river 0.26.1. River 0.23.0 gives the same
but for HDDM_W, whose fading mean forgot every zero before the first other value.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from river import drift, stats

PATH = Path(__file__).with_name("river_alarms.npz")
N_SERIES = 5
# river 0.26 has dropped the underscore of the older names.
HDDM_A = getattr(drift.binary, "HDDMA", None) or drift.binary.HDDM_A
HDDM_W = getattr(drift.binary, "HDDMW", None) or drift.binary.HDDM_W
RATES = (0.0, 0.02, 0.1, 0.3, 0.6, 0.9)

OF_VALUES: dict[str, Callable[[], Any]] = {
    "PageHinkley()": drift.PageHinkley,
    "PageHinkley(threshold=10.0, mode='up')": lambda: drift.PageHinkley(threshold=10.0, mode="up"),
    "PageHinkley(min_instances=5, delta=0.1, threshold=20.0, fading=0.99, mode='down')": lambda: drift.PageHinkley(
        min_instances=5, delta=0.1, threshold=20.0, alpha=0.99, mode="down"
    ),
    "ADWIN()": drift.ADWIN,
    "ADWIN(delta=0.1, clock=5, max_buckets=3, min_window_length=2, grace_period=20)": lambda: drift.ADWIN(
        delta=0.1, clock=5, max_buckets=3, min_window_length=2, grace_period=20
    ),
    # With a window of twice stat_size river's random sample of the older values is all of them.
    "KSWIN(window_size=60, stat_size=30)": lambda: drift.KSWIN(window_size=60, stat_size=30, seed=1),
}
OF_ERRORS: dict[str, Callable[[], Any]] = {
    "DDM()": drift.binary.DDM,
    "DDM(warm_start=80, drift_threshold=2.0)": lambda: drift.binary.DDM(warm_start=80, drift_threshold=2.0),
    "EDDM()": drift.binary.EDDM,
    "EDDM(warm_start=10, beta=0.6)": lambda: drift.binary.EDDM(warm_start=10, beta=0.6),
    "HDDM_A()": HDDM_A,
    "HDDM_A(drift_confidence=0.05, two_sided=True)": lambda: HDDM_A(0.05, two_sided_test=True),
    "HDDM_W()": HDDM_W,
    "HDDM_W(drift_confidence=0.05, smoothing=0.2, two_sided=True)": lambda: HDDM_W(
        0.05, lambda_val=0.2, two_sided_test=True
    ),
}


def changing_values(rng: np.random.Generator) -> np.ndarray:
    """Values whose mean and spread change at random places, rounded to two decimals."""
    pieces = [rng.normal(2 * rng.normal(), rng.uniform(0.2, 3), rng.integers(30, 500)) for _ in range(8)]
    return np.concatenate(pieces).round(2)


def changing_errors(rng: np.random.Generator) -> np.ndarray:
    """Errors (0 or 1) whose rate changes at random places."""
    return np.concatenate([rng.random(rng.integers(40, 900)) < rng.choice(RATES) for _ in range(8)]).astype(float)


def alarms(detector: Any, values: np.ndarray) -> np.ndarray:
    """Feed the values one at a time and note the positions of the alarms."""
    found = []
    for position, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(position)
    return np.array(found, dtype=np.int64)


def forgets_leading_zeros() -> bool:
    """Whether this river's fading mean has the fault of 0.23, which moves the alarms of HDDM_W."""
    mean = stats.EWMean(0.5)
    for value in (0.0, 1.0):
        mean.update(value)
    return mean.get() == 1.0


def make() -> dict[str, np.ndarray]:
    """Return values and alarms under the names `values/0`, `errors/0` and `<detector>/0` and so on."""
    rng = np.random.default_rng(20_260)
    arrays = {}
    for number in range(N_SERIES):
        for kind, source, detectors in (("values", changing_values, OF_VALUES), ("errors", changing_errors, OF_ERRORS)):
            arrays[f"{kind}/{number}"] = series = source(rng)
            for name, build in detectors.items():
                arrays[f"{name}/{number}"] = alarms(build(), series)
    return arrays


if __name__ == "__main__":
    np.savez_compressed(PATH, **make())
