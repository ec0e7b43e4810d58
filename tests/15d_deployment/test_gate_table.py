"""The table of gates in docs/rollout_gates.md: written by the drill, and held against what is promised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from gate_simulation import (
    BASE_ERROR,
    FAILURE_SHARE,
    GATES,
    PLAN,
    RISE,
    Outcome,
    simulate,
    simulate_rollouts,
)
from scipy.stats import binom

from tinytorch.mlops.deploy import SequentialGate
from tinytorch.mlops.deploy.gates import DEFAULT_ALPHA, DEFAULT_MIXTURE_VARIANCE
from tinytorch.stats import wilson_interval

PAGE = Path(__file__).parents[2] / "docs" / "rollout_gates.md"
N_RUNS, N_BUSY_RUNS, N_ROLLOUTS, N_TUNING_RUNS = 2_000, 1_000, 500, 400
EQUAL_SEED, WORSE_SEED, BUSY_SEED, ROLLOUT_SEEDS = 1, 2, 3, (4, 5)
TUNING_SEEDS = (101, 102)
VARIANCES = (2.5e-5, 1e-4, 4e-4, 1.6e-3)
MOST_FALSE, LEAST_CAUGHT = 0.02, 0.95
HEAD = f"""\
# What the gates of a rollout cost, and catch

Made by `.venv/bin/python -m pytest -m drill tests/15d_deployment/test_gate_table.py`. Real gates, simulated counts:
2,000 requests a minute, 200 of them to the challenger, a look a minute for half an hour, all labels known.
{BASE_ERROR:.0%} of the champion's answers are wrong; the challenger is equal, or one point worse.
Seeds {EQUAL_SEED} and {WORSE_SEED}, {N_RUNS:,} runs each; 95% intervals by Wilson in brackets.

| gate | equal versions rolled back | one point worse caught | at look, on average |
|---|---|---|---|
"""


def shown(outcome: Outcome) -> str:
    interval = wilson_interval(outcome.n_rolled_back, outcome.n_runs)
    return f"{outcome.rate:.1%} ({float(interval.low):.1%} to {float(interval.high):.1%})"


def rows() -> Iterator[str]:
    for name, make_gate in GATES.items():
        equal = simulate(make_gate, BASE_ERROR, N_RUNS, EQUAL_SEED)
        worse = simulate(make_gate, BASE_ERROR + RISE, N_RUNS, WORSE_SEED)
        yield f"| {name} | {shown(equal)} | {shown(worse)} | {worse.mean_look:.0f} |"


def notes() -> Iterator[str]:
    busy = simulate(SequentialGate, BASE_ERROR, N_BUSY_RUNS, BUSY_SEED, FAILURE_SHARE)
    yield (
        f"\nWhere {FAILURE_SHARE:.0%} of the requests of both versions fail and ten classes are answered, so that all "
        f"comparisons of the default gate have something to compare, it rolls back {shown(busy)} of equal versions "
        f"(seed {BUSY_SEED}, {N_BUSY_RUNS:,} runs).\n"
    )
    equal, worse = (
        simulate_rollouts(error, N_ROLLOUTS, seed)
        for error, seed in zip((BASE_ERROR, BASE_ERROR + RISE), ROLLOUT_SEEDS, strict=True)
    )
    steps = ", ".join(f"{weight:.0%}" for weight in PLAN.weights)
    yield (
        f"A whole `StagedRollout` under the default gate (steps {steps}, ten minutes and {PLAN.minimum_labels} labels "
        f"at least, patience {PLAN.patience}) rolls back {shown(equal)} of equal versions on their way up and "
        f"{shown(worse)} of those one point worse, at look {worse.mean_look:.0f} on average (seeds "
        f"{ROLLOUT_SEEDS[0]} and {ROLLOUT_SEEDS[1]}, {N_ROLLOUTS:,} runs each): with the shares rises what is known.\n"
    )
    yield (
        f"The default variance of the mixture was chosen on other seeds ({TUNING_SEEDS[0]} and {TUNING_SEEDS[1]}, "
        f"{N_TUNING_RUNS:,} runs each), alpha {DEFAULT_ALPHA:g}:\n"
    )
    yield "| variance | equal versions rolled back | one point worse caught | at look |\n|---|---|---|---|"
    for variance in VARIANCES:
        make_gate = partial(SequentialGate, mixture_variance=variance)
        false = simulate(make_gate, BASE_ERROR, N_TUNING_RUNS, TUNING_SEEDS[0])
        caught = simulate(make_gate, BASE_ERROR + RISE, N_TUNING_RUNS, TUNING_SEEDS[1])
        chosen = " (default)" if variance == DEFAULT_MIXTURE_VARIANCE else ""
        yield f"| {variance:g}{chosen} | {shown(false)} | {shown(caught)} | {caught.mean_look:.0f} |"


@pytest.mark.drill
def test_full_size_the_table_of_gates_is_written_and_holds_what_is_promised() -> None:
    PAGE.write_text(HEAD + "\n".join([*rows(), *notes()]) + "\n", encoding="utf-8", newline="\n")
    test_the_committed_table_holds_what_is_promised()


def read_rates(name: str) -> tuple[float, float]:
    """The two rates in the row of a gate."""
    line = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {name} |"))
    false, caught, *_ = (float(found) / 100 for found in re.findall(r"\| ([\d.]+)% \(", line))
    return false, caught


def test_the_committed_table_holds_what_is_promised() -> None:
    false, caught = read_rates("`SequentialGate` (default)")
    assert false <= MOST_FALSE
    assert caught >= LEAST_CAUGHT
    assert f"| {DEFAULT_MIXTURE_VARIANCE:g} (default) |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(GATES))
def test_the_committed_table_is_that_of_the_gates_as_they_are(name: str) -> None:
    """A twentieth of the runs on another seed: a gate that was changed, and not its row, is noticed if it matters."""
    n_runs = N_RUNS // 20
    for rate, error, seed in zip(read_rates(name), (BASE_ERROR, BASE_ERROR + RISE), (31, 32), strict=True):
        # One in ten thousand on either side, for ten comparisons; the table's own rounding and chance add a point.
        low = binom(n_runs, max(rate - 0.01, 0.0)).ppf(1e-4)
        high = binom(n_runs, min(rate + 0.01, 1.0)).isf(1e-4)
        assert low <= simulate(GATES[name], error, n_runs, seed).n_rolled_back <= high


def test_whole_rollouts_let_equal_versions_through_and_stop_worse_ones() -> None:
    equal, worse = (simulate_rollouts(error, 60, seed) for error, seed in ((BASE_ERROR, 41), (BASE_ERROR + RISE, 42)))
    # At the rates of the page (about 2% and 98%), 8 or more of 60 and fewer than 54 of 60 come less than once in 2,000.
    assert binom(60, 0.02).sf(7) < 5e-4
    assert binom(60, 0.98).cdf(53) < 5e-4
    assert equal.n_rolled_back <= 7
    assert worse.n_rolled_back >= 54
