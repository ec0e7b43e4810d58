"""False-alarm rates and power of every test and detector: a bounded part here, the full table by `make drills`.

The full run writes docs/calibration.md, .json and .svg. Limits are those of the binomial (see `calibration.rates`).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest
from calibration.detectors import WATCHES, Finding, Watch, observe
from calibration.laws import Setting
from calibration.pages import Calibration, write_pages
from calibration.power import delay_curves, is_as_expected, kinds_of, power_curve, power_curves
from calibration.rates import Rate, measure_all, measure_rates
from calibration.remarks import NOT_YET_SAID, REMARKS, Remark, said_in_docstring
from calibration.subjects import SUBJECTS, Subject

from tinytorch import stats

DOCS = Path(__file__).resolve().parents[2] / "docs"
BOUNDED = 0.02
"""Share of the repetitions that a plain run takes."""
BOUNDED_POWER = 0.05
MOST_ROWS = 200
"""Larger samples are left to the drill."""
RESULTS = {"TwoSampleResult", "TrendResult", "SequentialResult", "ColumnReport", "PairedDifference", "Interval"}
"""What a function returns that can raise an alarm."""
ALARMS_WITHOUT_A_RESULT = {"psi", "bonferroni", "holm", "benjamini_hochberg", "benjamini_yekutieli"}
FULL_STREAMS = 1.0
KNOWN_FAULTS: dict[str, str] = {}
"""Subjects whose rates are wrong, with the reason; none at present."""


def returns(function: object) -> str:
    return str(inspect.signature(function).return_annotation)


def public_tests(package: object, names: Iterable[str]) -> set[str]:
    """Public names that can raise an alarm: functions and `update` methods by what they return."""
    found = set()
    for name in names:
        thing = getattr(package, name)
        called = getattr(thing, "update", None) if inspect.isclass(thing) else thing
        if callable(called) and returns(called) in RESULTS:
            found.add(name)
    return found | (ALARMS_WITHOUT_A_RESULT & set(names))


def public_detectors(package: object, names: Iterable[str]) -> set[str]:
    return {name for name in names if hasattr(getattr(package, name), "drift_detected")}


def test_every_public_test_is_in_the_table() -> None:
    assert public_tests(stats, stats.__all__) == {subject.name for subject in SUBJECTS}


def test_every_public_detector_is_in_the_table() -> None:
    assert public_detectors(stats, stats.__all__) == {watch.detector for watch in WATCHES}


def test_a_new_test_or_detector_would_be_missed_in_the_table() -> None:
    def new_test(reference: object) -> stats.TwoSampleResult: ...

    new_test.__annotations__["return"] = "TwoSampleResult"
    package = SimpleNamespace(new_test=new_test, NewDetector=type("NewDetector", (), {"drift_detected": False}))
    assert public_tests(package, ["new_test", "NewDetector"]) == {"new_test"}
    assert public_detectors(package, ["new_test", "NewDetector"]) == {"NewDetector"}


def test_a_rate_far_from_its_level_is_not_passed_over() -> None:
    setting = Setting("normal", 10, 10)
    remark = Remark("ks_2samp", "words that no docstring holds", lambda _: True, low=0.02)
    verdicts = {
        (alarms, said): Rate("ks_2samp", setting, 0.05, 10_000, alarms, remark if said else None).verdict
        for alarms in (100, 220, 500, 700)
        for said in (False, True)
    }
    assert verdicts[500, False] == verdicts[500, True] == "nominal"
    assert verdicts[700, False] == verdicts[700, True] == "ABOVE, UNEXPLAINED"
    assert verdicts[220, False] == "BELOW, UNEXPLAINED" and verdicts[220, True] == "below, NOT SAID"
    assert verdicts[100, True] == "BELOW, UNEXPLAINED"


def test_remarks_are_words_of_the_docstrings() -> None:
    """What docstrings still lack stands in NOT_YET_SAID; it moves from there as soon as they say it."""
    assert [remark for remark in REMARKS if remark.is_said != (remark.words not in NOT_YET_SAID)] == []


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: f"{watch.detector}-{watch.stream.name}")
def test_figures_of_detectors_are_words_of_the_docstring(watch: Watch) -> None:
    assert said_in_docstring(watch.detector, watch.words)
    figures = (watch.run_length, watch.delay)
    stated = [f"{figure:,g}" for figure in figures if figure is not None]
    stated += [] if watch.share is None else [f"{100 * watch.share:g}%"]
    assert all(figure in watch.words for figure in stated)


def bounded_settings(subject: Subject) -> list[Setting]:
    return [setting for setting in subject.settings if setting.n + setting.m <= MOST_ROWS] or [subject.settings[0]]


def marked(subject: Subject) -> object:
    """A known fault, which this mark makes fail loudly once it is mended."""
    reason = KNOWN_FAULTS.get(subject.name)
    marks = [] if reason is None else [pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)]
    return pytest.param(subject, id=subject.name, marks=marks)


@pytest.mark.parametrize("subject", [marked(subject) for subject in SUBJECTS])
def test_false_alarms_come_at_the_rate_that_is_stated(subject: Subject) -> None:
    repetitions = round(BOUNDED * subject.repetitions)
    rates = [rate for setting in bounded_settings(subject) for rate in measure_rates(subject, setting, repetitions)]
    assert [rate for rate in rates if rate.verdict.endswith("UNEXPLAINED")] == []


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: f"{watch.detector}-{watch.stream.name}")
def test_detectors_raise_alarms_as_often_as_stated(watch: Watch) -> None:
    assert observe(watch, BOUNDED).disagreements == ()


@pytest.mark.parametrize("subject", [s for s in SUBJECTS if kinds_of(s)], ids=lambda subject: subject.name)
def test_every_test_finds_what_it_is_made_to_find(subject: Subject) -> None:
    for kind in kinds_of(subject):
        curve = power_curve(subject, kind, BOUNDED_POWER, steps=(1.0,))
        assert is_as_expected(curve), curve


def unexplained(rates: list[Rate]) -> list[str]:
    return [f"{rate.test} {rate.setting} {rate.level}: {rate.rate}" for rate in rates if not rate.explained]


def not_as_stated(findings: list[Finding]) -> list[str]:
    return [f"{f.watch.detector} {f.watch.stream.name}: {f.verdict}" for f in findings if f.disagreements]


@pytest.mark.drill
def test_full_calibration_is_written_and_holds() -> None:
    """About ten minutes on one slow core."""
    calibration = Calibration(
        rates=measure_all(SUBJECTS, 1.0),
        findings=[observe(watch, FULL_STREAMS) for watch in WATCHES],
        curves=power_curves(),
        delays=delay_curves(FULL_STREAMS),
    )
    write_pages(calibration, DOCS)
    assert unexplained(calibration.rates) == []
    assert not_as_stated(calibration.findings) == []
    assert [curve for curve in calibration.curves if not is_as_expected(curve)] == []
