"""Lesson 15d: the student's registry, split and gate, beyond what the notebook itself checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesson_cells import LessonCells, unwritten
from scipy.stats import binom

from tinytorch.checks.cases import CheckFailed
from tinytorch.datasets import DriftPlan, kept_for_comparison, load_digits, stream
from tinytorch.mlops.contracts import LabelBatch, ModelVersion, PredictionBatch
from tinytorch.mlops.deploy import AuditedRegistry, lesson
from tinytorch.mlops.drift import UnivariateDetector
from tinytorch.mlops.monitor import WindowedMonitor
from tinytorch.mlops.pipeline import DeploymentStage, MLOpsPipeline, RetrainingStage
from tinytorch.mlops.retrain import BudgetedTrigger, NetworkTrainer, RetrainingSession, compare_by_mcnemar
from tinytorch.stats import two_proportion_test

CELLS = LessonCells("15d_deployment", lesson)
CHECKS = {
    "move_pointer": ("check-move",),
    "move_back": ("check-back",),
    "route": ("check-route",),
    "judge_canary": ("check-judge", "check-judge-bar"),
    "next_weight": ("check-weight",),
}
MODEL = object()  # a registry keeps whatever it is given


def a_draft(name: str = "digits", **fields: Any) -> ModelVersion:
    return ModelVersion(name, content_hash="ab12", **fields)


def a_registry(n_versions: int = 3) -> lesson.ModelRegistry:
    registry = lesson.ModelRegistry()
    for _ in range(n_versions):
        registry.register(MODEL, a_draft())
    return registry


def answers(ids: Any, version: int, wrong: int = 0) -> PredictionBatch:
    """Answers to requests whose label is always 0, the first `wrong` of them wrong."""
    n = len(ids)
    return PredictionBatch(ids, np.zeros((n, 1)), np.arange(n) < wrong, None, np.ones(n), 0.0, version)


def labels_of(*batches: PredictionBatch) -> LabelBatch:
    ids = np.concatenate([batch.request_ids for batch in batches])
    return LabelBatch(ids, np.zeros(len(ids)), timestamp=1.0)


def judged(gate: lesson.ThresholdGate, champion_wrong: int, challenger_wrong: int, start: int = 0) -> Any:
    """Show the gate 60 answers of the champion and 20 of the challenger, then their labels; return its decision."""
    champion = answers(np.arange(start, start + 60), 1, champion_wrong)
    challenger = answers(np.arange(start + 60, start + 80), 2, challenger_wrong)
    gate.step(champion, challenger, now=0.0)
    gate.record_labels(labels_of(champion, challenger))
    return gate.step(answers([], 1), answers([], 2), now=1.0)


# The registry --------------------------------------------------------------------------------------------------------


def test_versions_are_numbered_and_keep_what_the_draft_says():
    registry = lesson.ModelRegistry()
    first = registry.register(MODEL, a_draft(metrics={"accuracy": 0.9}, created_at=5.0))
    second = registry.register(MODEL, a_draft(parent=1))
    assert (first.version, second.version, second.parent) == (1, 2, 1)
    assert first.metrics == {"accuracy": 0.9}
    assert registry.get("digits", "latest") == second
    assert registry.get("digits", 1) == first
    assert registry.load("digits", 2) is MODEL


def test_names_do_not_know_of_each_other():
    registry = a_registry()
    other = registry.register(MODEL, a_draft("letters"))
    registry.promote("letters", 1, expected_revision=0)
    assert other.version == 1
    assert registry.revision("digits") == 0


def test_a_network_gets_the_fingerprint_of_its_weights():
    images = load_digits().training
    models = [
        NetworkTrainer(epochs=1).train(images.features, images.labels, np.random.default_rng(k)) for k in (0, 0, 1)
    ]
    registry = lesson.ModelRegistry()
    first, same, other = (registry.register(model, ModelVersion("digits")).content_hash for model in models)
    assert len(first) == 64
    assert first == same != other


@settings(max_examples=60)
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["promote", "rollback"]), st.integers(0, 4), st.sampled_from([0, 0, 0, 1, -1])),
        max_size=15,
    )
)
def test_any_moves_leave_it_where_the_librarys_registry_is(moves):
    ours, theirs = a_registry(), AuditedRegistry()
    for _ in range(3):
        theirs.register(MODEL, a_draft())
    for action, version, mistake in moves:
        expected = ours.revision("digits") + mistake
        assert outcome(ours, action, version, expected) == outcome(theirs, action, version, expected)
        assert ours.revision("digits") == theirs.revision("digits")
        assert outcome(ours, "get", "champion", 0) == outcome(theirs, "get", "champion", 0)


def outcome(registry: Any, action: str, version: Any, expected_revision: int) -> Any:
    """What a call returns, or the kind of error it raises."""
    calls = {
        "promote": lambda: registry.promote("digits", version, expected_revision),
        "rollback": lambda: registry.rollback("digits", expected_revision),
        "get": lambda: registry.get("digits", version),
    }
    try:
        return calls[action]()
    except ValueError:
        return ValueError


@pytest.mark.parametrize(
    "call",
    [
        lambda registry: registry.register(MODEL, a_draft(version=3)),
        lambda registry: registry.register(MODEL, ModelVersion("new")),
        lambda registry: registry.register(MODEL, None),
        lambda registry: registry.get("digits", None),
        lambda registry: registry.get("digits", 1.0),
        lambda registry: registry.load("digits", None),
        lambda registry: registry.get("digits", 4),
        lambda registry: registry.get("digits", 0),
        lambda registry: registry.get("digits", "newest"),
        lambda registry: registry.get("nothing", 1),
        lambda registry: registry.load("new", 1),
        lambda registry: registry.promote("digits", 9, expected_revision=1),
        lambda registry: registry.promote("digits", 2, expected_revision=0),
        lambda registry: registry.rollback("digits", expected_revision=1),
        lambda registry: registry.rollback("digits", expected_revision=0),
        lambda registry: registry.revision("new"),
    ],
)
def test_a_refused_call_changes_nothing(call):
    registry = a_registry()
    registry.promote("digits", 1, expected_revision=0)
    with pytest.raises(ValueError, match="must"):
        call(registry)
    assert registry.get("digits", "champion").version == 1
    assert registry.get("digits", "latest").version == 3
    assert registry.revision("digits") == 1


def test_before_the_first_promotion_there_is_no_champion():
    with pytest.raises(ValueError, match=r"as none was promoted yet, got 'champion'\.$"):
        a_registry().get("digits", "champion")


# The split -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(weights=st.tuples(st.floats(0, 1), st.floats(0, 1)), salt=st.text(max_size=5))
def test_the_split_sticks_when_the_share_grows(weights, salt):
    ids = np.arange(300)
    few, many = (lesson.route(ids, weight, salt) for weight in sorted(weights))
    assert not (few & ~many).any()


@settings(max_examples=40)
@given(order=st.permutations(list(range(30))))
def test_a_request_is_routed_alike_in_any_company(order):
    alone = [bool(lesson.route(np.array([request_id]), 0.4)[0]) for request_id in order]
    assert lesson.route(np.array(order), 0.4).tolist() == alone


@pytest.mark.parametrize("weight", [0.01, 0.1, 0.25, 0.5, 0.9])
def test_the_share_is_what_was_asked_for(weight):
    n = 20_000
    # A binomial count: beyond four standard errors chance goes once in 16,000.
    assert abs(lesson.route(np.arange(n), weight).mean() - weight) <= 4 * np.sqrt(weight * (1 - weight) / n)


def test_the_split_has_nothing_to_do_with_which_rows_are_kept_for_the_comparison():
    ids = np.arange(20_000)
    theirs = lesson.route(ids, 0.25, "canary")
    kept = kept_for_comparison(ids[theirs])
    assert abs(kept.mean() - 0.5) <= 4 * np.sqrt(0.25 / len(kept))


def test_another_salt_is_an_independent_split():
    ids = np.arange(20_000)
    both = (lesson.route(ids, 0.5, "one") & lesson.route(ids, 0.5, "two")).mean()
    assert abs(both - 0.25) <= 4 * np.sqrt(0.25 * 0.75 / len(ids))


def test_ids_may_be_texts_and_none_at_all():
    assert lesson.route(np.array(["ann", "ben"]), 1.0).tolist() == [True, True]
    assert lesson.route([], 0.5).tolist() == []


@pytest.mark.parametrize(
    ("ids", "weight"), [([1, 1], 0.5), ([0.5], 0.5), ([[1]], 0.5), ([1], -0.1), ([1], 1.1), ([1], float("nan"))]
)
def test_malformed_requests_and_weights_are_refused(ids, weight):
    with pytest.raises(ValueError, match="must be"):
        lesson.route(ids, weight)


# The gate ------------------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(data=st.data(), n=st.tuples(st.integers(20, 200), st.integers(20, 200)), k=st.sampled_from([1.0, 2.0, 3.0]))
def test_the_verdict_agrees_with_the_test_of_two_proportions(data, n, k):
    errors = tuple(data.draw(st.integers(0, size)) for size in n)
    z = two_proportion_test(errors[0], n[0], errors[1], n[1]).statistic[0]
    expected = "roll_back" if z > k else "hold" if z > 0 else "advance"
    assert lesson.judge_canary(errors, n, 20, k) == expected


def test_a_misspelt_action_is_refused_and_does_not_raise_the_traffic():
    with pytest.raises(ValueError, match="action must be one of 'advance', 'hold', 'roll_back', got 'rollback'"):
        lesson.next_weight((0.25, 0.5, 1.0), 0.25, "rollback")


def test_a_much_worse_challenger_is_rolled_back_for_good():
    gate = lesson.ThresholdGate()
    decision = judged(gate, champion_wrong=3, challenger_wrong=12)
    assert (decision.action, decision.challenger_weight) == ("roll_back", 0.0)
    assert decision.evidence == ("champion 3 errors in 60, challenger 12 in 20",)
    later = judged(gate, champion_wrong=30, challenger_wrong=0, start=100)
    assert (later.action, later.challenger_weight) == ("roll_back", 0.0)


def test_a_good_challenger_climbs_rung_by_rung_on_fresh_labels():
    gate = lesson.ThresholdGate()
    assert judged(gate, champion_wrong=6, challenger_wrong=1).challenger_weight == 0.5
    assert gate.step(answers([], 1), answers([], 2), now=2.0).action == "hold"
    assert judged(gate, champion_wrong=6, challenger_wrong=1, start=100).challenger_weight == 1.0
    assert judged(gate, champion_wrong=6, challenger_wrong=1, start=200).challenger_weight == 1.0


def test_without_traffic_or_labels_it_never_advances():
    gate = lesson.ThresholdGate(minimum_labels=1)
    for look in range(5):
        champion = answers(np.arange(100 * look, 100 * look + 50), 1)
        assert gate.step(champion, answers([], 2), now=float(look)).action == "hold"
        gate.record_labels(labels_of(champion))
    assert gate.challenger_weight == 0.25


def test_labels_of_unknown_requests_count_for_nothing():
    gate = lesson.ThresholdGate(minimum_labels=1)
    gate.record_labels(LabelBatch(np.arange(50), np.zeros(50), timestamp=0.0))
    assert gate.step(answers([1], 1), answers([2], 2), now=0.0).action == "hold"


def test_labels_may_come_late_and_in_any_order():
    gate = lesson.ThresholdGate(minimum_labels=20)
    champion, challenger = answers(np.arange(60), 1, wrong=3), answers(np.arange(60, 80), 2, wrong=12)
    gate.step(champion, challenger, now=0.0)
    for part in np.array_split(np.random.default_rng(0).permutation(80), 4):
        gate.record_labels(LabelBatch(part, np.zeros(len(part)), timestamp=9.0))
    assert gate.step(answers([], 1), answers([], 2), now=9.0).action == "roll_back"


@pytest.mark.parametrize(
    ("champion", "challenger"),
    [(answers([8], 2), answers([9], 2)), (answers([8], 1), answers([8], 2)), (answers([1], 1), answers([9], 2))],
)
def test_a_refused_step_changes_nothing(champion, challenger):
    gate = lesson.ThresholdGate(minimum_labels=1)
    first, second = answers([1], 1), answers([2], 2)
    gate.step(first, second, now=0.0)
    with pytest.raises(ValueError, match="must"):
        gate.step(champion, challenger, now=1.0)
    gate.record_labels(LabelBatch([1, 2, 8, 9], np.zeros(4), timestamp=1.0))
    assert gate.step(answers([], 1), answers([], 2), now=2.0).evidence == ("champion 0 errors in 1, challenger 0 in 1",)


@pytest.mark.parametrize(
    "arguments",
    [
        {"weights": ()},
        {"weights": (0.5,)},
        {"weights": (0.5, 0.25, 1.0)},
        {"weights": (0.0, 1.0)},
        {"weights": (0.5, 0.5, 1.0)},
        {"weights": (0.5, 2.0)},
        {"minimum_labels": 0},
        {"standard_errors": 0.0},
        {"standard_errors": float("nan")},
    ],
)
def test_a_gate_refuses_settings_that_make_no_sense(arguments):
    with pytest.raises(ValueError, match="must"):
        lesson.ThresholdGate(**arguments)


def chance_of_rollback(champion_rate: float, challenger_rate: float) -> float:
    """Add up the binomial chances of every pair of counts, 60 and 20 answers, that the gate rolls back."""
    chances = binom.pmf(np.arange(61), 60, champion_rate)[:, None] * binom.pmf(np.arange(21), 20, challenger_rate)
    pairs = [(first, second) for first in range(61) for second in range(21)]
    sent_back = [lesson.judge_canary(pair, (60, 20), 20, lesson.DEFAULT_CANARY_STANDARD_ERRORS) for pair in pairs]
    return float(chances.ravel() @ (np.array(sent_back) == "roll_back"))


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1, 0.2])
def test_an_exact_copy_is_hardly_ever_rolled_back(rate):
    # Three standard errors are 0.13% for a normal law; with so few errors the upper tail is heavier.
    assert chance_of_rollback(rate, rate) < 0.02


def test_a_challenger_that_is_wrong_half_the_time_is_rolled_back_at_the_first_look():
    assert chance_of_rollback(0.05, 0.5) > 0.9


# The loop, closed ----------------------------------------------------------------------------------------------------


def test_the_pipeline_promotes_a_better_challenger_through_the_students_parts():
    digits, gates = load_digits(), []
    champion = NetworkTrainer().train(digits.training.features, digits.training.labels, np.random.default_rng(0))
    accuracy = float((champion.predict(digits.validation.features) == digits.validation.labels).mean())
    retraining = RetrainingStage(
        BudgetedTrigger(), RetrainingSession(NetworkTrainer(), compare_by_mcnemar), digits.training.features,
        digits.training.labels, kept_for_comparison, np.random.default_rng(0), minimum_rows=80,
    )  # fmt: skip

    def make_gate() -> lesson.ThresholdGate:
        gates.append(lesson.ThresholdGate(minimum_labels=10))
        return gates[-1]

    registry = lesson.ModelRegistry()
    deployment = DeploymentStage(registry, lesson.route, make_gate, first_weight=0.25)
    monitor = WindowedMonitor("digits", accuracy, len(digits.validation))
    pipeline = MLOpsPipeline("digits", monitor, UnivariateDetector(), retraining, deployment)
    pipeline.start_monitoring(champion, accuracy, len(digits.validation), now=0.0)
    steps = list(stream(DriftPlan("brightness", start_step=4), np.random.default_rng(0)))
    for hour, step in enumerate(steps):
        pipeline.predict(step.request_ids, step.features, step.timestamp)
        if hour >= 2:
            pipeline.record_labels(LabelBatch(steps[hour - 2].request_ids, steps[hour - 2].labels, step.timestamp))
        pipeline.run_cycle(step.timestamp)
    assert gates, "a challenger must have been on trial"
    assert registry.get("digits", "champion").version >= 2
    assert registry.get("digits", 2).parent == 1
    assert registry.load("digits", "champion") is not champion


# The check cells that students are graded by -------------------------------------------------------------------------


def test_every_blank_has_its_checks_and_there_are_at_most_six():
    assert list(CHECKS) == CELLS.blanks
    assert [check for checks in CHECKS.values() for check in checks] == CELLS.checks
    assert len(CELLS.blanks) <= 6


def test_every_check_keeps_a_further_hint_and_a_look_at_the_work_follows():
    for number, cell in enumerate(CELLS.cells):
        if cell["id"] not in CELLS.checks:
            continue
        assert "hints=" in "".join(cell["source"]), cell["id"]
        after = [later["id"] for later in CELLS.cells[number + 1 : number + 4]]
        assert any(name.startswith(("look-", "show-")) for name in after), cell["id"]


def test_the_notebook_fits_into_one_sitting():
    sizes = CELLS.sizes()
    limits = {"cells": 60, "words": 3000, "code lines": 25, "solution lines": 8}
    assert {name: size for name, size in sizes.items() if size > limits[name]} == {}


def run_checks(blank: str, answer: Any) -> None:
    """Run every check of a blank on an answer."""
    for check in CHECKS[blank]:
        CELLS.run_check(check, **{blank: answer})


@pytest.mark.parametrize("blank", CHECKS)
def test_an_unwritten_blank_scores_nothing_and_costs_no_other_blank(blank):
    others = {name: unwritten for name in CHECKS if name != blank}
    for check in CHECKS[blank]:
        with pytest.raises(CheckFailed, match=f"{blank} is not yet written"):
            CELLS.run_check(check, **{blank: unwritten})
        CELLS.run_check(check, **others)


def refuse(problem: bool) -> None:
    if problem:
        raise ValueError("refused")


def checked_move(answer: Any) -> Any:
    return lambda c, v, r, e: (refuse(r != e), answer(c, v))[1]


def checked_back(answer: Any) -> Any:
    return lambda c, r, e: (refuse(r != e or len(c) < 2), answer(c))[1]


def hashed(ids: Any, salt: str) -> Any:
    return np.array([lesson.hash_share(salt, request_id) for request_id in ids], dtype=float)


def rates(errors: Any, labelled: Any) -> tuple[float, float]:
    return errors[0] / labelled[0], errors[1] / labelled[1]


def judge(errors: Any, n: Any, least: int, k: float, bar: Any = lesson.standard_error) -> str:
    """A judge whose idea of the standard error can be replaced."""
    if min(n) < least:
        return "hold"
    champion, challenger = rates(errors, n)
    if challenger - champion > k * bar(errors, n):
        return "roll_back"
    return "hold" if challenger > champion else "advance"


def climb(w: Any, now: float, action: str, up: Any) -> float:
    return {"roll_back": 0.0, "hold": now}.get(action, up(w, now))


WRONG = {
    "move_pointer": [
        (lambda c, v, r, e: (*c, v), "the pointer has moved since"),
        (checked_move(lambda c, v: (v, *c)), "newest champion stands at the end"),
        (checked_move(lambda c, v: (v,)), "must stay in the tuple"),
        (checked_move(lambda c, v: (*c[:-1], v)), "old champion must stay"),
        (lambda c, v, r, e: (refuse(len(c) != e), (*c, v))[1], "rollbacks count too"),
        (lambda c, v, r, e: (refuse(e < r), (*c, v))[1], "yet to come is just as wrong"),
        (lambda c, v, r, e: None if r != e else (*c, v), "the pointer has moved since"),
        (checked_move(lambda c, v: v), "return the whole tuple"),
    ],
    "move_back": [
        (checked_back(lambda c: (*c, c[-2])), "return to the bad one"),
        (checked_back(lambda c: c[1:]), "forgets the oldest"),
        (checked_back(lambda c: c[-2]), "not one version"),
        (lambda c, r, e: (refuse(r != e), c[:-1])[1], "before the first champion there is none"),
        (lambda c, r, e: (refuse(len(c) < 2), c[:-1])[1], "an outdated move is refused"),
        (lambda c, r, e: (refuse(r != e or len(c) < 1), c[:-1])[1], "before the first champion there is none"),
    ],
    "route": [
        (lambda ids, w, s="": ids % 2 == 0, "parity"),
        (lambda ids, w, s="": np.arange(len(ids)) < w * len(ids), "first of a batch"),
        (lambda ids, w, s="": hashed(ids, s) >= w, "Below the weight"),
        (lambda ids, w, s="": hashed(ids, "") < w, "salt is not used"),
        (lambda ids, w, s="": np.random.default_rng(0).random(len(ids)) < w, "from hash_share"),
        (lambda ids, w, s="": hashed(ids, s), "from hash_share"),
        (lambda ids, w, s="": ids[hashed(ids, s) < w], "from hash_share"),
    ],
    "judge_canary": [
        (lambda e, n, least, k: "roll_back" if e[1] > e[0] else "advance", "by only 0.8"),
        (lambda e, n, least, k: "roll_back" if rates(e, n)[1] > rates(e, n)[0] else "advance", "by only 0.8"),
        (lambda e, n, least, k: judge(e, n, least, 3.0), "asked for"),
        (lambda e, n, least, k: judge(e, (max(n), n[1]), least, k), "champion's labels count"),
        (lambda e, n, least, k: judge(e, n, least + 1, k), "20 labels are enough"),
        (lambda e, n, least, k: judge(e[::-1], n[::-1], least, k), "champion first"),
        (lambda e, n, least, k: judge(e, n, least, k, bar=lambda *_: 0.0), "by only 0.8"),
        (lambda e, n, least, k: judge(e, n, least, k).replace("hold", "advance"), "by only 0.8"),
        (lambda e, n, least, k: judge(e, n, 1, k), "too few labels"),
    ],
    "next_weight": [
        (lambda w, now, action: climb(w, now, action, lambda w, now: w[-1]), "not the top"),
        (lambda w, now, action: climb(w, now, action, lambda w, now: min(2 * now, 1.0)), "need not double"),
        (lambda w, now, action: climb(w, now, action, lambda w, now: now), "one rung up"),
        (lambda w, now, action: climb(w, now, action, lambda w, now: w[w.index(now) + 1]), "there is no rung"),
        (lambda w, now, action: w[max(w.index(now) - 1, 0)] if action == "roll_back" else
         climb(w, now, action, lambda w, now: min((r for r in w if r > now), default=now)), "not one rung down"),
        (lambda w, now, action: min((r for r in w if r > now), default=now), "a hold stays"),
    ],
}  # fmt: skip
RIGHT = {
    "move_pointer": [
        checked_move(lambda c, v: c + (v,)),  # noqa: RUF005
        checked_move(lambda c, v: [*c, v]),
        checked_move(lambda c, v: tuple(list(c) + [v])),  # noqa: RUF005
    ],
    "move_back": [
        checked_back(lambda c: c[: len(c) - 1]),
        checked_back(lambda c: list(c)[:-1]),
        checked_back(lambda c: tuple(c[k] for k in range(len(c) - 1))),
    ],
    "route": [
        lambda ids, w, s="": hashed(ids.tolist(), s) < w,
        lambda ids, w, s="": np.fromiter((lesson.hash_share(s, i) < w for i in ids), dtype=bool),
        lambda ids, w, s="": ~(hashed(ids, s) >= w),
    ],
    "judge_canary": [
        judge,
        lambda e, n, least, k: "hold" if n[0] < least or n[1] < least else judge(e, n, 0, k),
        lambda e, n, least, k: (
            "hold"
            if min(n) < least or 0 < e[1] / n[1] - e[0] / n[0] <= k * lesson.standard_error(e, n)
            else ("advance" if e[1] * n[0] <= e[0] * n[1] else "roll_back")
        ),
    ],
    "next_weight": [
        lambda w, now, action: climb(w, now, action, lambda w, now: min([r for r in w if r > now] or [now])),
        lambda w, now, action: climb(w, now, action, lambda w, now: w[min(w.index(now) + 1, len(w) - 1)]),
        lambda w, now, action: climb(w, now, action, lambda w, now: next((r for r in w if r > now), now)),
    ],
}


@pytest.mark.parametrize(("blank", "number"), [(name, k) for name, listed in WRONG.items() for k in range(len(listed))])
def test_a_typical_wrong_answer_is_caught_with_a_written_message(blank, number):
    wrong, message = WRONG[blank][number]
    with pytest.raises(CheckFailed) as caught:
        run_checks(blank, wrong)
    assert message.lower() in str(caught.value).lower()


@pytest.mark.parametrize(("blank", "number"), [(name, k) for name, listed in RIGHT.items() for k in range(len(listed))])
def test_a_right_answer_written_differently_is_accepted(blank, number):
    run_checks(blank, RIGHT[blank][number])
