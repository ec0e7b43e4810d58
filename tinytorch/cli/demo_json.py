"""Floor 5: a finished demo for a program to read: events, figures, verdict."""

from __future__ import annotations

import json
from pathlib import Path

from tinytorch.cli.demo_run import DemoRun
from tinytorch.cli.outcomes import Verdict, final_accuracy_interval, starting_accuracy


def write_summary(run: DemoRun, verdict: Verdict, path: Path) -> None:
    """Write the run as one JSON object.

    Parameters
    ----------
    run : DemoRun
    verdict : Verdict
    path : Path
        Times in the file are seconds of the stream, accuracies shares from 0 to 1.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    status = run.pipeline.get_pipeline_status()
    content = {
        "kind": run.kind,
        "severity": run.severity,
        "seed": run.seed,
        "stages": list(run.origins),
        "drift_began_at": run.drift_began_at,
        "starting_accuracy": starting_accuracy(run),
        "final_accuracy_interval": list(final_accuracy_interval(run)),
        "champion": status.champion.to_dict(),
        "events": [event.to_dict() for event in status.events],
        "expected_outcome": verdict.expected,
        "as_declared": verdict.as_declared,
        "checks": {sentence: bool(holds) for sentence, holds in verdict.checks},
    }
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise ValueError(f"--json must be a file that can be written, got {str(path)!r} ({error.strerror}).") from error
