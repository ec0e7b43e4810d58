"""Rollouts on a running server, over a socket: nobody gets a failed request, whatever the challenger does."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("starlette", reason="starlette is not installed (the serve extra brings it)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (the serve extra brings it)")

from batches import answered, labelled
from serving import MOST_SECONDS, N_FEATURES, TOKEN, Linear, ask, question, running, two_versions

from tinytorch.adapters.rollout_runner import RolloutRunner
from tinytorch.adapters.serve_app import ServeSettings
from tinytorch.adapters.serve_batches import FailedAnswer
from tinytorch.adapters.serve_models import ServedModel
from tinytorch.adapters.serve_open import ServePlan, open_server
from tinytorch.adapters.serve_watch import WatchSettings
from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.mlops.contracts import PredictionBatch
from tinytorch.mlops.deploy import (
    AuditedRegistry,
    DeploymentStrategy,
    GateVerdict,
    RolloutPlan,
    SequentialGate,
    ThresholdFailureGate,
    VersionEvidence,
)

NEVER_S = 1e6
LOOK_EVERY_S = 0.5
DEADLINE_S = 0.3
CALM = DeploymentStrategy(plan=RolloutPlan(weights=(0.5, 1.0), minimum_requests=20))
BEARER = {"Authorization": f"Bearer {TOKEN}"}
# Well above the few milliseconds by which threads of one process delay each other.
CHAMPION_S = 0.005


class Sleepy(Linear):
    """A model that takes a while."""

    def __init__(self, weight: float, seconds: float) -> None:
        super().__init__(weight)
        self.seconds = seconds

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        time.sleep(self.seconds)
        return super().predict_proba(features)


class Crashing(Linear):
    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        raise RuntimeError("out of memory")


class Nan(Linear):
    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        return np.full((len(features), 2), np.nan)


class Hanging(Linear):
    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        time.sleep(MOST_SECONDS)
        return super().predict_proba(features)


def registry_of(champion: Any, challenger: Any) -> AuditedRegistry:
    """A registry with two versions of `digits`, of which the first serves."""
    registry = two_versions(champion, challenger)
    registry.promote("digits", 3, expected_revision=1)
    return registry


def runner_of(registry: AuditedRegistry) -> RolloutRunner:
    """A runner that looks only when a test says so."""
    return RolloutRunner(ServedModel(registry, "digits"), look_every_s=NEVER_S)


def serve(runner: RolloutRunner, n: int, first: int, predictions: Any = 0) -> None:
    """Let both versions answer, as the server's log shows it."""
    ids = np.array([str(first + row) for row in range(2 * n)])
    runner.observe(answered(ids[:n], predictions))
    runner.observe(answered(ids[n:], predictions, version=2))


class Recording:
    """The default gate, and everything that it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[VersionEvidence, VersionEvidence]] = []

    def judge(self, champion: VersionEvidence, challenger: VersionEvidence) -> GateVerdict:
        self.seen.append((champion, challenger))
        return SequentialGate().judge(champion, challenger)


def patient(weights: tuple[float, ...], **plan: Any) -> DeploymentStrategy:
    """A canary that no noise of a busy machine takes for a slow version."""
    return DeploymentStrategy(plan=RolloutPlan(weights, **plan), make_gate=lambda: SequentialGate(slow_by_ms=1e6))


def by_the_champion(ids: list[str], version: int = 1) -> PredictionBatch:
    """Answers of the champion to requests that the models here can read."""
    n = len(ids)
    return PredictionBatch(ids, np.zeros((n, N_FEATURES)), np.zeros(n), None, np.ones(n), 0.0, version)


class Load:
    """Clients that ask one after another over kept connections, and note who answered."""

    def __init__(self, address: str, n_clients: int, pause_s: float) -> None:
        self.address, self.pause_s = address, pause_s
        self.answers: list[tuple[float, float, int, str]] = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(client,)) for client in range(n_clients)]

    def _ask(self, client: int) -> None:
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=MOST_SECONDS)
        for number in itertools.count():
            if self.stop.is_set():
                break
            body = json.dumps(question(id=f"{client}-{number}"))
            began = time.perf_counter()
            try:
                connection.request("POST", "/v2/models/digits/infer", body)
                answer = connection.getresponse()
                content = json.loads(answer.read())
                self.answers.append((began, time.perf_counter(), answer.status, content.get("model_version", "")))
            except (OSError, http.client.HTTPException) as error:
                self.answers.append((began, time.perf_counter(), 0, repr(error)))
                connection.close()
            self.stop.wait(self.pause_s)
        connection.close()

    def statuses(self) -> Counter[int]:
        return Counter(status for _, _, status, _ in self.answers)

    def versions_asked_between(self, begin: float, end: float) -> set[str]:
        return {version for began, _, _, version in list(self.answers) if begin <= began <= end}


@contextmanager
def loaded(
    registry: AuditedRegistry, n_clients: int = 4, pause_s: float = 0.01, **watch: Any
) -> Iterator[tuple[Any, RolloutRunner, Load]]:
    """A server under load, and its runner."""
    plan = ServePlan(
        ServeSettings(token=TOKEN),
        WatchSettings(**watch),
        challenger_deadline_s=DEADLINE_S,
        rollout_look_every_s=LOOK_EVERY_S,
    )
    app = open_server(registry, ["digits"], plan)
    with running(app) as server:
        load = Load(server.address, n_clients, pause_s)
        for thread in load.threads:
            thread.start()
        try:
            yield server, app.endpoints["digits"].rollout, load
        finally:
            load.stop.set()
            for thread in load.threads:
                thread.join(MOST_SECONDS)


def wait_until(condition: Any) -> None:
    """Wait; a server that never gets there ends the test some day."""
    end = time.monotonic() + MOST_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def start(server: Any, **content: Any) -> dict[str, Any]:
    status, told = ask(server.address, "/v2/models/digits/rollout", {"version": 2, **content}, **BEARER)
    assert status == 200, told
    return told


def test_a_good_challenger_goes_up_and_is_promoted_in_the_registry() -> None:
    registry = two_versions()
    runner = runner_of(registry)
    assert runner.status().state == "none"
    assert runner.start(2, CALM).challenger_weight == 0.5
    assert runner.look(0.0).action == "hold"
    serve(runner, 30, 0)
    assert runner.look(1.0).challenger_weight == 1.0
    assert (runner.status().state, registry.get("digits", "champion").version) == ("promoted", 2)
    assert runner.served.champion.number == 2
    assert runner.served.split is None
    assert [event.message.partition(":")[0] for event in runner.events] == [
        "canary of version 2 against 1, running at 50%",
        "canary of version 2 against 2, promoted at 100%",
    ]


def test_labels_reach_the_gate_whether_they_come_before_or_after_the_look() -> None:
    runner = runner_of(two_versions())
    runner.start(2, DeploymentStrategy(plan=RolloutPlan((0.5, 1.0), minimum_labels=50, minimum_requests=50)))
    serve(runner, 50, 0)
    labels = (
        labelled(np.array([str(row) for row in range(50)]), 0),
        labelled(np.array([str(50 + row) for row in range(50)]), 1),
    )
    runner.record_labels(labels[0], None)
    assert runner.look(0.0).action == "hold"
    runner.record_labels(labels[1], None)
    decision = runner.look(1.0)
    assert decision.action == "roll_back"
    assert "champion 0 in 50, challenger 50 in 50" in decision.evidence[0]


def test_failures_roll_back_and_the_registry_never_moved() -> None:
    registry = two_versions()
    runner = runner_of(registry)
    runner.start(2, CALM)
    runner.observe(answered(np.array([str(row) for row in range(40)])))
    runner.record_failures([FailedAnswer(2, str(request), "boom", 0.0) for request in range(15)])
    assert runner.look(0.0).action == "roll_back"
    assert (runner.status().state, runner.served.split) == ("rolled_back", None)
    assert (registry.revision("digits"), registry.get("digits", "champion").version) == (1, 1)


def test_flagger_189_a_promotion_that_fails_is_told_as_a_rollback() -> None:
    registry = two_versions()

    def full_disk(*_: Any) -> None:
        raise OSError("no space left on device")

    registry.promote = full_disk  # type: ignore[method-assign,assignment]
    runner = runner_of(registry)
    runner.start(2, CALM)
    serve(runner, 30, 0)
    runner.look(0.0)
    status = runner.status()
    assert (status.state, status.evidence) == ("rolled_back", ("the promotion failed: no space left on device",))
    assert (runner.served.champion.number, runner.served.split) == (1, None)


def test_flagger_189_a_registry_that_only_says_it_promoted_is_found_out() -> None:
    registry = two_versions()
    registry.promote = lambda *_: registry.get("digits", 2)  # type: ignore[method-assign]
    runner = runner_of(registry)
    runner.start(2, CALM)
    serve(runner, 30, 0)
    runner.look(0.0)
    assert runner.status().state == "rolled_back"
    assert "champion must be version 2 after its promotion, got 1" in runner.status().evidence[0]
    assert runner.served.champion.number == 1


def test_a_champion_that_somebody_else_moved_ends_the_rollout() -> None:
    registry = two_versions(Linear(2.0))
    runner = runner_of(registry)
    runner.start(2, CALM)
    runner.served.promote(3)
    serve(runner, 30, 0)
    runner.look(0.0)
    assert runner.status().evidence == ("somebody else put version 3 in charge",)
    assert (registry.get("digits", "champion").version, runner.served.split) == (3, None)
    assert runner.start(2, CALM).state == "running"


def test_a_champion_that_somebody_moved_and_moved_back_ends_the_rollout() -> None:
    runner = runner_of(two_versions())
    runner.start(2, CALM)
    runner.served.promote(2)
    runner.served.rollback()
    runner.look(0.0)
    assert (runner.status().state, runner.served.champion.number, runner.served.split) == ("rolled_back", 1, None)


def test_flagger_189_a_challenger_that_somebody_else_promoted_is_not_told_as_rolled_back() -> None:
    runner = runner_of(two_versions())
    runner.start(2, CALM)
    runner.served.promote(2)
    runner.look(0.0)
    assert (runner.status().state, runner.status().champion) == ("promoted", 2)


def test_a_version_that_breaks_after_its_promotion_is_taken_back_while_it_is_watched() -> None:
    registry = two_versions()
    runner = runner_of(registry)
    runner.start(2, DeploymentStrategy(plan=RolloutPlan((0.5, 1.0), minimum_requests=20, watch_s=60.0)))
    serve(runner, 30, 0)
    runner.look(0.0)
    assert (runner.served.champion.number, runner.status().state) == (2, "running")
    ids = np.array([f"late-{row}" for row in range(200)])
    runner.observe(answered(ids, 0, version=2, latency_ms=50.0))
    assert runner.look(1.0).action == "roll_back"
    assert (runner.served.champion.number, registry.get("digits", "champion").version) == (1, 1)
    assert runner.status().state == "rolled_back"


def test_blue_green_is_tried_on_mirrored_requests_then_switched_and_switched_back() -> None:
    registry = two_versions(Linear(1.0), Linear(1.0))
    registry.promote("digits", 3, expected_revision=1)
    runner = runner_of(registry)
    runner.start(4, DeploymentStrategy("blue_green", RolloutPlan(minimum_requests=30)))
    assert runner.served.split is None
    runner.observe(by_the_champion([str(row) for row in range(40)], version=3))
    runner._trial.mirror.wait()  # type: ignore[union-attr]
    assert runner.look(time.time()).challenger_weight == 1.0
    assert runner.served.champion.number == 4
    assert runner.command("rollback", "users complain").state == "rolled_back"
    assert (runner.served.champion.number, registry.get("digits", "champion").version) == (3, 3)


@pytest.mark.parametrize("challenger", [Crashing(1.0), Nan(1.0)])
def test_a_shadow_that_fails_is_ended_and_one_that_hangs_stops_nothing(challenger: Any) -> None:
    runner = runner_of(two_versions(challenger, Hanging(1.0)))
    for version, wait_s in ((3, 0.0), (4, 10.0)):
        runner.start(version, DeploymentStrategy("shadow", mirror_share=1.0))
        for batch in range(4):
            runner.observe(by_the_champion([f"{version}-{batch}-{row}" for row in range(5)]))
        if version == 3:
            runner._trial.mirror.wait()  # type: ignore[union-attr]
        assert runner.look(time.time() + wait_s).action == "roll_back"
        assert (runner.served.champion.number, runner.served.split) == (1, None)


def test_a_shadow_ends_ready_and_the_champion_serves_on() -> None:
    registry = registry_of(Linear(1.0), Linear(1.0))
    runner = runner_of(registry)
    runner.start(4, DeploymentStrategy("shadow", RolloutPlan(minimum_requests=20), mirror_share=1.0))
    runner.observe(by_the_champion([str(row) for row in range(40)], version=3))
    runner._trial.mirror.wait()  # type: ignore[union-attr]
    runner.look(time.time())
    assert (runner.status().state, runner.status().challenger_weight) == ("ready", 0.0)
    assert registry.get("digits", "champion").version == 3
    assert "the same answer to 40 of 40" in runner.status().evidence[-1]


def test_commands_and_starts_that_are_refused_change_nothing() -> None:
    runner = runner_of(two_versions())
    for version, problem in ((1, "another than the champion"), (9, "version_or_alias must be")):
        with pytest.raises(ValueError, match=problem):
            runner.start(version)
    with pytest.raises(ValueError, match="command must come while a rollout is running"):
        runner.command("promote", "now")
    assert (runner.status().state, runner.served.split) == ("none", None)
    runner.start(2, CALM)
    with pytest.raises(ValueError, match="version must wait"):
        runner.start(2)
    for command, reason in (("promote", ""), ("freeze", ""), ("rollback", ""), ("explode", "why not")):
        with pytest.raises(ValueError, match="must"):
            runner.command(command, reason)
    assert (runner.status().state, runner.status().challenger_weight) == ("running", 0.5)
    runner.command("rollback", "done")
    runner.start(2, DeploymentStrategy("shadow"))
    with pytest.raises(ValueError, match="command must be 'rollback' for a shadow"):
        runner.command("promote", "now")


def test_a_gate_of_ones_own_decides() -> None:
    runner = runner_of(two_versions())
    strategy = DeploymentStrategy(plan=CALM.plan, make_gate=lambda: ThresholdFailureGate(failure_limit=1))
    runner.start(2, strategy)
    serve(runner, 30, 0)
    runner.record_failures([FailedAnswer(2, "x", "boom", 0.0)] * 30)
    assert runner.look(0.0).action == "roll_back"


def test_rollouts_over_http_need_the_token_and_say_what_is_wrong() -> None:
    path = "/v2/models/digits/rollout"
    app = open_server(two_versions(), ["digits"], ServePlan(ServeSettings(token=TOKEN), rollout_look_every_s=NEVER_S))
    with running(app) as server:
        refused = [
            (401, path, {"version": 2}, {}),
            (401, f"{path}/promote", {}, {}),
            (404, "/v2/models/letters/rollout", {"version": 2}, BEARER),
            (404, f"{path}/explode", {}, BEARER),
            (400, path, {"version": "2"}, BEARER),
            (400, path, {"version": 2, "kind": "big bang"}, BEARER),
            (400, path, {"version": 2, "speed": 3}, BEARER),
            (400, path, {"version": 2, "plan": {"step": 3}}, BEARER),
            (400, path, {"version": 2, "plan": [3]}, BEARER),
            (400, path, {"version": 2, "plan": {"weights": 0.5}}, BEARER),
            (400, path, {"version": 2, "plan": {"weights": [0.5]}}, BEARER),
            (400, path, {"version": 2, "kind": "rolling", "n_workers": 10**9}, BEARER),
            (400, path, {"version": 2, "mirror_share": "all"}, BEARER),
            (409, path, {"version": 10**18}, BEARER),
            (409, path, {"version": 1}, BEARER),
            (409, path, {"version": 9}, BEARER),
            (409, f"{path}/rollback", {}, BEARER),
        ]
        for expected, where, content, headers in refused:
            status, told = ask(server.address, where, content, **headers)
            assert (status, bool(told["error"])) == (expected, True), (where, content, told)
        assert ask(server.address, path)[1]["state"] == "none"
        described = ask(server.address, "/openapi.json")[1]["paths"]
        for route, method in (("rollout", "get"), ("rollout", "post"), ("rollout/{command}", "post")):
            assert method in described[f"/v2/models/{{name}}/{route}"]
        assert start(server, plan={"weights": [0.3, 1.0]})["challenger_weight"] == 0.3
        assert ask(server.address, f"{path}/promote", {"reason": "seen enough"}, **BEARER)[1]["state"] == "promoted"
        status, told = ask(server.address, "/v2/models/digits/infer", question())
        assert (status, told["model_version"]) == (200, "2")


@pytest.mark.parametrize(
    "challenger",
    [Crashing(1.0), Nan(1.0), Hanging(1.0), Sleepy(1.0, 10 * CHAMPION_S), Linear(-1.0)],
    ids=lambda model: type(model).__name__,
)
def test_a_challenger_that_breaks_is_rolled_back_at_the_first_look_that_can_know(challenger: Any) -> None:
    registry, gate = registry_of(Sleepy(1.0, CHAMPION_S), challenger), Recording()
    with loaded(registry) as (_, runner, load):
        wait_until(lambda: len(load.answers) > 50)
        plan = RolloutPlan((0.5, 1.0), step_s=NEVER_S)
        runner.start(4, DeploymentStrategy(plan=plan, make_gate=lambda: gate))
        wait_until(lambda: runner.status().state != "running")
        ended = time.perf_counter()
        wait_until(lambda: len(load.versions_asked_between(ended, float("inf"))) > 0)
        time.sleep(LOOK_EVERY_S)
    assert runner.status().state == "rolled_back", runner.status()
    assert set(load.statuses()) == {200}, load.statuses()
    assert load.versions_asked_between(ended, float("inf")) == {"3"}
    if isinstance(challenger, (Crashing, Nan, Hanging)):  # the others answer: late, or always the other class
        assert {version for *_, version in load.answers} == {"3"}
    assert registry.get("digits", "champion").version == 3
    for champion, of_challenger in gate.seen[:-1]:  # looks at too little to say anything
        # Eight failures of eight are enough beside twice as many answers of the champion, three beside 27.
        assert of_challenger.n_failed < 8, (champion, of_challenger)
        assert min(champion.n_answered, of_challenger.n_answered) < 20, (champion, of_challenger)


def test_labels_that_clients_send_roll_a_version_back_that_is_only_wrong() -> None:
    plan = ServePlan(ServeSettings(token=TOKEN), rollout_look_every_s=NEVER_S)
    app = open_server(registry_of(Linear(1.0), Linear(1.0)), ["digits"], plan)
    runner, rng = app.endpoints["digits"].rollout, np.random.default_rng(0)
    with running(app) as server:
        runner.start(4, DeploymentStrategy(plan=RolloutPlan((0.5, 1.0), minimum_labels=20)))
        ids, labels = [], []
        for request in range(120):
            body = question(rng.normal(size=(1, N_FEATURES)), id=f"user-{request}")
            _, told = ask(server.address, "/v2/models/digits/infer", body)
            answer = int(told["outputs"][0]["data"][1] > 0.5)
            ids.append(told["id"])
            labels.append(answer if told["model_version"] == "3" else 1 - answer)
        status, told = ask(
            server.address, "/v2/models/digits/feedback", {"request_ids": ids, "labels": labels}, **BEARER
        )
        assert (status, told) == (200, {"matched": 120, "unmatched": 0})
        assert runner.look(0.0).action == "hold"
        assert runner.look(1.0).action == "roll_back"
        assert "wrong answers: champion 0 in" in runner.status().evidence[0]
        assert ask(server.address, "/v2/models/digits/infer", question())[1]["model_version"] == "3"


def switch_back_and_forth(n_times: int) -> tuple[Load, int]:
    """Promote a challenger and take it back, again and again, under load; return how many answers were checked."""
    registry, n_checked = two_versions(), 0
    with loaded(registry) as (server, runner, load):
        for turn in range(n_times):
            runner.start(2, patient((0.5, 1.0), step_s=NEVER_S))
            wanted = len(load.answers) + 10
            wait_until(lambda wanted=wanted: len(load.answers) >= wanted)
            if turn % 2:  # half of them are taken back from the middle, half after the promotion
                promoted = ask(server.address, "/v2/models/digits/promote", {"version": 2}, **BEARER)
                assert promoted[0] == 200
                began = time.perf_counter()
                assert ask(server.address, "/v2/models/digits/infer", question())[1]["model_version"] == "2"
                back = ask(server.address, "/v2/models/digits/rollback", {}, **BEARER)
                assert back[0] == 200
                wait_until(lambda: runner.look(time.time()) is None)
            else:
                back = ask(server.address, "/v2/models/digits/rollout/rollback", {"reason": "drill"}, **BEARER)
                assert back[0] == 200, back
            began = time.perf_counter()
            assert ask(server.address, "/v2/models/digits/infer", question())[1]["model_version"] == "1"
            wanted = len(load.answers) + 10
            wait_until(lambda wanted=wanted: len(load.answers) >= wanted)
            assert load.versions_asked_between(began, time.perf_counter()) == {"1"}
            n_checked += 1
    return load, n_checked


def test_promoting_and_rolling_back_under_load_fails_no_request() -> None:
    load, n_checked = switch_back_and_forth(10)
    assert n_checked == 10
    assert set(load.statuses()) == {200}, load.statuses()


@pytest.mark.drill
def test_full_size_promoting_and_rolling_back_a_hundred_times_fails_no_request() -> None:
    load, n_checked = switch_back_and_forth(100)
    seconds = load.answers[-1][1] - load.answers[0][0]
    print(f"{len(load.answers)} requests in {seconds:.0f} s, {n_checked} switches, {dict(load.statuses())}")
    assert n_checked == 100
    assert set(load.statuses()) == {200}, load.statuses()


def test_a_canary_goes_all_the_way_by_itself_and_its_events_are_in_the_store(tmp_path: Any) -> None:
    registry = registry_of(Linear(1.0), Linear(1.0))
    with loaded(registry, log_path=tmp_path / "digits.db") as (_, runner, load):
        runner.start(4, patient((0.3, 1.0), minimum_requests=30))
        wait_until(lambda: runner.status().state != "running")
        assert runner.status().state == "promoted", runner.status()
        wanted = len(load.answers) + 20
        wait_until(lambda: len(load.answers) > wanted)
    assert set(load.statuses()) == {200}
    assert load.answers[-1][3] == "4"
    assert registry.get("digits", "champion").version == 4
    with MonitoringStore(tmp_path / "digits.db", "digits") as store:
        told = [str(entry) for entry in store.read("event") if "canary of version 4" in str(entry)]
    assert len(told) == 2
