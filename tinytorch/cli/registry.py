"""Floor 5: `tinytorch registry ...`, which version serves, since when, by whom; and how to move it."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tinytorch.adapters.extras import MissingExtraError
from tinytorch.adapters.model_callable import CallableModel
from tinytorch.adapters.model_onnx import OnnxModel
from tinytorch.adapters.model_remote import RemoteModel
from tinytorch.adapters.onnx_export import export_onnx
from tinytorch.adapters.registry_network import unpack_network
from tinytorch.adapters.registry_reader import DATABASE_NAME
from tinytorch.adapters.registry_records import Provenance, Registration, RegistryChange, as_utc
from tinytorch.adapters.registry_verify import verify_registry
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.cli.invocation import shown_command
from tinytorch.mlops.contracts import Model, ModelVersion
from tinytorch.mlops.deploy.registry import CHAMPION, LATEST
from tinytorch.mlops.retrain.network import NetworkModel

DEFAULT_FOLDER = "registry"
EXIT_DAMAGED = 1
# Large files are hashed in parts of this size: fewer calls, and little memory.
READ_AT_ONCE_BYTES = 1 << 20
EPILOG = """\
examples:
  tinytorch registry register digits scoring:predict --metric accuracy=0.96 --tag team=vision
  tinytorch registry register digits model.onnx --parent 1 --seed 7 --code-version 4f2a
  tinytorch registry promote digits 2 --reason "better on blurred digits"
  tinytorch registry rollback digits
  tinytorch registry history digits --at 2026-11-23T15:00
  tinytorch registry verify

exit codes: 0 done, 1 verify found damage, 2 bad input or arguments, or the disk is full
"""


def add_registry(commands: Any) -> None:
    """Add `registry` to the command line."""
    parser = commands.add_parser(
        "registry",
        help="versions of models: which one serves, since when, by whom; promote it, take it back",
        description="Keeps versions of models, movable aliases, and who changed what when, in a folder.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run_registry, folder=Path(DEFAULT_FOLDER), actor=None, json=False)
    _add_common(parser)
    actions = parser.add_subparsers(title="what to do", dest="action", metavar="ACTION", required=True)
    _add_questions(actions)
    _add_changes(actions)


def run_registry(options: argparse.Namespace) -> int:
    """Do what was asked; return 1 only if `verify` found damage."""
    if options.action != "register" and not (options.folder / DATABASE_NAME).is_file():
        raise ValueError(f"--folder must be a registry (register something first), got {str(options.folder)!r}.")
    sys.path.insert(0, os.getcwd())  # so that module:callable finds a file beside the caller, as `python -m` does
    try:
        if options.action == "verify":
            return _verify(options)
        with SqliteRegistry(options.folder, options.actor) as registry:
            options.act(registry, options)
    except (sqlite3.Error, OSError, MissingExtraError) as error:
        raise ValueError(f"{options.action} was not done: {error}") from error
    return 0


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every action takes, before its name and after; the defaults are set once, above."""
    unsaid = argparse.SUPPRESS
    parser.add_argument("--folder", type=Path, default=unsaid, metavar="DIR", help=f"the registry (./{DEFAULT_FOLDER})")
    parser.add_argument("--actor", default=unsaid, metavar="NAME", help="who makes the change (this process' user)")
    parser.add_argument("--json", action="store_true", default=unsaid, help="answer for a program")


def _add_questions(actions: Any) -> None:
    """Add what changes nothing."""
    _add_action(actions, "list", "every name, its versions and aliases", _list)
    show = _add_action(actions, "show", "all that is kept about a version", _show_version)
    show.add_argument("name", metavar="NAME")
    show.add_argument("version", metavar="VERSION", nargs="?", default=LATEST, help="a number or alias (latest)")
    history = _add_action(actions, "history", "who changed what when; with --at, what was serving", _history)
    history.add_argument("name", metavar="NAME", nargs="?")
    history.add_argument("--at", metavar="TIME", help="2026-11-23T15:00 (UTC unless it says otherwise) or seconds")
    history.add_argument("--alias", default=CHAMPION, metavar="ALIAS", help="whose time is asked for (%(default)s)")
    verify = _add_action(actions, "verify", "has any byte of log, pointers or models been changed?", None)
    verify.add_argument("--expect-head", metavar="HASH", help="the head of an earlier run: the log must still hold it")
    export = _add_action(actions, "export-onnx", "write a network as an ONNX file", _export_onnx)
    export.add_argument("name", metavar="NAME")
    export.add_argument("version", metavar="VERSION", help="a number or alias")
    export.add_argument("file", type=Path, metavar="FILE")


def _add_changes(actions: Any) -> None:
    """Add what changes something."""
    register = _add_action(actions, "register", "keep a model as the next version", _register)
    register.add_argument("name", metavar="NAME")
    register.add_argument(
        "source", metavar="SOURCE", help="module:callable, FILE.onnx, FILE.npz or http://.../v2/models/X"
    )
    register.add_argument("--metric", action="append", default=[], metavar="NAME=NUMBER")
    register.add_argument("--tag", action="append", default=[], metavar="NAME=TEXT")
    register.add_argument("--parent", type=int, metavar="VERSION", help="the version that this one came from")
    register.add_argument("--data", type=Path, metavar="FILE", help="training data, to be recorded by its hash")
    register.add_argument("--seed", type=int, metavar="N", help="of the training")
    register.add_argument("--code-version", default="", metavar="TEXT", help="of the training's code, such as a commit")
    promote = _add_action(actions, "promote", "make a version the champion", _promote)
    rollback = _add_action(actions, "rollback", "put the champion before in charge again", _rollback)
    alias = _add_action(actions, "alias", "point another alias at a version, or at nothing", _alias)
    for parser in (promote, rollback, alias):
        parser.add_argument("name", metavar="NAME")
    alias.add_argument("alias", metavar="ALIAS")
    for parser, help_text in ((promote, "a number"), (alias, "a number, or none")):
        parser.add_argument("version", metavar="VERSION", help=help_text)
    for parser in (promote, rollback, alias):
        parser.add_argument("--reason", default="", metavar="TEXT", help="for the history")
        parser.add_argument("--expected-revision", type=int, metavar="N", help="refuse if it moved since (do not ask)")


def _add_action(actions: Any, name: str, help_text: str, act: Callable[..., None] | None) -> argparse.ArgumentParser:
    """Add one action, and what carries it out."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=help_text)
    _add_common(parser)
    parser.set_defaults(act=act)
    return parser


def _list(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    found = [registry.describe(name, LATEST) for name in registry.names()]
    champions = {kept.entry.model_name: _champion(registry, kept.entry.model_name) for kept in found}
    lines = [
        f"{kept.entry.model_name}: {kept.entry.version} versions, champion {champions[kept.entry.model_name] or 'none'}"
        for kept in found
    ]
    rows = [
        {"name": kept.entry.model_name, "latest": kept.entry.version, "champion": champions[kept.entry.model_name]}
        for kept in found
    ]
    _say(options, rows, lines, f"show {found[0].entry.model_name}" if found else "register NAME SOURCE")


def _champion(registry: SqliteRegistry, name: str) -> int | None:
    """Return the number of the champion, if there is one."""
    moves = [change for change in registry.history(name) if change.alias == CHAMPION]
    return moves[-1].version if moves else None


def _show_version(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    kept = registry.describe(options.name, _number_or_alias(options.version))
    _say(options, kept.to_dict(), _registration_lines(kept), f"history {options.name}")


def _registration_lines(kept: Registration) -> list[str]:
    """Say all that is kept about a version."""
    entry, provenance = kept.entry, kept.provenance
    facts = {
        "aliases": ", ".join(kept.aliases),
        "kind": f"{kept.kind}: {kept.source}",
        "metrics": _in_words(entry.metrics),
        "tags": _in_words(entry.tags),
        "parent": entry.parent,
        "content": entry.content_hash,
        "data": entry.data_hash,
        "seed": provenance.seed,
        "code": provenance.code_version,
        "libraries": _in_words(provenance.library_versions),
        "artifact": f"{kept.artifact.sha256} ({kept.artifact.size_bytes} bytes)",
        "registered": f"{as_utc(kept.registered.moment)} by {kept.registered.actor}",
    }
    return [str(entry), *(f"  {name:<10} {'-' if value in ('', None) else value}" for name, value in facts.items())]


def _in_words(pairs: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in pairs.items())


def _history(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    if options.at is None:
        changes: tuple[RegistryChange, ...] = registry.history(options.name)
    elif options.name is None:
        raise ValueError("--at must come with a NAME, got it alone.")
    else:
        changes = (registry.serving_at(options.name, _read_moment(options.at), options.alias),)
    lines = [f"{change.name}  {change}" for change in changes]
    _say(options, [change.to_dict() for change in changes], lines, "verify")


def _verify(options: argparse.Namespace) -> int:
    found = verify_registry(options.folder, options.expect_head)
    lines = [f"damaged: {problem}" for problem in found.problems] or [str(found), f"head {found.head}"]
    next_step = "restore the folder from a copy" if found.problems else f"verify --expect-head {found.head}"
    _say(options, found.to_dict(), lines, next_step)
    return EXIT_DAMAGED if found.problems else 0


def _export_onnx(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    model = registry.load(options.name, _number_or_alias(options.version))
    if not isinstance(model, NetworkModel):
        raise ValueError(f"version must be a TinyTorch network to be exported, got a {type(model).__name__}.")
    options.file.write_bytes(export_onnx(model))
    lines = [
        f"{options.file.resolve()}: float32 features (n, {model.n_features}) to probabilities (n, {model.n_classes})"
    ]
    _say(options, {"file": str(options.file.resolve())}, lines, f"register {options.name} {options.file}")


def _register(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    draft = ModelVersion(
        options.name,
        data_hash="" if options.data is None else _hash_file(options.data),
        metrics={name: _read_metric(value) for name, value in map(_read_pair, options.metric)},
        parent=options.parent,
        created_at=time.time(),
        tags=dict(map(_read_pair, options.tag)),
    )
    provenance = Provenance(seed=options.seed, code_version=options.code_version)
    entry = registry.register(read_source(options.source), draft, provenance)
    _say(options, entry.to_dict(), [f"registered {entry}"], f"promote {options.name} {entry.version}")


def _promote(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    version = _number_or_alias(options.version)
    number = registry.get(options.name, version).version
    entry = registry.promote(options.name, number, _expected(registry, options, CHAMPION), options.reason)
    _say(options, entry.to_dict(), [f"{entry} is the champion"], f"history {options.name}")


def _rollback(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    entry = registry.rollback(options.name, _expected(registry, options, CHAMPION), options.reason)
    _say(options, entry.to_dict(), [f"{entry} is the champion again"], f"history {options.name}")


def _alias(registry: SqliteRegistry, options: argparse.Namespace) -> None:
    number = None
    if options.version != "none":
        number = registry.get(options.name, _number_or_alias(options.version)).version
    revision = _expected(registry, options, options.alias)
    entry = registry.set_alias(options.name, options.alias, number, revision, options.reason)
    where = "nothing" if entry is None else str(entry)
    told = {"alias": options.alias, "version": number}
    _say(options, told, [f"{options.alias} points at {where}"], f"show {options.name} {options.alias}")


def _expected(registry: SqliteRegistry, options: argparse.Namespace, alias: str) -> int:
    """Return the revision that the caller expects: the one of this moment if none was given."""
    given: int | None = options.expected_revision
    return registry.revision(options.name, alias) if given is None else given


def read_source(source: str) -> Model:
    """Return the model that a text names: a URL, an ONNX file, a stored network, or `module:callable`.

    Examples
    --------
    >>> read_source("http://127.0.0.1:8080/v2/models/digits").url
    'http://127.0.0.1:8080/v2/models/digits'
    """
    if "://" in source:
        return RemoteModel(source)
    if source.endswith(".onnx"):
        return OnnxModel.from_file(source)
    if source.endswith(".npz"):
        return unpack_network(Path(source).read_bytes())
    return CallableModel(source)


def _number_or_alias(text: str) -> int | str:
    """Return a version's number as a number."""
    return int(text) if text.isdigit() else text


def _hash_file(path: Path) -> str:
    """Return the SHA-256 of a file of any size."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(READ_AT_ONCE_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _read_pair(text: str) -> tuple[str, str]:
    """Split NAME=VALUE."""
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise ValueError(f"--metric and --tag must be NAME=VALUE, got {text!r}.")
    return name, value


def _read_metric(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"--metric must be NAME=NUMBER, got {text!r}.") from None


def _read_moment(text: str) -> float:
    """Return a moment in seconds since the epoch; without a zone it is UTC."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"--at must be like 2026-11-23T15:00, or seconds since the epoch, got {text!r}.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _say(options: argparse.Namespace, answer: Any, lines: list[str], next_step: str) -> None:
    """Print the answer for a program, or for people with the next step."""
    if options.json:
        print(json.dumps(answer, indent=1))
        return
    print("\n".join(lines) if lines else "nothing is registered")
    if not next_step.startswith("restore"):
        next_step = f"{shown_command()} registry --folder {options.folder} {next_step}"
    print(f"\nNext: {next_step}")
