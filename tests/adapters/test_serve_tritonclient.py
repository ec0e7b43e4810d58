"""The protocol's real client against our server, in every one of its modes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (the serve extra brings it)")
pytest.importorskip("tritonclient.http", reason='tritonclient is not installed (pip install "tritonclient[http]")')

import tritonclient.http as triton
from serving import MOST_SECONDS, N_FEATURES, Linear, running, two_versions

from tinytorch.adapters.serve_open import open_server

ROWS = np.random.default_rng(0).normal(size=(60, N_FEATURES))
EXPECTED = Linear(1.0).predict_proba(ROWS)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with running(open_server(two_versions(), ["digits"])) as server:
        made = triton.InferenceServerClient(server.address.removeprefix("http://"), network_timeout=MOST_SECONDS)
        yield made
        made.close()


def inputs(binary: bool, datatype: str = "FP64", rows: np.ndarray = ROWS) -> list[Any]:
    numbers = rows.astype(np.float32 if datatype == "FP32" else np.float64)
    tensor = triton.InferInput("features", list(numbers.shape), datatype)
    tensor.set_data_from_numpy(numbers, binary_data=binary)
    return [tensor]


def outputs(binary: bool) -> list[Any]:
    return [triton.InferRequestedOutput(name, binary_data=binary) for name in ("predictions", "probabilities")]


def test_health_and_metadata(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("digits")
    assert client.is_model_ready("digits", "2")
    assert not client.is_model_ready("letters")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.get_model_metadata("digits")["versions"] == ["1", "2"]
    assert client.get_model_metadata("digits", "2")["inputs"][0]["name"] == "features"
    assert client.get_model_repository_index()[0]["name"] == "digits"


@pytest.mark.parametrize("response_packing", [None, "gzip", "deflate"])
@pytest.mark.parametrize("request_packing", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary_out", [False, True, None])
@pytest.mark.parametrize("binary_in", [False, True])
def test_every_way_to_send_and_to_receive(
    client: Any, binary_in: bool, binary_out: bool | None, request_packing: str | None, response_packing: str | None
) -> None:
    result = client.infer(
        "digits",
        inputs(binary_in),
        outputs=None if binary_out is None else outputs(binary_out),
        request_compression_algorithm=request_packing,
        response_compression_algorithm=response_packing,
    )
    assert np.array_equal(result.as_numpy("probabilities"), EXPECTED)
    assert np.array_equal(result.as_numpy("predictions"), EXPECTED.argmax(axis=1))


@pytest.mark.parametrize("binary", [False, True])
def test_float32_is_answered_as_its_rounded_numbers(client: Any, binary: bool) -> None:
    result = client.infer("digits", inputs(binary, "FP32"))
    rounded = ROWS.astype(np.float32).astype(np.float64)
    assert np.array_equal(result.as_numpy("probabilities"), Linear(1.0).predict_proba(rounded))


def test_ids_and_versions(client: Any) -> None:
    result = client.infer("digits", inputs(True), model_version="2", request_id="my-request")
    assert result.get_response()["id"] == "my-request"
    assert result.get_response()["model_version"] == "2"
    assert np.array_equal(result.as_numpy("probabilities"), Linear(-1.0).predict_proba(ROWS))


def test_one_output_alone(client: Any) -> None:
    result = client.infer("digits", inputs(True), outputs=outputs(True)[:1])
    assert result.as_numpy("probabilities") is None
    assert len(result.as_numpy("predictions")) == len(ROWS)


def test_asynchronous_requests(client: Any) -> None:
    waiting = [client.async_infer("digits", inputs(number % 2 == 0), request_id=str(number)) for number in range(10)]
    results = [one.get_result(timeout=MOST_SECONDS) for one in waiting]
    assert [result.get_response()["id"] for result in results] == [str(number) for number in range(10)]
    assert all(np.array_equal(result.as_numpy("probabilities"), EXPECTED) for result in results)


@pytest.mark.parametrize(
    ("model", "version", "rows", "reason"),
    [
        ("letters", "", ROWS, "no such model"),
        ("digits", "9", ROWS, "no such version"),
        ("digits", "", ROWS[:, :2], "shape"),
    ],
)
def test_refusals_arrive_as_the_clients_own_error(
    client: Any, model: str, version: str, rows: np.ndarray, reason: str
) -> None:
    for binary in (False, True):
        with pytest.raises(triton.InferenceServerException, match=reason):
            client.infer(model, inputs(binary, rows=rows), model_version=version)
