"""The workflow for GitHub Classroom hands over the points of `tinytorch check` in the form that Classroom reads."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from handed_in import NOTEBOOKS, ROOT, as_handed_in, save, solutions, stub


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docs" / "classroom.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def step(workflow: dict[str, Any]) -> dict[str, Any]:
    steps = workflow["jobs"]["run-autograding-tests"]["steps"]
    return next(step for step in steps if step.get("id") == "blanks")


def test_the_reporter_reads_what_the_step_writes(workflow: dict[str, Any], step: dict[str, Any]) -> None:
    reporter = workflow["jobs"]["run-autograding-tests"]["steps"][-1]
    assert reporter["with"]["runners"] == step["id"]
    assert reporter["env"] == {f"{step['id'].upper()}_RESULTS": f"${{{{ steps.{step['id']}.outputs.result }}}}"}


def test_points_and_messages_reach_classroom_blank_by_blank(step: dict[str, Any], tmp_path: Path) -> None:
    lesson = NOTEBOOKS[0]
    written = solutions(lesson)
    first, second, *_ = lesson.blanks
    del written[first.cell_id]
    empty = stub(lesson, tmp_path).cell(second.cell_id).source
    written[second.cell_id] = empty.replace("NotImplementedError", "ValueError").replace("write this part", "a | b")
    folder = tmp_path / "kit"
    save(as_handed_in(stub(lesson, tmp_path), written), folder / "modules" / lesson.name / f"{lesson.name}.ipynb")
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {**os.environ, **files, "PYTHONPATH": str(ROOT), "LESSONS": step["env"]["LESSONS"]}
    subprocess.run([sys.executable, "-c", step["run"]], cwd=folder, env=environment, check=True, timeout=600)
    said = (tmp_path / "GITHUB_OUTPUT").read_text(encoding="utf-8").removeprefix("result=")
    result = json.loads(base64.b64decode(said))
    points = sum(blank.points for blank in lesson.blanks)
    assert (result["status"], result["max_score"]) == ("fail", points)
    assert sum(test["score"] for test in result["tests"]) == points - first.points - second.points
    failed = next(test for test in result["tests"] if test["status"] == "fail")
    assert first.name in failed["name"] and "is not yet written" in failed["message"]
    summary = (tmp_path / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")
    assert f"| {lesson.name}: {first.name} | 0 of {first.points:g} | {first.name} is not yet written" in summary
    assert len(summary.splitlines()) == 2 + len(result["tests"]), "a message must stay in its row"
    assert "a \\| b" in summary and "a | b" not in summary
