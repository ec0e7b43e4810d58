"""What the drift detectors share: standard units that survive awkward columns, and one unit of effect."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, norm

from tinytorch.mlops.drift._common import FARTHEST, StandardUnits, equivalent_shift, missing_shift


def test_ordinary_columns_come_out_with_mean_0_and_standard_deviation_1():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(500, 4)) * [1.0, 1e-200, 1e150, 3.0] + [0.0, 0.0, 0.0, 1e9]
    standardised = StandardUnits.from_reference(table).standardise(table)
    np.testing.assert_allclose(standardised.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(standardised.std(axis=0), 1.0, rtol=1e-6)


def test_a_column_that_never_varied_stays_at_0_and_any_departure_is_as_far_as_can_be():
    units = StandardUnits.from_reference(np.full((7, 3), 0.1))
    window = np.array([[0.1, 0.1 + 1e-9, -5.0]])
    assert units.standardise(window).tolist() == [[0.0, FARTHEST, -FARTHEST]]


def test_missing_values_are_left_out_of_the_units_and_lie_at_the_mean():
    units = StandardUnits.from_reference(np.array([[0.0], [np.nan], [4.0]]))
    assert units.standardise(np.array([[np.nan], [6.0], [2.0]])).ravel().tolist() == [0.0, 2.0, 0.0]


def test_the_window_given_is_not_changed():
    table = np.array([[1.0, np.nan], [2.0, 5.0]])
    kept = table.copy()
    StandardUnits.from_reference(table).standardise(table)
    np.testing.assert_array_equal(table, kept)


@pytest.mark.parametrize("shift", [0.2, 1.0, 3.0])
def test_the_equivalent_shift_undoes_the_kolmogorov_smirnov_distance_of_a_shifted_normal(shift):
    assert equivalent_shift(np.array([2 * norm.cdf(shift / 2) - 1]), 10**6) == pytest.approx(shift)
    rng = np.random.default_rng(2)
    distance = ks_2samp(rng.normal(size=20_000), rng.normal(shift, 1, size=20_000)).statistic
    assert equivalent_shift(np.array([distance]), 40_000) == pytest.approx(shift, abs=0.05)


def test_separate_samples_have_a_finite_shift_that_grows_with_the_rows():
    few, many = (equivalent_shift(np.array([1.0]), n_rows)[0] for n_rows in (20, 2000))
    assert np.isfinite(many) and few < many


def test_a_changed_missing_rate_is_measured_like_a_moved_share_of_rows():
    reference, current = np.zeros((400, 2)), np.zeros((200, 2))
    current[:50, 0] = np.nan
    pvalue, effect = missing_shift(reference, current)
    assert pvalue[0] < 1e-9 and pvalue[1] == 1.0
    assert effect == pytest.approx(2 * norm.ppf([(1 + 0.25) / 2, 0.5]), abs=1e-9)
