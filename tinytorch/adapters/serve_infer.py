"""Floor 4: the one route that is walked a thousand times a second: features in, probabilities out, noted in passing.

It stands before Starlette's router and takes `POST /v2/models/NAME[/versions/NUMBER]/infer`; everything else goes on.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from starlette.types import ASGIApp, Receive, Scope, Send

from tinytorch.adapters.open_inference_binary import choose_encoding, pack, read_json_length
from tinytorch.adapters.open_inference_infer import (
    PREDICTIONS,
    PROBABILITIES,
    InferRequest,
    read_infer_request,
    write_infer_answer,
)
from tinytorch.adapters.open_inference_json import ProtocolError, write_error
from tinytorch.adapters.rollout_runner import RolloutRunner
from tinytorch.adapters.serve_answer import Answerer, ModelAnswer
from tinytorch.adapters.serve_batches import FailedAnswer, Observation
from tinytorch.adapters.serve_http import (
    ACCEPT_ENCODING,
    BINARY_TYPE,
    DEFAULT_MAXIMUM_BODY_BYTES,
    JSON_LENGTH,
    JSON_TYPE,
    ClientLeftError,
    Reply,
    closing,
    read_body,
    read_headers,
    send_reply,
)
from tinytorch.adapters.serve_log import ObservationLog
from tinytorch.adapters.serve_models import LoadedVersion, ServedModel

logger = logging.getLogger("tinytorch.serve")
OK, NOT_FOUND, SERVER_ERROR = 200, 404, 500
# Below a kilobyte a compressed answer saves no packet, and costs as much time as the model.
LEAST_COMPRESSED_BYTES = 1024
INFER_SUFFIX = "/infer"
VERSION_PATH = re.compile(r"/v2/models/([^/]+)/versions/([^/]+)/infer")
VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Endpoint:
    """A served model, what becomes of its answers, and what brings new versions into its traffic.

    Examples
    --------
    >>> [name for name in Endpoint.__dataclass_fields__]
    ['model', 'log', 'rollout']
    """

    model: ServedModel
    log: ObservationLog
    rollout: RolloutRunner | None = None


class InferRoute:
    """Answers inference requests and hands everything else to `others`.

    Parameters
    ----------
    endpoints : mapping of str to Endpoint
        By model name.
    answerer : Answerer
    others : ASGI application
    maximum_body_bytes : int
        Of a request, before and after unpacking.

    Attributes
    ----------
    draining : bool
        Set when the server is about to stop: clients are told to close their connections, and are still answered.
    statuses : Counter
        Inference answers by HTTP status.

    Examples
    --------
    >>> InferRoute({}, Answerer(), others=None).draining
    False
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        answerer: Answerer,
        others: ASGIApp,
        maximum_body_bytes: int = DEFAULT_MAXIMUM_BODY_BYTES,
    ) -> None:
        self.endpoints = endpoints
        self.answerer = answerer
        self.others = others
        self.maximum_body_bytes = maximum_body_bytes
        self.draining = False
        self.statuses: Counter[int] = Counter()
        self._by_path = {f"/v2/models/{name}{INFER_SUFFIX}": endpoint for name, endpoint in endpoints.items()}
        # Ids rise with time, which keeps the log's index quick, and no two processes give the same.
        self._id_prefix = f"{time.time_ns():x}-{os.getpid():x}-"
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI asks for it."""
        if self.draining and scope["type"] == "http":
            send = closing(send)
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(INFER_SUFFIX):
            await self.others(scope, receive, send)
            return
        try:
            reply = await self._reply(scope, receive)
        except ClientLeftError:  # nobody waits
            return
        except Exception as error:  # a fault of the client, of the model, or of ours: the server goes on
            reply = _refuse_request(error)
        self.statuses[reply.status] += 1
        await send_reply(send, reply)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        """Read a request, let it be answered, and note it."""
        headers = read_headers(scope)
        body = await read_body(receive, headers, self.maximum_body_bytes)
        endpoint, version = self._by_path.get(scope["path"]), None
        if endpoint is None:
            endpoint, version = await self._find(scope["path"])
        request = read_infer_request(body, read_json_length(headers.get(JSON_LENGTH), len(body)))
        request_id = request.request_id or f"{self._id_prefix}{next(self._numbers):08x}"
        if version is None:
            answer = await self.answerer.answer(endpoint.model, request.features, request.routing_key or request_id)
        else:
            answer = await self.answerer.answer_version(endpoint.model, version, request.features)
        now = time.time()
        if answer.failure is not None:
            endpoint.log.put_failure(FailedAnswer(answer.failed_version, request_id, answer.failure, now))
        noted = Observation(answer.version, request_id, request.features, answer.probabilities, answer.latency_ms, now)
        endpoint.log.put(noted)
        return _write(endpoint.model.name, request_id, request, answer, headers.get(ACCEPT_ENCODING))

    async def _find(self, path: str) -> tuple[Endpoint, LoadedVersion]:
        """Return the model and the version that a path names; one without a version was looked up before."""
        match = VERSION_PATH.fullmatch(path)
        endpoint = self.endpoints.get(match[1]) if match else None
        if match is None or endpoint is None:
            raise ProtocolError("no such model.", NOT_FOUND)
        return endpoint, await find_version(endpoint.model, match[2])


async def find_version(model: ServedModel, text: str) -> LoadedVersion:
    """Return the version of a number in a path, loaded in a thread if it is not in memory.

    Raises
    ------
    ProtocolError
        If there is no such version (404).
    """
    if not VERSION_NUMBER.fullmatch(text):
        raise ProtocolError("no such version.", NOT_FOUND)
    found = model.find(int(text))
    if found is None:
        try:
            found = await asyncio.to_thread(model.load, int(text))
        except ValueError as error:
            raise ProtocolError(f"no such version: {error}", NOT_FOUND) from None
    return found


def _refuse_request(error: Exception) -> Reply:
    """Say what is wrong with a request, or that the fault is ours; then the server's log has the traceback."""
    if not isinstance(error, ProtocolError):
        logger.error("a request failed", exc_info=error)
        return Reply(SERVER_ERROR, write_error("the server failed; its log says why"))
    if error.status == SERVER_ERROR:
        logger.error("%s", error, exc_info=error.__cause__)
    return Reply(error.status, write_error(str(error)))


def _write(name: str, request_id: str, request: InferRequest, answer: ModelAnswer, accepted: str | None) -> Reply:
    """Put an answer into the form that the client asked for."""
    head = {"model_name": name, "model_version": str(answer.version), "id": request_id}
    arrays = {PROBABILITIES: answer.probabilities}
    if PREDICTIONS in request.outputs:
        arrays[PREDICTIONS] = np.asarray(answer.probabilities.argmax(axis=1), dtype=np.int64)
    body, json_length = write_infer_answer(head, arrays, request.outputs)
    headers = () if json_length is None else ((JSON_LENGTH, str(json_length).encode("ascii")),)
    if accepted is not None and len(body) >= LEAST_COMPRESSED_BYTES:
        encoding = choose_encoding(accepted)
        if encoding is not None:
            body = pack(body, encoding)
            headers = (*headers, (b"content-encoding", encoding.encode("ascii")))
    return Reply(OK, body, JSON_TYPE if json_length is None else BINARY_TYPE, headers)
