"""The detector's check finds what is wrong with wrong detectors, and names it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.detector import check_detector
from tinytorch.mlops.drift import UnivariateDetector


def flagged(report, minimum_effect=0.0):
    """The same report with every feature beyond chance."""
    nothing = np.zeros(len(report.feature_names))
    return replace(report, pvalue=nothing, adjusted_pvalue=nothing, minimum_effect=minimum_effect)


class KnowsNoChance(UnivariateDetector):
    """Flags every feature that moved by a tenth of a standard deviation."""

    def detect_drift(self, current, now):
        return flagged(super().detect_drift(current, now), minimum_effect=0.1)


class GetsNervous(UnivariateDetector):
    """Is right the first time, and sees drift everywhere after that."""

    n_looks = 0

    def detect_drift(self, current, now):
        self.n_looks += 1
        report = super().detect_drift(current, now)
        return report if self.n_looks == 1 else flagged(report)


class DoesNotReturnItself(UnivariateDetector):
    def fit(self, reference):
        super().fit(reference)


class LeavesOutWhatIsFarOff(UnivariateDetector):
    """As a histogram with closed ends does."""

    def detect_drift(self, current, now):
        table = np.array(current, dtype=float)
        usual = self.reference_[: len(table)]
        outside = (table > np.nanmax(self.reference_, axis=0)) & (table > 100)
        return super().detect_drift(np.where(outside, usual, table), now)


class FillsMissingValues(UnivariateDetector):
    def detect_drift(self, current, now):
        table = np.array(current, dtype=float)
        return super().detect_drift(np.where(np.isnan(table), self.reference_[: len(table)], table), now)


class DividesByTheSpread(UnivariateDetector):
    """Standardises, and forgets that a column may be constant."""

    def detect_drift(self, current, now):
        spread = self.reference_.std(axis=0)
        if (spread == 0).any():
            raise ZeroDivisionError("division by zero")
        return super().detect_drift(current, now)


class LearnsFromTheWindow(UnivariateDetector):
    def detect_drift(self, current, now):
        report = super().detect_drift(current, now)
        self.fit(current)
        return report


class CentresTheCallersTable(UnivariateDetector):
    def detect_drift(self, current, now):
        report = super().detect_drift(current, now)
        current[:] = np.nan_to_num(current) - 1.0
        return report


class KeepsTheCallersReference(UnivariateDetector):
    def fit(self, reference):
        super().fit(reference)
        self.given = reference
        return self

    def detect_drift(self, current, now):
        super().fit(self.given)
        return super().detect_drift(current, now)


class LosesItsReference(UnivariateDetector):
    """Throws the old reference away before it has looked at the new one."""

    def fit(self, reference):
        self.__dict__.pop("reference_", None)
        return super().fit(reference)


class TakesAnyWidth(UnivariateDetector):
    def detect_drift(self, current, now):
        width = len(self.feature_names_)
        if isinstance(current, np.ndarray) and current.ndim == 2 and current.shape[1] < width:
            current = np.column_stack([current, np.zeros((len(current), width - current.shape[1]))])
        return super().detect_drift(current, now)


class HasNoWordForUnfitted(UnivariateDetector):
    def detect_drift(self, current, now):
        self.reference_.mean()
        return super().detect_drift(current, now)


class ForgetsTheTime(UnivariateDetector):
    def detect_drift(self, current, now):
        return super().detect_drift(current, 0.0)


@pytest.mark.parametrize(
    ("make_detector", "sentence"),
    [
        (partial(UnivariateDetector, 1e-300), "moved by one standard deviation: expected drift, got no drift"),
        (KnowsNoChance, "every third row of the reference: expected no drift"),
        (GetsNervous, "8 windows drawn like the reference: expected hardly any flagged, got 8 flagged"),
        (DoesNotReturnItself, r"detector.fit\(reference\): expected the detector itself, got None"),
        (LeavesOutWhatIsFarOff, "far outside the reference's range: expected drift"),
        (FillsMissingValues, r"a quarter of one column is missing \(NaN\): expected drift"),
        (DividesByTheSpread, "ZeroDivisionError was raised"),
        (LearnsFromTheWindow, "same window for the second time: expected the same report"),
        (CentresTheCallersTable, "detector.detect_drift changed the array it was given"),
        (KeepsTheCallersReference, "after the caller changed its own reference array: expected the same report"),
        (LosesItsReference, "detect_drift.*must be fitted"),
        (TakesAnyWidth, "a window with a column too few: expected a ValueError"),
        (HasNoWordForUnfitted, "before fit: expected a ValueError, but AttributeError"),
        (ForgetsTheTime, r"timestamp of detect_drift\(current, now=7200.0\): expected 7200.0, got 0.0"),
    ],
)
def test_a_wrong_detector_is_told_what_is_wrong(make_detector, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_detector(make_detector)
