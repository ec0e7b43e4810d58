from __future__ import annotations

import numpy as np
import pytest

from tinytorch.stats import (
    FittedReference,
    benjamini_hochberg,
    column_report,
    ks_2samp,
    psi,
    wasserstein_distance,
)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (300, 90), (12_000, 700)])
def test_the_report_equals_its_parts(hard_pair, n, m):
    reference, current = hard_pair(n, n, m)
    wide = np.column_stack([reference] * 4), np.column_stack([current] * 4)  # more columns than one block
    report = column_report(*wide)
    ks = ks_2samp(*wide)
    np.testing.assert_array_equal(report.statistic, ks.statistic)
    np.testing.assert_array_equal(report.pvalue, ks.pvalue)
    np.testing.assert_array_equal(report.adjusted_pvalue, benjamini_hochberg(ks.pvalue))
    np.testing.assert_allclose(report.psi, psi(*wide), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(report.wasserstein, wasserstein_distance(*wide))


def test_a_fitted_reference_brings_its_own_bins(hard_pair):
    reference, current = hard_pair(1, 200, 100)
    fitted = FittedReference(bins=5).fit(reference)
    np.testing.assert_allclose(column_report(fitted, current).psi, psi(fitted, current), rtol=1e-12, atol=1e-15)


def test_bad_samples_are_refused():
    with pytest.raises(ValueError, match="current must hold no NaN"):
        column_report([1.0, 2.0], [np.nan])
    with pytest.raises(ValueError, match="current must have the 1 columns"):
        column_report([1.0, 2.0], [[1.0, 2.0]])
