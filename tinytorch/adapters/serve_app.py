"""Floor 4: every route but the busy one: health, metadata, labels, switching versions, status, metrics. Starlette."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import tinytorch
from tinytorch.adapters.open_inference_infer import PREDICTIONS, PROBABILITIES
from tinytorch.adapters.open_inference_json import ProtocolError, read_object, write_error, write_json
from tinytorch.adapters.rollout_routes import rollout_routes
from tinytorch.adapters.serve_answer import Answerer
from tinytorch.adapters.serve_http import (
    DEFAULT_MAXIMUM_BODY_BYTES,
    ClientLeftError,
    check_token,
    read_body,
    read_headers,
)
from tinytorch.adapters.serve_infer import NOT_FOUND, OK, SERVER_ERROR, Endpoint, InferRoute, find_version
from tinytorch.adapters.serve_labels import read_labels
from tinytorch.adapters.serve_models import CHAMPION, LoadedVersion

# How soon a promotion by another process, `tinytorch registry promote` for one, is followed here.
DEFAULT_POLL_S = 0.5
NOT_READY, CONFLICT = 503, 409
# Ours is the protocol's description as its authors publish it, with its faults mended and our limits in it.
OPENAPI_FILE = "open_inference_v2.json"
SERVER = {"name": "tinytorch", "version": tinytorch.__version__, "extensions": ["binary_tensor_data"]}
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class ServeSettings:
    """What the routes may do and to whom.

    Attributes
    ----------
    token : str or None
        Without one, versions cannot be switched over HTTP, and labels are taken from anybody.
    maximum_body_bytes : int
    poll_s : float
        Seconds between two looks at the registry.
    write_metrics : callable or None
        Returns Prometheus' text for /metrics; no such route without it.

    Examples
    --------
    >>> ServeSettings().token is None
    True
    """

    token: str | None = None
    maximum_body_bytes: int = DEFAULT_MAXIMUM_BODY_BYTES
    poll_s: float = DEFAULT_POLL_S
    write_metrics: Callable[[], bytes] | None = None


def build_app(
    endpoints: Mapping[str, Endpoint], settings: ServeSettings | None = None, answerer: Answerer | None = None
) -> InferRoute:
    """Return the whole server as one ASGI application. It starts the logs when it starts, and stops them at its end.

    Examples
    --------
    >>> [route.path for route in build_app({}).others.routes][:2]
    ['/', '/v2']
    """
    chosen = settings if settings is not None else ServeSettings()
    routes = _Routes(endpoints, chosen)
    handlers = {HTTPException: _refuse, ProtocolError: _refuse_protocol, ClientLeftError: _leave, Exception: _fail}
    others = Starlette(routes=routes.table(), exception_handlers=handlers, lifespan=routes.lifespan)  # type: ignore[arg-type]
    infer = InferRoute(endpoints, answerer or Answerer(), others, chosen.maximum_body_bytes)
    routes.infer = infer
    return infer


class _Routes:
    """The handlers, and what they need to know."""

    def __init__(self, endpoints: Mapping[str, Endpoint], settings: ServeSettings) -> None:
        self.endpoints = endpoints
        self.settings = settings
        self.infer: InferRoute | None = None

    def table(self) -> list[Route]:
        """Return every route."""
        model = "/v2/models/{name}"
        version = model + "/versions/{version}"
        table = [
            Route("/", self._welcome),
            Route("/v2", self._server),
            Route("/v2/", self._server),
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ready),
            Route("/v2/repository/index", self._index, methods=["POST"]),
            Route("/openapi.json", self._openapi),
        ]
        for prefix in (model, version):
            table += [Route(prefix, self._model), Route(f"{prefix}/ready", self._model_ready)]
            # POST was answered before it came here; this makes every other method a 405.
            table.append(Route(f"{prefix}/infer", self._server, methods=["POST"]))
        table += [
            Route(f"{model}/status", self._status),
            Route(f"{model}/feedback", self._feedback, methods=["POST"]),
            Route(f"{model}/promote", self._promote, methods=["POST"]),
            Route(f"{model}/rollback", self._rollback, methods=["POST"]),
        ]
        table += rollout_routes(self.endpoints, self.settings.token, self.settings.maximum_body_bytes)
        if self.settings.write_metrics is not None:
            table.append(Route("/metrics", self._metrics))
        return table

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Run the logs and follow the registry for as long as the server runs."""
        logs = [endpoint.log for endpoint in self.endpoints.values()]
        for log in logs:
            log.start()
        poll = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            poll.cancel()
            for log in logs:
                await asyncio.to_thread(log.stop)

    async def _follow(self) -> None:
        """Look every so often whether somebody else moved a champion."""
        while True:
            await asyncio.sleep(self.settings.poll_s)
            for endpoint in self.endpoints.values():
                with contextlib.suppress(Exception):  # a registry that cannot be read now is read at the next look
                    await asyncio.to_thread(endpoint.model.refresh)

    async def _welcome(self, request: Request) -> Response:
        models = {name: f"/v2/models/{name}" for name in self.endpoints}
        return _json({"models": models, "health": "/v2/health/ready", "description": "/openapi.json"})

    async def _server(self, request: Request) -> Response:
        return _json(SERVER)

    async def _live(self, request: Request) -> Response:
        return _json({"live": True})

    async def _ready(self, request: Request) -> Response:
        draining = self.infer is not None and self.infer.draining
        ready = not draining and all(one.model.champion is not None for one in self.endpoints.values())
        return _json({"ready": ready}, OK if ready else NOT_READY)

    async def _index(self, request: Request) -> Response:
        ready = [(name, one.model.champion) for name, one in self.endpoints.items() if one.model.champion is not None]
        return _json([{"name": name, "version": str(one.number), "state": "READY"} for name, one in ready])

    async def _openapi(self, request: Request) -> Response:
        text = files("tinytorch.adapters").joinpath("templates", OPENAPI_FILE).read_bytes()
        return Response(text, media_type="application/json")

    async def _metrics(self, request: Request) -> Response:
        write = self.settings.write_metrics
        return Response(write() if write is not None else b"", media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _model(self, request: Request) -> Response:
        endpoint, loaded = await self._find(request)
        latest = await asyncio.to_thread(endpoint.model.registry.get, endpoint.model.name, "latest")
        known = range(1, latest.version + 1) if "version" not in request.path_params else [_number_of(loaded)]
        return _json(_describe_model(endpoint.model.name, [str(number) for number in known], loaded))

    async def _model_ready(self, request: Request) -> Response:
        endpoint, loaded = await self._find(request)
        if loaded is None:
            return Response(write_error("no champion yet"), NOT_READY, media_type="application/json")
        return _json({"name": endpoint.model.name, "ready": True})

    async def _status(self, request: Request) -> Response:
        endpoint, _ = await self._find(request)
        model, split = endpoint.model, endpoint.model.split
        return _json(
            {
                "name": model.name,
                "champion": _number_of(model.champion),
                "previous": _number_of(model.previous),
                "challenger": _number_of(split.challenger if split else None),
                "revision": model.revision,
                "log": endpoint.log.counts()._asdict(),
            }
        )

    async def _feedback(self, request: Request) -> Response:
        endpoint, _ = await self._find(request)
        content = await self._body(request, guarded=self.settings.token is not None)
        call = endpoint.log.join_labels(read_labels(content, time.time()))
        try:
            labelled = await asyncio.wrap_future(call)
        except ValueError as error:
            raise ProtocolError(str(error)) from None
        return _json({"matched": len(labelled), "unmatched": labelled.n_unmatched})

    async def _promote(self, request: Request) -> Response:
        endpoint, _ = await self._find(request)
        content = await self._body(request, guarded=True)
        version = content.get("version")
        if type(version) is not int:
            raise ProtocolError(f"version must be a whole number, got {version!r}.")
        return await self._switch(endpoint, partial(endpoint.model.promote, version), content)

    async def _rollback(self, request: Request) -> Response:
        endpoint, _ = await self._find(request)
        content = await self._body(request, guarded=True)
        return await self._switch(endpoint, endpoint.model.rollback, content)

    async def _switch(
        self, endpoint: Endpoint, move: Callable[[int | None], LoadedVersion], content: Mapping[str, Any]
    ) -> Response:
        """Move the champion; when this answers, every later request is answered by the new one."""
        expected = content.get("expected_revision")
        if expected is not None and type(expected) is not int:
            raise ProtocolError(f"expected_revision must be a whole number, got {expected!r}.")
        try:
            loaded = await asyncio.to_thread(move, expected)
        except ValueError as error:
            raise ProtocolError(str(error), CONFLICT) from None
        return _json({"name": endpoint.model.name, CHAMPION: loaded.number, "revision": endpoint.model.revision})

    async def _find(self, request: Request) -> tuple[Endpoint, LoadedVersion | None]:
        """Return the model that a path names, and the version it names, or else the champion."""
        endpoint = self.endpoints.get(request.path_params["name"])
        if endpoint is None:
            raise ProtocolError("no such model.", NOT_FOUND)
        if "version" in request.path_params:
            return endpoint, await find_version(endpoint.model, request.path_params["version"])
        return endpoint, endpoint.model.champion

    async def _body(self, request: Request, *, guarded: bool) -> dict[str, Any]:
        """Return the JSON object that a request carries, after a look at its token; {} for an empty body."""
        headers = read_headers(request.scope)
        if guarded:
            check_token(headers, self.settings.token)
        body = await read_body(request.receive, headers, self.settings.maximum_body_bytes)
        return read_object(body) if body else {}


def _describe_model(name: str, versions: list[str], loaded: LoadedVersion | None) -> dict[str, Any]:
    """Return a model's metadata; -1 stands for sizes that the model does not tell."""
    model = loaded.model if loaded is not None else None
    n_features, n_classes = (getattr(model, size, None) or -1 for size in ("n_features", "n_classes"))
    outputs = [
        {"name": PROBABILITIES, "datatype": "FP64", "shape": [-1, n_classes]},
        {"name": PREDICTIONS, "datatype": "INT64", "shape": [-1]},
    ]
    inputs = [{"name": "features", "datatype": "FP64", "shape": [-1, n_features]}]
    return {"name": name, "versions": versions, "platform": "tinytorch", "inputs": inputs, "outputs": outputs}


def _number_of(loaded: LoadedVersion | None) -> int | None:
    """Return a version's number, or None."""
    return None if loaded is None else loaded.number


def _json(content: Any, status: int = OK) -> Response:
    """Return an answer of JSON."""
    return Response(write_json(content), status, media_type="application/json")


async def _refuse(request: Request, error: HTTPException) -> Response:
    """Answer in the protocol's form where Starlette refuses: an unknown path, a wrong method."""
    return Response(write_error(error.detail), error.status_code, error.headers, "application/json")


async def _refuse_protocol(request: Request, error: ProtocolError) -> Response:
    """Answer in the protocol's form where a route refuses."""
    return Response(write_error(str(error)), error.status, media_type="application/json")


async def _leave(request: Request, error: ClientLeftError) -> Response:
    """End a request whose client has left: nobody reads this."""
    return Response(status_code=OK)


async def _fail(request: Request, error: Exception) -> Response:
    """Answer in the protocol's form where a route fails; the server's log has the traceback."""
    return Response(write_error("the server failed; its log says why"), SERVER_ERROR, media_type="application/json")
