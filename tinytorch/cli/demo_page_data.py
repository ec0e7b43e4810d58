"""Floor 5: hands a finished run over to the page of plots, in that adapter's own records. Reads, no more."""

from __future__ import annotations

from tinytorch.adapters.demo_data import DemoPageData, PageStep
from tinytorch.cli.demo_run import MODEL_NAME, DemoRun
from tinytorch.cli.outcomes import JUDGED_LABELS, TOLERATED_LOSS, Verdict, final_accuracy_interval, starting_accuracy
from tinytorch.mlops.contracts import ModelVersion


def page_data(run: DemoRun, verdict: Verdict) -> DemoPageData:
    """Return what the page shows of a finished run.

    Examples
    --------
    >>> from tinytorch.cli.demo_run import Demo
    >>> from tinytorch.cli.outcomes import judge
    >>> from tinytorch.datasets import DriftPlan
    >>> demo = Demo(DriftPlan("none"), seed=0)
    >>> run = demo.start()
    >>> n_steps = len(list(demo.steps(run)))
    >>> page_data(run, judge(run)).champion
    1
    """
    status = run.pipeline.get_pipeline_status()
    return DemoPageData(
        kind=run.kind,
        severity=run.severity,
        seed=run.seed,
        expected=verdict.expected,
        checks=verdict.checks,
        starting_accuracy=starting_accuracy(run),
        final_interval=final_accuracy_interval(run),
        n_judged=min(JUDGED_LABELS, run.correct_in_order().size),
        tolerated_loss=TOLERATED_LOSS,
        drift_began_at=None if run.kind == "none" else run.drift_began_at,
        steps=tuple(PageStep(step.timestamp, step.batches, step.report) for step in run.steps),
        labelled=tuple(run.labelled()),
        events=status.events,
        versions=_versions(run),
        champion=status.champion.version,
        reference=run.reference,
        origins=run.origins,
    )


def _versions(run: DemoRun) -> tuple[ModelVersion, ...]:
    """Return every version that answered, serves or is on trial: a registry need not know how to list its own."""
    status = run.pipeline.get_pipeline_status()
    numbers = {batch.model_version for step in run.steps for batch in step.batches} | {status.champion.version}
    if status.challenger is not None:
        numbers.add(status.challenger.version)
    registry = run.pipeline.deployment.registry
    return tuple(registry.get(MODEL_NAME, number) for number in sorted(numbers))
