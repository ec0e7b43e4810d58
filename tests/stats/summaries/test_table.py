"""The bundle: what goes where, and files that come back the same or not at all."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from tinytorch.stats.summaries import TableSummary, chi2_from_counts, ks_from_quantiles, psi_from_histograms


def mixed_table(rng, n_rows=3000):
    """Two columns of numbers around one of text, some of each missing."""
    table = np.empty((n_rows, 3), dtype=object)
    table[:, 0] = rng.normal(size=n_rows)
    table[:, 1] = rng.choice(["red", "green", "grün"], n_rows)
    table[:, 2] = rng.lognormal(size=n_rows)
    table[:50, 1] = None
    table[:80, 2] = None
    return table


def test_columns_go_where_they_belong(rng):
    table = mixed_table(rng)
    summary = TableSummary.from_batch(table, rng=rng, categorical=[1])
    np.testing.assert_array_equal(summary.numeric, [0, 2])
    np.testing.assert_array_equal(summary.missing.n_missing, [0, 50, 80])
    np.testing.assert_array_equal(summary.moments.count, [3000, 2920])
    np.testing.assert_array_equal(summary.histogram.counts.sum(axis=1), [3000, 2920])
    np.testing.assert_array_equal(summary.quantiles.count, [3000, 2920])
    assert summary.categories.categories[0].tolist() == ["green", "grün", "red"]
    assert summary.categories.counts[0].sum() == 2950


def test_what_was_saved_comes_back_to_the_bit_and_merges_on(rng, tmp_path):
    summary = TableSummary.from_batch(mixed_table(rng), rng=rng, categorical=[1])
    more = TableSummary.from_batch(mixed_table(rng), rng=rng, categorical=[1], edges=summary.histogram.edges)
    path = tmp_path / "reference.npz"
    summary.save(path)
    loaded = TableSummary.load(path)
    for one, other in ((loaded, summary), (loaded.merge(more), summary.merge(more))):
        np.testing.assert_array_equal(one.moments.squares, other.moments.squares)
        np.testing.assert_array_equal(one.histogram.counts, other.histogram.counts)
        np.testing.assert_array_equal(one.quantiles.values[1], other.quantiles.values[1])
        assert one.quantiles.seed == other.quantiles.seed and one.missing.n_rows == other.missing.n_rows
        assert (chi2_from_counts(one.categories, other.categories).pvalue == 1).all()
        assert (ks_from_quantiles(one.quantiles, other.quantiles).statistic == 0).all()
        assert (psi_from_histograms(one.histogram, other.histogram) == 0).all()


def test_a_table_of_numbers_only_is_saved_too(rng, tmp_path):
    summary = TableSummary.from_batch(rng.normal(size=(20, 2)), rng=rng)
    summary.save(tmp_path / "a.npz")
    assert TableSummary.load(tmp_path / "a.npz").categories.counts == ()


def test_the_file_holds_no_pickle_and_nothing_else_is_left_behind(rng, tmp_path):
    path = tmp_path / "reference.npz"
    summary = TableSummary.from_batch(mixed_table(rng), rng=rng, categorical=[1])
    summary.save(path)
    summary.save(path)  # over the old one
    assert [file.name for file in tmp_path.iterdir()] == ["reference.npz"]
    with np.load(path, allow_pickle=False) as archive:
        assert all(not archive[name].dtype.hasobject for name in archive.files)


def test_a_save_that_fails_leaves_the_old_file(rng, tmp_path, monkeypatch):
    path = tmp_path / "reference.npz"
    TableSummary.from_batch(rng.normal(size=(20, 2)), rng=rng).save(path)
    before = path.read_bytes()

    def break_down(file, **arrays):
        file.write(b"half a file")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", break_down)
    with pytest.raises(OSError, match="disk full"):
        TableSummary.from_batch(rng.normal(size=(20, 2)), rng=rng).save(path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_damaged_and_foreign_files_are_refused(rng, tmp_path):
    path = tmp_path / "reference.npz"
    TableSummary.from_batch(rng.normal(size=(20, 2)), rng=rng).save(path)
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2], whole[:400] + b"\xff" * 40 + whole[440:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"path must name a whole file of numpy arrays"):
            TableSummary.load(path)
    np.savez(path, something=np.ones(3))
    with pytest.raises(ValueError, match="path must name a TableSummary of format 1"):
        TableSummary.load(path)
    np.savez(path, something=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"path must name a whole file of numpy arrays"):
        TableSummary.load(path)


def test_a_file_with_a_part_missing_is_refused(rng, tmp_path):
    whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
    TableSummary.from_batch(rng.normal(size=(20, 2)), rng=rng).save(whole)
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(cut, "w") as copy:
        for name in archive.namelist():
            if name != "moments.squares.npy":
                copy.writestr(name, archive.read(name))
    with pytest.raises(ValueError, match="path must name a whole TableSummary"):
        TableSummary.load(cut)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categorical": [0, 1]}, "categorical must leave a column of the 2 numeric"),
        ({"categorical": [5]}, "categorical must leave a column of the 2 numeric"),
        ({"categorical": [-1]}, "categorical column must be an integer >= 0, got -1"),
        ({"edges": [3.0, 1.0]}, "edges must be finite and rise"),
        ({"batch": np.array([["a", 1.0]], dtype=object)}, "batch must hold numbers outside its categorical columns"),
    ],
)
def test_bad_input_is_named(arguments, message, rng):
    with pytest.raises(ValueError, match=message):
        TableSummary.from_batch(**({"batch": np.ones((4, 2)), "rng": rng} | arguments))


def test_tables_with_other_categorical_columns_do_not_merge(rng):
    one, other = (TableSummary.from_batch(np.ones((4, 2)), rng=rng, categorical=[column]) for column in (0, 1))
    with pytest.raises(ValueError, match="other must have the categorical columns"):
        one.merge(other)
