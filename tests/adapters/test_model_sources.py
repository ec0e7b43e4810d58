"""Whatever answers with probabilities can be registered and loaded: functions, files, URLs; and nothing is pickled."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.model_callable import CallableModel
from tinytorch.adapters.model_remote import RemoteModel
from tinytorch.adapters.model_sources import pack_model, unpack_model
from tinytorch.adapters.registry_network import pack_network, unpack_network
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.checks.model import check_model
from tinytorch.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.deploy import split_traffic
from tinytorch.mlops.hashing import hash_model
from tinytorch.mlops.retrain.network import NetworkModel
from tinytorch.mlops.serving import Router

QUESTION = np.random.default_rng(0).normal(size=(6, 3))
SCORING = """
import numpy as np

WEIGHTS = np.array([1.0, -1.0, 0.5])

def predict(features):
    likely = 1 / (1 + np.exp(-features @ WEIGHTS))
    return np.column_stack([1 - likely, likely])

class Wrapped:
    def predict_proba(self, features):
        return predict(features)

wrapped = Wrapped()
forgetful = lambda features: predict(features)[:1]
unsure = lambda features: predict(features) / 2
number = 3
"""


@pytest.fixture
def scoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file with a function in it, on the path."""
    path = tmp_path / "scoring_rules.py"
    path.write_text(SCORING, encoding="utf-8", newline="\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield path
    for name in [name for name in sys.modules if "scoring_rules" in name]:
        del sys.modules[name]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[SqliteRegistry]:
    with SqliteRegistry(tmp_path / "registry", actor="ada") as opened:
        yield opened


@pytest.mark.parametrize("name", ["predict", "wrapped"])
def test_a_function_or_object_in_a_file_is_a_model(scoring: Path, name: str) -> None:
    check_model(CallableModel(f"scoring_rules:{name}"), QUESTION)


def test_a_plain_function_is_registered_by_its_path_and_its_files_hash(scoring: Path, registry: SqliteRegistry) -> None:
    function = importlib.import_module("scoring_rules").predict
    version = registry.register(function, ModelVersion("scores"))
    kept = registry.describe("scores", 1)
    assert (kept.kind, kept.source) == ("callable", "scoring_rules:predict")
    assert json.loads(registry.artifacts.read(kept.artifact)).keys() == {"target", "file_sha256"}
    assert version.content_hash == CallableModel("scoring_rules:predict").content_hash
    assert np.array_equal(registry.load("scores", 1).predict_proba(QUESTION), function(QUESTION))


def test_a_function_whose_file_changed_is_refused_until_it_is_registered_again(
    scoring: Path, registry: SqliteRegistry
) -> None:
    registry.register(CallableModel("scoring_rules:predict"), ModelVersion("scores"))
    before = registry.load("scores", 1).predict_proba(QUESTION)
    scoring.write_text(SCORING.replace("0.5", "0.75"), encoding="utf-8", newline="\n")
    with pytest.raises(ValueError, match="must be the file that was registered"):
        registry.load("scores", 1)
    second = registry.register(CallableModel("scoring_rules:predict"), ModelVersion("scores", parent=1))
    assert second.content_hash != registry.get("scores", 1).content_hash
    assert not np.array_equal(registry.load("scores", 2).predict_proba(QUESTION), before)
    scoring.write_text(SCORING, encoding="utf-8", newline="\n")
    assert np.array_equal(registry.load("scores", 1).predict_proba(QUESTION), before), "the old file is welcome again"


def test_what_runs_is_what_was_hashed_whatever_was_imported_before(scoring: Path) -> None:
    module = importlib.import_module("scoring_rules")
    module.WEIGHTS[:] = 0.0
    assert not np.allclose(CallableModel("scoring_rules:predict").predict_proba(QUESTION), 0.5)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("scoring_rules", "target must be module:callable"),
        ("scoring_rules:", "target must be module:callable"),
        ("../scoring_rules:predict", "target must be module:callable"),
        ("scoring rules:predict", "target must be module:callable"),
        ("os.path:__import__('os')", "target must be module:callable"),
        ("no_such_file:predict", "target must name a module"),
        ("no.such.file:predict", "target must name a module"),
        ("sys:exit", "target must name a module in a .py file"),
        ("scoring_rules:missing", "must be a function or an object with predict_proba"),
        ("scoring_rules:number", "must be a function or an object with predict_proba"),
        ("scoring_rules:Wrapped", "must be a function or an object with predict_proba"),
    ],
)
def test_a_target_that_is_none_is_refused(scoring: Path, target: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CallableModel(target)


def test_a_file_that_does_not_run_is_refused_with_its_error(scoring: Path) -> None:
    scoring.write_text("1 / 0\n", encoding="utf-8", newline="\n")
    with pytest.raises(ValueError, match=r"scoring_rules\.py must run, got ZeroDivisionError"):
        CallableModel("scoring_rules:predict")


@pytest.mark.parametrize(
    ("name", "message"), [("forgetful", "must answer 6 rows, got 1"), ("unsure", "must add up to 1 in every row")]
)
def test_answers_that_are_no_probabilities_are_refused(scoring: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CallableModel(f"scoring_rules:{name}").predict_proba(QUESTION)


def every_layer(rng: np.random.Generator) -> NetworkModel:
    inner = Sequential(Linear(5, 4, bias=False, rng=rng), Tanh(), Dropout(0.25), Sigmoid())
    layers = (Linear(3, 5, rng=rng), GELU(), inner, Softmax(dim=1), Linear(4, 2, rng=rng), ReLU())
    return NetworkModel(Sequential(*layers), 3, 2)


def test_a_network_of_every_kind_of_layer_comes_back_to_the_bit() -> None:
    model = every_layer(np.random.default_rng(1))
    again = unpack_network(pack_network(model))
    assert hash_model(again) == hash_model(model) and again.architecture == model.architecture
    assert np.array_equal(again.predict_proba(QUESTION), model.predict_proba(QUESTION))
    assert pack_network(again) == pack_network(model), "the same network makes the same bytes"


def test_a_loaded_network_can_be_trained_further() -> None:
    again = unpack_network(pack_network(every_layer(np.random.default_rng(1))))
    assert len(again.network.parameters()) == 5
    assert all(parameter.requires_grad for parameter in again.network.parameters())


class Doubled:
    def forward(self, x):
        return x * 2.0

    def parameters(self):
        return []


def test_a_layer_that_text_cannot_describe_is_refused() -> None:
    model = NetworkModel(Sequential(Linear(3, 2), Doubled()), 3, 2)
    with pytest.raises(ValueError, match=r"layer network\.1 must be one of Sequential, Linear, .*, got Doubled"):
        pack_network(model)


@pytest.mark.parametrize("what", [object(), partial(np.zeros, 3), print, "scoring:predict", None])
def test_what_is_no_model_is_refused(what: object) -> None:
    with pytest.raises(ValueError, match=r"model must be|target must name a module"):
        pack_model(what)


@pytest.mark.parametrize("kind", ["network", "callable", "url"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff"])
def test_bytes_that_are_no_model_are_refused(kind: str, content: bytes) -> None:
    with pytest.raises(ValueError):
        unpack_model(kind, content)


class Server(BaseHTTPRequestHandler):
    """A server that speaks the protocol's JSON, as far as a client needs it."""

    status, output = 200, "probabilities"

    def do_GET(self) -> None:
        self._send(200, {"name": "digits", "inputs": [{"name": "features", "datatype": "FP64", "shape": [-1, 3]}]})

    def do_POST(self) -> None:
        (tensor,) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
        rows = np.array(tensor["data"]).reshape(tensor["shape"])
        if type(self).status != 200:
            self._send(type(self).status, {"error": "no"})
        elif tensor["name"] != "features" or rows.shape[1] != 3:
            self._send(400, {"error": "features must have 3 columns"})
        else:
            likely = 1 / (1 + np.exp(-rows.sum(axis=1)))
            table = np.column_stack([1 - likely, likely])
            first = {"name": "classes", "shape": [len(rows)], "datatype": "INT64", "data": table.argmax(1).tolist()}
            second = {"name": type(self).output, "shape": list(table.shape), "datatype": "FP64"}
            self._send(200, {"outputs": [first, {**second, "data": table.ravel().tolist()}]})

    def _send(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where a server runs."""
    monkeypatch.setattr(Server, "status", 200)
    monkeypatch.setattr(Server, "output", "probabilities")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v2/models/digits"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_running_url_is_a_model(url: str) -> None:
    check_model(RemoteModel(url), QUESTION)


def test_a_running_url_is_registered_and_loaded(url: str, registry: SqliteRegistry) -> None:
    registry.register(RemoteModel(url), ModelVersion("digits"))
    registry.promote("digits", 1, 0)
    likely = registry.load("digits", "champion").predict_proba(QUESTION)[:, 1]
    assert np.allclose(likely, 1 / (1 + np.exp(-QUESTION.sum(axis=1))))


def test_traffic_is_routed_between_two_running_urls(url: str, registry: SqliteRegistry) -> None:
    for address in (url, url.replace("digits", "letters"), "http://127.0.0.1:1/v2/models/digits"):
        registry.register(RemoteModel(address), ModelVersion("digits"))
    registry.promote("digits", 1, 0)
    router = Router(registry, "digits", split_traffic)
    rows = np.random.default_rng(1).normal(size=(40, 3))
    router.start_rollout(2, weight=0.5)
    batches, failure = router.route(np.arange(40), rows, now=0.0)
    assert failure is None and [batch.model_version for batch in batches] == [1, 2]
    assert sum(map(len, batches)) == 40 and all(map(len, batches))
    router.start_rollout(3, weight=0.5)
    batches, failure = router.route(np.arange(40), rows, now=1.0)
    assert "ConnectionError" in str(failure) and [len(batch) for batch in batches] == [40], "the champion answers"


@pytest.mark.parametrize(("status", "error"), [(400, ValueError), (404, ValueError), (500, ConnectionError)])
def test_a_refusal_is_the_callers_and_a_failure_the_servers(monkeypatch, url: str, status: int, error: type) -> None:
    model = RemoteModel(url)
    model.predict_proba(QUESTION)
    monkeypatch.setattr(Server, "status", status)
    with pytest.raises(error, match=f"answered {status}"):
        model.predict_proba(QUESTION)


def test_an_answer_without_probabilities_is_refused(monkeypatch, url: str) -> None:
    monkeypatch.setattr(Server, "output", "something")
    with pytest.raises(ValueError):
        RemoteModel(url).predict_proba(QUESTION)


def test_a_server_that_is_not_there_is_a_connection_error() -> None:
    with pytest.raises(ConnectionError, match="cannot be reached"):
        RemoteModel("http://127.0.0.1:1/v2/models/digits").predict_proba(QUESTION)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/v2/models/a", "http:///v2/models/a", "digits", None])
def test_what_is_no_url_of_a_model_is_refused(url) -> None:
    with pytest.raises(ValueError, match="url must be http"):
        RemoteModel(url)
