"""Floor 3, the marking room: what every rollout must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinytorch.checks.calls import must_refuse, require, watch
from tinytorch.mlops.contracts import LabelBatch, PredictionBatch, Rollout, RolloutDecision

MakeRollout = Callable[[], Rollout]

CHAMPION, CHALLENGER = 1, 2
# Answers of each version between two looks, and how many of them are wrong.
ROWS_PER_STEP = 100
FEW_ERRORS, MANY_ERRORS = 5, 40
# Whatever is decided is decided after so many looks at a difference as large as this.
N_STEPS = 10
SECONDS_PER_STEP = 3600.0
# No rollout may judge on so few labels.
TOO_FEW_LABELS = 4
# Equally good versions, looked at this often, must not be taken for different ones.
EQUAL_STEPS = 4


def check_rollout(make_rollout: MakeRollout) -> None:
    """Try a rollout: a good challenger gets all traffic, a bad one none, and without evidence nothing moves.

    Parameters
    ----------
    make_rollout : callable
        `make_rollout()` returns a new rollout that starts below 100% of traffic, needs more than 4 and at most 100
        labels of each version to judge, and has decided about a clear case within 10 steps.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.mlops.deploy import CanaryRollout
    >>> check_rollout(CanaryRollout)
    """
    for try_out in (
        _holds_without_labels,
        _holds_with_too_few_labels,
        _leaves_foreign_labels_alone,
        _advances_a_better_challenger,
        _withdraws_a_worse_challenger,
        _keeps_an_equal_challenger,
        _refuses_bad_batches,
    ):
        try_out(_Trial(make_rollout))


class _Trial:
    """A rollout at work: hands over answers and labels, and collects the decisions."""

    def __init__(self, make_rollout: MakeRollout) -> None:
        self.rollout = watch(watch(make_rollout, "make_rollout")(), "rollout")
        self.n_steps = 0

    def answers(self) -> tuple[PredictionBatch, PredictionBatch]:
        """Return new answers of both versions, all of class 1."""
        first = 2 * ROWS_PER_STEP * self.n_steps
        return tuple(
            _answer(first + index * ROWS_PER_STEP + np.arange(ROWS_PER_STEP), version, self.now)
            for index, version in enumerate((CHAMPION, CHALLENGER))
        )  # type: ignore[return-value]

    @property
    def now(self) -> float:
        """The time in seconds."""
        return SECONDS_PER_STEP * self.n_steps

    def step(self, situation: str) -> tuple[RolloutDecision, tuple[PredictionBatch, PredictionBatch]]:
        """Let both versions answer, and return the decision and the answers."""
        batches = self.answers()
        decision = self.rollout.step(*batches, self.now)
        call = f"rollout.step {situation}"
        require(isinstance(decision, RolloutDecision), call, "a RolloutDecision", decision)
        in_words = bool(decision.evidence) and all(isinstance(item, str) and item for item in decision.evidence)
        require(in_words, call, "evidence in words", decision.evidence)
        self.n_steps += 1
        return decision, batches

    def label(self, batches: tuple[PredictionBatch, PredictionBatch], errors: tuple[int, int], n_rows: int) -> None:
        """Hand over labels of the first rows of both batches, with so many errors."""
        for batch, n_errors in zip(batches, errors, strict=True):
            labels = (np.arange(n_rows) >= n_errors).astype(np.int64)
            self.rollout.record_labels(LabelBatch(batch.request_ids[:n_rows], labels, self.now))

    def work(self, errors: tuple[int, int], n_steps: int, situation: str) -> list[RolloutDecision]:
        """Take so many steps with all labels each, and return the decisions; a rollback ends it."""
        decisions = []
        for _ in range(n_steps):
            decision, batches = self.step(situation)
            decisions.append(decision)
            if decision.action == "roll_back":
                break
            self.label(batches, errors, ROWS_PER_STEP)
        return decisions


def _answer(ids: np.ndarray, version: int, now: float) -> PredictionBatch:
    """Return answers of class 1 to these requests."""
    n_rows = len(ids)
    return PredictionBatch(ids, np.zeros((n_rows, 1)), np.ones(n_rows), None, np.ones(n_rows), now, version)


def _require_still(decision: RolloutDecision, first: RolloutDecision, situation: str) -> None:
    """Raise unless the challenger gets no more traffic than in the first step, and nothing advances."""
    still = decision.action != "advance" and decision.challenger_weight <= first.challenger_weight
    require(still, f"rollout.step {situation}", "no advance", decision)


def _holds_without_labels(trial: _Trial) -> None:
    situation = "without any labels"
    first, _ = trial.step(situation)
    _require_still(first, first, situation)
    require(first.challenger_weight < 1.0, "rollout.step, the first", "a challenger_weight below 1", first)
    for _ in range(N_STEPS):
        _require_still(trial.step(situation)[0], first, situation)


def _holds_with_too_few_labels(trial: _Trial) -> None:
    situation = f"with {TOO_FEW_LABELS} labels of each version, all of the champion's answers wrong"
    first, batches = trial.step(situation)
    trial.label(batches, (TOO_FEW_LABELS, 0), TOO_FEW_LABELS)
    decision, _ = trial.step(situation)
    _require_still(decision, first, situation)
    require(decision.action == "hold", f"rollout.step {situation}", "hold: so few say nothing", decision)


def _leaves_foreign_labels_alone(trial: _Trial) -> None:
    situation = "after labels of unknown requests, and a few labels that came thirty times"
    first, batches = trial.step(situation)
    unknown = _answer(-1 - np.arange(ROWS_PER_STEP), CHALLENGER, trial.now)
    trial.label((unknown, unknown), (0, ROWS_PER_STEP), ROWS_PER_STEP)
    for _ in range(30):
        trial.label(batches, (TOO_FEW_LABELS, 0), TOO_FEW_LABELS)
    decision, _ = trial.step(situation)
    require(decision.action == "hold", f"rollout.step {situation}", "hold, as none of these count", decision)
    _require_still(decision, first, situation)


def _advances_a_better_challenger(trial: _Trial) -> None:
    situation = f"where the champion has {MANY_ERRORS} errors in {ROWS_PER_STEP} and the challenger {FEW_ERRORS}"
    decisions = trial.work((MANY_ERRORS, FEW_ERRORS), N_STEPS, situation)
    withdrawn = any(decision.action == "roll_back" for decision in decisions)
    require(not withdrawn, f"rollout.step {situation}", "no rollback", decisions[-1])
    weights = [decision.challenger_weight for decision in decisions]
    require(weights == sorted(weights), f"challenger_weight {situation}", "weights that rise", weights)
    require(weights[-1] == 1.0, f"challenger_weight {situation}, after {N_STEPS} steps", "1", weights)
    announced = all(
        decision.action == "advance"
        for decision, before in zip(decisions[1:], decisions[:-1], strict=True)
        if decision.challenger_weight > before.challenger_weight
    )
    require(announced, f"rollout.step {situation}", 'the action "advance" wherever the weight rises', tuple(decisions))


def _withdraws_a_worse_challenger(trial: _Trial) -> None:
    situation = f"where the champion has {FEW_ERRORS} errors in {ROWS_PER_STEP} and the challenger {MANY_ERRORS}"
    decisions = trial.work((FEW_ERRORS, MANY_ERRORS), N_STEPS, situation)
    for decision in decisions[:-1]:
        _require_still(decision, decisions[0], situation)
    last = decisions[-1]
    is_withdrawn = last.action == "roll_back" and last.challenger_weight == 0.0
    require(is_withdrawn, f"rollout.step {situation}", "a rollback to weight 0 within 10 steps", last)


def _keeps_an_equal_challenger(trial: _Trial) -> None:
    situation = f"where both versions have {FEW_ERRORS} errors in {ROWS_PER_STEP}"
    last = trial.work((FEW_ERRORS, FEW_ERRORS), EQUAL_STEPS, situation)[-1]
    require(last.action != "roll_back", f"rollout.step {situation}", "no rollback: it is not worse", last)


def _refuses_bad_batches(trial: _Trial) -> None:
    situation = f"where the champion has {MANY_ERRORS} errors in {ROWS_PER_STEP} and the challenger {FEW_ERRORS}"
    decision, batches = trial.step(situation)
    fresh_champion, fresh_challenger = trial.answers()
    same_version = _answer(fresh_challenger.request_ids, CHAMPION, trial.now)
    refused = {
        "two batches of the same version": (fresh_champion, same_version),
        "champion's requests that still wait for their labels": (batches[0], fresh_challenger),
        "challenger's requests that still wait for their labels": (fresh_champion, batches[1]),
    }
    for what, pair in refused.items():
        must_refuse(partial(trial.rollout.step, *pair, trial.now), f"rollout.step with {what}")
    trial.label(batches, (MANY_ERRORS, FEW_ERRORS), ROWS_PER_STEP)
    rest = trial.work((MANY_ERRORS, FEW_ERRORS), N_STEPS, f"{situation}, after calls that were refused")
    require(rest[-1].challenger_weight == 1.0, f"rollout.step {situation}, after refused calls", "weight 1", rest[-1])
    require(decision.challenger_weight < 1.0, "rollout.step, the first", "a challenger_weight below 1", decision)
