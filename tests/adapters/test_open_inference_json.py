"""Tensors as JSON: what is read is what was written, and everything else is refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("orjson", reason="orjson is not installed (the serve extra brings it)")

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinytorch.adapters.open_inference_json import (
    DATATYPES,
    ProtocolError,
    read_json_tensor,
    read_object,
    write_json,
)


def tensor(data: object, shape: object = (1, 2), datatype: object = "FP64") -> dict[str, object]:
    return {"shape": list(shape) if isinstance(shape, tuple) else shape, "datatype": datatype, "data": data}


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_numbers_come_back_to_the_last_bit_flat_and_nested(table: np.ndarray) -> None:
    for data in (table.ravel(), table):
        sent = read_object(write_json(tensor(data, table.shape)))
        assert np.array_equal(read_json_tensor(sent), table)


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
def test_every_datatype_is_read_as_float64(datatype: str) -> None:
    data = [True, False] if datatype == "BOOL" else [1, 0]
    table = read_json_tensor(tensor(data, datatype=datatype))
    assert table.dtype == np.float64
    assert table.tolist() == [[1.0, 0.0]]


def test_float32_is_rounded_as_the_client_holds_it() -> None:
    assert read_json_tensor(tensor([0.1, 0.2], datatype="FP32"))[0, 0] == np.float32(0.1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (tensor([[1.0, 2.0], [3.0]], (2, 2)), "2 numbers in every row, got 1 numbers in row 1"),
        (tensor([[1.0, 2.0], 3.0], (2, 2)), "got a decimal number in row 1"),
        (tensor([[1.0, [2.0]]]), "numbers of type FP64, got a list"),
        (tensor([1.0, None]), "got null"),
        (tensor([1.0, "2"]), "got a text"),
        (tensor([1.0, True]), "got true or false"),
        (tensor([1.0]), "2 numbers for shape"),
        (tensor([]), "2 numbers for shape"),
        (tensor([], (0, 2)), "at least one row"),
        (tensor([], (1, 0)), "at least one row and one column"),
        (tensor([1.0, 2.0], (2,)), "must be [rows, columns]"),
        (tensor([1.0, 2.0], (1, 2, 1)), "must be [rows, columns]"),
        (tensor([1.0, 2.0], (-1, -2)), "at least one row"),
        (tensor([1.0, 2.0], (1, True)), "must be [rows, columns]"),
        (tensor([1.0, 2.0], "1,2"), "must be [rows, columns]"),
        (tensor([1.0, 2.0], datatype="BYTES"), "datatype must be one of"),
        (tensor([1.0, 2.0], datatype=["FP64"]), "datatype must be one of"),
        (tensor([1.5, 2], datatype="INT8"), "got a decimal number"),
        (tensor([1, 128], datatype="INT8"), "fit into INT8, got 128"),
        (tensor([-1, 1], datatype="UINT64"), "fit into UINT64, got -1"),
        (tensor([1e39, 0.0], datatype="FP32"), "fit into FP32, got 1e+39"),
        (tensor({"0": 1.0}), "data must be a list of numbers, got an object"),
        ({"shape": [1, 1], "datatype": "FP64"}, "got null"),
    ],
)
def test_a_malformed_tensor_is_refused_with_its_reason(bad: dict[str, object], reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_json_tensor(bad)
    assert reason in str(caught.value)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"3", b"null", b"{", b'{"a": NaN}', b'{"a": 1e999}', b"\xff", b"[" * 5000]
)
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_object(text)
