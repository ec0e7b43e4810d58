"""Arrays from outside: what is read, and what is refused with name, rule and value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinytorch.core.tensor import Tensor
from tinytorch.mlops import validate

NAN = float("nan")
TABLES = arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(1, 4)), elements=st.floats(-1e6, 1e6))

REFUSED_FEATURES = [
    ([[1.0, 2.0], [3.0]], "rows must be a rectangular array, got ragged rows."),
    ([["1", "2"]], "rows must be numbers, got an array of <U1."),
    ([[1 + 2j]], "rows must be numbers, got an array of complex128."),
    (np.array([["2020-01-01"]], dtype="datetime64[D]"), "rows must be numbers, got an array of datetime64[D]."),
    ([[1.0, Decimal("2.5")]], "rows must be numbers, got Decimal('2.5')."),
    ([[1.0, {}]], "rows must be numbers, got {}."),
    ([[NAN, 1.0]], "rows must be finite, got 1 values that are not."),
    ([[NAN, np.inf], [-np.inf, 0.0]], "rows must be finite, got 3 values that are not."),
    (np.zeros((2, 3, 4)), "rows must have shape (n, n_features), got (2, 3, 4)."),
    (np.zeros((2, 0)), "rows must have shape (n, n_features), got (2, 0)."),
    (5.0, "rows must have shape (n, n_features), got ()."),
]


@pytest.mark.parametrize(("values", "message"), REFUSED_FEATURES)
def test_features_that_are_no_finite_table_are_refused_by_name(values: Any, message: str):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        validate.as_features(values, "rows")


def test_missing_values_are_let_through_only_where_asked_for_and_infinity_never():
    assert np.isnan(validate.as_features([[NAN, 1.0]], allow_missing=True)).tolist() == [[True, False]]
    assert np.isnan(validate.as_features([[None, 1]], allow_missing=True)).tolist() == [[True, False]]
    with pytest.raises(ValueError, match="features must be finite, got 1 values"):
        validate.as_features([[None, 1]])
    with pytest.raises(ValueError, match="features must be finite, got 1 values"):
        validate.as_features([[NAN, np.inf]], allow_missing=True)


@given(TABLES)
def test_a_table_is_read_whole_and_never_shared(table: np.ndarray):
    read = validate.as_features(table)
    assert np.array_equal(read, table)
    assert read.dtype == np.float64
    assert not np.shares_memory(read, table)


@pytest.mark.parametrize("values", [Tensor([[1.0, 2.0]]), [[1, 2]], [[True, 2]], np.array([[1, 2]], dtype=np.uint8)])
def test_tensors_lists_and_whole_numbers_are_tables_too(values: Any):
    assert validate.as_features(values).tolist() == [[1.0, 2.0]]


def test_one_dimension_is_one_feature():
    assert validate.as_features([1.0, 2.0]).shape == (2, 1)
    assert validate.as_features([]).shape == (0, 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, -1], "labels must be class indices 0, 1, 2, ..., got -1."),
        ([0.5], "labels must be class indices 0, 1, 2, ..., got 0.5."),
        ([1e19], "labels must be class indices 0, 1, 2, ..., got 1e+19."),
        ([0, 3], "labels must be class indices below 3, got 3."),
        ([[0, 1]], "labels must have shape (n,), got (1, 2)."),
        ([0, NAN], "labels must be finite, got 1 values that are not."),
        (["cat"], "labels must be numbers, got an array of <U3."),
    ],
)
def test_labels_that_are_no_class_are_refused(values: Any, message: str):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        validate.as_labels(values, n_classes=3)


@given(st.lists(st.integers(0, 9)))
def test_every_class_index_is_read_as_it_is(labels: list[int]):
    assert validate.as_labels(np.array(labels, dtype=np.float64), n_classes=10).tolist() == labels


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.7, 0.7]], "must add up to 1 in every row, got 1.4 in row 0"),
        ([[0.5, 0.5], [0.5, 0.502]], "must add up to 1 in every row, got 1.002 in row 1"),
        ([[1.5, -0.5]], "must be in [0, 1], got 1.5"),
        ([[NAN, 1.0]], "must be finite"),
    ],
)
def test_what_are_no_probabilities_is_refused(values: Any, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        validate.as_probabilities(values)


def test_probabilities_may_miss_one_by_a_rounding_of_float32():
    logits = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert validate.as_probabilities(shares).shape == (200, 10)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, 1], "request_ids must be distinct, got 1 twice."),
        (["a", "b", "b"], "request_ids must be distinct, got b twice."),
        ([1.0, 2.0], "request_ids must be integers or strings of shape (n,), got float64 (2,)."),
        ([[1, 2]], "request_ids must be integers or strings of shape (n,), got int64 (1, 2)."),
        ([[1], [2, 3]], "request_ids must be a rectangular array, got ragged rows."),
    ],
)
def test_ids_must_be_distinct_integers_or_strings(values: Any, message: str):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        validate.as_request_ids(values)


def test_no_ids_are_fine():
    assert validate.as_request_ids([]).shape == (0,)


def test_bounds_of_values_are_inclusive():
    assert validate.as_values_within([0.0, 1.0], "share", 0.0, 1.0).tolist() == [0.0, 1.0]
    for outside in (-0.001, 1.001):
        with pytest.raises(ValueError, match=r"share must be in \[0, 1\], got"):
            validate.as_values_within([0.5, outside], "share", 0.0, 1.0)


@pytest.mark.parametrize("moment", [NAN, np.inf, "now", None])
def test_a_moment_is_a_finite_number(moment: Any):
    with pytest.raises(ValueError, match="now must be in"):
        validate.check_moment(moment, "now")


@settings(max_examples=50)
@given(st.integers(0, 5), st.integers(0, 5))
def test_lengths_columns_and_rows_are_compared(first: int, second: int):
    arrays_by_name = {"a": np.zeros(first), "b": np.zeros(second)}
    table = np.zeros((first, second + 1))
    expectations = (
        (lambda: validate.check_same_length(arrays_by_name), first == second),
        (lambda: validate.check_columns(table, 3), second + 1 == 3),
        (lambda: validate.check_rows(table, "table", minimum=2), first >= 2),
    )
    for check, is_fine in expectations:
        if is_fine:
            check()
        else:
            with pytest.raises(ValueError, match="must"):
                check()
