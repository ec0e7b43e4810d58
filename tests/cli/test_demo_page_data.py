"""What a finished run hands to the page of plots."""

import pytest

from tinytorch.cli.demo_page_data import page_data
from tinytorch.cli.demo_run import DRIFT_START_STEP, Demo, DemoRun
from tinytorch.cli.outcomes import Verdict, judge
from tinytorch.datasets import DriftPlan


@pytest.fixture(scope="module")
def finished() -> tuple[DemoRun, Verdict]:
    demo = Demo(DriftPlan("contrast", start_step=DRIFT_START_STEP), seed=0)
    run = demo.start()
    for _ in demo.steps(run):
        pass
    return run, judge(run)


def test_every_step_event_and_check_is_handed_over(finished: tuple[DemoRun, Verdict]) -> None:
    run, verdict = finished
    data = page_data(run, verdict)
    assert [step.timestamp for step in data.steps] == [step.timestamp for step in run.steps]
    assert data.events == run.pipeline.get_pipeline_status().events
    assert data.checks == verdict.checks
    assert data.as_declared == verdict.as_declared
    assert sum(len(part) for part in data.labelled) == run.correct_in_order().size


def test_every_version_that_answered_is_there_with_its_parent(finished: tuple[DemoRun, Verdict]) -> None:
    data = page_data(*finished)
    answered = {batch.model_version for step in finished[0].steps for batch in step.batches}
    numbers = [entry.version for entry in data.versions]
    assert numbers == sorted(numbers)
    assert answered <= set(numbers)
    assert len(numbers) >= 2
    assert data.champion in numbers
    assert [entry.parent for entry in data.versions][:2] == [None, 1]


def test_a_run_without_drift_says_so() -> None:
    demo = Demo(DriftPlan("none"), seed=0)
    run = demo.start()
    for _ in demo.steps(run):
        pass
    data = page_data(run, judge(run))
    assert data.drift_began_at is None
    assert data.expected == "none"
