"""`tinytorch rollout` against a real server: starts, asks, orders, and says what was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="starlette is not installed (the serve extra brings it)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (the serve extra brings it)")

from batches import answered
from serving import TOKEN, running, two_versions

from tinytorch.adapters.serve_app import ServeSettings
from tinytorch.adapters.serve_open import ServePlan, open_server
from tinytorch.cli.main import main


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A running server with two versions, whose token is in the environment."""
    monkeypatch.setenv("TINYTORCH_TOKEN", TOKEN)
    app = open_server(two_versions(), ["digits"], ServePlan(ServeSettings(token=TOKEN), rollout_look_every_s=0.1))
    with running(app) as process:
        yield process


def test_a_rollout_from_the_first_word_to_the_last(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["digits", "--server", server.address]
    assert main(["rollout", "status", *where]) == 0
    assert "no rollout; version 1 serves\nnext: " in capsys.readouterr().out
    assert main(["rollout", "start", "digits", "2", "--weights", "0.3,1", "--server", server.address]) == 0
    assert "canary of version 2: running, 30% of traffic; version 1 is the champion" in capsys.readouterr().out
    assert main(["rollout", "freeze", *where, "--reason", "lunch", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["evidence"] == ["frozen: lunch"]
    assert main(["rollout", "promote", *where]) == 0
    assert "canary of version 2: promoted, 100% of traffic; version 2 is the champion" in capsys.readouterr().out
    assert server.app.endpoints["digits"].model.champion.number == 2


def test_a_rollback_that_was_ordered_is_a_success_and_one_that_is_found_is_not(server: Any) -> None:
    where = ["digits", "--server", server.address]
    assert main(["rollout", "start", "digits", "2", "--server", server.address]) == 0
    assert main(["rollout", "rollback", *where]) == 0
    assert main(["rollout", "status", *where]) == 1


def test_waiting_ends_with_the_rollout(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = server.app.endpoints["digits"].rollout
    n_asked = iter(range(1_000))

    def answer_instead_of_waiting(_: float) -> None:
        for version in (1, 2):
            ids = [f"{version}-{next(n_asked)}" for _ in range(60)]
            runner.observe(answered(ids, version=version))
        runner.look(0.0)

    monkeypatch.setattr("tinytorch.cli.rollout.time.sleep", answer_instead_of_waiting)
    assert main(["rollout", "start", "digits", "2", "--wait", "--server", server.address]) == 0
    assert runner.status().state == "promoted"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["start", "digits", "9"], "start was refused: version_or_alias must be"),
        (["start", "digits", "1"], "start was refused: version must be another than the champion"),
        (["start", "letters", "2"], "start was refused: no such model"),
        (["start", "digits", "2", "--weights", "a,b"], "--weights must be numbers such as 0.1,0.5,1, got 'a,b'"),
        (["start", "digits", "2", "--weights", "0.5"], "start was refused: weights must rise and end with 1.0"),
        (["promote", "digits"], "promote was refused: command must come while a rollout is running"),
        (["status", "letters"], "status was refused: no such model"),
    ],
)
def test_what_is_refused_is_said_in_one_line(
    server: Any, arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rollout", *arguments, "--server", server.address]) == 2
    told = capsys.readouterr()
    assert problem in told.err
    assert "Traceback" not in told.err
    assert server.app.endpoints["digits"].rollout.status().state == "none"


def test_without_the_token_or_the_server_nothing_happens(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("another-token-entirely\n", encoding="utf-8", newline="\n")
    start = ["rollout", "start", "digits", "2", "--server", server.address]
    for arguments, problem in (
        ([*start, "--token-file", str(wrong)], "start was refused: this route needs the header Authorization"),
        ([*start, "--token-file", str(tmp_path / "none")], "--token-file must be readable"),
        (["rollout", "status", "digits", "--server", "http://127.0.0.1:1"], "--server must be a running server"),
        (["rollout", "status", "digits", "--server", "nowhere"], "--server must be a running server, got 'nowhere'"),
    ):
        assert main(arguments) == 2
        assert problem in capsys.readouterr().err
    wrong.write_text(f"{TOKEN}\n", encoding="utf-8", newline="\n")
    monkeypatch.delenv("TINYTORCH_TOKEN")
    assert main([*start, "--token-file", str(wrong)]) == 0
