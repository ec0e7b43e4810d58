from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats import FittedReference, psi, psi_of_counts, psi_threshold


def slow_psi(reference: np.ndarray, current: np.ndarray, edges: np.ndarray, smoothing: float) -> float:
    """Count value by value, bin by bin."""
    def counts(sample: np.ndarray) -> list[int]:
        result = [0] * (len(edges) + 1)
        for value in sample:
            result[sum(value > edge for edge in edges)] += 1
        return result

    pairs = [(a, b) for a, b in zip(counts(reference), counts(current), strict=True) if a + b]
    n, m = len(reference) + smoothing * len(pairs), len(current) + smoothing * len(pairs)
    shares = [((a + smoothing) / n, (b + smoothing) / m) for a, b in pairs]
    return sum((q - p) * math.log(q / p) for p, q in shares)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 80), st.integers(1, 80), st.integers(2, 12), st.sampled_from([0.5, 0.01]))
def test_psi_equals_counting_by_hand(hard_pair, seed, n, m, bins, smoothing):
    reference, current = hard_pair(seed, n, m)
    for binning in ("quantile", "width"):
        fitted = FittedReference(bins=bins, binning=binning).fit(reference)
        result = psi(fitted, current, smoothing=smoothing)
        for column in range(reference.shape[1]):
            expected = slow_psi(reference[:, column], current[:, column], fitted.edges_[column], smoothing)
            np.testing.assert_allclose(result[column], expected, rtol=1e-10, atol=1e-13)
        np.testing.assert_array_equal(psi(reference, current, bins=bins, binning=binning, smoothing=smoothing), result)


def test_many_bins_count_as_few_bins_do():
    rng = np.random.default_rng(2)
    reference, current = rng.normal(size=3000), rng.normal(size=2000)
    fitted = FittedReference(bins=100).fit(reference)
    assert abs(psi(fitted, current)[0] - slow_psi(reference, current, fitted.edges_[0], 0.5)) < 1e-12


def test_samples_outside_the_references_range_count():
    # Dropping them would make a shift of a hundred standard deviations look like none at all.
    rng = np.random.default_rng(1)
    reference = rng.normal(size=1000)
    near, far = psi(reference, rng.normal(10, size=1000))[0], psi(reference, rng.normal(100, size=1000))[0]
    assert near > 5.0
    assert far == pytest.approx(near)


@pytest.mark.parametrize("binning", ["quantile", "width"])
def test_values_below_and_above_a_constant_reference_count(binning):
    constant = np.full(1000, 5.0)
    assert psi(constant, np.full(10, 5.0), binning=binning) == 0.0
    for moved in (4.0, 6.0):
        assert psi(constant, np.full(200, moved), binning=binning)[0] > 5.0


def test_a_value_of_many_repetitions_has_a_bin_of_its_own():
    reference = np.array([0.0] * 500 + [1.0] * 500)
    fitted = FittedReference(bins=10).fit(reference)
    assert fitted.bin_counts_[0][fitted.bin_counts_[0] > 0].tolist() == [500, 500]
    assert psi(fitted, np.full(500, 0.5))[0] > 1.0  # a new value between the two is neither of them


def test_psi_without_drift_averages_bins_less_one_times_both_inverse_sizes():
    # And so P(PSI > 0.1) is 0.85 at n = m = 100: the rule of thumb knows no sample size.
    rng = np.random.default_rng(4)
    values = psi(rng.normal(size=(100, 2000)), rng.normal(size=(100, 2000)), smoothing=0.5)
    assert values.mean() == pytest.approx(9 * (1 / 100 + 1 / 100), rel=0.1)  # half a count takes some 5% off
    assert (values > 0.1).mean() == pytest.approx(0.85, abs=0.05)


@pytest.mark.parametrize(("n", "m", "bins"), [(100, 100, 10), (1000, 200, 10), (5000, 500, 20), (300, 300, 5)])
def test_the_threshold_gives_false_alarms_at_its_rate(binomial_limits, n, m, bins):
    repetitions = 1000
    rng = np.random.default_rng(n + bins)
    values = np.concatenate([psi(rng.normal(size=(n, 100)), rng.normal(size=(m, 100)), bins=bins) for _ in range(10)])
    rate = (values > psi_threshold(n, m, bins, 0.05)).mean()
    assert binomial_limits(0.04, repetitions)[0] <= rate <= binomial_limits(0.06, repetitions)[1]


def test_the_threshold_counts_only_the_bins_a_discrete_column_uses(binomial_limits):
    repetitions = 1000
    rng = np.random.default_rng(9)
    fitted = FittedReference(bins=10).fit(rng.integers(0, 3, (2000, repetitions)))
    used = (fitted.bin_counts_ > 0).sum(axis=1)
    assert set(used.tolist()) == {3}
    rate = (psi(fitted, rng.integers(0, 3, (500, repetitions))) > psi_threshold(2000, 500, used)).mean()
    low, high = binomial_limits(0.05, repetitions)
    assert low <= rate <= high


def test_a_hidden_epsilon_is_an_algorithm():
    # No drift, 20 bins, n = m = 100: the average depends on what stands in for an empty bin, not on the data.
    rng = np.random.default_rng(6)
    edges = np.linspace(-3, 3, 19)

    def null_counts() -> np.ndarray:
        places = edges.searchsorted(rng.normal(size=(2000, 100)))
        return np.stack([np.bincount(row, minlength=20) for row in places])

    counts = [null_counts(), null_counts()]

    def filled(fill: float) -> float:
        p, q = (np.where(table == 0, fill, table / 100) for table in counts)
        return float(((q - p) * np.log(q / p)).sum(axis=1).mean())

    half_a_count = psi_of_counts(*counts, smoothing=0.5).mean()
    assert half_a_count < 0.4 < filled(1e-4) < 0.3 * filled(1e-300)


def test_psi_grows_with_the_shift():
    rng = np.random.default_rng(7)
    reference = rng.normal(size=5000)
    values = [psi(reference, rng.normal(shift, size=5000))[0] for shift in (0.0, 0.2, 0.5, 1.0, 3.0)]
    assert values == sorted(values)


def test_no_smoothing_means_infinity_where_one_sample_has_an_empty_bin():
    assert psi([1.0, 2.0, 3.0, 4.0], [9.0], bins=2, smoothing=0.0) == math.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bins": 1}, r"bins must be an integer >= 2, got 1\."),
        ({"binning": "tree"}, "binning must be one of 'quantile', 'width', got 'tree'"),
        ({"smoothing": -1.0}, r"smoothing must be in \[0.0, .*\], got -1\.0\."),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        psi([1.0, 2.0], [1.0], **arguments)


def test_bad_samples_and_levels_are_refused():
    with pytest.raises(ValueError, match="current must hold no NaN"):
        psi([1.0, 2.0], [np.nan])
    with pytest.raises(ValueError, match="current must have the 1 columns"):
        psi([1.0, 2.0], [[1.0, 2.0]])
    for arguments in ((0, 5, 3, 0.1), (5, 0, 3, 0.1), (5, 5, 0, 0.1), (5, 5, 3, 0.0), (5, 5, 3, 1.0)):
        with pytest.raises(ValueError, match="must be"):
            psi_threshold(*arguments)
