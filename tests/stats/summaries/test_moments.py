"""Moments against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tinytorch.stats.summaries import Moments


def exact_variance(values) -> float:
    """Unbiased variance in exact fractions."""
    exact = [Fraction(float(value)) for value in values]
    mean = sum(exact) / len(exact)
    return float(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1))


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e12])
def test_variance_keeps_its_digits_under_a_huge_offset_however_merged(offset, rng):
    values = offset + rng.normal(size=400)
    merged = Moments.from_batch(values[:3])
    for part in np.array_split(values[3:], 40):
        merged = merged.merge(Moments.from_batch(part))
    assert merged.variance[0] == pytest.approx(exact_variance(values), rel=1e-12)
    assert merged.mean[0] == pytest.approx(float(sum(map(Fraction, values.tolist())) / 400), rel=1e-15)


def test_missing_values_are_left_out(rng):
    table = rng.normal(size=(50, 3))
    table[:20, 1] = np.nan
    moments = Moments.from_batch(table)
    np.testing.assert_array_equal(moments.count, [50, 30, 50])
    np.testing.assert_allclose(moments.mean, np.nanmean(table, axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.variance, np.nanvar(table, axis=0, ddof=1), rtol=1e-13)
    np.testing.assert_array_equal(moments.minimum, np.nanmin(table, axis=0))
    np.testing.assert_array_equal(moments.maximum, np.nanmax(table, axis=0))


def test_a_column_without_values_joins_one_with_values():
    nothing, something = Moments.from_batch([np.nan, np.nan]), Moments.from_batch([1e9, 1e9 + 1])
    assert nothing.count[0] == 0 and np.isnan(nothing.mean[0]) and np.isnan(nothing.variance[0])
    for merged in (nothing.merge(something), something.merge(nothing)):
        assert merged.mean[0] == 1e9 + 0.5 and merged.variance[0] == 0.5 and merged.count[0] == 2


@pytest.mark.parametrize("value", [0.1, 3.7, 1e9 + 0.3, -1e-7, 123456.789])
def test_trap_a_constant_column_has_no_variance_at_all(value):
    parts = [Moments.from_batch(np.full(n_rows, value)) for n_rows in (7, 5, 1000, 33)]
    whole = parts[0].merge(parts[1]).merge(parts[2].merge(parts[3]))
    assert all(part.variance[0] == 0.0 for part in (*parts, whole))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="batch must be finite, got 1 infinite values"):
        Moments.from_batch([1.0, np.inf])
    with pytest.raises(ValueError, match="batch must have at least one row"):
        Moments.from_batch([])
    with pytest.raises(ValueError, match=r"batch must hold values of at most 1e\+150"):
        Moments.from_batch([1.0, np.nan, -1e200])
