"""Floor 5: `tinytorch serve NAME` or `tinytorch serve --model SOURCE`: a model behind a socket, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch._arguments import check_integer, check_positive
from tinytorch._storage import load_npz
from tinytorch.adapters.extras import MissingExtraError, require_extra
from tinytorch.adapters.registry_reader import DATABASE_NAME
from tinytorch.adapters.sinks import AlertmanagerSink, LogSink, Sink, WebhookSink
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.cli.invocation import shown_command
from tinytorch.cli.registry import DEFAULT_FOLDER, read_source
from tinytorch.mlops.contracts import ModelVersion, Registry
from tinytorch.mlops.deploy.registry import AuditedRegistry
from tinytorch.mlops.validate import as_features

# The name of a model that comes from no registry.
DIRECT_NAME = "model"
FEATURES = "features"
HTTP_OK = 200
MODULES = ("starlette", "uvicorn", "httptools", "orjson")
EPILOG = """\
examples:
  tinytorch serve digits                                     the champion of ./registry, whoever moves it
  tinytorch serve --model scoring:predict                    a function of scoring.py, without a registry
  tinytorch serve digits --port 9000 --token-file token.txt --alerts alerts.jsonl
  tinytorch serve digits --reference train.npz --webhook http://127.0.0.1:9001/alerts

Versions are switched by `tinytorch registry promote` within half a second, or at once over HTTP with the token of
--token-file or of the environment variable TINYTORCH_TOKEN. Ctrl-C or SIGTERM stops: requests under way are answered,
and everything answered is in the log.

exit codes: 0 stopped as asked, 2 bad input or arguments, or the address is taken
"""
DESCRIPTION = """\
Serves a model by the Open Inference Protocol (v2) on this machine's loopback address. Every request is logged, measured
and watched for drift off the request's path; late labels are sent to /v2/models/NAME/feedback.
"""


def add_serve(commands: Any) -> None:
    """Add `serve` to the command line."""
    parser = commands.add_parser(
        "serve",
        help="a model behind a socket: logged, watched, switched without a lost request",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_subject(parser)
    _add_network(parser)
    _add_watching(parser)
    parser.set_defaults(run=run_serve)


def run_serve(options: argparse.Namespace) -> int:
    """Serve until a signal, and return 0."""
    try:
        require_extra("serve", MODULES, "servers")
        registry, name = _open_registry(options)
        server = _open_process(registry, name, options)
    except (MissingExtraError, OSError, sqlite3.Error) as error:
        raise ValueError(f"the server was not started: {error}") from error
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    _tell_start(server.address, name, options)
    try:
        server.serve_until_stopped()
    finally:
        if isinstance(registry, SqliteRegistry):
            registry.close()
    _tell_stop(server.app, name, options)
    return 0


def _add_subject(parser: argparse.ArgumentParser) -> None:
    """Add what says which model."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="of a model in the registry")
    parser.add_argument(
        "--registry", type=Path, default=Path(DEFAULT_FOLDER), metavar="DIR", help="its folder (./%(default)s)"
    )
    parser.add_argument("--model", metavar="SOURCE", help="without a registry: module:callable, FILE.npz or FILE.onnx")
    parser.add_argument("--json", action="store_true", help="say start and stop as one line of JSON each")


def _add_network(parser: argparse.ArgumentParser) -> None:
    """Add where to listen, and limits."""
    group = parser.add_argument_group("network")
    group.add_argument("--host", default="127.0.0.1", help="(%(default)s: nobody but this machine)")
    group.add_argument("--port", type=int, default=8000, help="0 takes a free one (%(default)s)")
    group.add_argument("--token-file", type=Path, metavar="FILE", help="what switching versions over HTTP asks for")
    group.add_argument("--receive-deadline", type=float, default=15.0, metavar="S", help="for a request (%(default)s)")
    group.add_argument("--max-body", type=int, default=4_000_000, metavar="BYTES", help="of a request (%(default)s)")
    group.add_argument("--drain", type=float, default=1.0, metavar="S", help="from signal to closed door (%(default)s)")
    group.add_argument("--batch", action="store_true", help="answer what arrives together with one call of the model")


def _add_watching(parser: argparse.ArgumentParser) -> None:
    """Add what is watched, and who is told."""
    group = parser.add_argument_group("watching")
    group.add_argument("--log", type=Path, metavar="FILE", help="where every answer is kept (NAME.db)")
    group.add_argument(
        "--reference", type=Path, metavar="FILE", help="training features (.npy, or .npz with `features`)"
    )
    group.add_argument(
        "--look-every", type=float, default=60.0, metavar="S", help="between looks at drift (%(default)s)"
    )
    group.add_argument("--alerts", type=Path, metavar="FILE", help="append alerts to it, a line of JSON each")
    group.add_argument("--webhook", metavar="URL", help="post alerts to it")
    group.add_argument("--alertmanager", metavar="URL", help="post alerts to Prometheus' Alertmanager")


def _open_registry(options: argparse.Namespace) -> tuple[Registry, str]:
    """Return the registry and the name to serve; a model without a registry gets one in memory, with one version."""
    if (options.name is None) == (options.model is None):
        raise ValueError("NAME or --model must be given, and not both.")
    sys.path.insert(0, os.getcwd())  # so that module:callable finds a file beside the caller, as `python -m` does
    if options.model is None:
        if not (options.registry / DATABASE_NAME).is_file():
            hint = "`registry register` makes one, `--model` does without"
            raise ValueError(f"--registry must be a registry ({hint}), got {str(options.registry)!r}.")
        return SqliteRegistry(options.registry), options.name
    memory = AuditedRegistry()
    draft = ModelVersion(DIRECT_NAME, created_at=time.time(), tags={"source": options.model})
    memory.register(read_source(options.model), draft)
    memory.promote(DIRECT_NAME, 1, expected_revision=0)
    return memory, DIRECT_NAME


def _open_process(registry: Registry, name: str, options: argparse.Namespace) -> Any:
    """Return the server, listening but not yet serving."""
    # Imported here: the serve extra brings what these rooms need, and the other commands must go on without it.
    from tinytorch.adapters.serve_app import ServeSettings
    from tinytorch.adapters.serve_http import read_token
    from tinytorch.adapters.serve_open import ServePlan, open_server
    from tinytorch.adapters.serve_run import Listening, ServeProcess
    from tinytorch.adapters.serve_watch import WatchSettings

    settings = ServeSettings(read_token(options.token_file), check_integer(options.max_body, "--max-body", minimum=1))
    watch = WatchSettings(
        log_path=_log_path(name, options),
        reference=None if options.reference is None else _read_reference(options.reference),
        look_every_s=check_positive(options.look_every, "--look-every"),
        sinks=tuple(_sinks(name, options)),
    )
    MonitoringStore(_log_path(name, options), name).close()  # a file that is something else is found before the start
    app = open_server(registry, [name], ServePlan(settings, watch, options.batch))
    return ServeProcess(
        app,
        Listening(options.host, options.port, receive_deadline_s=options.receive_deadline, drain_s=options.drain),
    )


def _log_path(name: str, options: argparse.Namespace) -> Path:
    """Return where answers are kept."""
    return Path(options.log) if options.log is not None else Path(f"{name}.db")


def _read_reference(path: Path) -> np.ndarray:
    """Return the features of a file of arrays."""
    try:
        found = load_npz(path) if path.suffix == ".npz" else {FEATURES: np.load(path, allow_pickle=False)}
    except ValueError as error:
        raise ValueError(f"--reference must be a file of arrays, got {str(path)!r}.") from error
    if FEATURES not in found:
        raise ValueError(f"--reference must hold an array `{FEATURES}`, got {', '.join(found)}.")
    return as_features(found[FEATURES], "--reference", allow_missing=True)


def _sinks(name: str, options: argparse.Namespace) -> Iterator[Sink]:
    """Yield where alerts go."""
    if options.alerts is not None:
        yield LogSink(options.alerts)
    if options.webhook is not None:
        yield WebhookSink(options.webhook)
    if options.alertmanager is not None:
        yield AlertmanagerSink(options.alertmanager, name)


def _tell_start(address: str, name: str, options: argparse.Namespace) -> None:
    """Say where it is, how to ask, and what to do next."""
    if options.json:
        print(json.dumps({"event": "listening", "address": address, "name": name}), flush=True)
        return
    model = f"{address}/v2/models/{name}"
    tensor = '{"name": "features", "shape": [1, 3], "datatype": "FP64", "data": [0.1, 0.2, 0.3]}'
    print(f"serving {name} at {address}, log in {_log_path(name, options)}")
    print(f'ask:      curl {model}/infer -d \'{{"id": "7", "inputs": [{tensor}]}}\'')
    print(f'label:    curl {model}/feedback -d \'{{"request_ids": ["7"], "labels": [0]}}\'')
    print(f"look:     curl {model}/status   and {address}/metrics, {address}/openapi.json")
    if options.model is None:
        print(f"next:     {shown_command()} registry --folder {options.registry} promote {name} VERSION")
    else:
        print(f"next:     {shown_command()} registry register NAME {options.model}   for versions and rollouts")
    print("stop:     Ctrl-C", flush=True)


def _tell_stop(app: Any, name: str, options: argparse.Namespace) -> None:
    """Say what was answered, and whether all of it is in the log."""
    counts, answered = app.endpoints[name].log.counts(), app.statuses
    n_answered = answered.get(HTTP_OK, 0)
    if options.json:
        told = {"event": "stopped", "answered": n_answered, "refused": sum(answered.values()) - n_answered}
        print(json.dumps({**told, "not_in_log": counts.n_dropped}), flush=True)
        return
    lost = f"{counts.n_dropped} of them are not in the log" if counts.n_dropped else "all of them are in the log"
    print(f"stopped after {n_answered} answers; {lost}. next: sqlite3 {_log_path(name, options)}", flush=True)
