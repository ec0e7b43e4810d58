"""Binary tensors and packed bodies: what is read is what was written, and never more than was allowed."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

pytest.importorskip("orjson", reason="orjson is not installed (the serve extra brings it)")

from tinytorch.adapters.open_inference_binary import (
    binary_size,
    choose_encoding,
    pack,
    read_binary_tensor,
    read_json_length,
    unpack,
    write_binary_tensor,
)
from tinytorch.adapters.open_inference_infer import read_infer_request, write_infer_answer
from tinytorch.adapters.open_inference_json import DATATYPES, ProtocolError, read_object, write_json


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
def test_every_datatype_comes_back(datatype: str) -> None:
    table = np.array([[1, 0], [0, 1]], dtype=DATATYPES[datatype])
    raw = write_binary_tensor(table)
    assert np.array_equal(read_binary_tensor({"shape": [2, 2], "datatype": datatype}, raw), table.astype(float))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("datatype", ["FP64", "FP32", "FP16"])
def test_nan_and_infinity_are_refused(value: float, datatype: str) -> None:
    raw = np.array([[value]], dtype=DATATYPES[datatype]).tobytes()
    with pytest.raises(ProtocolError, match="finite"):
        read_binary_tensor({"shape": [1, 1], "datatype": datatype}, raw)


def test_a_boolean_byte_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(ProtocolError, match="0 or 1"):
        read_binary_tensor({"shape": [1, 1], "datatype": "BOOL"}, b"\x02")


@pytest.mark.parametrize("n_bytes", [0, 7, 9, 16])
def test_another_number_of_bytes_is_refused(n_bytes: int) -> None:
    with pytest.raises(ProtocolError, match="8 bytes"):
        read_binary_tensor({"shape": [1, 1], "datatype": "FP64"}, bytes(n_bytes))


def test_a_shape_whose_product_is_huge_takes_no_memory() -> None:
    with pytest.raises(ProtocolError):
        read_binary_tensor({"shape": [2**40, 2**40], "datatype": "FP64"}, b"")


@pytest.mark.parametrize("size", [-1, 1.5, "8", True])
def test_a_size_that_is_no_number_of_bytes_is_refused(size: object) -> None:
    with pytest.raises(ProtocolError):
        binary_size({"parameters": {"binary_data_size": size}})


@pytest.mark.parametrize("text", ["", "-1", "1.0", "11", "99999999999999999999999", "\u0663", " 3"])
def test_a_length_of_the_json_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        read_json_length(text, n_bytes=10)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_body_comes_back(encoding: str) -> None:
    body = b"features" * 1000
    assert unpack(pack(body, encoding), encoding, limit_bytes=len(body)) == body


@pytest.mark.parametrize(("encoding", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_bomb_is_refused_before_it_is_unpacked(encoding: str, squeeze: object) -> None:
    bomb = squeeze(bytes(20_000_000))  # type: ignore[operator]
    assert len(bomb) < 30_000
    with pytest.raises(ProtocolError) as caught:
        unpack(bomb, encoding, limit_bytes=100_000)
    assert caught.value.status == 413


@pytest.mark.parametrize("damaged", [b"", b"no gzip", gzip.compress(b"abc")[:-3], gzip.compress(b"abc") + b"more"])
def test_a_damaged_body_is_refused(damaged: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        unpack(damaged, "gzip", limit_bytes=100)
    assert caught.value.status == 400


def test_an_unknown_packing_is_refused_as_such() -> None:
    with pytest.raises(ProtocolError) as caught:
        unpack(b"", "br", limit_bytes=100)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (None, None),
        ("", None),
        ("br", None),
        ("gzip", "gzip"),
        ("deflate, gzip", "deflate"),
        ("GZIP;q=0.8", "gzip"),
        ("gzip;q=0, deflate;q=0.5", "deflate"),
        ("gzip; q=0.0", None),
    ],
)
def test_the_first_known_packing_that_is_not_refused_is_chosen(accepted: str | None, chosen: str | None) -> None:
    assert choose_encoding(accepted) == chosen


def body_with(behind: bytes, size: object, **fields: object) -> tuple[bytes, int]:
    tensor = {"name": "x", "shape": [1, 1], "datatype": "FP64", "parameters": {"binary_data_size": size}}
    text = write_json({**fields, "inputs": [tensor]})
    return text + behind, len(text)


def test_numbers_behind_the_json_are_read() -> None:
    body, n_json = body_with(np.array([[2.5]]).tobytes(), 8, id="7", parameters={"binary_data_output": True})
    request = read_infer_request(body, n_json)
    assert request.features.tolist() == [[2.5]]
    assert request.request_id == "7"
    assert request.outputs == {"probabilities": True, "predictions": True}


@pytest.mark.parametrize(("behind", "size"), [(bytes(8), 16), (bytes(16), 8), (b"", 8), (bytes(8), None)])
def test_a_size_that_is_not_the_bytes_behind_is_refused(behind: bytes, size: object) -> None:
    body, n_json = body_with(behind, size)
    with pytest.raises(ProtocolError):
        read_infer_request(body, n_json)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 7},
        {"id": "x" * 129},
        {"id": "a\nb"},
        {"parameters": []},
        {"parameters": {"binary_data_output": 1}},
        {"parameters": {"routing_key": ""}},
        {"outputs": {}},
        {"outputs": [[]]},
        {"outputs": [{}]},
        {"outputs": [{"name": "logits"}]},
        {"outputs": [{"name": []}]},
        {"outputs": [{"name": "predictions"}, {"name": "predictions"}]},
        {"outputs": [{"name": "predictions", "parameters": {"classification": 2}}]},
        {"outputs": [{"name": "predictions", "parameters": 3}]},
        {"inputs": []},
        {"inputs": None},
        {"inputs": [3]},
        {"inputs": [{}, {}]},
    ],
)
def test_other_faults_of_a_request_are_refused(fields: dict[str, object]) -> None:
    tensor = {"shape": [1, 1], "datatype": "FP64", "data": [1.0]}
    with pytest.raises(ProtocolError):
        read_infer_request(write_json({"inputs": [tensor], **fields}))


def test_an_answer_holds_each_output_in_the_form_asked_for() -> None:
    arrays = {"probabilities": np.array([[0.25, 0.75]]), "predictions": np.array([1])}
    body, n_json = write_infer_answer({"id": "7"}, arrays, {"predictions": False, "probabilities": True})
    described = read_object(body[:n_json])["outputs"]
    assert described[0]["data"] == [1]
    assert described[1]["parameters"] == {"binary_data_size": 16}
    assert np.frombuffer(body[n_json:]).tolist() == [0.25, 0.75]
