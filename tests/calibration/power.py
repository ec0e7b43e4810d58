"""How often every test finds a change of a given size, beside how often it raises a false alarm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from calibration.detectors import SHIFTS, WATCHES, Watch, delays_after
from calibration.laws import Change, Setting
from calibration.rates import draw_pvalues, generator
from calibration.subjects import LEVELS, SUBJECTS, Subject

LEVEL = LEVELS[0]
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
KINDS = {
    "mean shift, in standard deviations": lambda step: Change(shift=step),
    "spread, current over reference less 1": lambda step: Change(scale=1 + step),
    "rise of the share of ones": lambda step: Change(share=0.3 * step),
}
MEAN, SPREAD, SHARE = KINDS
NORMAL, TWO_VALUED = Setting("normal", 100, 100), Setting("two-valued", 100, 100)
MANY_LOOKS = Setting("two-valued", 100, 100)
"""At each look: the default design is tuned to differences of a point, which some thousand rows can show."""
SEQUENTIAL = ("sequential_two_proportion", "SequentialTwoProportion")
BLIND_TO_MEAN = ("brown_forsythe_test", "covariance_shift_test")
BLIND_TO_SPREAD = (
    "mannwhitneyu", "welch_t_test", "z_test", "z_test_from_moments", "permutation_test", "trend_test",
    "block_permutation_mean_test",
)  # fmt: skip
"""Tests of the mean or of the order of values: on normal data a wider spread alone moves neither."""
SEES_PART = {("pca_reconstruction_test", MEAN)}
"""A shift along the kept components goes unseen, as its docstring says; the rest of it is seen."""
NO_POWER = (
    "column_report", "bonferroni", "holm", "benjamini_hochberg", "benjamini_yekutieli", "wilson_interval",
    "clopper_pearson_interval", "bootstrap_interval", "percentile_interval",
)  # fmt: skip
"""Corrections and intervals: their power is that of the tests within, or they look at one sample."""
OFTEN = 0.5
"""What a test must find at the largest change to count as seeing it: chance alone gives a tenth of that."""
SHARE_OF_REPETITIONS = 0.2
"""Power needs less precision than a false-alarm rate: of that many repetitions."""


@dataclass(frozen=True)
class Curve:
    """Shares of alarms at 0.05 over growing changes."""

    test: str
    kind: str
    setting: Setting
    repetitions: int
    sizes: tuple[float, ...]
    power: tuple[float, ...]


def kinds_of(subject: Subject) -> tuple[str, ...]:
    """Which changes a test is tried on."""
    if subject.name in NO_POWER:
        return ()
    if subject.settings[0].law == "two-valued" and subject.name not in ("chi2_test", "g_test"):
        return (SHARE,)
    return (MEAN,) if subject.name == "paired_bootstrap" else (MEAN, SPREAD)


def sees(name: str, kind: str) -> bool | None:
    """Whether a test is made to find such a change; None where it finds some of them only."""
    if (name, kind) in SEES_PART:
        return None
    return not (kind == MEAN and name in BLIND_TO_MEAN) and not (kind == SPREAD and name in BLIND_TO_SPREAD)


def is_as_expected(curve: Curve) -> bool:
    """Whether a test often finds the largest change that it sees, and seldom one that it does not."""
    expected = sees(curve.test, curve.kind)
    return expected is None or (curve.power[-1] > OFTEN) == expected


def power_curve(subject: Subject, kind: str, share: float, steps: tuple[float, ...] = STEPS) -> Curve:
    """Measure one curve with a share of the subject's repetitions."""
    setting = NORMAL
    if kind == SHARE:
        setting = MANY_LOOKS if subject.name in SEQUENTIAL else TWO_VALUED
    repetitions = max(1, round(share * subject.repetitions))
    power = [float((draw_pvalues(subject, setting, repetitions, KINDS[kind](step)) <= LEVEL).mean()) for step in steps]
    sizes = tuple(0.3 * step if kind == SHARE else step for step in steps)
    return Curve(subject.name, kind, setting, repetitions, sizes, tuple(power))


def power_curves(share: float = SHARE_OF_REPETITIONS) -> list[Curve]:
    """Every test on every kind of change that it is tried on."""
    return [power_curve(subject, kind, share) for subject in SUBJECTS for kind in kinds_of(subject)]


@dataclass(frozen=True)
class DelayCurve:
    """How soon a detector finds shifts of growing size."""

    watch: Watch
    n_streams: int
    shifts: tuple[float, ...]
    median_delay: tuple[float, ...]
    """Infinite where half of the streams or more did not find it within the horizon."""


def delay_curves(share_of_streams: float) -> list[DelayCurve]:
    """The first watch of every detector."""
    first = {watch.detector: watch for watch in reversed(WATCHES)}
    curves = []
    for watch in first.values():
        n_streams = max(5, round(share_of_streams * watch.n_streams))
        rng = generator(watch.detector, "delays")
        medians = [float(np.median(delays_after(watch, shift, n_streams, rng))) for shift in SHIFTS]
        curves.append(DelayCurve(watch, n_streams, SHIFTS, tuple(medians)))
    return sorted(curves, key=lambda curve: curve.watch.detector)


def finite_or_none(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None
