"""A kit holds the whole course and no solution, runs on any Tensor, and is never half written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not installed (the course extra brings it)")
pytest.importorskip("nbdev", reason="nbdev is not installed (the course extra brings it)")

from tinytorch.cli.main import main
from tinytorch.course import kit as kit_module
from tinytorch.course.kit import Kit, find_core, make_kit
from tinytorch.course.notebook import LESSON_STAGES, find_notebooks, notebook_path
from tinytorch.course.stubs import CODE_STUB, make_stub_notebook, release_config

ROOT = Path(__file__).resolve().parents[2]
MINIMAL_CORE = Path(__file__).parent / "minimal_core"
SECONDS_PER_CELL = 600
"""Not a budget: a hanging cell ends some day."""

# What stands in for a student: every function of every lesson is called, and says that it is not written.
CALL_EVERY_BLANK = """
import importlib, inspect, sys, types
import tinytorch.core.layers
import numpy as np
assert tinytorch.core.layers.__file__.startswith(sys.argv[1]), tinytorch.core.layers.__file__
assert not hasattr(importlib.import_module("tinytorch.core.autograd"), "no_grad")
for place in sys.argv[2:]:
    module, name = place.split(":")
    function = getattr(importlib.import_module(module), name)
    source = inspect.getsource(function)
    assert 'raise NotImplementedError("write this part")' in source, place
print("unwritten", len(sys.argv) - 2)
"""

# The minimal core is itself put to the test: each gradient of a small network is that of two forward passes.
COMPARE_GRADIENTS = """
import numpy as np
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.tensor import Tensor
from tinytorch.mlops.networks import draw_weights
rng = np.random.default_rng(0)
network = draw_weights(Sequential(Linear(3, 5), ReLU(), Linear(5, 2)), rng)
inputs, targets = Tensor(rng.normal(size=(7, 3))), Tensor(np.arange(7) % 2)
def loss():
    return CrossEntropyLoss()(network(inputs) * 2.0 - Tensor([0.1, 0.3]), targets)
loss().backward()
step = 1e-2
worst = 0.0
for parameter in network.parameters():
    for place in np.ndindex(parameter.shape):
        ends = []
        for sign in (1, -1):
            parameter.data[place] += sign * step
            ends.append(float(loss().data))
            parameter.data[place] -= sign * step
        worst = max(worst, abs((ends[0] - ends[1]) / (2 * step) - parameter.grad[place]))
print("close" if worst < 2e-3 else worst)
"""


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """A kit on the minimal core."""
    return make_kit(ROOT, tmp_path_factory.mktemp("students") / "kit", MINIMAL_CORE)


def run_in(kit: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in a kit, on the kit's package."""
    environment = {**os.environ, "PYTHONPATH": str(kit), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=kit, env=environment, capture_output=True, text=True)


def cells_of(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_a_kit_has_what_a_student_needs_and_no_more(minimal: Kit) -> None:
    wanted = ["LICENSE", "Makefile", "README.md", "constraints.txt", "modules", "pyproject.toml", "settings.ini"]
    assert sorted(path.name for path in minimal.folder.iterdir()) == [".gitignore", *wanted, "tinytorch"]
    assert sorted(path.name for path in (minimal.folder / "modules").iterdir()) == list(LESSON_STAGES)
    assert "nbgrader>=" not in (minimal.folder / "pyproject.toml").read_text(encoding="utf-8")
    assert f"{minimal.n_blanks} blanks" in str(minimal)


def test_the_blanks_and_the_points_are_those_of_the_instructor(minimal: Kit) -> None:
    for ours, theirs in zip(find_notebooks(ROOT / "modules"), find_notebooks(minimal.folder / "modules"), strict=True):
        assert [cell.id for cell in theirs.cells] == [cell.id for cell in ours.cells]
        assert theirs.blanks == ours.blanks
        for blank in theirs.blanks:
            assert CODE_STUB in theirs.cell(blank.cell_id).source
    assert minimal.n_blanks == sum(len(notebook.blanks) for notebook in find_notebooks(ROOT / "modules"))


def test_stubs_are_those_of_nbgraders_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbgrader.apps import NbGraderAPI

    # Its database is made by a command that stands beside this Python.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    name = "15a_monitoring"
    config = release_config()
    config.CourseDirectory.root = str(tmp_path)
    config.CourseDirectory.db_url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    shutil.copytree(ROOT / "modules" / name, tmp_path / "source" / name)
    outcome = NbGraderAPI(config=config).generate_assignment(name)
    assert outcome["success"], outcome["log"]
    released = cells_of(tmp_path / "release" / name / f"{name}.ipynb")
    assert json.loads(make_stub_notebook(notebook_path(ROOT / "modules", name)))["cells"] == released


def test_an_untouched_kit_imports_and_every_blank_is_unwritten_on_another_core(minimal: Kit) -> None:
    places = [
        f"{notebook.lesson_module}:{blank.name}"
        for notebook in find_notebooks(minimal.folder / "modules")
        for blank in notebook.blanks
    ]
    done = run_in(minimal.folder, "-c", CALL_EVERY_BLANK, str(minimal.folder), *places)
    assert done.stdout.strip() == f"unwritten {minimal.n_blanks}", done.stderr


def test_the_gradients_of_the_other_core_are_right(minimal: Kit) -> None:
    done = run_in(minimal.folder, "-c", COMPARE_GRADIENTS)
    assert done.stdout.strip() == "close", done.stderr


def test_the_first_lesson_runs_on_another_core_with_its_blanks_empty(minimal: Kit) -> None:
    errors = run_notebook(minimal.folder, notebook_path(minimal.folder / "modules", "15a_monitoring"))
    graded = [cell["id"] for cell in cells_of(notebook_path(ROOT / "modules", "15a_monitoring")) if is_graded(cell)]
    assert list(errors) == graded
    assert all("is not yet written" in error for error in errors.values())


@pytest.mark.drill
@pytest.mark.parametrize("name", LESSON_STAGES)
def test_every_lesson_runs_on_another_core(name: str, minimal: Kit) -> None:
    assert run_notebook(minimal.folder, notebook_path(ROOT / "modules", name)) == {}
    errors = run_notebook(minimal.folder, notebook_path(minimal.folder / "modules", name))
    assert all("is not yet written" in error for error in errors.values())


@pytest.mark.drill
def test_the_demo_runs_on_finished_lessons_and_another_core(tmp_path: Path) -> None:
    kit = make_kit(ROOT, tmp_path / "kit", MINIMAL_CORE)
    for stage in LESSON_STAGES.values():
        place = Path("tinytorch") / "mlops" / stage / "lesson.py"
        shutil.copyfile(ROOT / place, kit.folder / place)
    done = run_in(kit.folder, "-m", "tinytorch.cli", "demo", "--mine", "--out", str(tmp_path / "page"))
    assert done.returncode == 0, done.stderr
    assert "Outcome as declared (harmful)" in done.stdout
    assert "your ModelMonitor" in done.stdout


def is_graded(cell: dict) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("grade"))


def run_notebook(kit: Path, path: Path) -> dict[str, str]:
    """Run a notebook in a kit; return the errors by the id of the cell."""
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (the test extra brings it)")
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    proof = "import tinytorch.core.layers\nassert tinytorch.core.layers.__file__.startswith(" + repr(str(kit)) + ")"
    notebook.cells.append(nbformat.v4.new_code_cell(proof, id="proof-of-core"))
    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(kit / "modules" / path.stem)}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(kit), "IPYTHONDIR": str(kit.parent / "ipython")})
    outputs = [(cell["id"], output) for cell in notebook.cells for output in cell.get("outputs", [])]
    return {name: output["evalue"] for name, output in outputs if output["output_type"] == "error"}


# What is refused ----------------------------------------------------------------------------------------------------


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    assert main(["kit", str(tmp_path)]) == 2
    assert "folder must be new or empty, got" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_kit_with_a_solution_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solved = notebook_path(ROOT / "modules", "15b_drift")
    stub = make_stub_notebook
    monkeypatch.setattr(
        kit_module, "make_stub_notebook", lambda path: path.read_text("utf-8") if path == solved else stub(path)
    )
    with pytest.raises(ValueError, match=r"must hold no solution, nothing was written: .*15b_drift.ipynb holds the ma"):
        make_kit(ROOT, tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []


def test_a_kit_is_no_clone_to_make_kits_from(minimal: Kit, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"clone must be a clone of the course's repository, .* has no kit"):
        make_kit(minimal.folder, tmp_path / "second")


def test_a_core_is_found_in_the_folders_where_students_keep_it(tmp_path: Path) -> None:
    core = MINIMAL_CORE / "tinytorch" / "core"
    assert find_core(MINIMAL_CORE) == find_core(core) == find_core(MINIMAL_CORE / "tinytorch") == core
    with pytest.raises(ValueError, match=r"core must be a folder with a tensor\.py"):
        find_core(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("layers.py", "class Sequential:", "class Chain:", "missing: layers.Sequential"),
        ("training.py", "class Trainer", "import nowhere\n\n\nclass Trainer", "missing: training.py (ModuleNotFound"),
        ("optimizers.py", "parameter.data = decayed", "ignored = decayed", "a small network learns nothing"),
        (
            "training.py",
            "return total / rows, right / rows",
            "return total / rows, 0.0",
            "must return (loss, accuracy)",
        ),
        (
            "activations.py",
            "Tensor(powers / powers",
            "Tensor(powers + powers",
            "Softmax must give rows that add up to 1",
        ),
        ("losses.py", "return [gradient / len", "return [nothing / len", "ends with NameError"),
    ],
)
def test_a_core_that_will_not_do_is_refused_with_the_reason(
    file: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    core = tmp_path / "core"
    shutil.copytree(find_core(MINIMAL_CORE), core)
    text = (core / file).read_text(encoding="utf-8")
    assert old in text
    (core / file).write_text(text.replace(old, new), encoding="utf-8")
    package = tmp_path / "package"
    shutil.copytree(ROOT / "tinytorch", package / "tinytorch", ignore=shutil.ignore_patterns("__pycache__", "core"))
    shutil.copytree(core, package / "tinytorch" / "core")
    with pytest.raises(ValueError, match="core must be one that the lessons can use") as error:
        kit_module.try_out(package, has_own_core=True)
    assert message in str(error.value)


def test_the_command_says_what_was_written_and_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Kit(tmp_path, n_files=3, n_bytes=2_000_000, n_blanks=21, n_secrets=42)
    monkeypatch.setattr(kit_module, "make_kit", lambda clone, folder, core: made)
    assert main(["kit", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "searched for 42 solutions and hidden tests, none is in it" in said
    assert "make lab" in said
