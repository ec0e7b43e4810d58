"""Category counts against collections.Counter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tinytorch.stats.summaries import CategoryCounts, Missing


def test_counts_are_those_of_a_counter(rng):
    table = rng.choice(["red", "green", "blue", "ultramarine"], size=(300, 2))
    counted = CategoryCounts.from_batch(table)
    for column in range(2):
        ours = dict(zip(counted.categories[column].tolist(), counted.counts[column].tolist(), strict=True))
        assert ours == dict(Counter(table[:, column].tolist()))


def test_trap_unseen_categories_are_kept_and_aligned():
    reference, current = CategoryCounts.from_batch([1, 1, 2]), CategoryCounts.from_batch([3, 2])
    categories, ours, theirs = reference.align(current, 0)
    np.testing.assert_array_equal([categories, ours, theirs], [[1, 2, 3], [2, 1, 0], [0, 1, 1]])


def test_longer_text_of_another_part_is_not_cut_off():
    merged = CategoryCounts.from_batch(["a"]).merge(CategoryCounts.from_batch(["a longer word"]))
    assert merged.categories[0].tolist() == ["a", "a longer word"]


@pytest.mark.parametrize(
    "batch", [[1.0, np.nan, 2.0, 1.0], [1, None, 2, 1], ["1", None, "2", "1"], ["1", np.nan, "2", "1"]]
)
def test_missing_values_are_left_out_here_and_counted_there(batch):
    assert CategoryCounts.from_batch(batch).counts[0].tolist() == [2, 1]
    assert Missing.from_batch(batch).n_missing.tolist() == [1]
    assert Missing.from_batch(batch).rate.tolist() == [0.25]


def test_a_column_without_values_joins_text_and_numbers():
    nothing = CategoryCounts.from_batch([None, None])
    assert nothing.merge(CategoryCounts.from_batch(["a"])).categories[0].tolist() == ["a"]
    assert CategoryCounts.from_batch([1.0]).merge(nothing).categories[0].tolist() == [1.0]


def test_each_column_has_its_own_kind():
    table = np.array([["a", 1], ["b", 2], ["a", 2.0]], dtype=object)
    counted = CategoryCounts.from_batch(table)
    assert counted.categories[0].tolist() == ["a", "b"] and counted.categories[1].tolist() == [1.0, 2.0]


def test_true_and_false_are_categories_too():
    assert CategoryCounts.from_batch([True, False, True]).counts[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (np.array(["a", 1.0], dtype=object), "column 0 must hold numbers only or text only, got both"),
        (np.array([{}, {}], dtype=object), "column 0 must hold numbers only or text only"),
        ([[1, 2], [3]], "batch must be a rectangular table"),
        (np.zeros((2, 2, 2)), "batch must have 1 or 2 dimensions"),
        ([], "batch must have 1 or 2 dimensions and a value"),
        (np.zeros(3, dtype="datetime64[s]"), "batch must hold numbers, text or objects"),
    ],
)
def test_bad_input_is_named(batch, message):
    with pytest.raises(ValueError, match=message):
        CategoryCounts.from_batch(batch)


def test_text_and_numbers_do_not_mix_across_parts():
    with pytest.raises(ValueError, match="column 0 must hold numbers in both or text in both"):
        CategoryCounts.from_batch(["a"]).merge(CategoryCounts.from_batch([1]))
