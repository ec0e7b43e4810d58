"""Versions, lineage, and one pointer: who moves it on an outdated view is told, and nothing is changed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from batches import Always
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.deploy import AuditedRegistry
from tinytorch.mlops.hashing import hash_model


def a_registry(n_versions: int = 3, champion: int | None = None) -> AuditedRegistry:
    registry = AuditedRegistry()
    for number in range(n_versions):
        registry.register(Always(number, n_classes=9), ModelVersion("digits", parent=number or None))
    if champion is not None:
        registry.promote("digits", champion, expected_revision=0)
    return registry


def state(registry: AuditedRegistry) -> Any:
    return copy.deepcopy({name: vars(shelf) | {"models": None} for name, shelf in registry._shelves.items()})


def test_versions_are_numbered_fingerprinted_and_know_their_parent():
    registry = a_registry()
    assert [registry.get("digits", number).version for number in (1, 2, 3)] == [1, 2, 3]
    assert [registry.get("digits", number).parent for number in (1, 2, 3)] == [None, 1, 2]
    second = registry.get("digits", 2)
    assert second.content_hash == hash_model(registry.load("digits", 2)) != registry.get("digits", 1).content_hash
    assert registry.load("digits", 2).answer == 1
    assert registry.get("digits", "latest").version == 3
    assert registry.get("digits", np.int64(2)) == second


def test_names_have_shelves_of_their_own():
    registry = a_registry(2, champion=2)
    registry.register(Always(0), ModelVersion("faces"))
    assert registry.get("faces", "latest").version == 1
    assert registry.revision("faces") == 0
    with pytest.raises(ValueError, match="version_or_alias must be 1 to 1, 'champion'"):
        registry.get("faces", "champion")


def test_the_champion_is_whom_the_pointer_names():
    registry = a_registry(3, champion=1)
    assert registry.get("digits", "champion").version == 1
    assert registry.promote("digits", 3, expected_revision=1).version == 3
    assert registry.load("digits", "champion").answer == 2
    assert registry.rollback("digits", expected_revision=2).version == 1
    assert registry.get("digits", "champion").version == 1
    assert registry.revision("digits") == 3
    assert [str(move) for move in registry.history("digits")] == [
        "revision 1: promote version 1 (before: None)",
        "revision 2: promote version 3 (before: 1)",
        "revision 3: rollback version 1 (before: 3)",
    ]


def test_after_a_rollback_the_way_back_leads_further_back():
    registry = a_registry(3, champion=1)
    registry.promote("digits", 2, 1)
    registry.promote("digits", 3, 2)
    registry.rollback("digits", 3)
    assert registry.rollback("digits", 4).version == 1
    with pytest.raises(ValueError, match="name must have an earlier champion to roll back to"):
        registry.rollback("digits", 5)


def test_promoting_the_champion_again_does_not_lose_the_one_before_it():
    registry = a_registry(2, champion=1)
    registry.promote("digits", 2, 1)
    registry.promote("digits", 2, 2)
    assert registry.revision("digits") == 3
    assert registry.rollback("digits", 3).version == 1


@given(st.lists(st.sampled_from([1, 2, 3, "back"]), max_size=15))
def test_the_pointer_moves_as_a_stack_and_every_move_is_written_down(moves: list[Any]):
    registry, stack, n_moves = a_registry(), [], 0
    for move in moves:
        if move == "back" and len(stack) < 2:
            continue
        if move == "back":
            stack.pop()
            entry = registry.rollback("digits", n_moves)
        else:
            stack += [move] if stack[-1:] != [move] else []
            entry = registry.promote("digits", move, n_moves)
        n_moves += 1
        assert entry.version == stack[-1] == registry.get("digits", "champion").version
        assert registry.history("digits")[-1].revision == registry.revision("digits") == n_moves


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.promote("digits", 2, 0), "expected_revision must be the current revision 1, got 0"),
        (lambda r: r.promote("digits", 2, 2), "expected_revision must be the current revision 1, got 2"),
        (lambda r: r.promote("digits", 4, 1), "version_or_alias must be 1 to 3"),
        (lambda r: r.promote("digits", 0, 1), "version_or_alias must be 1 to 3"),
        (lambda r: r.promote("faces", 1, 0), r"name must be one of \['digits'\], got 'faces'"),
        (lambda r: r.rollback("digits", 0), "expected_revision must be the current revision 1, got 0"),
        (lambda r: r.rollback("digits", 1), "name must have an earlier champion"),
        (lambda r: r.rollback("faces", 0), "name must be one of"),
        (lambda r: r.register(Always(1), ModelVersion("digits", version=4)), "metadata must be a draft with version 0"),
        (lambda r: r.register(Always(1), ModelVersion("digits", parent=4)), "parent must be a registered version"),
        (lambda r: r.register(print, ModelVersion("digits")), "model must have a state_dict"),
        (lambda r: r.register(print, ModelVersion("new")), "model must have a state_dict"),
        (lambda r: r.get("digits", "best"), "version_or_alias must be 1 to 3, .*got 'best'"),
        (lambda r: r.get("digits", -1), "version_or_alias must be 1 to 3"),
        (lambda r: r.get("digits", 1.5), "version_or_alias must be 1 to 3"),
        (lambda r: r.get("digits", True), "version_or_alias must be 1 to 3"),
        (lambda r: r.load("digits", None), "version_or_alias must be 1 to 3"),
    ],
)
def test_a_refused_call_changes_nothing(call: Any, message: str):
    registry = a_registry(3, champion=1)
    before = state(registry)
    with pytest.raises(ValueError, match=message):
        call(registry)
    assert state(registry) == before


def test_a_model_without_weights_may_bring_its_own_fingerprint():
    registry = AuditedRegistry()
    entry = registry.register(len, ModelVersion("lengths", content_hash="ab12"))
    assert (entry.content_hash, registry.load("lengths", 1)) == ("ab12", len)
