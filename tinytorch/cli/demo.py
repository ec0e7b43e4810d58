"""Floor 5: `tinytorch demo`, once round the whole loop on real digits, told as it happens."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tinytorch.adapters.demo_page import write_demo_page
from tinytorch.adapters.extras import MissingExtraError
from tinytorch.adapters.terminal import training_progress
from tinytorch.cli.demo_json import write_summary
from tinytorch.cli.demo_page_data import page_data
from tinytorch.cli.demo_run import DRIFT_START_STEP, LABEL_DELAY_S, MINIMUM_ROWS, Demo, DemoRun, StepRecord
from tinytorch.cli.invocation import shown_step
from tinytorch.cli.lesson_stages import lesson_stages
from tinytorch.cli.outcomes import EXPECTED_OUTCOMES, Verdict, final_accuracy_interval, judge, starting_accuracy
from tinytorch.cli.stages import library_stages
from tinytorch.datasets import DEFAULT_SEVERITY, DriftPlan

DEFAULT_KIND = "contrast"
EXIT_NOT_AS_DECLARED = 1
PAGE_NAME = "demo.html"
SECONDS_PER_HOUR = 3600.0
EPILOG = f"""\
example: tinytorch demo --drift blur --seed 3

default severities: {", ".join(f"{kind} {severity:g}" for kind, severity in DEFAULT_SEVERITY.items() if severity)}
The declared outcomes hold for these.

exit codes: 0 the outcome is the declared one, 1 it is another, 2 bad arguments
"""
DESCRIPTION = """\
A TinyTorch network is trained on real digits and serves traffic. The traffic drifts; the drift is seen before the
labels show the damage; a challenger is trained, compared, tried on a share of the traffic, and promoted. Nothing is
scripted: the same loop leaves a good model alone when drift does no harm.
"""


def add_demo(commands: Any) -> None:
    """Add `demo` to the command line."""
    kinds = "; ".join(
        f"{outcome}: {', '.join(kind for kind, value in EXPECTED_OUTCOMES.items() if value == outcome)}"
        for outcome in ("harmful", "harmless", "none")
    )
    parser = commands.add_parser(
        "demo",
        help="a model on real digits goes once round the whole loop",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--drift", default=DEFAULT_KIND, choices=EXPECTED_OUTCOMES, metavar="KIND", help=kinds)
    parser.add_argument("--severity", type=float, metavar="S", help="from 0 to 1 (default: the kind's own)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed gives the same run (%(default)s)"
    )
    parser.add_argument("--out", default="demo", metavar="DIR", help="where the page goes (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write events, figures and verdict for a program")
    parser.add_argument("--mine", action="store_true", help="run on your own finished lessons")
    parser.set_defaults(run=run_demo)


def run_demo(options: argparse.Namespace) -> int:
    """Run the demo, tell what happens, write the page, and return 0 if the outcome is the declared one."""
    if options.seed < 0:
        raise ValueError(f"--seed must be >= 0, got {options.seed}.")
    if options.drift == "none" and options.severity is not None:
        raise ValueError(f"--severity must not be given with --drift none, got {options.severity:g}.")
    plan = DriftPlan(options.drift, options.severity, start_step=DRIFT_START_STEP)
    folder = _writable_folder(options.out)
    _tell_plan(plan, options.seed)
    started = time.perf_counter()
    finished = _run(plan, options)
    verdict = judge(finished)
    _tell_end(finished, verdict, time.perf_counter() - started)
    if options.json is not None:
        write_summary(finished, verdict, Path(options.json))
    _write_page(finished, verdict, folder)
    _tell_next(finished.kind, mine=options.mine)
    return 0 if verdict.as_declared else EXIT_NOT_AS_DECLARED


def _run(plan: DriftPlan, options: argparse.Namespace) -> DemoRun:
    """Send the whole stream through the loop, one line a step."""
    make_stages = lesson_stages if options.mine else library_stages
    with training_progress("training") as on_epoch_end:
        demo = Demo(plan, options.seed, make_stages, on_epoch_end)
        finished = demo.start()
        for origin in finished.origins:
            print(f"  {origin}")
        _tell_how_to_read()
        for event in finished.pipeline.get_pipeline_status().events:
            print(f"  {'':43}{event}")
        for step in demo.steps(finished):
            _tell_step(step)
    return finished


def _tell_plan(plan: DriftPlan, seed: int) -> None:
    """Say what is about to happen."""
    if plan.kind == "none":
        print(f"Demo: no drift, seed {seed}. Expected: no alarm, no retraining.")
        return
    expected = {
        "harmful": "drift is flagged, accuracy falls, a challenger is promoted, accuracy comes back",
        "harmless": "drift is flagged, accuracy holds, the champion stays",
    }[EXPECTED_OUTCOMES[plan.kind]]
    print(
        f"Demo: {plan.kind} at severity {plan.full_severity:g} (default {DEFAULT_SEVERITY[plan.kind]:g}) "
        f"from hour {plan.start_step}, seed {seed}. Expected: {expected}."
    )


def _tell_how_to_read() -> None:
    """Say what the table does not: whose labels come in, and what a retraining waits for."""
    delay = LABEL_DELAY_S / SECONDS_PER_HOUR
    print(f"\n  Labels come {delay:g} h after the answers: the share that is right tells of that earlier hour.")
    print(f"  A retraining waits for {MINIMUM_ROWS} labelled images since the drift to train on, as many to judge on.")
    print("\n  hour  answered by        labels in: right  what happened")


def _tell_step(step: StepRecord) -> None:
    """Write one line for the step and one for each thing that happened in it."""
    answered = ", ".join(f"v{batch.model_version}: {len(batch)}" for batch in step.batches) or "-"
    labelled = f"{len(step.labelled)}: {step.labelled.accuracy:.1%}" if step.labelled is not None else "-"
    first, *more = [str(event) for event in step.events] or [""]
    print(f"  {step.timestamp / SECONDS_PER_HOUR:4.0f}  {answered:17}  {labelled:>16}  {first}".rstrip(), flush=True)
    for event in more:
        print(f"  {'':43}{event}")


def _tell_end(run: DemoRun, verdict: Verdict, duration_s: float) -> None:
    """Sum the run up in a few lines."""
    low, high = final_accuracy_interval(run)
    worst = min((part.accuracy for part in run.labelled()), default=float("nan"))
    status = run.pipeline.get_pipeline_status()
    print(
        f"\n  accuracy: {starting_accuracy(run):.1%} before the drift, {worst:.1%} in the worst hour, "
        f"{low:.1%} to {high:.1%} at the end (95% interval)"
    )
    print(f"  {status.n_requests} requests answered; {status.champion} serves")
    if verdict.expected == "harmless" and verdict.as_declared:
        print("  Drift is not damage: the inputs moved, the answers held, and nothing was changed.")
    stream = sys.stdout if verdict.as_declared else sys.stderr
    meaning = ", that is, what was expected above" if verdict.as_declared else ""
    print(f"  Outcome {verdict}{meaning}; {duration_s:.1f} s of computing.", file=stream)


def _writable_folder(name: str) -> Path:
    """Return the folder for the page, made and tried before the run: nobody likes to hear of it afterwards."""
    rule = f"--out must be a folder that can be written, got {name!r}"
    if not name:
        raise ValueError(f"{rule}.")
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"{rule} ({error.strerror}).") from error
    return folder


def _write_page(run: DemoRun, verdict: Verdict, folder: Path) -> None:
    """Write the page of plots; without the extra, say what installs it."""
    try:
        path = write_demo_page(page_data(run, verdict), folder / PAGE_NAME)
    except MissingExtraError as error:
        print(f"  No page of plots: {error}")
    else:
        print(f"\nPage of plots: {path.resolve()}")


def _tell_next(kind: str, *, mine: bool) -> None:
    """Name the next steps as they can be typed here."""
    other, effect = ("contrast", "does harm") if kind == "blur" else ("blur", "does none")
    again = shown_step("demo", *(["--mine"] if mine else []), "--drift", other)
    print(f"Next: another drift ({other}, which {effect}):  {again}")
    if mine:
        print(f"      your points, blank by blank:  {shown_step('check')}")
    else:
        print(f"      build the loop yourself:  {shown_step('lab')}")
