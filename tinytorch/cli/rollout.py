"""Floor 5: `tinytorch rollout ACTION NAME`: a new version into the traffic of a running server, and out of it again."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tinytorch.cli.invocation import shown_command

DEFAULT_SERVER = "http://127.0.0.1:8000"
TOKEN_VARIABLE = "TINYTORCH_TOKEN"
# A server that loads a large challenger takes its time; one that is gone must not hold up a script for ever.
TIMEOUT_S = 60.0
POLL_S = 1.0
EXIT_ROLLED_BACK = 1
RUNNING, ROLLED_BACK = "running", "rolled_back"
ORDERS = {
    "promote": "give it all traffic now, whatever the analysis says",
    "rollback": "take it out of traffic now, whatever the analysis says",
    "freeze": "keep the shares as they are until somebody promotes or rolls back",
}
EPILOG = """\
examples:
  tinytorch rollout start churn 3 --wait                         a canary: 10%, 25%, 50%, all, if nothing is found
  tinytorch rollout start churn 3 --weights 0.05,0.5,1 --step-s 600 --minimum-labels 200 --when-undecided freeze
  tinytorch rollout start churn 3 --kind shadow                  sees a tenth of the requests and answers none
  tinytorch rollout status churn
  tinytorch rollout rollback churn --reason "users complain"

The server is one that `tinytorch serve` runs; it asks for its token (--token-file, or the environment variable
TINYTORCH_TOKEN) to change anything.

exit codes: 0 done; 1 the version was rolled back (`status`, `start --wait`); 2 bad input, refused, or no server there
"""


def add_rollout(commands: Any) -> None:
    """Add `rollout` to the command line."""
    parser = commands.add_parser(
        "rollout",
        help="a new version into the traffic of a running server, step by step",
        description="Brings a version into the traffic of a running server, as long as nothing is found against it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="what to do", dest="action", metavar="ACTION", required=True)
    _add_start(_add_order(actions, "start", "put a version on trial"))
    _add_order(actions, "status", "where does it stand, and why?")
    for order, meaning in ORDERS.items():
        _add_order(actions, order, meaning).add_argument("--reason", default="on command", metavar="TEXT")
    parser.set_defaults(run=run_rollout)


def run_rollout(options: argparse.Namespace) -> int:
    """Do what was asked; return 1 if it ended, or has ended, with a rollback that nobody here ordered."""
    path = f"{options.server.rstrip('/')}/v2/models/{options.name}/rollout"
    if options.action == "status":
        told = _ask_server(path, None, options)
    elif options.action == "start":
        told = _ask_server(path, _read_start(options), options)
        while options.wait and told["state"] == RUNNING:
            time.sleep(POLL_S)
            told = _ask_server(path, None, options)
    else:
        told = _ask_server(f"{path}/{options.action}", {"reason": options.reason}, options)
    print(json.dumps(told) if options.json else _tell_state(told, options), flush=True)
    ended_badly = told["state"] == ROLLED_BACK and options.action in ("start", "status")
    return EXIT_ROLLED_BACK if ended_badly else 0


def _add_order(actions: Any, name: str, meaning: str) -> argparse.ArgumentParser:
    """Add an action with what every one of them takes."""
    action: argparse.ArgumentParser = actions.add_parser(name, help=meaning, description=f"{name}: {meaning}")
    action.add_argument("name", metavar="NAME", help="of the served model")
    action.add_argument("--server", default=DEFAULT_SERVER, metavar="URL", help="(%(default)s)")
    action.add_argument("--token-file", type=Path, metavar="FILE", help=f"the server's token (${TOKEN_VARIABLE})")
    action.add_argument("--json", action="store_true", help="answer for a program")
    return action


def _add_start(action: argparse.ArgumentParser) -> None:
    """Add what a rollout may be told; what is not said is the server's default."""
    action.add_argument("version", type=int, metavar="VERSION", help="of the registry")
    action.add_argument("--kind", choices=("canary", "blue_green", "rolling", "shadow"), help="(canary)")
    action.add_argument("--weights", metavar="W,W,1", help="the version's share at each step (0.1,0.25,0.5,1)")
    action.add_argument("--step-s", type=float, metavar="S", help="least seconds of a step (0)")
    action.add_argument("--minimum-requests", type=int, metavar="N", help="answers each version needs in a step (50)")
    action.add_argument("--minimum-labels", type=int, metavar="N", help="late labels likewise (0)")
    action.add_argument("--patience", type=int, metavar="N", help="looks without a verdict in a step (20)")
    action.add_argument("--when-undecided", choices=("roll_back", "freeze"), help="after these (roll_back)")
    action.add_argument("--watch-s", type=float, metavar="S", help="it may still be taken back at 100%% (0)")
    action.add_argument("--wait", action="store_true", help="until it is over")


def _read_start(options: argparse.Namespace) -> dict[str, Any]:
    """Return the order to begin; the server checks it."""
    names = ("step_s", "minimum_requests", "minimum_labels", "patience", "when_undecided", "watch_s")
    plan = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.weights is not None:
        try:
            plan["weights"] = [float(weight) for weight in options.weights.split(",")]
        except ValueError as error:
            raise ValueError(f"--weights must be numbers such as 0.1,0.5,1, got {options.weights!r}.") from error
    kind = {} if options.kind is None else {"kind": options.kind}
    return {"version": options.version, **kind, "plan": plan}


def _ask_server(url: str, content: dict[str, Any] | None, options: argparse.Namespace) -> dict[str, Any]:
    """Return the server's answer; refusals and a server that is not there are a ValueError."""
    body = None if content is None else json.dumps(content).encode("utf-8")
    headers = {} if content is None else {"Authorization": f"Bearer {_read_bearer(options.token_file)}"}
    try:
        request = urllib.request.Request(url, body, headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            told: dict[str, Any] = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise ValueError(f"{options.action} was refused: {_reason_given(error)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ValueError(f"--server must be a running server, got {options.server!r}: {error}") from error
    if "state" not in told:
        raise ValueError(f"--server must be one of `tinytorch serve`, got {options.server!r}.")
    return told


def _reason_given(error: urllib.error.HTTPError) -> str:
    """Return what the server says against a request."""
    text = error.read().decode("utf-8", "replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"


def _read_bearer(path: Path | None) -> str:
    """Return the token of a file, or of the environment; an empty one is refused by the server."""
    if path is None:
        return os.environ.get(TOKEN_VARIABLE, "")
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"--token-file must be readable, got {str(path)!r}: {error.strerror}.") from error


def _tell_state(told: dict[str, Any], options: argparse.Namespace) -> str:
    """Say where it stands and what to do next."""
    if told["state"] == "none":
        begin = f"{shown_command()} rollout start {options.name} VERSION"
        return f"no rollout; version {told['champion']} serves\nnext: {begin}"
    kind, share = told["kind"].replace("_", "-"), f"{told['challenger_weight']:.0%} of traffic"
    state = told["state"].replace("_", " ")
    lines = [f"{kind} of version {told['challenger']}: {state}, {share}; version {told['champion']} is the champion"]
    lines += [f"  {reason}" for reason in told["evidence"]]
    action = "status" if told["state"] == RUNNING else "start"
    target = options.name if action == "status" else f"{options.name} VERSION"
    return "\n".join([*lines, f"next: {shown_command()} rollout {action} {target}"])
