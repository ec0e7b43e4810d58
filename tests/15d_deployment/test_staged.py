"""Rollouts go up step by step on evidence alone, and down at once; among the tests, the faults of known tools."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from batches import answered, labelled
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.checks import check_rollout
from tinytorch.mlops.contracts import RolloutDecision
from tinytorch.mlops.deploy import (
    BlueGreenRollout,
    GateVerdict,
    RollingRollout,
    RolloutPlan,
    ShadowRollout,
    StagedRollout,
    ThresholdFailureGate,
)

NOBODY = np.arange(0)
PLAN = RolloutPlan(weights=(0.2, 0.5, 1.0), minimum_requests=20, patience=3)


class Says:
    """A gate that says what it is told to, and how often it was asked."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.n_asked = 0

    def judge(self, champion: Any, challenger: Any) -> Any:
        self.n_asked += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return GateVerdict(self.outcome, "as told") if isinstance(self.outcome, str) else self.outcome


class Traffic:
    """Sends new requests to a rollout: so many answers of each version a look, at a moment."""

    def __init__(self, rollout: Any) -> None:
        self.rollout = rollout
        self.n_sent = 0

    def look(
        self, n_champion: int = 50, n_challenger: int = 50, now: float = 0.0, **challenger: Any
    ) -> RolloutDecision:
        ids = self.n_sent + np.arange(n_champion + n_challenger)
        self.n_sent += len(ids)
        theirs = answered(ids[n_champion:], version=2, **challenger)
        return self.rollout.step(answered(ids[:n_champion]), theirs, now)


@pytest.mark.parametrize(
    "plan",
    [
        RolloutPlan(minimum_labels=20),
        RolloutPlan(weights=(0.01, 1.0), minimum_labels=100),
        RolloutPlan(weights=(0.5, 1.0), minimum_labels=10, minimum_requests=1, step_s=3600.0, patience=5),
        RolloutPlan(minimum_labels=20, when_undecided="freeze", watch_s=86_400.0),
    ],
)
def test_every_plan_keeps_the_contract(plan: RolloutPlan) -> None:
    check_rollout(lambda: StagedRollout(plan))
    check_rollout(lambda: StagedRollout(plan, ThresholdFailureGate(0.2, failure_limit=1)))
    check_rollout(lambda: BlueGreenRollout(plan))
    check_rollout(lambda: RollingRollout(3, plan))


def test_a_passing_challenger_goes_up_step_by_step_and_stays_there() -> None:
    traffic = Traffic(StagedRollout(PLAN))
    assert traffic.rollout.challenger_weight == 0.2
    decisions = [traffic.look(now=float(moment)) for moment in range(4)]
    assert [decision.action for decision in decisions] == ["advance", "advance", "hold", "hold"]
    assert [decision.challenger_weight for decision in decisions] == [0.5, 1.0, 1.0, 1.0]
    assert traffic.rollout.finished


def test_a_step_lasts_as_long_as_the_plan_says() -> None:
    traffic = Traffic(StagedRollout(RolloutPlan(step_s=60.0)))
    weights = [traffic.look(now=moment).challenger_weight for moment in (1_000.0, 1_059.0, 1_060.0, 1_119.0, 1_120.0)]
    assert weights == [0.1, 0.1, 0.25, 0.25, 0.5]


def test_a_clock_that_jumps_back_advances_nothing() -> None:
    traffic = Traffic(StagedRollout(RolloutPlan(step_s=60.0)))
    assert [traffic.look(now=moment).action for moment in (1_000.0, 0.0, 1_059.0)] == ["hold"] * 3


def test_a_failing_challenger_is_rolled_back_at_once_and_for_good() -> None:
    traffic, gate = Traffic(StagedRollout(PLAN, Says("fail"))), Says("pass")
    assert traffic.look() == RolloutDecision("roll_back", 0.0, ("as told",))
    traffic.rollout.gate = gate
    for moment in range(5):
        assert traffic.look(now=float(moment)).action == "roll_back"
    assert (traffic.rollout.challenger_weight, traffic.rollout.finished, gate.n_asked) == (0.0, True, 0)


def test_a_failing_gate_needs_no_minimum() -> None:
    assert Traffic(StagedRollout(PLAN, Says("fail"))).look(1, 1).action == "roll_back"


def test_labels_that_come_late_are_waited_for() -> None:
    traffic = Traffic(StagedRollout(RolloutPlan(minimum_labels=30)))
    assert "0 and 0 labels in this step, 30 needed" in traffic.look().evidence[0]
    traffic.rollout.record_labels(labelled(np.arange(100), 0))
    assert traffic.look().action == "advance"
    assert traffic.look().action == "hold"


def test_failed_requests_are_no_answers() -> None:
    traffic = Traffic(StagedRollout(PLAN, Says("pass")))
    traffic.rollout.record_failures(100, 100)
    assert traffic.look(10, 10).action == "hold"


@pytest.mark.parametrize(("when_undecided", "expected"), [("roll_back", ("roll_back", 0.0)), ("freeze", ("hold", 0.2))])
def test_patience_ends_as_the_plan_says(when_undecided: Any, expected: tuple[str, float]) -> None:
    plan = RolloutPlan((0.2, 1.0), minimum_requests=20, patience=3, when_undecided=when_undecided)
    traffic = Traffic(StagedRollout(plan, Says("inconclusive")))
    assert [traffic.look().action for _ in range(2)] == ["hold", "hold"]
    last = traffic.look()
    assert (last.action, last.challenger_weight) == expected
    assert "no verdict in 3 looks: as told" in last.evidence[0]
    assert traffic.look() == last


def test_argo_1411_a_failed_analysis_stops_the_rollout() -> None:
    for broken in (RuntimeError("the metrics are down"), None, "pass and go on", True):
        traffic = Traffic(StagedRollout(PLAN, Says(broken) if broken != "pass and go on" else _SaysText()))
        weights = [traffic.look(now=float(moment)).challenger_weight for moment in range(4)]
        assert weights == [0.2, 0.2, 0.0, 0.0]


class _SaysText:
    def judge(self, champion: Any, challenger: Any) -> str:
        return "pass"


def test_argo_1411_the_reason_of_a_failed_analysis_is_told() -> None:
    decision = Traffic(StagedRollout(PLAN, Says(RuntimeError("the metrics are down")))).look()
    assert decision.evidence == ("the analysis failed: RuntimeError: the metrics are down",)


def test_flagger_1801_a_limit_of_five_failed_checks_ends_the_rollout_at_the_fifth() -> None:
    plan = RolloutPlan((0.1, 1.0), minimum_labels=1_000, patience=100)
    traffic = Traffic(StagedRollout(plan, ThresholdFailureGate(failure_limit=5)))
    actions = []
    for look in range(18):
        actions.append(traffic.look(now=float(look)).action)
        traffic.rollout.record_labels(labelled(100 * look + np.arange(100), 1))
    # The labels of a look are seen at the next one.
    assert actions == ["hold"] * 5 + ["roll_back"] * 13


def test_flagger_189_no_success_is_reported_while_the_old_version_stays() -> None:
    """Whatever the gate says and whoever commands: finished without a rollback means all traffic, and nothing less."""
    for outcome in ("pass", "inconclusive", "fail"):
        for when_undecided in ("roll_back", "freeze"):
            plan = RolloutPlan((0.3, 1.0), minimum_requests=20, patience=2, when_undecided=when_undecided)  # type: ignore[arg-type]
            traffic = Traffic(StagedRollout(plan, Says(outcome)))
            for look in range(6):
                decision = traffic.look(now=float(look))
                assert decision.challenger_weight == traffic.rollout.challenger_weight
                if traffic.rollout.finished:
                    assert (decision.action == "roll_back") == (decision.challenger_weight == 0.0)
                    assert decision.challenger_weight in (0.0, 1.0)
    frozen = StagedRollout(PLAN)
    frozen.freeze("a public holiday")
    assert not frozen.finished


@pytest.mark.parametrize("rollout", [StagedRollout(PLAN), RollingRollout(3, PLAN), BlueGreenRollout(PLAN)])
def test_flagger_1011_without_traffic_nothing_advances(rollout: StagedRollout) -> None:
    traffic, weight = Traffic(rollout), rollout.challenger_weight
    for day in range(40):
        for n_champion, n_challenger in ((0, 0), (500, 0)):
            decision = traffic.look(n_champion, n_challenger, now=86_400.0 * day)
            assert (decision.action, decision.challenger_weight) == ("hold", weight)


def test_flagger_1011_answers_of_an_earlier_step_are_no_traffic_of_this_one() -> None:
    traffic = Traffic(StagedRollout(PLAN))
    assert traffic.look(5_000, 5_000).action == "advance"
    assert [traffic.look(0, 0, now=1e6).action for _ in range(5)] == ["hold"] * 5


def test_flagger_1186_a_rollout_can_be_frozen_instead_of_rolled_back() -> None:
    gate = Says("pass")
    traffic = Traffic(StagedRollout(PLAN, gate))
    traffic.look()
    assert traffic.rollout.freeze("a public holiday") == RolloutDecision("hold", 0.5, ("frozen: a public holiday",))
    gate.outcome = "fail"
    assert [traffic.look().challenger_weight for _ in range(5)] == [0.5] * 5
    assert traffic.rollout.roll_back("it is Monday").challenger_weight == 0.0


def test_argo_574_a_rollback_on_command_skips_the_analysis() -> None:
    gate = Says("pass")
    traffic = Traffic(StagedRollout(PLAN, gate))
    traffic.look()
    assert traffic.rollout.roll_back("users complain") == RolloutDecision("roll_back", 0.0, ("users complain",))
    assert (traffic.look().challenger_weight, gate.n_asked) == (0.0, 1)


def test_kserve_2978_a_fraction_is_mirrored_and_never_answered_from() -> None:
    rollout = ShadowRollout(0.3, PLAN, salt="july")
    ids = np.arange(10_000)
    mirrored = rollout.mirrors(ids)
    # Binomial (10,000, 0.3): four standard deviations are 1.8 points.
    assert abs(mirrored.mean() - 0.3) < 0.018
    assert (rollout.mirrors(ids) == mirrored).all()
    answers = answered(ids, ids % 2), answered(ids[mirrored], 0 * ids[mirrored] + (ids[mirrored] % 10 == 0), version=2)
    decision = rollout.step(*answers, now=0.0)
    assert (rollout.challenger_weight, decision.challenger_weight) == (0.0, 0.0)


def test_promotion_on_command_skips_the_analysis_and_ends_a_freeze() -> None:
    gate = Says("fail")
    traffic = Traffic(StagedRollout(PLAN, gate))
    traffic.rollout.freeze("first look at it")
    assert traffic.rollout.promote("it is right") == RolloutDecision("advance", 1.0, ("it is right",))
    assert traffic.look() == RolloutDecision("hold", 1.0, ("promoted on command: it is right",))
    assert (traffic.rollout.finished, gate.n_asked) == (True, 0)


@pytest.mark.parametrize("command", ["freeze", "promote"])
def test_a_rollback_is_final(command: str) -> None:
    rollout = StagedRollout(PLAN)
    rollout.roll_back("too slow")
    with pytest.raises(ValueError, match="rollout must not be rolled back, got one that was: too slow"):
        getattr(rollout, command)("after all")
    assert (rollout.challenger_weight, rollout.finished) == (0.0, True)


@pytest.mark.parametrize("command", ["freeze", "promote", "roll_back"])
@pytest.mark.parametrize("reason", ["", None, 3])
def test_a_command_needs_a_reason(command: str, reason: Any) -> None:
    rollout = StagedRollout(PLAN)
    with pytest.raises(ValueError, match="reason must"):
        getattr(rollout, command)(reason)
    assert (rollout.challenger_weight, rollout.finished) == (0.2, False)


@pytest.mark.parametrize(
    ("champion", "challenger", "now"),
    [
        (answered([500]), answered([501]), 0.0),
        (answered([500]), answered([500], version=2), 0.0),
        (answered([3]), answered([501], version=2), 0.0),
        (answered([500]), answered([501], version=3), 0.0),
        (answered([500]), answered([501], version=2), float("nan")),
        (answered([500]), answered([501], version=2), "noon"),
    ],
)
def test_refused_calls_change_nothing(champion: Any, challenger: Any, now: Any) -> None:
    traffic = Traffic(StagedRollout(RolloutPlan((0.2, 0.5, 1.0), step_s=60.0)))
    traffic.look(now=100.0)
    untouched = copy.deepcopy(traffic)
    with pytest.raises(ValueError, match="must"):
        traffic.rollout.step(champion, challenger, now)
    assert [traffic.look(now=160.0 + 60 * k) for k in range(3)] == [
        untouched.look(now=160.0 + 60 * k) for k in range(3)
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"weights": ()}, "weights must rise and end with 1.0"),
        ({"weights": (0.5,)}, "weights must rise and end with 1.0"),
        ({"weights": (0.5, 0.2, 1.0)}, "weights must rise and end with 1.0"),
        ({"weights": (0.5, 0.5, 1.0)}, "weights must rise and end with 1.0"),
        ({"weights": (0.5, 1.5)}, "weights must be in"),
        ({"weights": (float("nan"), 1.0)}, "weights must be in"),
        ({"step_s": -1.0}, "step_s must be in"),
        ({"minimum_requests": 0}, "minimum_requests must be an integer >= 1"),
        ({"minimum_labels": -1}, "minimum_labels must be an integer >= 0"),
        ({"patience": 0}, "patience must be an integer >= 1"),
        ({"when_undecided": "promote"}, "when_undecided must be one of 'roll_back', 'freeze'"),
        ({"watch_s": -1.0}, "watch_s must be in"),
    ],
)
def test_bad_plans_are_refused(arguments: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        RolloutPlan(**arguments)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["pass", "inconclusive", "fail"]), max_size=20), st.integers(0, 60))
def test_traffic_rises_only_by_passing_looks_with_evidence_and_never_after_a_rollback(said: list, n: int) -> None:
    gate = Says("pass")
    traffic = Traffic(StagedRollout(PLAN, gate))
    weight = traffic.rollout.challenger_weight
    for moment, outcome in enumerate(said):
        gate.outcome = outcome
        decision = traffic.look(n, n, now=float(moment))
        rose = decision.challenger_weight > weight
        assert rose == (decision.action == "advance")
        # An answer counts towards the step in which it was given, so small looks add up.
        assert not rose or (outcome == "pass" and weight > 0.0 and n > 0)
        assert decision.challenger_weight in (weight, 0.0) or rose
        weight = decision.challenger_weight


# What a challenger does wrong, as the server that it runs on notices it: fails (crashes, answers NaN, hangs until its
# deadline), or takes ten times as long.
@pytest.mark.parametrize(
    ("n_answered", "n_failed", "latency_ms"), [(0, 10, 1.0), (0, 3, 1.0), (5, 5, 1.0), (100, 0, 10.0), (30, 0, 10.0)]
)
@pytest.mark.parametrize("looks_before", [0, 3])
def test_a_challenger_that_breaks_is_rolled_back_within_one_look(
    n_answered: int, n_failed: int, latency_ms: float, looks_before: int
) -> None:
    plan = RolloutPlan(step_s=3600.0)
    traffic = Traffic(StagedRollout(plan))
    for look in range(looks_before):
        assert traffic.look(90, 10, now=float(look)).action == "hold"
    traffic.rollout.record_failures(0, n_failed)
    assert traffic.look(9 * (n_answered + n_failed), n_answered, now=10.0, latency_ms=latency_ms).action == "roll_back"


def test_a_challenger_that_breaks_after_a_long_good_time_is_rolled_back_within_one_look() -> None:
    for broken in ({"n_challenger": 0}, {"n_challenger": 30, "latency_ms": 10.0}):
        traffic = Traffic(StagedRollout(RolloutPlan(step_s=3600.0)))
        traffic.look(9_000, 1_000)
        traffic.rollout.record_failures(0, 0 if broken["n_challenger"] else 100)
        assert traffic.look(1_800, now=10.0, **broken).action == "roll_back"


def test_predictions_that_drift_apart_are_rolled_back_without_any_label() -> None:
    traffic = Traffic(StagedRollout(RolloutPlan(step_s=3600.0)))
    assert traffic.look(900, 100).action == "hold"
    decision = traffic.look(900, 100, now=10.0, predictions=1)
    assert decision.action == "roll_back"
    assert "class" in decision.evidence[0]
