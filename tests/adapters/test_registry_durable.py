"""The registry in a file: it keeps the registry's contract, and what it was told outlasts the process that told it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.adapters.registry_records import Provenance
from tinytorch.adapters.registry_time import ClockReading
from tinytorch.adapters.registry_verify import verify_registry
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.checks.registry import check_registry
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.deploy import AuditedRegistry
from tinytorch.mlops.hashing import hash_model
from tinytorch.mlops.retrain.network import NetworkModel

QUESTION = np.ones((3, 4))


def make_network(seed: int) -> NetworkModel:
    """A small network with weights of its own."""
    rng = np.random.default_rng(seed)
    return NetworkModel(Sequential(Linear(4, 3, rng=rng), ReLU(), Linear(3, 2, rng=rng)), 4, 2)


class Clock:
    """Two clocks that a test sets by hand."""

    def __init__(self) -> None:
        self.reading = ClockReading(1_000.0, 0.0, "first start")

    def __call__(self) -> ClockReading:
        return self.reading

    def go(self, seconds: float, jump: float = 0.0) -> float:
        """Let time pass, and let the clock on the wall jump; return what it shows."""
        now = self.reading
        self.reading = ClockReading(now.clock_s + seconds + jump, now.steady_s + seconds, now.boot)
        return self.reading.clock_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(tmp_path: Path, clock: Clock) -> Iterator[SqliteRegistry]:
    with SqliteRegistry(tmp_path / "registry", actor="ada", read_clock=clock) as opened:
        yield opened


def fill(registry: SqliteRegistry, n_versions: int = 3, name: str = "digits") -> None:
    for seed in range(1, n_versions + 1):
        registry.register(make_network(seed), ModelVersion(name))


def test_it_keeps_the_contract_of_registries(tmp_path: Path) -> None:
    folders = iter(range(100))
    check_registry(lambda: SqliteRegistry(tmp_path / str(next(folders))), make_network)


def test_another_process_finds_everything_as_it_was_told(tmp_path: Path, registry: SqliteRegistry) -> None:
    draft = ModelVersion("digits", data_hash="d1", metrics={"accuracy": 0.96}, created_at=5.0, tags={"team": "vision"})
    registry.register(make_network(1), draft, Provenance(seed=7, code_version="4f2a"))
    registry.register(make_network(2), replace(draft, parent=1))
    registry.promote("digits", 1, 0)
    registry.set_alias("digits", "challenger", 2, 0)
    with SqliteRegistry(tmp_path / "registry") as again:
        assert again.get("digits", "champion") == replace(draft, version=1, content_hash=hash_model(make_network(1)))
        assert again.get("digits", "challenger").parent == 1
        kept = again.describe("digits", 1)
        assert kept.provenance.seed == 7 and kept.provenance.code_version == "4f2a"
        assert kept.provenance.library_versions["numpy"] == np.__version__
        assert kept.aliases == ("champion",) and kept.kind == "network" and kept.registered.actor == "ada"
        loaded = again.load("digits", "champion")
        assert hash_model(loaded) == hash_model(make_network(1))
        assert np.array_equal(loaded.predict_proba(QUESTION), make_network(1).predict_proba(QUESTION))


def test_an_alias_moves_with_a_revision_of_its_own(registry: SqliteRegistry) -> None:
    fill(registry)
    registry.set_alias("digits", "challenger", 2, 0)
    registry.set_alias("digits", "challenger", 3, 1)
    assert registry.get("digits", "challenger").version == 3
    assert registry.revision("digits", "challenger") == 2 and registry.revision("digits") == 0
    with pytest.raises(ValueError, match="expected_revision must be the current revision 2, got 1"):
        registry.set_alias("digits", "challenger", 1, 1)
    assert registry.set_alias("digits", "challenger", None, 2) is None
    with pytest.raises(ValueError, match="version_or_alias must be"):
        registry.get("digits", "challenger")


@pytest.mark.parametrize("alias", ["champion", "latest", "7", "../up", "Big", "", "a" * 65])
def test_an_alias_that_moves_by_other_ways_or_is_no_name_is_refused(registry: SqliteRegistry, alias: str) -> None:
    fill(registry, 1)
    with pytest.raises(ValueError, match="alias must"):
        registry.set_alias("digits", alias, 1, 0)


@pytest.mark.parametrize("name", ["../etc", "Digits", "a/b", "-a", "_a", "a" * 65, "a\n", "é", "."])
def test_a_name_that_could_lead_out_of_the_folder_is_refused(registry: SqliteRegistry, name: str) -> None:
    with pytest.raises(ValueError, match="model_name must"):
        registry.register(make_network(1), ModelVersion(name))
    assert registry.names() == ()


REFUSED: list[tuple[Callable[[SqliteRegistry], object], str]] = [
    (lambda r: r.register(object(), ModelVersion("digits")), "model must be"),
    (lambda r: r.register(lambda rows: rows, ModelVersion("digits")), "model must be a function at the top"),
    (lambda r: r.register(make_network(1), ModelVersion("digits", parent=9)), "parent must be a registered version"),
    (lambda r: r.register(make_network(1), ModelVersion("digits", version=1)), "metadata must be a draft"),
    (lambda r: r.promote("digits", 9, 2), "version_or_alias must be"),
    (lambda r: r.promote("digits", 2**63, 2), "version_or_alias must be"),
    (lambda r: r.promote("digits", 1, 1), "expected_revision must be the current revision 2, got 1"),
    (lambda r: r.rollback("digits", 0), "expected_revision must be"),
    (lambda r: r.rollback("letters", 0), "name must be one of"),
    (lambda r: r.set_alias("digits", "next", 9, 0), "version_or_alias must be"),
    (lambda r: r.promote("digits", 1, 2, reason=None), "reason must be a text"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_a_refused_call_leaves_no_trace(registry: SqliteRegistry, call: Callable, message: str) -> None:
    fill(registry)
    registry.promote("digits", 1, 0)
    registry.promote("digits", 2, 1)
    before = registry.history()
    with pytest.raises(ValueError, match=message):
        call(registry)
    assert registry.history() == before and registry.get("digits", "champion").version == 2
    assert verify_registry(registry.folder).problems == ()


def test_who_put_what_in_charge_when_is_one_call(tmp_path: Path, registry: SqliteRegistry, clock: Clock) -> None:
    fill(registry)
    first = clock.go(10)
    registry.promote("digits", 1, 0)
    second = clock.go(10)
    with SqliteRegistry(tmp_path / "registry", actor="bob", read_clock=clock) as other:
        other.promote("digits", 2, 1, reason="better on blurred digits")
    third = clock.go(10)
    registry.rollback("digits", 2)
    clock.go(10)
    served = [registry.serving_at("digits", moment) for moment in (first, second - 1, second, third - 1, third, 1e12)]
    assert [(change.version, change.actor) for change in served] == [
        *[(1, "ada")] * 2,
        *[(2, "bob")] * 2,
        *[(1, "ada")] * 2,
    ]
    assert served[2].reason == "better on blurred digits" and served[-1].action == "rollback"
    with pytest.raises(ValueError, match="moment must be one at which 'digits' had a champion"):
        registry.serving_at("digits", first - 1)


@pytest.mark.parametrize("jump", [-86_400.0, -15.0, 15.0, 86_400.0])
def test_a_clock_that_jumps_and_is_set_right_again_puts_nothing_at_the_wrong_time(
    registry: SqliteRegistry, clock: Clock, jump: float
) -> None:
    fill(registry)
    moments = [clock.go(10)]
    registry.promote("digits", 1, 0)
    moments.append(clock.go(10, jump) - jump)
    registry.promote("digits", 2, 1)
    moments.append(clock.go(10, -jump))
    registry.promote("digits", 3, 2)
    clock.go(10)
    for version, moment in enumerate(moments, start=1):
        assert [registry.serving_at("digits", moment + late).version for late in (0, 5, 9.9)] == [version] * 3
    assert [change.moment for change in registry.history("digits")[-3:]] == moments
    assert registry.history("digits")[-2].clock_s == moments[1] + jump, "what the clock said is kept"


def test_after_a_restart_the_order_of_changes_still_holds(registry: SqliteRegistry, clock: Clock) -> None:
    fill(registry)
    clock.go(10, jump=5_000.0)
    registry.promote("digits", 1, 0)
    clock.reading = ClockReading(1_100.0, 3.0, "second start")
    registry.promote("digits", 2, 1)
    clock.go(50)
    assert registry.serving_at("digits", 1_100.0).version == 2
    moments = [change.moment for change in registry.history("digits")]
    assert moments == sorted(moments)


def test_the_log_itself_refuses_to_be_changed(registry: SqliteRegistry) -> None:
    fill(registry)
    connection = sqlite3.connect(registry.folder / "registry.db")
    for statement in ("UPDATE log SET entry = '{}'", "DELETE FROM log"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="path must be a model registry"):
        SqliteRegistry(tmp_path)
    assert path.read_bytes() == before


def test_threads_take_turns_at_one_registry(tmp_path: Path) -> None:
    n_threads, n_moves = 4, 20
    with SqliteRegistry(tmp_path / "shared") as registry:
        fill(registry, n_threads)

        def promote(version: int) -> int:
            moved = 0
            while moved < n_moves:
                try:
                    registry.promote("digits", version, registry.revision("digits"))
                    moved += 1
                except ValueError:  # another thread was first
                    assert registry.load("digits", version) is not None
            return moved

        with ThreadPoolExecutor(n_threads) as pool:
            moves = list(pool.map(promote, range(1, n_threads + 1)))
        assert sum(moves) == n_threads * n_moves == registry.revision("digits")
    assert verify_registry(tmp_path / "shared").problems == ()


ACTIONS = st.sampled_from(["register", "promote 1", "promote 2", "promote 3", "rollback"])


@given(actions=st.lists(ACTIONS, max_size=12))
@settings(max_examples=15)
def test_it_does_what_the_registry_in_memory_does(tmp_path_factory: pytest.TempPathFactory, actions: list[str]) -> None:
    def act(registry: AuditedRegistry | SqliteRegistry, action: str) -> object:
        verb, _, version = action.partition(" ")
        try:
            if verb == "register":
                return registry.register(make_network(1), ModelVersion("digits"))
            revision = registry.revision("digits")
            if verb == "promote":
                return registry.promote("digits", int(version), revision), registry.revision("digits")
            return registry.rollback("digits", revision), registry.revision("digits")
        except ValueError:
            return "refused"

    model = AuditedRegistry()
    with SqliteRegistry(tmp_path_factory.mktemp("registry")) as registry:
        for action in actions:
            assert act(registry, action) == act(model, action)
        assert verify_registry(registry.folder).problems == ()
