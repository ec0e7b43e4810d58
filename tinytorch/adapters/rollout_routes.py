"""Floor 4: rollouts over HTTP: begin one, see where it stands, promote, roll back or freeze on command. Starlette."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tinytorch.adapters.open_inference_json import ProtocolError, read_object, write_json
from tinytorch.adapters.rollout_runner import COMMANDS, RolloutRunner
from tinytorch.adapters.serve_http import check_token, read_body, read_headers
from tinytorch.adapters.serve_infer import NOT_FOUND, Endpoint
from tinytorch.mlops.deploy import DeploymentStrategy, RolloutPlan

CONFLICT = 409
# What a rollout may be told beside the version, and the plan's own fields.
STRATEGY_FIELDS = frozenset({"kind", "n_workers", "mirror_share"})
PLAN_FIELDS = frozenset(item.name for item in fields(RolloutPlan))


def read_strategy(content: Mapping[str, Any]) -> tuple[int, DeploymentStrategy]:
    """Return what `{"version": 2, "kind": "canary", "plan": {"weights": [0.1, 1.0], "step_s": 60}}` asks for.

    Raises
    ------
    ProtocolError
        If the version is no whole number, a field is unknown, or one breaks its rule.

    Examples
    --------
    >>> version, strategy = read_strategy({"version": 2, "kind": "blue_green"})
    >>> version, strategy.kind
    (2, 'blue_green')
    """
    version = content.get("version")
    if type(version) is not int:
        raise ProtocolError(f"version must be a whole number, got {version!r}.")
    chosen = _read_plan(content.get("plan", {}))
    _check_known({*content}, STRATEGY_FIELDS | {"version", "plan"}, "fields")
    options = {name: content[name] for name in STRATEGY_FIELDS if name in content}
    try:
        return version, DeploymentStrategy(plan=RolloutPlan(**chosen), **options)
    except ValueError as error:
        raise ProtocolError(str(error)) from None


def _read_plan(plan: Any) -> dict[str, Any]:
    """Return the fields of a plan, with the weights as a tuple."""
    if type(plan) is not dict:
        raise ProtocolError("plan must be an object.")
    _check_known({*plan}, PLAN_FIELDS, "fields of the plan")
    if "weights" not in plan:
        return plan
    if type(plan["weights"]) is not list:
        raise ProtocolError("weights must be a list of numbers.")
    return {**plan, "weights": tuple(plan["weights"])}


def _check_known(given: set[str], known: frozenset[str], what: str) -> None:
    """Refuse a field that nobody would read: it is a misspelt one."""
    unknown = sorted(given - known)
    if unknown:
        raise ProtocolError(f"{what} must be among {', '.join(sorted(known))}, got {unknown[0]!r}.")


@dataclass(frozen=True)
class _RolloutHandlers:
    """The handlers, and what they need to know."""

    endpoints: Mapping[str, Endpoint]
    token: str | None
    maximum_body_bytes: int

    async def show(self, request: Request) -> Response:
        """Answer where the rollout stands."""
        return _told(self._runner(request))

    async def start(self, request: Request) -> Response:
        """Begin a rollout of the version and the kind that the body names."""
        runner = self._runner(request)
        version, strategy = read_strategy(await self._content(request))
        return await _carry_out(runner, partial(runner.start, version, strategy))

    async def command(self, request: Request) -> Response:
        """Promote, roll back or freeze at once, as the path says, whatever the analysis would decide."""
        runner, command = self._runner(request), request.path_params["command"]
        if command not in COMMANDS:
            raise ProtocolError(f"no such command: {', '.join(COMMANDS)}.", NOT_FOUND)
        reason = (await self._content(request)).get("reason", "on command")
        return await _carry_out(runner, partial(runner.command, command, reason))

    def _runner(self, request: Request) -> RolloutRunner:
        """Return the runner of the model that a path names."""
        endpoint = self.endpoints.get(request.path_params["name"])
        if endpoint is None or endpoint.rollout is None:
            raise ProtocolError("no such model.", NOT_FOUND)
        return endpoint.rollout

    async def _content(self, request: Request) -> dict[str, Any]:
        """Return the JSON object of a request that carries the token."""
        headers = read_headers(request.scope)
        check_token(headers, self.token)
        body = await read_body(request.receive, headers, self.maximum_body_bytes)
        return read_object(body) if body else {}


def rollout_routes(endpoints: Mapping[str, Endpoint], token: str | None, maximum_body_bytes: int) -> list[Route]:
    """Return the routes below /v2/models/NAME/rollout; all but the look at it need the token.

    Examples
    --------
    >>> [route.path for route in rollout_routes({}, None, 1_000)][0]
    '/v2/models/{name}/rollout'
    """
    handlers, path = _RolloutHandlers(endpoints, token, maximum_body_bytes), "/v2/models/{name}/rollout"
    return [
        Route(path, handlers.show, methods=["GET"]),
        Route(path, handlers.start, methods=["POST"]),
        Route(f"{path}/{{command}}", handlers.command, methods=["POST"]),
    ]


async def _carry_out(runner: RolloutRunner, order: Any) -> Response:
    """Do what was asked; when this answers, the next request sees it."""
    try:
        await asyncio.to_thread(order)
    except ValueError as error:
        raise ProtocolError(str(error), CONFLICT) from None
    return _told(runner)


def _told(runner: RolloutRunner) -> Response:
    """Return where the rollout stands."""
    return Response(write_json(runner.status().to_dict()), media_type="application/json")
