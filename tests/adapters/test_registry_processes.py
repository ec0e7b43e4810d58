"""Several processes at once in one registry: one order of all changes explains every answer that anybody got.

Each process writes down when it asked, when it was answered, and what. The log gives the order of the changes. That
history is linearisable if the order of the log agrees with real time, if every refusal names the revision that was
current at some moment between question and answer, and if every reading shows such a moment's state.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinytorch.adapters.model_remote import RemoteModel
from tinytorch.adapters.registry_verify import verify_registry
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.mlops.contracts import ModelVersion

NAME = "digits"
WORKER = """
import json, re, sys, time
import numpy as np
from tinytorch.adapters.model_remote import RemoteModel
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.mlops.contracts import ModelVersion

folder, worker, n_operations = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng, registry = np.random.default_rng(int(worker)), SqliteRegistry(folder, actor=worker)

def operate(action, seen):
    latest = registry.get("digits", "latest").version
    if action == "register":
        model = RemoteModel(f"http://127.0.0.1/v2/models/{worker}")
        return registry.register(model, ModelVersion("digits")).version
    if action == "promote":
        return registry.promote("digits", int(rng.integers(1, latest + 1)), seen).version
    if action == "rollback":
        return registry.rollback("digits", seen).version
    if action == "revision":
        return registry.revision("digits")
    return registry.get("digits", "champion").version

actions = ["register", "promote", "rollback", "revision", "champion"]
for _ in range(n_operations):
    action = str(rng.choice(actions, p=[0.05, 0.35, 0.2, 0.2, 0.2]))
    seen = registry.revision("digits")
    asked = time.monotonic()
    try:
        result, refused = operate(action, seen), None
    except ValueError as error:
        result, refused = None, str(error)
    print(json.dumps([worker, action, asked, time.monotonic(), seen, result, refused]))
"""


@dataclass(frozen=True)
class Operation:
    worker: str
    action: str
    asked: float
    answered: float
    seen: int
    result: int | None
    refused: str | None

    @property
    def is_change(self) -> bool:
        return self.action in ("register", "promote", "rollback") and self.refused is None


def run_workers(folder: Path, n_workers: int, n_operations: int) -> list[Operation]:
    with SqliteRegistry(folder, actor="first") as registry:
        registry.register(RemoteModel("http://127.0.0.1/v2/models/first"), ModelVersion(NAME))
        registry.promote(NAME, 1, 0)
    commands = [[sys.executable, "-c", WORKER, str(folder), str(i), str(n_operations)] for i in range(n_workers)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    lines = [line for worker in workers for line in worker.communicate()[0].splitlines()]
    assert [worker.returncode for worker in workers] == [0] * n_workers, "a worker met an error it did not expect"
    return [Operation(*json.loads(line)) for line in lines]


class Order:
    """The order of all changes, with the state after each."""

    def __init__(self, folder: Path) -> None:
        with SqliteRegistry(folder) as registry:
            self.changes = registry.history(NAME)
        self.revisions: list[int] = []
        self.champions: list[int | None] = []
        revision, champion = 0, None
        for change in self.changes:
            if change.action != "register":
                assert change.revision == revision + 1, "two changes followed from one state"
                revision, champion = change.revision, change.version
            self.revisions.append(revision)
            self.champions.append(champion)

    def place(self, operations: list[Operation]) -> dict[int, int]:
        """Find each acknowledged change in the log: those of one worker are in it in the order it made them."""
        places: dict[int, int] = {}
        for worker in {operation.worker for operation in operations}:
            mine = [number for number, op in enumerate(operations) if op.worker == worker and op.is_change]
            logged = [place for place, change in enumerate(self.changes) if change.actor == worker]
            assert len(mine) == len(logged), "what was acknowledged and what is in the log differ in number"
            for number, place in zip(mine, logged, strict=True):
                operation, change = operations[number], self.changes[place]
                assert (operation.action, operation.result) == (change.action, change.version)
                if operation.action != "register":
                    assert change.revision == operation.seen + 1, "a change overruled one that it had not seen"
                places[number] = place
        return places


def check_linearisable(operations: list[Operation], order: Order) -> int:
    """Raise AssertionError unless one order explains every answer; return how many calls were refused as outdated."""
    places = order.place(operations)
    changes = sorted((operations[number].asked, operations[number].answered, place) for number, place in places.items())
    by_place = sorted((place, asked, answered) for asked, answered, place in changes)
    latest_question = 0.0
    for _, asked, answered in by_place:
        assert answered >= latest_question, "the log puts a change before one that was answered before it was asked for"
        latest_question = max(latest_question, asked)
    outdated = 0
    for number, operation in enumerate(operations):
        if number in places:
            continue
        # The state that it saw: after every change answered before it asked, before every change asked for after it.
        first = max((place for _, answered, place in changes if answered < operation.asked), default=1)
        last = min((place for asked, _, place in changes if asked > operation.answered), default=len(order.changes)) - 1
        window = range(first, max(first, last) + 1)
        assert explains(operation, order, window), operation
        outdated += operation.refused is not None and "expected_revision" in operation.refused
    return outdated


def explains(operation: Operation, order: Order, window: range) -> bool:
    """Tell whether a state in the window explains a reading or a refusal."""
    revisions = {order.revisions[place] for place in window}
    if operation.action == "revision":
        return operation.result in revisions
    if operation.action == "champion":
        return operation.result in {order.champions[place] for place in window}
    said = str(operation.refused)
    if "expected_revision" in said:
        current = int(re.findall(r"current revision (\d+), got", said)[0])
        return current in revisions and current != operation.seen
    return "must have an earlier champion" in said and operation.action == "rollback" and operation.seen in revisions


def test_one_order_explains_what_three_processes_were_told(tmp_path: Path) -> None:
    operations = run_workers(tmp_path / "registry", n_workers=3, n_operations=60)
    check_linearisable(operations, Order(tmp_path / "registry"))
    assert verify_registry(tmp_path / "registry").problems == ()


def test_the_check_sees_an_answer_that_no_order_explains(tmp_path: Path) -> None:
    operations = run_workers(tmp_path / "registry", n_workers=2, n_operations=40)
    order = Order(tmp_path / "registry")
    number = next(n for n, op in enumerate(operations) if op.action == "revision")
    stale = operations[number]
    operations[number] = Operation(*[*list(vars(stale).values())[:5], stale.result + 1000, None])
    with pytest.raises(AssertionError):
        check_linearisable(operations, order)
    operations[number] = stale
    changed = next(n for n, op in enumerate(operations) if op.is_change and op.action != "register")
    lost = operations.pop(changed)
    with pytest.raises(AssertionError, match="differ in number"):
        check_linearisable(operations, order)
    operations.insert(changed, Operation(*[*list(vars(lost).values())[:4], lost.seen + 1, lost.result, None]))
    with pytest.raises(AssertionError, match="overruled"):
        check_linearisable(operations, order)


@pytest.mark.drill
def test_one_order_explains_8_processes_of_1000_operations(tmp_path: Path) -> None:
    operations = run_workers(tmp_path / "registry", n_workers=8, n_operations=1000)
    order = Order(tmp_path / "registry")
    outdated = check_linearisable(operations, order)
    print(f"{len(operations)} operations, {len(order.changes)} changes, {outdated} refused as outdated")
    assert len(operations) == 8000 and outdated > 0
    assert verify_registry(tmp_path / "registry").problems == ()
