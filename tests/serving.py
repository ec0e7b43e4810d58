"""For tests of the server: one on a free port in a thread of this process, and a client that is a bare socket."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.deploy import AuditedRegistry

N_FEATURES = 4
TOKEN = "0123456789abcdef"
MOST_SECONDS = 60
"""Not a budget: a server that never answers ends the test some day."""


class Linear:
    """Two classes; the weight of the first feature decides, and says which version answered."""

    n_features = N_FEATURES
    n_classes = 2

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.content_hash = f"{weight:g}"

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        share = 1.0 / (1.0 + np.exp(-np.clip(self.weight * features[:, 0], -50.0, 50.0)))
        return np.column_stack([1.0 - share, share])


def two_versions(*others: Any) -> AuditedRegistry:
    """A registry with versions 1 and 2 of `digits` and any others behind them; version 1 is the champion."""
    registry = AuditedRegistry()
    for place, model in enumerate((Linear(1.0), Linear(-1.0), *others)):
        registry.register(model, ModelVersion("digits", content_hash=f"hash-{place}"))
    registry.promote("digits", 1, expected_revision=0)
    return registry


@contextmanager
def running(app: Any, **listening: Any) -> Iterator[Any]:
    """A server that runs while the block does; it listens before the block begins."""
    from tinytorch.adapters.serve_run import Listening, ServeProcess

    server = ServeProcess(app, Listening(port=0, **{"drain_s": 0.0, **listening}))
    thread = threading.Thread(target=server.serve_until_stopped, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(MOST_SECONDS)
        assert not thread.is_alive()


def connect(address: str) -> socket.socket:
    """A connection to a server."""
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port), timeout=MOST_SECONDS)


def ask(address: str, path: str, body: Any = None, method: str = "", **headers: str) -> tuple[int, Any]:
    """Send one request; return the status and the JSON of the answer. A body that is no bytes is sent as JSON."""
    parts = urlsplit(address)
    client = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=MOST_SECONDS)
    raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        client.request(method or ("GET" if body is None else "POST"), path, raw, names)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        client.close()


def question(rows: Any = ((1.0, 0.0, 0.0, 0.0),), **fields: Any) -> dict[str, Any]:
    """An inference request for some rows."""
    table = np.asarray(rows, dtype=float)
    tensor = {"name": "features", "shape": list(table.shape), "datatype": "FP64", "data": table.ravel().tolist()}
    return {**fields, "inputs": [tensor]}
