"""The server over a socket: answers, refusals, versions, labels, what is written down."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette", reason="starlette is not installed (the serve extra brings it)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (the serve extra brings it)")

from serving import MOST_SECONDS, N_FEATURES, TOKEN, Linear, ask, question, running, two_versions

from tinytorch.adapters.serve_app import ServeSettings
from tinytorch.adapters.serve_batches import FailedAnswer
from tinytorch.adapters.serve_models import sticky_share
from tinytorch.adapters.serve_open import ServePlan, open_server
from tinytorch.adapters.serve_watch import WatchSettings
from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.mlops.contracts import LabelBatch, LabelledBatch, PredictionBatch

INFER = "/v2/models/digits/infer"
LIMIT_BYTES = 100_000
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


class Crashing(Linear):
    """A model that raises."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        raise RuntimeError("boom")


class Silent(Linear):
    """A model whose answer is NaN."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        return np.full((len(features), 2), np.nan)


class Hanging(Linear):
    """A model that waits until the test is over."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.over = threading.Event()

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        self.over.wait(MOST_SECONDS)
        return super().predict_proba(features)


class Notes:
    """An observer that keeps what it sees, and can be told to fail."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.batches: list[PredictionBatch] = []
        self.failures: list[FailedAnswer] = []
        self.labelled: list[LabelledBatch] = []

    def observe(self, batch: PredictionBatch) -> None:
        self.batches.append(batch)
        if self.fault is not None:
            raise self.fault

    def record_failures(self, failures: Any) -> None:
        self.failures.extend(failures)

    def record_labels(self, labels: LabelBatch, labelled: LabelledBatch) -> None:
        self.labelled.append(labelled)


def serve(registry: Any, notes: Notes | None = None, **plan: Any) -> Any:
    watch = WatchSettings(log_path=plan.pop("log_path", None), observers=() if notes is None else (notes,))
    settings = ServeSettings(TOKEN, LIMIT_BYTES)
    return running(open_server(registry, ["digits"], ServePlan(settings, watch, **plan)))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(two_versions()) as server:
        yield server.address


def test_health_and_metadata(address: str) -> None:
    assert ask(address, "/v2/health/live") == (200, {"live": True})
    assert ask(address, "/v2/health/ready") == (200, {"ready": True})
    for path in ("/v2", "/v2/"):
        assert ask(address, path)[1]["extensions"] == ["binary_tensor_data"]
    status, model = ask(address, "/v2/models/digits")
    assert (status, model["versions"]) == (200, ["1", "2"])
    assert model["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, N_FEATURES]}]
    assert ask(address, "/v2/models/digits/versions/2")[1]["versions"] == ["2"]
    assert ask(address, "/v2/models/digits/versions/2/ready")[0] == 200
    assert ask(address, "/v2/repository/index", {})[1][0]["name"] == "digits"
    assert ask(address, "/openapi.json")[1]["openapi"].startswith("3.")


def test_an_answer_is_the_models_own_and_carries_the_id(address: str) -> None:
    rows = np.random.default_rng(0).normal(size=(3, N_FEATURES))
    status, answer = ask(address, INFER, question(rows, id="abc"))
    outputs = {output["name"]: output for output in answer["outputs"]}
    expected = Linear(1.0).predict_proba(rows)
    assert (status, answer["id"], answer["model_version"]) == (200, "abc", "1")
    assert np.array_equal(np.reshape(outputs["probabilities"]["data"], (3, 2)), expected)
    assert outputs["predictions"]["data"] == expected.argmax(axis=1).tolist()


def test_a_request_without_an_id_gets_one_of_its_own(address: str) -> None:
    ids = {ask(address, INFER, question())[1]["id"] for _ in range(3)}
    assert len(ids) == 3


def test_a_version_is_asked_by_its_number(address: str) -> None:
    path = "/v2/models/digits/versions/{}/infer"
    answers = [ask(address, path.format(number), question())[1] for number in (1, 2)]
    first, second = (answer["outputs"][0]["data"] for answer in answers)
    assert [answer["model_version"] for answer in answers] == ["1", "2"]
    assert first == second[::-1]


BAD_INFER = {
    "no JSON": (b"{", {}, 400),
    "empty": (b"", {}, 400),
    "a list": (b"[]", {}, 400),
    "ragged": (b'{"inputs":[{"shape":[2,4],"datatype":"FP64","data":[[1,2,3,4],[1]]}]}', {}, 400),
    "NaN": (b'{"inputs":[{"shape":[1,4],"datatype":"FP64","data":[NaN,1,1,1]}]}', {}, 400),
    "null": (b'{"inputs":[{"shape":[1,4],"datatype":"FP64","data":[null,1,1,1]}]}', {}, 400),
    "overflow": (b'{"inputs":[{"shape":[1,4],"datatype":"FP64","data":[1e999,1,1,1]}]}', {}, 400),
    "wrong width": (b'{"inputs":[{"shape":[1,3],"datatype":"FP64","data":[1,1,1]}]}', {}, 400),
    "wrong product": (b'{"inputs":[{"shape":[2,4],"datatype":"FP64","data":[1,1,1,1]}]}', {}, 400),
    "no rows": (b'{"inputs":[{"shape":[0,4],"datatype":"FP64","data":[]}]}', {}, 400),
    "one dimension": (b'{"inputs":[{"shape":[4],"datatype":"FP64","data":[1,1,1,1]}]}', {}, 400),
    "huge shape": (b'{"inputs":[{"shape":[99999999999,99999999999],"datatype":"FP64","data":[1]}]}', {}, 400),
    "list-valued field": (b'{"inputs":[{"shape":[1,4],"datatype":["FP64"],"data":[1,1,1,1]}]}', {}, 400),
    "deeply nested list": (b"[" * 50_000 + b"]" * 50_000, {}, 400),
    "deeply nested object": (b'{"a":' * 15_000 + b"1" + b"}" * 15_000, {}, 400),
    "deeply nested data": (
        b'{"inputs":[{"shape":[1,4],"datatype":"FP64","data":' + b"[" * 900 + b"]" * 900 + b"}]}",
        {},
        400,
    ),
    "not UTF-8": (b'{"id":"\xff"}', {}, 400),
    "oversize": (b" " * (LIMIT_BYTES + 1), {}, 413),
    "gzip bomb": (gzip.compress(bytes(5_000_000)), {"Content-Encoding": "gzip"}, 413),
    "no gzip": (b"{}", {"Content-Encoding": "gzip"}, 400),
    "unknown packing": (b"{}", {"Content-Encoding": "br"}, 415),
    "length of another body": (b"{}", {"Inference-Header-Content-Length": "3"}, 400),
    "length that is none": (b"{}", {"Inference-Header-Content-Length": "two"}, 400),
    "binary NaN": (
        b'{"inputs":[{"shape":[1,1],"datatype":"FP64","parameters":{"binary_data_size":8}}]}'
        + np.array([np.nan]).tobytes(),
        {"Inference-Header-Content-Length": "83"},
        400,
    ),
}


@pytest.mark.parametrize("name", BAD_INFER)
def test_a_bad_request_is_refused_in_the_protocols_form(address: str, name: str) -> None:
    body, headers, expected = BAD_INFER[name]
    status, answer = ask(address, INFER, body, **headers)
    assert status == expected, answer
    assert list(answer) == ["error"]
    assert ask(address, INFER, question())[0] == 200, "and the next one is answered"


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/v2/models/letters/infer", "POST", 404),
        ("/v2/models/digits/versions/9/infer", "POST", 404),
        ("/v2/models/digits/versions/1e3/infer", "POST", 404),
        ("/v2/models/digits/versions/0/infer", "POST", 404),
        ("/v2/models/digits/versions/9", "GET", 404),
        ("/v2/models/letters/ready", "GET", 404),
        ("/v3", "GET", 404),
        ("/v2/models/digits/infer", "GET", 405),
        ("/v2", "DELETE", 405),
    ],
)
def test_what_is_not_there_is_refused_in_the_protocols_form(
    address: str, path: str, method: str, expected: int
) -> None:
    body = question() if method == "POST" else None
    status, answer = ask(address, path, body, method)
    assert (status, list(answer)) == (expected, ["error"])


BAD_LABELS: list[Any] = [
    {},
    {"request_ids": "7", "labels": [1]},
    {"request_ids": ["7"], "labels": 1},
    {"request_ids": ["7"], "labels": ["1"]},
    {"request_ids": ["7"], "labels": [True]},
    {"request_ids": ["7"], "labels": [-1]},
    {"request_ids": ["7"], "labels": [2**80]},
    {"request_ids": ["7", "7"], "labels": [1, 1]},
    {"request_ids": ["7"], "labels": [1, 1]},
    {"request_ids": [["7"]], "labels": [1]},
    {"request_ids": [], "labels": []},
    {"request_ids": [""], "labels": [1]},
]


@pytest.mark.parametrize("bad", BAD_LABELS)
def test_bad_labels_are_refused(address: str, bad: Any) -> None:
    assert ask(address, "/v2/models/digits/feedback", bad, **AUTHORIZED)[0] == 400


def test_a_label_that_is_no_class_of_the_model_is_refused_and_the_request_waits_on(address: str) -> None:
    ask(address, INFER, question(id="waits"))
    feedback = "/v2/models/digits/feedback"
    assert ask(address, feedback, {"request_ids": ["waits"], "labels": [2]}, **AUTHORIZED)[0] == 400
    good = {"request_ids": ["waits"], "labels": [1]}
    assert ask(address, feedback, good, **AUTHORIZED) == (200, {"matched": 1, "unmatched": 0})


@pytest.mark.parametrize("action", ["promote", "rollback", "feedback"])
@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_what_changes_something_needs_the_token(address: str, action: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("utf-8").decode("latin-1")}
    assert ask(address, f"/v2/models/digits/{action}", {"version": 2}, **headers)[0] == 401
    assert ask(address, "/v2/models/digits/status")[1]["champion"] == 1


def test_without_a_token_nobody_can_switch_versions() -> None:
    with running(open_server(two_versions(), ["digits"])) as server:
        assert ask(server.address, "/v2/models/digits/promote", {"version": 2}, **AUTHORIZED)[0] == 403


def test_the_request_after_a_switch_is_answered_by_the_new_version() -> None:
    with serve(two_versions()) as server:
        for _ in range(20):
            status, moved = ask(server.address, "/v2/models/digits/promote", {"version": 2}, **AUTHORIZED)
            assert (status, moved["champion"]) == (200, 2)
            assert ask(server.address, INFER, question())[1]["model_version"] == "2"
            assert ask(server.address, "/v2/models/digits/rollback", {}, **AUTHORIZED)[1]["champion"] == 1
            assert ask(server.address, INFER, question())[1]["model_version"] == "1"


@pytest.mark.parametrize(
    ("action", "content", "expected"),
    [
        ("rollback", {}, 409),
        ("promote", {"version": 9}, 409),
        ("promote", {"version": 2, "expected_revision": 7}, 409),
        ("promote", {"version": "2"}, 400),
        ("promote", {}, 400),
        ("promote", {"version": 2, "expected_revision": "1"}, 400),
        ("promote", [2], 400),
    ],
)
def test_a_switch_that_cannot_be_made_changes_nothing(address: str, action: str, content: Any, expected: int) -> None:
    assert ask(address, f"/v2/models/digits/{action}", content, **AUTHORIZED)[0] == expected
    assert ask(address, "/v2/models/digits/status")[1]["champion"] == 1


def test_a_champion_that_another_process_moved_is_followed() -> None:
    registry = two_versions()
    with serve(registry) as server:
        registry.promote("digits", 2, expected_revision=1)
        give_up = time.monotonic() + MOST_SECONDS
        while ask(server.address, INFER, question())[1]["model_version"] != "2":
            assert time.monotonic() < give_up


def test_without_a_champion_nothing_is_ready_and_a_request_is_told_so() -> None:
    registry = two_versions()
    registry._shelves["digits"].moves.clear()
    registry._shelves["digits"].champions.clear()
    with serve(registry) as server:
        assert ask(server.address, "/v2/health/ready") == (503, {"ready": False})
        assert ask(server.address, INFER, question())[0] == 404


def test_every_answer_is_in_the_log_with_its_label(tmp_path: Path) -> None:
    path, notes = tmp_path / "log.db", Notes()
    with serve(two_versions(), notes, log_path=path) as server:
        for number in range(5):
            ask(server.address, INFER, question(np.full((2, N_FEATURES), number), id=f"r{number}"))
        ids = [f"r{number}/{row}" for number in range(5) for row in range(2)]
        labels = {"request_ids": [*ids, "nobody"], "labels": [1] * 11}
        taken = ask(server.address, "/v2/models/digits/feedback", labels, **AUTHORIZED)
        assert taken == (200, {"matched": 10, "unmatched": 1})
    with MonitoringStore(path, "digits") as store:
        kept = store.labelled_since(0.0)
    assert sorted(kept.request_ids.tolist()) == sorted(ids)
    assert sorted(kept.features[:, 0].tolist()) == sorted(float(number) for number in range(5) for _ in range(2))
    assert sum(map(len, notes.batches)) == 10
    assert sum(map(len, notes.labelled)) == 10


def test_an_id_that_comes_again_is_answered_and_kept_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    for _ in range(2):  # the second time the store knows the ids and the server does not
        with serve(two_versions(), log_path=path) as server:
            for _ in range(3):
                assert ask(server.address, INFER, question(id="same"))[1]["id"] == "same"
            assert ask(server.address, INFER, question(id="other"))[0] == 200
            assert server.app.endpoints["digits"].log.counts().n_dropped == 0
    with MonitoringStore(path, "digits") as store:
        rows = store._connection.execute("SELECT request_id FROM predictions").fetchall()
    assert len(rows) == len(set(rows)) == 8
    assert {"same", "other"} < {key for (key,) in rows}


def test_an_observer_that_fails_harms_nobody() -> None:
    first, second = Notes(ZeroDivisionError("an observer's fault")), Notes()
    watch = WatchSettings(observers=(first, second))
    app = open_server(two_versions(), ["digits"], ServePlan(watch=watch))
    with running(app) as server:
        assert ask(server.address, INFER, question())[0] == 200
    assert len(first.batches) == len(second.batches) == 1
    assert app.endpoints["digits"].log.counts().n_errors == 1


def test_a_full_queue_drops_observations_and_not_answers(tmp_path: Path) -> None:
    held = threading.Event()

    class Holding(Notes):
        def observe(self, batch: PredictionBatch) -> None:
            super().observe(batch)
            held.wait(MOST_SECONDS)

    app = open_server(
        two_versions(), ["digits"], ServePlan(watch=WatchSettings(observers=(Holding(),)), capacity_values=60)
    )
    with running(app) as server:
        statuses = [ask(server.address, INFER, question())[0] for _ in range(30)]
        counts = ask(server.address, "/v2/models/digits/status")[1]["log"]
        held.set()
    assert statuses == [200] * 30
    assert counts["n_waiting_values"] <= 60
    assert counts["n_dropped"] >= 30 - 2 * 60 // (N_FEATURES + 2)


@pytest.mark.parametrize("model", [Crashing(1.0), Silent(1.0)], ids=["crashes", "answers NaN"])
def test_a_broken_challenger_is_noted_and_the_client_sees_the_champion(model: Any) -> None:
    notes = Notes()
    with serve(two_versions(model), notes) as server:
        server.app.endpoints["digits"].model.start_split(3, sticky_share(1.0, "trial"))
        answers = [ask(server.address, INFER, question(id=f"r{number}")) for number in range(5)]
        assert [(status, answer["model_version"]) for status, answer in answers] == [(200, "1")] * 5
    assert [(failure.version, failure.request_id) for failure in notes.failures] == [(3, f"r{n}") for n in range(5)]


def test_a_challenger_that_hangs_is_noted_and_the_client_sees_the_champion() -> None:
    notes, hanging = Notes(), Hanging()
    with serve(two_versions(hanging), notes, challenger_deadline_s=0.05) as server:
        server.app.endpoints["digits"].model.start_split(3, sticky_share(1.0, "trial"))
        answers = [ask(server.address, INFER, question())[1]["model_version"] for _ in range(8)]  # twice the threads
        assert ask(server.address, "/v2/models/digits/versions/3/infer", question())[0] == 500
        hanging.over.set()
    assert answers == ["1"] * 8
    assert len(notes.failures) == 8


def test_a_bad_request_is_no_failure_of_the_challenger() -> None:
    notes = Notes()
    with serve(two_versions(), notes) as server:
        server.app.endpoints["digits"].model.start_split(2, sticky_share(1.0, "trial"))
        assert ask(server.address, INFER, question(((1.0, 2.0),)))[0] == 400
    assert notes.failures == []


def test_a_split_is_sticky_and_both_sides_are_noted() -> None:
    notes = Notes()
    with serve(two_versions(), notes) as server:
        server.app.endpoints["digits"].model.start_split(2, sticky_share(0.5, "trial"))

        def version_of(number: int, key: str) -> str:
            asked = question(id=f"r{number}", parameters={"routing_key": key})
            return str(ask(server.address, INFER, asked)[1]["model_version"])

        first = [version_of(number, f"user-{number % 20}") for number in range(40)]
    assert first[:20] == first[20:]
    assert set(first) == {"1", "2"}
    seen = {batch.model_version: 0 for batch in notes.batches}
    for batch in notes.batches:
        seen[batch.model_version] += len(batch)
    assert seen == {1: first.count("1"), 2: first.count("2")}


def test_a_champion_that_fails_is_an_error_of_the_server_in_the_protocols_form() -> None:
    registry = two_versions(Crashing(1.0))
    registry.promote("digits", 3, expected_revision=1)
    with serve(registry) as server:
        status, answer = ask(server.address, INFER, question())
        assert (status, answer) == (500, {"error": "the model failed: RuntimeError: boom"})


def test_answers_in_batches_are_the_same(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(40, N_FEATURES))
    expected = Linear(1.0).predict_proba(rows)
    found: dict[int, Any] = {}
    with serve(two_versions(), batched=True) as server:

        def client(start: int) -> None:
            for number in range(start, 40, 8):
                found[number] = ask(server.address, INFER, question(rows[number : number + 1]))[1]
            assert ask(server.address, INFER, question(((1.0,),)))[0] == 400

        threads = [threading.Thread(target=client, args=(start,)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(MOST_SECONDS)
    assert np.array_equal([found[number]["outputs"][0]["data"] for number in range(40)], expected)


def test_metrics_show_answers_and_versions(address: str) -> None:
    pytest.importorskip("prometheus_client", reason="prometheus-client is not installed (the observe extra brings it)")
    import urllib.request

    ask(address, INFER, question())
    with urllib.request.urlopen(f"{address}/metrics", timeout=MOST_SECONDS) as answer:
        text = answer.read().decode()
    assert 'tinytorch_requests_total{status="200"}' in text
    assert 'tinytorch_champion_version{model="digits"} 1.0' in text


def test_large_answers_are_packed_for_those_who_ask(address: str) -> None:
    import http.client
    from urllib.parse import urlsplit

    client = http.client.HTTPConnection(urlsplit(address).netloc, timeout=MOST_SECONDS)
    client.request("POST", INFER, json.dumps(question(np.ones((200, N_FEATURES)))), {"Accept-Encoding": "gzip"})
    answer = client.getresponse()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(answer.read()))["outputs"][1]["data"]) == 200
    client.close()
