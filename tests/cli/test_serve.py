"""`tinytorch serve` as a process: it starts, says where, answers, and a signal loses no request."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (the serve extra brings it)")

from serving import MOST_SECONDS, TOKEN, ask, question

from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.cli.main import main

INFER = "/v2/models/{}/infer"
SCORING = """\
import numpy as np

def predict(features):
    share = 1.0 / (1.0 + np.exp(-features[:, :1]))
    return np.hstack([1.0 - share, share])

def other(features):
    return predict(-features)
"""


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[Any, str]]:
    """The command in a process, and the address that it prints."""
    (folder / "scoring.py").write_text(SCORING, encoding="utf-8", newline="\n")
    command = [sys.executable, "-m", "tinytorch.cli", "serve", "--port", "0", "--json", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())["address"]
    finally:
        process.kill()
        process.communicate(timeout=MOST_SECONDS)


class Client(threading.Thread):
    """Sends requests one after the other until it is told to close its connection, or finds nobody there."""

    def __init__(self, address: str, number: int) -> None:
        super().__init__()
        self.place = urlsplit(address).netloc
        self.number = number
        self.answered: list[str] = []
        self.lost: list[str] = []

    def run(self) -> None:
        client = http.client.HTTPConnection(self.place, timeout=MOST_SECONDS)
        client.connect()
        while True:
            key = f"client{self.number}-{len(self.answered)}"
            try:
                client.request("POST", INFER.format("model"), json.dumps(question(id=key)))
                answer = client.getresponse()
                assert json.loads(answer.read())["id"] == key
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(f"{key}: {error!r}")
                return
            self.answered.append(key)
            if answer.headers.get("Connection") == "close":
                return


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_signal_under_load_loses_no_request_and_the_log_has_them_all(tmp_path: Path) -> None:
    with started(tmp_path, "--model", "scoring:predict") as (process, address):
        clients = [Client(address, number) for number in range(8)]
        for client in clients:
            client.start()
        while min(len(client.answered) for client in clients) < 20:
            assert all(client.is_alive() for client in clients)
        process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join(MOST_SECONDS)
        told = json.loads(process.communicate(timeout=MOST_SECONDS)[0])
    assert [client.lost for client in clients] == [[]] * 8
    answered = sorted(key for client in clients for key in client.answered)
    assert (process.returncode, told["answered"], told["not_in_log"]) == (0, len(answered), 0)
    with MonitoringStore(tmp_path / "model.db", "model") as store:
        kept = store._connection.execute("SELECT request_id FROM predictions").fetchall()
    assert sorted(key for (key,) in kept) == answered


def test_a_registry_is_served_and_its_champion_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scoring.py").write_text(SCORING, encoding="utf-8", newline="\n")
    (tmp_path / "token.txt").write_text(TOKEN, encoding="utf-8", newline="\n")
    np.savez(tmp_path / "train.npz", features=np.zeros((20, 2)) + np.arange(20)[:, None])
    monkeypatch.chdir(tmp_path)
    for words in (
        ["register", "digits", "scoring:predict"],
        ["register", "digits", "scoring:other"],
        ["promote", "digits", "1"],
    ):
        assert main(["registry", *words]) == 0
    options = ["digits", "--token-file", "token.txt", "--reference", "train.npz", "--alerts", "alerts.jsonl", "--batch"]
    with started(tmp_path, *options) as (_, address):
        asked = question(((1.0, 2.0),))
        assert ask(address, INFER.format("digits"), asked)[1]["model_version"] == "1"
        assert main(["registry", "promote", "digits", "2"]) == 0
        deadline = time.monotonic() + MOST_SECONDS
        while ask(address, INFER.format("digits"), asked)[1]["model_version"] != "2":
            assert time.monotonic() < deadline, "the promotion was not followed"
            time.sleep(0.02)
        status, moved = ask(address, "/v2/models/digits/rollback", {}, Authorization=f"Bearer {TOKEN}")
        assert (status, moved["champion"]) == (200, 1)
        assert ask(address, INFER.format("digits"), asked)[1]["model_version"] == "1"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "NAME or --model must be given"),
        (["digits", "--model", "scoring:predict"], "and not both"),
        (["digits"], "--registry must be a registry"),
        (["--model", "nothing:here"], "target must name a module"),
        (["--model", "missing.npz"], "No such file"),
        (["--model", "scoring:predict", "--host", "256.0.0.1"], "host"),
        (["--model", "scoring:predict", "--port", "99999"], "port must be"),
        (["--model", "scoring:predict", "--token-file", "missing"], "token file must be readable"),
        (["--model", "scoring:predict", "--receive-deadline", "0"], "receive_deadline_s must be > 0"),
        (["--model", "scoring:predict", "--log", "scoring.py"], "monitoring store"),
        (["--model", "scoring:predict", "--webhook", "ftp://x"], "http or https"),
        (["--model", "scoring:predict", "--reference", "scoring.py"], "--reference must be"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "scoring.py").write_text(SCORING, encoding="utf-8", newline="\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["serve", "--port", "0", *arguments]) == 2
    told = capsys.readouterr().err
    assert reason in told
    assert told.count("\n") == 1
