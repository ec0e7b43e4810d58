"""The doctor finds what keeps the lessons from running, says what to do, and never falls ill itself."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from student_project import StudentProject

from tinytorch.cli.main import main
from tinytorch.course import doctor
from tinytorch.course.check import check_lessons
from tinytorch.course.doctor import (
    PROBLEM,
    examine,
    examine_exports,
    examine_kernel,
    examine_notebooks,
    examine_package,
)

A = "15a_monitoring"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> StudentProject:
    return StudentProject(tmp_path)


def problems(found) -> list[str]:
    return [diagnosis.sentence for diagnosis in found if diagnosis.state == PROBLEM]


@pytest.fixture
def no_kernel(monkeypatch):
    """No second Python is started, which takes a second: for tests that look elsewhere."""
    monkeypatch.setattr(doctor, "probe_python", lambda python, folder: {})


def test_every_problem_comes_with_something_to_do(tmp_path, no_kernel):
    found = examine(tmp_path / "nowhere")
    assert {"tinytorch", "python", "environment", "packages", "kernel", "core", "notebooks", "disk"} <= {
        diagnosis.subject for diagnosis in found
    }
    assert problems(found)
    assert all(diagnosis.advice for diagnosis in found if diagnosis.state == PROBLEM)


def test_whole_notebooks_are_fine(project):
    (diagnosis,) = examine_notebooks(project.modules)
    assert (diagnosis.state, diagnosis.advice) == ("fine", "")
    assert "15a_monitoring, 15b_drift, 15c_retraining, 15d_deployment" in diagnosis.sentence


def test_damage_to_notebooks_is_named(project):
    path = project.notebook(A).path
    content = json.loads(path.read_text(encoding="utf-8"))
    first, second = [cell for cell in content["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")][:2]
    check = next(cell for cell in content["cells"] if cell["metadata"].get("nbgrader", {}).get("grade"))
    first["metadata"], check["metadata"] = {}, {}
    content["cells"].append(second)
    del content["cells"][0]["id"]
    path.write_text(json.dumps(content), encoding="utf-8", newline="\n")
    (project.modules / "15b_drift" / "15b_drift.ipynb").write_text("{", encoding="utf-8", newline="\n")
    (project.modules / "15c_retraining" / "15c_retraining.ipynb").unlink()
    damaged, unreadable, missing = problems(examine_notebooks(project.modules))
    for part in (
        f"cell {first['id']} has lost its mark for grading",
        f"cell {check['id']} has lost its mark for grading",
        f"2 cells are called {second['id']}",
        "cell 1 has lost its id",
    ):
        assert part in damaged
    assert "it is not what Jupyter writes" in unreadable
    assert "No such file or directory" in missing


def test_a_lesson_that_is_not_in_step_or_does_not_parse_is_named(project):
    project.add_package()
    for notebook in project.notebooks():
        if notebook.name != A:
            shutil.copyfile(ROOT / "modules" / notebook.name / notebook.path.name, notebook.path)
    stale = problems(examine_exports(project.modules))
    assert len([sentence for sentence in stale if "15a_monitoring.ipynb makes now" in sentence]) == 1
    project.write(A, 0, "return (")
    assert any("does not parse" in sentence for sentence in problems(examine_exports(project.modules)))


def test_another_package_of_the_name_on_the_path_is_found(tmp_path, monkeypatch):
    (tmp_path / "tinytorch" / "core").mkdir(parents=True)
    (tmp_path / "tinytorch" / "__init__.py").write_text("", encoding="utf-8", newline="\n")
    assert problems(examine_package(tmp_path / "modules")) == []
    monkeypatch.syspath_prepend(str(tmp_path))
    (sentence,) = problems(examine_package(tmp_path / "modules"))
    assert sentence.startswith(f"another package called tinytorch lies in {tmp_path.resolve() / 'tinytorch'}")
    advice = [diagnosis.advice for diagnosis in examine_package(tmp_path / "modules") if diagnosis.state == PROBLEM]
    assert advice == [f"{sys.executable} -m pip uninstall tinytorch"]
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    advice = [diagnosis.advice for diagnosis in examine_package(tmp_path / "modules") if diagnosis.state == PROBLEM]
    assert "out of the environment variable PYTHONPATH" in advice[0]


def test_a_kernel_that_finds_another_package_is_named(tmp_path, monkeypatch):
    modules = tmp_path / "modules"
    (modules / "tinytorch").mkdir(parents=True)
    (modules / "tinytorch" / "__init__.py").write_text("", encoding="utf-8", newline="\n")
    sentences = problems(examine_kernel(modules))  # `python -c` looks in its folder first, as a notebook does
    assert any("`import tinytorch` finds another package of that name" in sentence for sentence in sentences)


def test_a_kernel_of_another_python_or_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "kernel_python", lambda: str(tmp_path / "bin" / "python"))
    first, second = problems(examine_kernel(tmp_path))
    assert first.startswith(f"Jupyter starts {tmp_path / 'bin' / 'python'}, and this is {sys.executable}")
    assert second == "in the notebooks `import tinytorch` fails (no answer)"
    monkeypatch.setattr(doctor, "kernel_python", lambda: None)
    assert problems(examine_kernel(tmp_path))[0] == "Jupyter knows no kernel called python3"


def test_a_lesson_that_does_not_import_is_named(project, monkeypatch):
    package = project.add_package()
    (package / "mlops/drift/lesson.py").write_text("1 / 0\n", encoding="utf-8", newline="\n")
    monkeypatch.setenv("PYTHONPATH", str(project.root))
    (sentence,) = [text for text in problems(examine_kernel(project.modules)) if "ipykernel" not in text]
    assert sentence == "in the notebooks `import tinytorch.mlops.drift` fails (ZeroDivisionError: division by zero)"


def test_missing_packages_are_named_with_the_line_that_installs_them(tmp_path, monkeypatch, no_kernel):
    real = doctor.version

    def without_jupyter(name):
        if name in ("jupyterlab", "rich"):
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor, "version", without_jupyter)
    found = [diagnosis for diagnosis in examine(tmp_path) if diagnosis.subject == "packages"]
    assert found[0].sentence.startswith("not installed: jupyterlab")
    assert found[0].advice == 'python -m pip install -e ".[course]"'
    assert "not needed for the lessons: rich" in found[-1].sentence


def test_what_goes_wrong_in_the_doctor_becomes_a_sentence(tmp_path, monkeypatch, no_kernel):
    def broken(*arguments):
        raise RuntimeError("no disk at all")

    monkeypatch.setattr(doctor.shutil, "disk_usage", broken)
    assert "looking at it ended with RuntimeError: no disk at all" in problems(examine(tmp_path))


def test_the_command_tells_everything_and_returns_1_where_there_is_a_problem(tmp_path, capsys, monkeypatch, no_kernel):
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--modules", "nowhere"]) == 1
    out = capsys.readouterr().out
    assert "what to do: " in out
    assert "Next: mend the first one" in out
    assert main(["doctor", "--modules", "nowhere", "--json"]) == 1
    assert {"subject", "state", "sentence", "advice"} == set(json.loads(capsys.readouterr().out)[0])


@pytest.mark.skipif(importlib.util.find_spec("ipykernel") is None, reason="ipykernel is not installed")
def test_the_command_returns_0_where_all_is_well(project, capsys, monkeypatch):
    project.add_package()
    for notebook in project.notebooks():
        shutil.copyfile(ROOT / "modules" / notebook.name / notebook.path.name, notebook.path)
    monkeypatch.chdir(project.root)
    check_lessons(project.notebooks(), (), project.root / "export")  # whatever state the clone is in
    code = main(["doctor"])
    out = capsys.readouterr().out
    wrong = [line for line in out.splitlines() if line.startswith("problem")]
    assert [line for line in wrong if "packages:" not in line] == []
    assert code == bool(wrong)
