"""Only plain data leaves a student's process, and it arrives as it was."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.course.grade_codec import Foreign, content_of, from_plain, put_content, to_plain
from tinytorch.mlops.contracts import Alert

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner)
)


def through(value: Any) -> Any:
    return from_plain(json.loads(json.dumps(to_plain(value))))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(VALUES)
def test_plain_values_arrive_as_they_were(value: Any) -> None:
    assert repr(through(value)) == repr(value)


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3), np.array([True, False]), np.zeros((0, 4)), np.array(["a", "bc"]), np.float32(0.5)],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_arrive_with_their_shape_and_kind(array: Any) -> None:
    arrived = through(array)
    assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(arrived, array)


def test_a_record_of_the_contracts_arrives() -> None:
    alert = Alert("accuracy_low", "firing", "critical", 0.8, 0.9, 0.0, 1, "0.8 is below 0.9")
    assert through((alert,)) == (alert,)


def test_what_numpy_sees_as_an_array_arrives_as_one() -> None:
    class Wrapped:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.array([1.0, 2.0])

    np.testing.assert_array_equal(through(Wrapped()), [1.0, 2.0])


class Liar:
    """Equal to everything, and fails wherever it is looked at."""

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        raise RuntimeError

    def __array__(self, *arguments: Any, **named: Any) -> np.ndarray:
        raise RuntimeError


def test_anything_else_arrives_as_something_that_is_equal_to_nothing() -> None:
    for strange in (Liar(), {1, 2}, print, np.array([print], dtype=object), 1 << 100_000, (n for n in range(3))):
        arrived = through(strange)
        assert isinstance(arrived, Foreign)
        assert arrived != 0.75
    assert isinstance(through([Liar()])[0], Foreign)


@pytest.mark.parametrize(
    "sent",
    [
        {"kind": "record", "name": "np", "fields": {}},
        {"kind": "record", "name": "Alert", "fields": {"rule": "x"}},
        {"kind": "array", "dtype": "O", "shape": [1], "content": "AAAAAAAAAAA="},
        {"kind": "array", "dtype": "f8", "shape": [10**12], "content": ""},
        {"kind": "tuple"},
        {"kind": "module"},
        {"kind": ["tuple"]},
        {"no": "kind"},
        [1, 2],
    ],
)
def test_what_nobody_made_is_refused(sent: Any) -> None:
    with pytest.raises(ValueError, match="data must be what to_plain makes"):
        from_plain(sent)


def test_what_a_function_did_to_its_arguments_is_told() -> None:
    rng, array = np.random.default_rng(1), np.zeros(3)
    there, changed = np.random.default_rng(1), np.array([0.0, 5.0, 0.0])
    there.random(7)
    put_content(rng, json.loads(json.dumps(content_of(there))))
    put_content(array, json.loads(json.dumps(content_of(changed))))
    assert rng.random() == there.random()
    np.testing.assert_array_equal(array, changed)
    assert content_of("text") is None
    with pytest.raises(ValueError, match="content must fit the argument"):
        put_content(rng, content_of(np.zeros(2)))
