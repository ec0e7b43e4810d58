"""The canary lets a good challenger through, turns a bad one back, and does neither without evidence."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from batches import answered, labelled
from scipy.stats import binom

from tinytorch.mlops.contracts import PredictionBatch, RolloutDecision
from tinytorch.mlops.deploy import CanaryRollout

NOBODY = np.arange(0)


def roll(
    rollout: CanaryRollout, champion_accuracy: float, challenger_accuracy: float, rng: np.random.Generator
) -> RolloutDecision:
    """Send 40 requests at a time, split by the weight, until there is a final decision."""
    first = 0
    while True:
        ids = first + np.arange(40)
        first += 40
        n_challenger = max(1, round(40 * rollout.challenger_weight))
        champion, challenger = ids[n_challenger:], ids[:n_challenger]
        decision = rollout.step(answered(champion, 1), answered(challenger, 1, version=2), now=float(first))
        if decision.action == "roll_back" or decision.challenger_weight == 1.0:
            return decision
        right = np.r_[rng.random(n_challenger) < challenger_accuracy, rng.random(len(champion)) < champion_accuracy]
        rollout.record_labels(labelled(ids, right.astype(int)))


def look(
    rollout: CanaryRollout, champion: tuple[int, int], challenger: tuple[int, int], first: int = 0
) -> RolloutDecision:
    """Let labelled answers come in, given as (errors, answers) of each version, and ask."""
    n_champion, n_challenger = champion[1], challenger[1]
    ids = first + np.arange(n_champion + n_challenger)
    rollout.step(answered(ids[:n_champion], 1), answered(ids[n_champion:], 1, version=2), now=0.0)
    right = np.ones(len(ids), dtype=int)
    right[: champion[0]] = 0
    right[n_champion : n_champion + challenger[0]] = 0
    rollout.record_labels(labelled(ids, right))
    return rollout.step(answered(NOBODY), answered(NOBODY, version=2), now=1.0)


@pytest.mark.parametrize("accuracy", [0.5, 0.95])
def test_an_equally_good_challenger_is_called_worse_at_most_as_often_as_asked(accuracy: float):
    rng, n_runs = np.random.default_rng(1), 120
    decisions = [roll(CanaryRollout(), accuracy, accuracy, rng) for _ in range(n_runs)]
    withdrawn = [decision for decision in decisions if decision.action == "roll_back"]
    no_verdict = sum("no verdict" in decision.evidence[0] for decision in withdrawn)
    worse = len(withdrawn) - no_verdict
    # At most binomial (120, 0.05): beyond 14 chance goes once in 1,000. One in four finds no verdict: beyond 48 of 120
    # chance goes twice in 10,000.
    assert binom(n_runs, 0.05).sf(14) < 2e-3
    assert binom(n_runs, 0.25).sf(48) < 5e-4
    assert worse <= 14
    assert no_verdict <= 48


def test_a_bad_challenger_is_caught_and_a_better_one_let_through():
    rng = np.random.default_rng(2)
    bad = [roll(CanaryRollout(), 0.95, 0.65, rng).action for _ in range(40)]
    better = [roll(CanaryRollout(), 0.65, 0.95, rng).action for _ in range(40)]
    # Both are asked for in 95 of 100; below 33 of 40 chance goes once in a thousand.
    assert binom(40, 0.95).cdf(32) < 2e-3
    assert bad.count("roll_back") >= 33
    assert better.count("advance") >= 33


def test_without_traffic_or_labels_it_never_moves():
    rollout = CanaryRollout()
    for moment in range(50):
        decision = rollout.step(answered(NOBODY), answered(NOBODY, version=2), now=float(moment))
        assert (decision.action, decision.challenger_weight) == ("hold", 0.25)
    for moment in range(50):
        ids = 100 * moment + np.arange(40)
        decision = rollout.step(answered(ids[:20]), answered(ids[20:], version=2), now=float(moment))
        assert (decision.action, decision.challenger_weight) == ("hold", 0.25)


def test_each_version_needs_its_labels():
    rollout = CanaryRollout(minimum_labels=20)
    assert look(rollout, (0, 40), (0, 19)).action == "hold"
    assert look(rollout, (0, 0), (0, 1), first=100).action == "advance"
    rollout = CanaryRollout(minimum_labels=20)
    assert look(rollout, (0, 19), (0, 40)).evidence == ("19 and 40 labels, 20 needed from each version",)


def test_the_share_rises_step_by_step_on_fresh_labels_only():
    rollout = CanaryRollout((0.1, 0.4, 1.0), minimum_labels=10)
    assert rollout.challenger_weight == 0.1
    assert look(rollout, (1, 20), (0, 20)).challenger_weight == 0.4
    again = rollout.step(answered(NOBODY), answered(NOBODY, version=2), now=2.0)
    assert (again.action, again.challenger_weight) == ("hold", 0.4)  # the same labels do not count twice
    last = look(rollout, (1, 20), (0, 20), first=100)
    assert (last.action, last.challenger_weight, rollout.challenger_weight) == ("advance", 1.0, 1.0)
    assert last.evidence == (
        "champion 2 errors in 40, challenger 0 in 40; no sign that the challenger is worse (p = 0.92)",
    )


def test_more_errors_by_chance_hold_and_many_more_roll_back():
    assert look(CanaryRollout(), (1, 20), (2, 20)).action == "hold"
    decision = look(CanaryRollout(), (1, 20), (15, 20))
    assert (decision.action, decision.challenger_weight) == ("roll_back", 0.0)
    assert look(CanaryRollout(), (2, 20), (2, 20)).action == "advance"


@pytest.mark.parametrize(
    ("errors", "action", "verdict"),
    [
        ((6, 0), "advance", "no sign that the challenger is worse (p = 1)"),
        ((1, 4), "hold", "the challenger looks worse, which may be chance (p = 0.0"),
        ((1, 15), "roll_back", "the challenger is worse (p = "),
    ],
)
def test_the_evidence_says_in_words_what_the_pvalue_means(errors: tuple[int, int], action: str, verdict: str):
    decision = look(CanaryRollout(), (errors[0], 20), (errors[1], 20))
    assert decision.action == action
    assert f"champion {errors[0]} errors in 20, challenger {errors[1]} in 20; {verdict}" in decision.evidence[0]


def test_what_was_seen_in_earlier_steps_still_counts_against_the_challenger():
    rollout = CanaryRollout((0.25, 0.5, 1.0), minimum_labels=20)
    assert look(rollout, (6, 20), (5, 20)).action == "advance"
    decision = look(rollout, (0, 20), (20, 20), first=100)
    assert decision.action == "roll_back"
    assert decision.evidence[0].startswith("champion 6 errors in 40, challenger 25 in 40")


def test_the_level_of_each_look_is_a_part_of_the_whole():
    # 8 errors against 2 in 20: one-sided p = 0.014 by the pooled test. Alone that is below 5%, among ten looks not.
    assert look(CanaryRollout(maximum_looks=1), (2, 20), (8, 20)).action == "roll_back"
    assert look(CanaryRollout(maximum_looks=10), (2, 20), (8, 20)).action == "hold"


def test_after_enough_looks_without_a_verdict_it_gives_up():
    rollout = CanaryRollout(maximum_looks=3)
    decisions = [look(rollout, (1, 20), (2, 20), first=100 * number) for number in range(3)]
    assert [decision.action for decision in decisions] == ["hold"] * 3
    decision = rollout.step(answered(NOBODY), answered(NOBODY, version=2), now=9.0)
    assert (decision.action, decision.evidence) == ("roll_back", ("no verdict after 3 looks",))


def test_no_look_is_added_to_those_that_were_paid_for():
    rollout = CanaryRollout(maximum_looks=1)
    assert look(rollout, (2, 20), (1, 20)).challenger_weight == 0.5
    assert look(rollout, (0, 40), (0, 40), first=100).evidence == ("no verdict after 1 looks",)


def test_the_same_labels_are_looked_at_once():
    rollout = CanaryRollout(maximum_looks=2)
    assert look(rollout, (1, 20), (2, 20)).action == "hold"
    for _ in range(20):
        decision = rollout.step(answered(NOBODY), answered(NOBODY, version=2), now=9.0)
        assert (decision.action, decision.evidence) == ("hold", ("no labels since the last look",))


def test_a_rollback_is_final():
    rollout = CanaryRollout()
    ended = look(rollout, (0, 20), (20, 20))
    assert ended.action == "roll_back"
    assert look(rollout, (20, 20), (0, 20), first=100) == ended


def test_at_the_top_it_stays():
    rollout = CanaryRollout((1.0,), minimum_labels=10, maximum_looks=1)
    assert look(rollout, (1, 20), (0, 20)).challenger_weight == 1.0
    assert look(rollout, (0, 0), (0, 5), first=100).action == "hold"


def test_labels_of_strangers_count_for_nobody():
    rollout = CanaryRollout()
    rollout.record_labels(labelled(np.arange(50)))
    look(rollout, (0, 5), (0, 5))
    rollout.record_labels(labelled(np.arange(1000, 1100)))
    decision = rollout.step(answered(NOBODY), answered(NOBODY, version=2), now=2.0)
    assert decision.evidence == ("5 and 5 labels, 20 needed from each version",)


def state(rollout: CanaryRollout) -> Any:
    kept = copy.deepcopy(vars(rollout))
    return sorted(kept.pop("_log")._waiting), repr(kept)


def wide(ids: Any, version: int) -> PredictionBatch:
    return PredictionBatch(ids, np.zeros((len(ids), 3)), np.zeros(len(ids)), None, np.zeros(len(ids)), 0.0, version)


@pytest.mark.parametrize(
    ("champion", "challenger", "message"),
    [
        (answered([1]), answered([2]), "challenger_batch must come from another version, got 1"),
        (answered([1]), answered([2], version=3), r"both batches must come from versions \(1, 2\), got \(1, 3\)"),
        (answered([1]), answered([2, 1], version=2), "request_ids must be distinct, got 1 twice"),
        (answered([1]), answered([51], version=2), "request_ids must be new, got 51"),
        (answered([50]), answered([2], version=2), "request_ids must be new, got 50"),
        (answered([1]), wide([2], 2), "features must have 1 columns, got 3"),
        (wide([1], 1), wide([2], 2), "features must have 1 columns, got 3"),
    ],
)
def test_a_refused_step_changes_nothing(champion: Any, challenger: Any, message: str):
    rollout = CanaryRollout()
    rollout.step(answered([50]), answered([51], version=2), now=0.0)
    before = state(rollout)
    with pytest.raises(ValueError, match=message):
        rollout.step(champion, challenger, now=1.0)
    assert state(rollout) == before


def test_the_very_first_step_may_be_refused_too():
    rollout = CanaryRollout()
    before = state(rollout)
    with pytest.raises(ValueError, match="features must have 1 columns, got 3"):
        rollout.step(answered([1]), wide([2], 2), now=0.0)
    assert state(rollout) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": ()}, "weights must rise and end with 1.0"),
        ({"weights": (0.5,)}, "weights must rise and end with 1.0"),
        ({"weights": (0.5, 0.25, 1.0)}, "weights must rise and end with 1.0"),
        ({"weights": (0.5, 0.5, 1.0)}, "weights must rise and end with 1.0"),
        ({"weights": (0.5, 1.5)}, r"weights must be in \[0.0, 1.0\], got 1.5"),
        ({"minimum_labels": 0}, "minimum_labels must be an integer >= 1"),
        ({"false_rollback_rate": 0.0}, r"false_rollback_rate must be in \(0, 1\)"),
        ({"maximum_looks": 0}, "maximum_looks must be an integer >= 1"),
    ],
)
def test_a_canary_is_checked_when_it_is_made(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        CanaryRollout(**options)


@pytest.mark.parametrize("now", [float("nan"), "a"])
def test_a_step_at_no_moment_is_refused_and_changes_nothing(now: Any):
    rollout = CanaryRollout()
    batches = answered(range(5), version=1), answered(range(5, 10), version=2)
    with pytest.raises(ValueError, match="now must be in"):
        rollout.step(*batches, now=now)
    assert rollout.step(*batches, now=0.0).action == "hold"
