from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.stats import FittedReference, column_report, ks_2samp, psi, wasserstein_distance
from tinytorch.stats._bins import bin_counts, inner_edges, sorted_bin_counts
from tinytorch.stats._columns import feature_major, sorted_columns


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 120), st.integers(2, 30), st.sampled_from(["quantile", "width"]))
def test_every_value_falls_into_exactly_one_bin(hard_pair, seed, n, bins, binning):
    reference, current = hard_pair(seed, n, 50)
    fitted = FittedReference(bins=bins, binning=binning).fit(reference)
    assert fitted.edges_.shape == (10, bins - 1)
    assert (np.diff(fitted.edges_, axis=1) >= 0).all()
    np.testing.assert_array_equal(fitted.bin_counts_.sum(axis=1), n)
    places = [edge.searchsorted(column) for edge, column in zip(fitted.edges_, current.T, strict=True)]
    expected = np.array([np.bincount(place, minlength=bins) for place in places])
    np.testing.assert_array_equal(bin_counts(feature_major(current), fitted.edges_), expected)
    np.testing.assert_array_equal(sorted_bin_counts(sorted_columns(current), fitted.edges_), expected)


@pytest.mark.parametrize("n", [1, 1999, 2000, 2001, 12_000, 12_001, 40_000])
@pytest.mark.parametrize("bins", [2, 10, 64, 65, 66])
def test_counting_by_passes_and_by_search_agree(n, bins):
    rng = np.random.default_rng(n)
    columns, edges = rng.normal(size=(3, n)), np.sort(rng.normal(size=(3, bins - 1)), axis=1)
    places = [edge.searchsorted(column) for edge, column in zip(edges, columns, strict=True)]
    expected = [np.bincount(place, minlength=bins) for place in places]
    np.testing.assert_array_equal(bin_counts(columns, edges), expected)
    np.testing.assert_array_equal(bin_counts(columns + 100.0, edges)[:, -1], n)  # every comparison false
    np.testing.assert_array_equal(bin_counts(columns - 100.0, edges)[:, 0], n)  # every comparison true


def test_quantile_bins_hold_equal_counts():
    columns = sorted_columns(np.random.default_rng(0).normal(size=(1000, 4)))
    assert (sorted_bin_counts(columns, inner_edges(columns, 10, "quantile")) == 100).all()


def test_width_bins_divide_the_range_even_if_it_is_all_of_float64():
    columns = np.array([[-1.5e308, 0.0, 1.5e308]])
    edges = inner_edges(columns, 4, "width")
    np.testing.assert_allclose(edges, [[-0.75e308, 0.0, 0.75e308]])


def test_an_atom_has_a_bin_to_itself():
    edges = inner_edges(np.array([[0.0] * 60 + [1.0, 2.0, 3.0, 4.0] * 10]), 10, "quantile")
    assert bin_counts(np.array([[-1e-9, 0.0, 0.0, 1e-9]]), edges)[0].tolist()[:2] == [1, 2]


def test_a_loaded_reference_gives_the_same_results_to_the_bit(hard_pair, tmp_path):
    reference, current = hard_pair(3, 400, 150)
    fitted = FittedReference(bins=7, binning="width").fit(reference)
    path = tmp_path / "reference.data"
    fitted.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["reference.data"]
    loaded = FittedReference.load(path)
    assert (loaded.bins, loaded.binning, loaded.n_samples_, loaded.n_features_) == (7, "width", 400, 10)
    np.testing.assert_array_equal(loaded.bin_counts_, fitted.bin_counts_)
    np.testing.assert_array_equal(ks_2samp(loaded, current).pvalue, ks_2samp(fitted, current).pvalue)
    np.testing.assert_array_equal(psi(loaded, current), psi(fitted, current))
    np.testing.assert_array_equal(wasserstein_distance(loaded, current), wasserstein_distance(fitted, current))


def test_a_file_that_is_no_reference_is_refused(tmp_path):
    path = tmp_path / "wrong.npz"
    np.savez(path, sorted=np.zeros((1, 3)))
    with pytest.raises(ValueError, match="must hold a 'tinytorch reference 1'"):
        FittedReference.load(path)
    settings_ = {"format": "tinytorch reference 1", "bins": 10, "binning": "quantile"}
    for columns, message in (
        (np.array([[2.0, 1.0]]), "sorted"),
        (np.array([[np.nan, 1.0]]), "NaN"),
        (np.array([[{}]], dtype=object), "must"),
    ):
        np.savez(path, sorted=columns, **settings_)
        with pytest.raises(ValueError, match=message):
            FittedReference.load(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="must"):
        FittedReference.load(path)


def test_a_failed_fit_leaves_the_reference_as_it_was():
    fitted = FittedReference().fit([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="NaN"):
        fitted.fit([np.nan])
    assert fitted.sorted_.tolist() == [[1.0, 2.0, 3.0]]


def test_an_unfitted_reference_is_refused(tmp_path):
    for use in (ks_2samp, psi, wasserstein_distance, column_report):
        with pytest.raises(ValueError, match="reference must be fitted before it is used"):
            use(FittedReference(), [1.0])
    with pytest.raises(ValueError, match="reference must be fitted before it is used"):
        FittedReference().runs(5)
    with pytest.raises(ValueError, match="reference must be fitted before it is saved"):
        FittedReference().save(tmp_path / "nothing.npz")
    assert not list(tmp_path.iterdir())


def test_fitting_does_not_touch_what_it_is_given():
    table = np.random.default_rng(0).normal(size=(50, 3))
    before = table.copy()
    fitted = FittedReference().fit(table)
    psi(fitted, table), ks_2samp(fitted, table), wasserstein_distance(fitted, table)
    np.testing.assert_array_equal(table, before)


@pytest.mark.parametrize("bins", [1, 0, 2.5, True])
def test_a_bad_number_of_bins_is_refused(bins):
    with pytest.raises(ValueError, match="bins must be an integer >= 2"):
        FittedReference(bins=bins)
