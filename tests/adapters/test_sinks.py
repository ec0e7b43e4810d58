"""Alerts leave the process: to a file, over a socket, to a real Alertmanager; and nothing is dropped in silence."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tinytorch.adapters.sinks import FIRST_PAUSE_S, AlertmanagerSink, DeliveryError, LogSink, WebhookSink
from tinytorch.mlops.contracts import Alert

MOST_SECONDS = 60
"""Not a budget: an Alertmanager that never answers ends the test some day."""
FIRING = Alert("accuracy_low", "firing", "critical", 0.81, 0.9, time.time() - 60, 3, "0.81 is below 0.9")
RESOLVED = Alert("accuracy_low", "resolved", "critical", 0.95, 0.93, time.time() - 1, 3, "0.95 is back")


class Receiver(HTTPServer):
    """Writes down what is posted, after refusing the first few."""

    def __init__(self, refusals: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refusals = refusals
        self.got: list[dict] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/alerts"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.refusals:
            self.server.refusals -= 1
            self.send_error(503)
            return
        self.server.got.append(content)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(refusals=2) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_log_holds_one_line_an_alert_and_goes_on_after_the_last(tmp_path: Path) -> None:
    sink = LogSink(tmp_path / "alerts.jsonl")
    sink.send([FIRING])
    sink.send([RESOLVED, FIRING])
    lines = (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Alert(**json.loads(line)) for line in lines] == [FIRING, RESOLVED, FIRING]


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="did not take 1 alerts"):
        LogSink(tmp_path / "missing" / "alerts.jsonl").send([FIRING])


def test_a_webhook_is_tried_again_with_longer_pauses(receiver: Receiver) -> None:
    pauses: list[float] = []
    WebhookSink(receiver.url, sleep=pauses.append).send([FIRING])
    assert [Alert(**alert) for alert in receiver.got[0]["alerts"]] == [FIRING]
    assert pauses == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S]


def test_a_webhook_that_never_answers_is_named(receiver: Receiver) -> None:
    with pytest.raises(DeliveryError, match=f"{receiver.url} did not take it in 2 attempts: HTTP Error 503"):
        WebhookSink(receiver.url, attempts=2, sleep=lambda pause: None).send([FIRING])


def test_nobody_listening_is_named() -> None:
    with pytest.raises(DeliveryError, match="did not take it in 1 attempts"):
        WebhookSink("http://127.0.0.1:9/", attempts=1).send([FIRING])


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="url must be an address of http or https, got 'file:///etc/passwd'"):
        WebhookSink("file:///etc/passwd")


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    """A real Alertmanager; yields its address once it is ready."""
    (tmp_path / "a.yml").write_text('{"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}', "utf-8")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    process = subprocess.Popen(
        [
            "prometheus-alertmanager", f"--config.file={tmp_path}/a.yml", f"--storage.path={tmp_path}/data",
            f"--web.listen-address={address}", "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + MOST_SECONDS
    while alerts_of(f"http://{address}") is None:
        assert time.monotonic() < deadline, "Alertmanager is not ready"
        time.sleep(0.2)
    yield f"http://{address}"
    process.terminate()
    process.wait()


def alerts_of(address: str) -> list[dict] | None:
    try:
        with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return None


@pytest.mark.skipif(shutil.which("prometheus-alertmanager") is None, reason="Alertmanager is not installed")
def test_a_real_alertmanager_takes_the_alert_and_resolves_it(alertmanager: str) -> None:
    sink = AlertmanagerSink(alertmanager, "digits")
    sink.send([FIRING])
    (alert,) = alerts_of(alertmanager)
    assert alert["labels"] == {"alertname": "accuracy_low", "severity": "critical", "model": "digits"}
    assert (alert["annotations"]["summary"], alert["status"]["state"]) == (FIRING.message, "active")
    assert datetime.fromisoformat(alert["endsAt"].replace("Z", "+00:00")).timestamp() > time.time() + 3600
    sink.send([RESOLVED])
    deadline = time.monotonic() + MOST_SECONDS
    while alerts_of(alertmanager):
        assert time.monotonic() < deadline, "Alertmanager has not resolved the alert"
        time.sleep(0.2)


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/", "http://127.0.0.1/a b", "http://", "ftp://a", "http://:80/"])
def test_an_address_that_nothing_can_be_sent_to_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="url must be an address of http or https"):
        WebhookSink(url)


def test_a_receiver_that_speaks_no_http_is_a_failed_delivery() -> None:
    def answer_rubbish(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"rubbish\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(MOST_SECONDS)
        thread = threading.Thread(target=answer_rubbish, args=(listener,))
        thread.start()
        with pytest.raises(DeliveryError, match="BadStatusLine"):
            WebhookSink(f"http://127.0.0.1:{listener.getsockname()[1]}/", attempts=1).send([FIRING])
        thread.join()
