"""Clients that stall are closed in time, heads have a limit, and nobody else is hurt."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (the serve extra brings it)")

from serving import MOST_SECONDS, N_FEATURES, ask, connect, question, running, two_versions

from tinytorch.adapters.serve_open import open_server

DEADLINE_S = 1.0
INFER = "/v2/models/digits/infer"
BODY = json.dumps(question()).encode()
WHOLE = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    app = open_server(two_versions(), ["digits"])
    with running(app, receive_deadline_s=DEADLINE_S, maximum_head_bytes=8192) as server:
        yield server


def read_to_end(client: socket.socket) -> bytes:
    """Everything until the server closes; a reset is an end too. A server that never closes is a TimeoutError."""
    parts = []
    with suppress(ConnectionResetError):
        while part := client.recv(65_536):
            parts.append(part)
    return b"".join(parts)


STALLED = {
    "says nothing": b"",
    "half a line": b"POST /v2",
    "half a head": WHOLE[:50],
    "no body": WHOLE[: WHOLE.index(b"\r\n\r\n") + 4],
    "half a body": WHOLE[:-10],
    "a chunk that is announced": b"POST " + INFER.encode() + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "an answer, then half a request": WHOLE + WHOLE[:50],
    "an answer, then an empty line": WHOLE + b"\r\n",
}


@pytest.mark.parametrize("name", STALLED)
def test_a_stalled_client_is_closed_and_others_are_answered(server: Any, name: str) -> None:
    client = connect(server.address)
    client.sendall(STALLED[name])
    assert ask(server.address, INFER, question())[0] == 200
    received = read_to_end(client)
    client.close()
    assert received.count(b"HTTP/1.1 200 OK") == name.startswith("an answer")


def test_a_byte_now_and_then_puts_nothing_off(server: Any) -> None:
    client = connect(server.address)
    with suppress(OSError):  # the server closes while we send
        for place in range(len(WHOLE)):
            client.sendall(WHOLE[place : place + 1])
            time.sleep(0.1)
        pytest.fail("the whole request was taken, byte by byte")
    client.close()


def test_a_slow_request_within_the_deadline_is_answered(server: Any) -> None:
    client = connect(server.address)
    for start in range(0, len(WHOLE), 100):
        client.sendall(WHOLE[start : start + 100])
        time.sleep(0.02)
    assert client.recv(65_536).startswith(b"HTTP/1.1 200 OK")
    client.close()


def test_a_client_that_waits_between_requests_keeps_its_connection(server: Any) -> None:
    client = connect(server.address)
    for _ in range(2):
        client.sendall(WHOLE)
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        time.sleep(1.5 * DEADLINE_S)
    client.close()


def test_a_client_that_never_reads_is_closed() -> None:
    rows = np.ones((4000, N_FEATURES))
    body = json.dumps(question(rows)).encode()
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running(open_server(two_versions(), ["digits"]), receive_deadline_s=DEADLINE_S) as server:
        client = connect(server.address)
        client.settimeout(0.2)
        give_up = time.monotonic() + MOST_SECONDS
        with suppress(ConnectionError):  # what closing it looks like to one that only sends
            while time.monotonic() < give_up:
                with suppress(TimeoutError):
                    client.sendall(head + body)
            pytest.fail("a client that never reads was kept")
        assert ask(server.address, INFER, question())[0] == 200
        client.close()


HEADS = {
    "one large header": b"GET /v2 HTTP/1.1\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n",
    "many headers": b"GET /v2 HTTP/1.1\r\n" + b"X-A: aaaaaaaa\r\n" * 1000 + b"\r\n",
    "a header without an end": b"GET /v2 HTTP/1.1\r\nX-A: " + b"a" * 20_000,
    "a path without an end": b"GET /" + b"a" * 20_000,
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_that_is_too_large_is_refused(server: Any, name: str) -> None:
    client = connect(server.address)
    client.sendall(HEADS[name])
    assert read_to_end(client).startswith(b"HTTP/1.1 431 ")
    client.close()


def test_what_is_no_http_is_refused(server: Any) -> None:
    client = connect(server.address)
    client.sendall(b"\x16\x03\x01 hello\r\n\r\n")
    assert read_to_end(client).startswith(b"HTTP/1.1 400 ")
    client.close()


def test_a_hundred_half_open_clients_hurt_nobody_and_are_gone(server: Any) -> None:
    clients = [connect(server.address) for _ in range(100)]
    for client in clients:
        client.sendall(WHOLE[:30])
    statuses: list[int] = []

    def work() -> None:
        statuses.extend(ask(server.address, INFER, question())[0] for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MOST_SECONDS)
    assert statuses == [200] * 80
    for client in clients:
        assert read_to_end(client) == b""
        client.close()
