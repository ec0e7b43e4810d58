"""Blue-green switches at once and back at once, rolling goes worker by worker, a shadow answers nobody."""

from __future__ import annotations

import numpy as np
import pytest
from batches import answered, labelled

from tinytorch.checks import check_rollout
from tinytorch.mlops.deploy import (
    BlueGreenRollout,
    DeploymentStrategy,
    RollingRollout,
    RolloutPlan,
    ShadowRollout,
    StagedRollout,
    ThresholdFailureGate,
)

PLAN = RolloutPlan(minimum_requests=20)


def mirrored(first: int, n: int = 50, predictions: int = 0, latency_ms: float = 1.0) -> tuple:
    """Answers of both versions to the same requests."""
    ids = np.arange(first, first + n)
    return answered(ids), answered(ids, predictions, version=2, latency_ms=latency_ms)


def test_blue_green_answers_nobody_before_the_switch_and_everybody_after_it() -> None:
    rollout = BlueGreenRollout(PLAN)
    assert (rollout.challenger_weight, rollout.keeps_champion) == (0.0, True)
    assert rollout.step(*mirrored(0, 10), now=0.0).challenger_weight == 0.0
    assert rollout.step(*mirrored(10), now=1.0).challenger_weight == 1.0


def test_blue_green_keeps_the_champion_while_it_watches_and_no_longer() -> None:
    rollout = BlueGreenRollout(RolloutPlan(minimum_requests=20, watch_s=60.0))
    rollout.step(*mirrored(0), now=0.0)
    kept = []
    for moment in (1.0, 59.0, 60.0):
        rollout.step(answered([]), answered([int(1_000 + moment)], version=2), now=moment)
        kept.append((rollout.keeps_champion, rollout.finished))
    assert kept == [(True, False), (True, False), (False, True)]


def test_blue_green_watches_for_an_hour_unless_told_otherwise() -> None:
    assert BlueGreenRollout(PLAN).plan.watch_s == 3600.0
    assert BlueGreenRollout(RolloutPlan(watch_s=5.0)).plan.watch_s == 5.0


def test_blue_green_switches_back_when_the_new_version_fails_under_real_traffic() -> None:
    rollout = BlueGreenRollout(PLAN)
    rollout.step(*mirrored(0), now=0.0)
    rollout.record_failures(0, 40)
    decision = rollout.step(answered([]), answered([], version=2), now=1.0)
    assert (decision.action, rollout.challenger_weight, rollout.keeps_champion) == ("roll_back", 0.0, True)


def test_blue_green_switches_back_on_command_at_once() -> None:
    rollout = BlueGreenRollout(PLAN)
    rollout.step(*mirrored(0), now=0.0)
    assert rollout.roll_back("users complain").challenger_weight == 0.0
    assert rollout.keeps_champion


def test_rolling_moves_one_worker_a_step_and_takes_all_back() -> None:
    rollout, moved = RollingRollout(3, PLAN), []
    for step in range(3):
        moved.append(rollout.workers_on_challenger)
        ids = 100 * step + np.arange(100)
        rollout.step(answered(ids[:50]), answered(ids[50:], version=2), now=float(step))
    assert moved == [(0,), (0, 1), (0, 1, 2)]
    rollout.roll_back("too slow")
    assert rollout.workers_on_challenger == ()


@pytest.mark.parametrize("n_workers", [2, 3, 7, 49, 100])
def test_rolling_counts_workers_whole(n_workers: int) -> None:
    rollout = RollingRollout(n_workers, RolloutPlan(minimum_requests=1))
    for step in range(n_workers):
        assert len(rollout.workers_on_challenger) == step + 1
        rollout.step(answered([2 * step]), answered([2 * step + 1], version=2), now=float(step))
    assert rollout.challenger_weight == 1.0


@pytest.mark.parametrize("n_workers", [1, 0, 2.5, True])
def test_rolling_needs_two_workers(n_workers) -> None:
    with pytest.raises(ValueError, match="n_workers must be an integer >= 2"):
        RollingRollout(n_workers)


def test_a_shadow_is_ready_when_enough_was_compared_and_never_gets_traffic() -> None:
    rollout = ShadowRollout(1.0, RolloutPlan(minimum_requests=60))
    first, second = (rollout.step(*mirrored(50 * look), now=float(look)) for look in range(2))
    assert (first.action, first.challenger_weight) == ("hold", 0.0)
    assert (second.action, second.challenger_weight, rollout.ready) == ("advance", 0.0, True)
    assert second.evidence[-1] == "the same answer to 100 of 100 mirrored requests"


def test_a_shadow_says_how_often_both_versions_agree() -> None:
    rollout = ShadowRollout(0.5)
    assert np.isnan(rollout.agreement)
    champion = answered(np.arange(10))
    rollout.step(champion, answered([2, 3, 4, 77], [0, 0, 1, 1], version=2), now=0.0)
    assert rollout.agreement == pytest.approx(2 / 3)


def test_a_shadow_that_is_worse_is_ended() -> None:
    for harm in ({"latency_ms": 10.0}, {"predictions": 1}):
        rollout = ShadowRollout(1.0, RolloutPlan(minimum_requests=1_000))
        assert rollout.step(*mirrored(0, 100, **harm), now=0.0).action == "roll_back"
        assert (rollout.finished, rollout.ready) == (True, False)


def test_labels_of_mirrored_requests_count_for_both() -> None:
    rollout = ShadowRollout(1.0, RolloutPlan(minimum_labels=50))
    ids = np.arange(60)
    rollout.step(answered(ids, ids % 2), answered(ids, 1 - ids % 2, version=2), now=0.0)
    rollout.record_labels(labelled(ids, ids % 2))
    decision = rollout.step(answered([]), answered([], version=2), now=1.0)
    assert (decision.action, "champion 0 in 60, challenger 60 in 60" in decision.evidence[0]) == ("roll_back", True)


def test_a_refused_look_of_a_shadow_changes_nothing() -> None:
    rollout = ShadowRollout(1.0)
    rollout.step(*mirrored(0, 10), now=0.0)
    with pytest.raises(ValueError, match="request_ids must be new"):
        rollout.step(*mirrored(5, 10), now=1.0)
    assert rollout.step(*mirrored(10, 10), now=2.0).evidence[-1] == "the same answer to 20 of 20 mirrored requests"


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "all"])
def test_a_shadow_mirrors_a_share(share) -> None:
    with pytest.raises(ValueError, match="mirror_share must be in"):
        ShadowRollout(share)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("canary", StagedRollout),
        ("blue_green", BlueGreenRollout),
        ("rolling", RollingRollout),
        ("shadow", ShadowRollout),
    ],
)
def test_a_strategy_starts_a_new_rollout_of_its_kind_each_time(kind, expected: type) -> None:
    strategy = DeploymentStrategy(kind, PLAN, make_gate=ThresholdFailureGate)
    first, second = strategy.start(), strategy.start()
    assert type(first) is expected
    first.roll_back("not this one")
    assert not second.finished


@pytest.mark.parametrize("kind", ["canary", "blue_green", "rolling"])
def test_a_strategy_that_gives_traffic_keeps_the_contract(kind) -> None:
    check_rollout(DeploymentStrategy(kind, RolloutPlan(minimum_labels=20)).start)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"kind": "big bang"}, "kind must be one of 'canary', 'blue_green', 'rolling', 'shadow', got 'big bang'"),
        ({"n_workers": 1}, "n_workers must be an integer >= 2"),
        ({"n_workers": 1_001}, r"n_workers must be in \[2, 1000\], got 1001"),
        ({"mirror_share": 2.0}, "mirror_share must be in"),
    ],
)
def test_bad_strategies_are_refused(arguments: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        DeploymentStrategy(**arguments)
