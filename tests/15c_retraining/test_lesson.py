"""Lesson 15c: the student's trigger and contest, beyond what the notebook itself checks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesson_cells import LessonCells, unwritten
from scipy.stats import binom

from tinytorch.checks.cases import CheckFailed
from tinytorch.datasets import DriftPlan, kept_for_comparison, load_digits, stream
from tinytorch.mlops.contracts import Alert, DriftReport, ModelComparison
from tinytorch.mlops.retrain import NetworkTrainer, RetrainingData, RetrainingSession, compare_by_mcnemar, lesson

CELLS = LessonCells("15c_retraining", lesson)
CHECKS = {
    "reasons_to_retrain": ("check-reasons",),
    "cooldown_is_over": ("check-cooldown",),
    "split_rows": ("check-split",),
    "count_disagreements": ("check-disagree",),
    "coin_flip_pvalue": ("check-coins", "check-coins-rounds"),
}
COUNTS = st.integers(0, 40)


class Answers:
    """A model that answers what it was told to, row by row."""

    def __init__(self, answers: Any) -> None:
        self.answers = np.asarray(answers)

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        return np.eye(int(self.answers.max(initial=0)) + 10)[self.answers[: len(features)]]


class Failing:
    """A trainer that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def train(self, features: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Any:
        raise self.error


def an_alert(rule: str = "accuracy_low", state: Any = "firing") -> Alert:
    return Alert(rule, state, "critical", 0.8, 0.9, timestamp=0.0, model_version=1, message="0.8 is below 0.9")


def a_report(pvalue: float) -> DriftReport:
    return DriftReport(("ink",), "shuffles", [0.9], [pvalue], [pvalue], [0.9], [0.0], 0.05, 0.1, 600, 120, 0.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# The trigger ---------------------------------------------------------------------------------------------------------


def test_an_accuracy_alert_is_a_reason_to_retrain():
    decision = lesson.RetrainingTrigger().check_trigger_conditions((an_alert(),), None, now=0.0)
    assert decision.should_retrain
    assert decision.reasons == ("accuracy_low is firing",)


@pytest.mark.parametrize("alerts", [(), (an_alert("latency_high"),), (an_alert(state="resolved"),)])
def test_without_a_firing_accuracy_alert_nothing_is_retrained(alerts):
    assert not lesson.RetrainingTrigger().check_trigger_conditions(alerts, None, now=0.0).should_retrain


def test_drift_alone_is_watched_and_does_not_retrain():
    decision = lesson.RetrainingTrigger().check_trigger_conditions((), a_report(0.001), now=0.0)
    assert not decision.should_retrain
    assert "to be watched" in decision.reasons[0]


def test_a_report_without_drift_is_not_mentioned():
    decision = lesson.RetrainingTrigger().check_trigger_conditions((an_alert(),), a_report(0.9), now=0.0)
    assert decision.reasons == ("accuracy_low is firing",)


def test_rules_given_as_one_text_are_refused_not_taken_letter_by_letter():
    with pytest.raises(ValueError, match="rules must be a tuple of names, got the text 'accuracy_low'"):
        lesson.RetrainingTrigger(rules="accuracy_low")


def test_rows_and_answers_of_different_length_are_refused():
    with pytest.raises(ValueError, match="must have the same length, got 3, 2, 3"):
        lesson.split_rows(np.arange(3), np.zeros((2, 4)), np.arange(3))
    with pytest.raises(ValueError, match="must have the same length, got 2, 2, 1"):
        lesson.count_disagreements(np.zeros(2), np.zeros(2), np.zeros(1))


def test_other_rules_can_be_named_as_reasons():
    trigger = lesson.RetrainingTrigger(rules=("calibration_off",))
    assert trigger.check_trigger_conditions((an_alert("calibration_off"),), None, now=0.0).should_retrain
    assert not trigger.check_trigger_conditions((an_alert(),), None, now=0.0).should_retrain


def test_deciding_changes_nothing():
    trigger = lesson.RetrainingTrigger()
    first, second = (trigger.check_trigger_conditions((an_alert(),), None, now=0.0) for _ in range(2))
    assert first == second
    assert trigger.get_retraining_history() == ()


@settings(max_examples=50)
@given(cooldown_s=st.integers(1, 50), gaps=st.lists(st.integers(0, 20), max_size=30))
def test_two_retrainings_are_never_closer_than_the_cooldown(cooldown_s, gaps):
    trigger, begun = lesson.RetrainingTrigger(cooldown_s=cooldown_s), []
    for now in np.cumsum(gaps).tolist():
        if trigger.check_trigger_conditions((an_alert(),), None, now=now).should_retrain:
            trigger.record_retraining(now)
            begun.append(now)
    assert all(later - earlier >= cooldown_s for earlier, later in itertools.pairwise(begun))


def test_the_cooldown_is_named_among_the_reasons():
    trigger = lesson.RetrainingTrigger(cooldown_s=100.0)
    trigger.record_retraining(now=0.0)
    decision = trigger.check_trigger_conditions((an_alert(),), None, now=99.0)
    assert not decision.should_retrain
    assert decision.reasons == ("accuracy_low is firing", "still cooling down")
    assert trigger.check_trigger_conditions((an_alert(),), None, now=100.0).should_retrain


@pytest.mark.parametrize("cooldown_s", [0.0, -1.0, float("nan"), float("inf"), "4"])
def test_a_bad_cooldown_is_refused(cooldown_s):
    with pytest.raises(ValueError, match="cooldown_s must be > 0"):
        lesson.RetrainingTrigger(cooldown_s=cooldown_s)


@pytest.mark.parametrize("now", [float("nan"), float("inf"), -1.0])
def test_a_bad_time_is_refused_and_nothing_is_recorded(now):
    trigger = lesson.RetrainingTrigger()
    with pytest.raises(ValueError, match="now must be in"):
        trigger.record_retraining(now)
    with pytest.raises(ValueError, match="now must be in"):
        trigger.check_trigger_conditions((an_alert(),), None, now)
    assert trigger.get_retraining_history() == ()


# Carrying a retraining out -------------------------------------------------------------------------------------------


def test_a_retraining_returns_a_challenger_and_is_recorded():
    images = load_digits().training
    trigger = lesson.RetrainingTrigger()
    challenger = trigger.execute_retraining(NetworkTrainer(epochs=20), images.features, images.labels, rng(), now=60.0)
    assert (challenger.predict(images.features) == images.labels).mean() > 0.9
    assert trigger.get_retraining_history() == ((60.0, "challenger trained on 600 rows"),)


def test_a_training_that_diverges_leaves_no_challenger_and_starts_the_cooldown():
    images = load_digits().training
    trigger = lesson.RetrainingTrigger(cooldown_s=100.0)
    diverging = NetworkTrainer(learning_rate=1e30)
    assert trigger.execute_retraining(diverging, images.features, images.labels, rng(), now=0.0) is None
    ((when, outcome),) = trigger.get_retraining_history()
    assert when == 0.0
    assert outcome.startswith("training failed: train_loss must be finite")
    assert not trigger.check_trigger_conditions((an_alert(),), None, now=50.0).should_retrain


def test_a_fault_in_the_program_is_not_hidden_as_a_failed_training():
    trigger = lesson.RetrainingTrigger()
    with pytest.raises(TypeError):
        trigger.execute_retraining(Failing(TypeError("a typing error")), np.zeros((2, 1)), np.zeros(2), rng(), now=0.0)
    assert trigger.get_retraining_history() == ()


# The contest ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(ids=st.lists(st.integers(0, 10_000), unique=True, max_size=60))
def test_every_row_gets_exactly_one_job_and_always_the_same(ids):
    request_ids = np.array(ids, dtype=np.int64)
    features = np.arange(3 * len(ids), dtype=float).reshape(-1, 3)
    train_x, train_y, exam_x, exam_y = lesson.split_rows(request_ids, features, request_ids)
    assert sorted([*train_y.tolist(), *exam_y.tolist()]) == sorted(ids)
    assert kept_for_comparison(exam_y).all() and not kept_for_comparison(train_y).any()
    assert len(train_x) == len(train_y) and len(exam_x) == len(exam_y)


@settings(max_examples=50)
@given(seed=st.integers(0, 1000), n_rows=st.integers(0, 50))
def test_the_counts_differ_by_the_lead_and_swap_with_the_models(seed, n_rows):
    first, second, labels = np.random.default_rng(seed).integers(0, 3, size=(3, n_rows))
    n_first, n_second = lesson.count_disagreements(first, second, labels)
    assert n_second - n_first == int((second == labels).sum()) - int((first == labels).sum())
    assert lesson.count_disagreements(second, first, labels) == (n_second, n_first)


@settings(max_examples=40)
@given(n_champion=COUNTS, n_challenger=COUNTS)
def test_coins_agree_with_the_exact_binomial(n_champion, n_challenger):
    n_rounds = 4000
    exact = binom.sf(n_challenger - 1, n_champion + n_challenger, 0.5)
    tossed = lesson.coin_flip_pvalue(n_champion, n_challenger, rng(), n_rounds)
    # The count of rounds is binomial: five of its standard errors, and one round that is always added.
    assert abs(tossed - exact) <= 5 * np.sqrt(exact * (1 - exact) / n_rounds) + 1 / n_rounds
    assert 0 < tossed <= 1


def test_the_contest_agrees_with_mcnemars_exact_test():
    draw = np.random.default_rng(5)
    labels = draw.integers(0, 10, size=120)
    champion = Answers(np.where(draw.random(120) < 0.3, (labels + 1) % 10, labels))
    challenger = Answers(np.where(draw.random(120) < 0.15, (labels + 2) % 10, labels))
    tossed = lesson.compare_models(champion, challenger, np.zeros((120, 4)), labels)
    exact = compare_by_mcnemar(champion, challenger, np.zeros((120, 4)), labels)
    assert tossed.champion_score == exact.champion_score
    assert tossed.challenger_score == exact.challenger_score
    assert tossed.n_rows == exact.n_rows == 120
    error = np.sqrt(exact.pvalue * (1 - exact.pvalue) / lesson.DEFAULT_ROUNDS)
    assert abs(tossed.pvalue - exact.pvalue) <= 5 * error + 1 / lesson.DEFAULT_ROUNDS


def test_the_same_contest_gives_the_same_verdict():
    labels = np.arange(40) % 10
    models = Answers(np.zeros(40, dtype=int)), Answers(labels)
    first, second = (lesson.compare_models(*models, np.zeros((40, 2)), labels) for _ in range(2))
    assert first == second


def test_a_champion_is_never_replaced_by_itself_or_by_a_worse_model():
    labels = np.arange(40) % 10
    right, wrong = Answers(labels), Answers((labels + 1) % 10)
    assert not lesson.is_better(lesson.compare_models(right, right, np.zeros((40, 2)), labels))
    assert not lesson.is_better(lesson.compare_models(right, wrong, np.zeros((40, 2)), labels))
    assert lesson.is_better(lesson.compare_models(wrong, right, np.zeros((40, 2)), labels))


def test_a_small_p_value_without_a_lead_keeps_no_challenger():
    assert not lesson.is_better(ModelComparison(0.9, 0.9, pvalue=0.01, n_rows=50))


def test_an_equally_good_challenger_is_kept_at_most_as_often_as_promised():
    draw, n_contests, n_rows = np.random.default_rng(7), 400, 60
    labels, wins = np.zeros(n_rows, dtype=int), 0
    for _ in range(n_contests):
        champion, challenger = Answers(draw.integers(0, 2, n_rows)), Answers(draw.integers(0, 2, n_rows))
        wins += lesson.is_better(lesson.compare_models(champion, challenger, np.zeros((n_rows, 1)), labels))
    alpha = lesson.DEFAULT_ALPHA
    # The number of false wins is binomial: beyond four standard errors chance goes once in 30,000.
    assert wins / n_contests <= alpha + 4 * np.sqrt(alpha * (1 - alpha) / n_contests)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((0, 2)), np.zeros(0), "features must have at least 1"),
        (np.zeros((3, 2)), np.zeros(2), "same length"),
        (np.full((3, 2), np.nan), np.zeros(3), "features must be finite"),
        (np.zeros((3, 2)), np.array([0, 1, -1]), "labels must be class indices"),
        ([[1.0], [2.0, 3.0]], np.zeros(2), "features must be"),
    ],
)
def test_malformed_exam_rows_are_refused(features, labels, message):
    with pytest.raises(ValueError, match=message):
        lesson.compare_models(Answers([0, 0, 0]), Answers([0, 0, 0]), features, labels)


def test_a_label_that_neither_model_knows_is_refused_but_one_that_the_challenger_knows_counts():
    narrow, wide = Answers([0, 1, 0]), Answers([0, 1, 12])  # 11 classes and 22
    with pytest.raises(ValueError, match="labels must be class indices below 11, got 12"):
        lesson.compare_models(narrow, narrow, np.zeros((3, 2)), [0, 1, 12])
    comparison = lesson.compare_models(narrow, wide, np.zeros((3, 2)), [0, 1, 12])
    assert (comparison.champion_score, comparison.challenger_score) == (pytest.approx(2 / 3), 1.0)


def test_the_lesson_fits_the_librarys_session_on_drifted_digits():
    images = load_digits().training
    champion = NetworkTrainer().train(images.features, images.labels, rng())
    steps = stream(DriftPlan("brightness", start_step=0), np.random.default_rng(1)).take(5)
    ids, features, labels = (
        np.concatenate([getattr(s, k) for s in steps]) for k in ("request_ids", "features", "labels")
    )
    train_x, train_y, exam_x, exam_y = lesson.split_rows(ids, features, labels)
    session = RetrainingSession(NetworkTrainer(), lesson.compare_models, alpha=lesson.DEFAULT_ALPHA)
    result = session.run(champion, RetrainingData(train_x, train_y, exam_x, exam_y), rng())
    assert result.accepted
    assert result.challenger_score > result.champion_score + 0.1


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


WRONG = {
    "reasons_to_retrain": [
        (lambda alerts, rules: tuple(f"{a.rule} is firing" for a in alerts), "look at its rule"),
        (lambda alerts, rules: tuple(f"{a.rule} is firing" for a in alerts if a.rule in rules), "look at its state"),
        (lambda alerts, rules: tuple(f"{a.rule} is firing" for a in alerts if a.state == "firing"), "look at its rule"),
        (lambda alerts, rules: any(a.rule in rules for a in alerts), "return a tuple of texts"),
        (
            lambda alerts, rules: tuple(a.rule for a in alerts if a.state == "firing" and a.rule in rules),
            "The text is",
        ),
        (lambda alerts, rules: None, "return a tuple of texts"),
    ],
    "cooldown_is_over": [
        (lambda now, last, cooldown: last is None or now - last > cooldown, "so use >="),
        (lambda now, last, cooldown: not last or now - last >= cooldown, "ask `is None`"),
        (lambda now, last, cooldown: last is None or now - last < cooldown, "only 5,400 of 7,200"),
        (lambda now, last, cooldown: last is None or now >= cooldown, "only 5,400 of 7,200"),
        (lambda now, last, cooldown: now - last >= cooldown, "without an earlier retraining"),
        (lambda now, last, cooldown: False if last is None else now - last >= cooldown, "without an earlier"),
    ],
    "split_rows": [
        (lambda i, x, y: (x, y, x, y), "know them by heart"),
        (lambda i, x, y: (x[i % 2 == 1], y[i % 2 == 1], x[i % 2 == 0], y[i % 2 == 0]), "Swapped"),
        (lambda i, x, y: (x[: len(x) // 2], y[: len(x) // 2], x[len(x) // 2 :], y[len(x) // 2 :]), "by position"),
        (lambda i, x, y: (x[i % 2 == 0], x[i % 2 == 1], y[i % 2 == 0], y[i % 2 == 1]), "return four arrays"),
        (lambda i, x, y: (x[i % 2 == 0], y[i % 2 == 0]), "return four arrays"),
        (lambda i, x, y: (x[::2], y[::2], x[1::2], y[1::2]), "must not be trained on"),
    ],
    "count_disagreements": [
        (lambda a, b, y: (int((a == y).sum()), int((b == y).sum())), "also where both are right"),
        (lambda a, b, y: (int(((b == y) & (a != y)).sum()), int(((a == y) & (b != y)).sum())), "champion first"),
        (lambda a, b, y: (int((a != b).sum()), int((a != b).sum())), "one must be right"),
        (lambda a, b, y: int((a != b).sum()), "return two counts"),
        (lambda a, b, y: (int((a != y).sum()), int((b != y).sum())), "also where both are wrong"),
        (lambda a, b, y: ((a == y) & (b != y), (b == y) & (a != y)), "return two counts"),
    ],
    "coin_flip_pvalue": [
        (
            lambda a, b, r, n=2000: (1 + (r.binomial(a + b, 0.5, n) > b).sum()) / (1 + n),
            "exactly as many heads count, too",
        ),
        (lambda a, b, r, n=2000: (1 + (r.binomial(a + b, 0.5, n) >= a).sum()) / (1 + n), "Wrong side"),
        (lambda a, b, r, n=2000: (1 + (r.binomial(a + b, 0.5, n) <= b).sum()) / (1 + n), "Wrong side"),
        (lambda a, b, r, n=2000: (r.binomial(a + b, 0.5, n) >= b).sum() / n, "a round, too"),
        (lambda a, b, r, n=2000: (r.binomial(a + b, 0.5, n) >= b).sum(), "a share of rounds"),
        (lambda a, b, r, n=2000: (1 + (r.binomial(a + b, 0.5) >= b)) / (1 + n), "almost no round"),
    ],
}
RIGHT = {
    "reasons_to_retrain": [
        lambda alerts, rules: [f"{a.rule} is firing" for a in alerts if a.rule in rules and a.state != "resolved"],
        lambda alerts, rules: tuple(
            a.rule + " is firing" for a in alerts if (a.state, a.rule in rules) == ("firing", True)
        ),
        lambda alerts, rules: sum(
            ((f"{a.rule} is firing",) * (a.state == "firing" and a.rule in rules) for a in alerts), ()
        ),
    ],
    "cooldown_is_over": [
        lambda now, last, cooldown: last is None or now >= last + cooldown,
        lambda now, last, cooldown: True if last is None else not now - last < cooldown,
        lambda now, last, cooldown: (now - (float("-inf") if last is None else last)) >= cooldown,
    ],
    "split_rows": [
        lambda i, x, y: (x[i % 2 == 0], y[i % 2 == 0], x[i % 2 == 1], y[i % 2 == 1]),
        lambda i, x, y: [part[k] for k in (np.flatnonzero(i % 2 == 0), np.flatnonzero(i % 2 == 1)) for part in (x, y)],
        lambda i, x, y: tuple(
            np.delete(p, np.flatnonzero(kept_for_comparison(i) == k), axis=0) for k in (1, 0) for p in (x, y)
        ),
    ],
    "count_disagreements": [
        lambda a, b, y: (
            sum(p == t != q for p, q, t in zip(a, b, y, strict=True)),
            sum(q == t != p for p, q, t in zip(a, b, y, strict=True)),
        ),
        lambda a, b, y: (np.sum((a == y) > (b == y)), np.sum((b == y) > (a == y))),
        lambda a, b, y: (np.count_nonzero((a == y) & (a != b)), np.count_nonzero((b == y) & (a != b))),
    ],
    "coin_flip_pvalue": [
        lambda a, b, r, n=2000: (1 + (r.binomial(a + b, 0.5, n) >= b).sum()) / (1 + n),
        lambda a, b, r, n=2000: (1 + np.sum((r.random((n, a + b)) < 0.5).sum(axis=1) >= b)) / (1 + n),
        lambda a, b, r, n=2000: (1 + sum(r.choice([0, 1], size=a + b).sum() >= b for _ in range(n))) / (1 + n),
    ],
}


@pytest.mark.parametrize(
    ("blank", "number"), [(blank, k) for blank, answers in WRONG.items() for k in range(len(answers))]
)
def test_a_typical_wrong_answer_is_caught_with_a_written_message(blank, number):
    wrong, message = WRONG[blank][number]
    with pytest.raises(CheckFailed) as caught:
        run_checks(blank, wrong)
    assert message.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    ("blank", "number"), [(blank, k) for blank, answers in RIGHT.items() for k in range(len(answers))]
)
def test_a_right_answer_written_differently_is_accepted(blank, number):
    run_checks(blank, RIGHT[blank][number])
