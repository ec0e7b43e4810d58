"""The four notebooks: all there, cleaned, exported in sync, and running from top to bottom.

A small notebook written here keeps the gates honest: each is shown to bite.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import architecture_rules as rules
import notebook_export
import pytest

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = [ROOT / "modules" / name / f"{name}.ipynb" for name in rules.LESSONS]
PRESENT = [path for path in EXPECTED if path.is_file()]
SECONDS_PER_CELL = 600
"""Not a budget: a hanging cell ends some day."""

READABLE_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RANDOM_ID = re.compile(r"(?=.*\d)[0-9a-f]{8}")
"""What Jupyter makes up for a new cell."""

needs_nbdev = pytest.mark.skipif(
    notebook_export.tool("nbdev-export") is None, reason="nbdev is not installed (the course extra brings it)"
)
each_notebook = pytest.mark.parametrize("notebook", PRESENT, ids=lambda path: path.stem)


def cell(name: str, source: str, **metadata: object) -> dict[str, object]:
    """A cleaned code cell with a readable id."""
    content = {"cell_type": "code", "execution_count": None, "id": name, "metadata": metadata, "outputs": []}
    return {**content, "source": source.splitlines(keepends=True)}


def notebook_text(cells: list[dict[str, object]]) -> str:
    """A notebook as nbdev-clean leaves it."""
    title = "# A lesson\n\n> Twice as much."
    first = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": title.splitlines(keepends=True)}
    kernel = {"kernelspec": {"display_name": "python3", "language": "python", "name": "python3"}}
    content = {"cells": [first, *cells], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


SMALL_CELLS = [
    cell("default-exp", "#| default_exp mlops.monitor.lesson"),
    cell("imports", "#| export\nfrom tinytorch._arguments import check_positive"),
    cell(
        "double",
        "#| export\ndef double(number):\n    ### BEGIN SOLUTION\n    return 2 * number\n    ### END SOLUTION",
        nbgrader={"grade": False, "grade_id": "double", "schema_version": 3, "solution": True},
    ),
    cell("hidden", "assert double(2) == 4"),
]


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    """A project with our settings, one small notebook and two hand-written modules."""
    root = tmp_path / "small"
    for name in ("pyproject.toml", "settings.ini"):
        plant(root / name, (ROOT / name).read_text(encoding="utf-8"))
    plant(root / "modules/15a_monitoring/15a_monitoring.ipynb", notebook_text(SMALL_CELLS))
    plant(root / "tinytorch/__init__.py", '"""Ours."""\n\n__version__ = "0.1.0"\n')
    plant(root / "tinytorch/_arguments.py", '"""Checks."""\n')
    plant(root / "tinytorch/mlops/windowed.py", '"""One.\n\nTwo.\n\nThree.\n"""\n')
    return root


def plant(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def without_empty_entries(index: bytes) -> dict:
    """The index of symbols; nbdev 2 also lists every hand-written module there, with nothing in it."""
    content = ast.literal_eval(index.decode("utf-8").partition("d = ")[2])
    return {**content, "syms": {name: symbols for name, symbols in content["syms"].items() if symbols}}


def test_all_four_notebooks_stand() -> None:
    missing = [path.relative_to(ROOT).as_posix() for path in EXPECTED if path not in PRESENT]
    assert missing == []


@needs_nbdev
def test_the_exported_files_are_in_sync(tmp_path: Path) -> None:
    made = notebook_export.exported(ROOT, tmp_path, notebook_export.tool("nbdev-export"))
    kept = notebook_export.generated(ROOT)
    stale = sorted(path for path in made.keys() | kept.keys() if made.get(path) != kept.get(path))
    assert stale == [], "run `make export` and commit what it writes"


@needs_nbdev
@each_notebook
def test_the_notebook_is_clean(notebook: Path, tmp_path: Path) -> None:
    project = notebook_export.copy_project(ROOT, tmp_path / "project")
    notebook_export.run_tool(notebook_export.tool("nbdev-clean"), project)
    cleaned = (project / notebook.relative_to(ROOT)).read_bytes()
    assert cleaned == notebook.read_bytes(), "run nbdev-clean and commit what it changes"


@each_notebook
def test_the_untouched_notebook_reaches_its_end_kindly_and_scores_nothing(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = execute(notebook, tmp_path, monkeypatch, empty_the_blanks, stop_at_errors=False)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["execution_count"] is None] == []
    checks = [cell for cell in code if cell["metadata"].get("nbgrader", {}).get("grade")]
    assert [cell["id"] for cell in code if errors_of(cell)] == [cell["id"] for cell in checks]
    assert [determine_grade(cell)[0] for cell in checks] == [0] * len(checks)
    for cell in checks:
        (error,) = errors_of(cell)
        assert re.fullmatch(r"\w+ is not yet written: steps \d-\d above\.", "\n".join(error["traceback"]))
    assert warnings_of(cells) == []


@each_notebook
def test_the_notebook_runs_from_top_to_bottom_on_its_own_work(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = execute(notebook, tmp_path, monkeypatch)
    printed = [output["text"] for cell in cells for output in cell.get("outputs", []) if "text" in output]
    assert [text for text in printed if "Not yet" in text or "not yet written" in text] == []
    assert warnings_of(cells) == []


@each_notebook
def test_cells_have_readable_ids_and_lists_of_lines(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    ids = [cell["id"] for cell in cells]
    assert [name for name in ids if RANDOM_ID.fullmatch(name) or not READABLE_ID.fullmatch(name)] == []
    assert len(set(ids)) == len(ids)
    assert [cell["id"] for cell in cells if not isinstance(cell["source"], list)] == []


TITLES = {
    "15a_monitoring": "# 15a Monitoring",
    "15b_drift": "# 15b Data quality and drift",
    "15c_retraining": "# 15c Retraining",
    "15d_deployment": "# 15d Deployment",
}
WITH_GIVEN_LINES = {"15a_monitoring", "15d_deployment"}
"""Lessons in which some blanks open with a given line, which its comment says."""


@each_notebook
def test_the_steps_stand_directly_above_each_blank_and_the_blank_points_at_them(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for above, blank in itertools.pairwise(cells):
        if "### BEGIN SOLUTION" not in "".join(blank["source"]):
            continue
        assert above["cell_type"] == "markdown"
        n_steps = len(re.findall(r"^\d+\. ", "".join(above["source"]).split("**Steps**")[1], flags=re.MULTILINE))
        comments = [line.strip() for line in blank["source"] if line.strip().startswith("# ")]
        if notebook.stem in WITH_GIVEN_LINES:
            comments = [text for text in comments if "Given" not in text]
        assert comments == [f"# Your turn: steps 1-{n_steps} above."]


@each_notebook
def test_the_lesson_has_three_acts_under_one_title(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    openings = [line.split(".")[0].split(":")[0] for line in text.splitlines() if line.startswith("# ")]
    assert openings == [TITLES[notebook.stem], "# Act 1", "# Act 2", "# Act 3"]


def execute(
    notebook: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    edit: Callable[[dict], None] | None = None,
    *,
    stop_at_errors: bool = True,
) -> list[dict]:
    """Run a notebook in an empty folder, apart from the settings of whoever runs it; return its cells."""
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (the test extra brings it)")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (the test extra brings it)")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed (the course extra brings it)")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(folder / name.lower()))
    content = nbformat.read(notebook, as_version=4)
    if edit is not None:
        edit(content)
    work = folder / "work"
    work.mkdir()
    client = nbclient.NotebookClient(
        content,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
        force_raise_errors=stop_at_errors,  # or a check cell's tag would let a wrong solution pass
    )
    client.execute()
    return content.cells


def empty_the_blanks(content: dict) -> None:
    """Make of a notebook what a student gets, as the release does."""
    preprocessors = pytest.importorskip("nbgrader.preprocessors", reason="nbgrader is not installed (course extra)")
    clear = preprocessors.ClearSolutions()
    clear.code_stub = {"python": 'raise NotImplementedError("write this part")'}
    clear.preprocess(content, {})
    preprocessors.ClearHiddenTests().preprocess(content, {})


def errors_of(cell: dict) -> list[dict]:
    """The errors that a cell shows."""
    return [output for output in cell["outputs"] if output["output_type"] == "error"]


def determine_grade(cell: dict) -> tuple[float, float]:
    """What nbgrader gives a graded cell, and what it could have given."""
    return pytest.importorskip("nbgrader.utils", reason="nbgrader is not installed (course extra)").determine_grade(
        cell
    )


def warnings_of(cells: list[dict]) -> list[str]:
    """What the cells wrote to stderr: a warning there costs a student the points of a right answer."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output["text"] for output in outputs if output.get("name") == "stderr"]


# The gates on the small notebook ------------------------------------------------------------------------------------


@needs_nbdev
def test_a_small_notebook_exports_and_a_change_shows(small_project: Path, tmp_path: Path) -> None:
    command = notebook_export.tool("nbdev-export")
    first = notebook_export.exported(small_project, tmp_path / "first", command)
    lesson = first["tinytorch/mlops/monitor/lesson.py"].decode("utf-8")
    assert "from ..._arguments import check_positive" in lesson
    assert "#double\ndef double(number):" in lesson
    assert "assert double(2) == 4" not in lesson
    notebook = small_project / "modules/15a_monitoring/15a_monitoring.ipynb"
    plant(notebook, notebook.read_text(encoding="utf-8").replace("return 2 * number", "return number + number"))
    second = notebook_export.exported(small_project, tmp_path / "second", command)
    assert [path for path in first if first[path] != second[path]] == ["tinytorch/mlops/monitor/lesson.py"]


@needs_nbdev
def test_a_notebook_that_does_not_parse_is_refused(small_project: Path, tmp_path: Path) -> None:
    notebook = small_project / "modules/15a_monitoring/15a_monitoring.ipynb"
    plant(notebook, notebook.read_text(encoding="utf-8").replace("def double(number):", "def double(number:"))
    with pytest.raises((SyntaxError, RuntimeError)):
        notebook_export.exported(small_project, tmp_path / "copy", notebook_export.tool("nbdev-export"))


@needs_nbdev
def test_cleaning_keeps_grading_metadata_and_drops_outputs(small_project: Path) -> None:
    notebook = small_project / "modules/15a_monitoring/15a_monitoring.ipynb"
    clean = notebook.read_bytes()
    notebook_export.run_tool(notebook_export.tool("nbdev-clean"), small_project)
    assert notebook.read_bytes() == clean
    plant(notebook, clean.decode("utf-8").replace('"execution_count": null', '"execution_count": 7'))
    notebook_export.run_tool(notebook_export.tool("nbdev-clean"), small_project)
    assert notebook.read_bytes() == clean


def test_a_warning_in_a_cell_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = tmp_path / "small.ipynb"
    plant(notebook, notebook_text([cell("warn", "import warnings\nwarnings.warn('careful')")]))
    (warning,) = warnings_of(execute(notebook, tmp_path, monkeypatch))
    assert "careful" in warning


def test_a_failing_cell_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exceptions = pytest.importorskip(
        "nbclient.exceptions", reason="nbclient is not installed (the test extra brings it)"
    )
    notebook = tmp_path / "small.ipynb"
    plant(notebook, notebook_text([cell("wrong", "assert 1 == 2")]))
    with pytest.raises(exceptions.CellExecutionError):
        execute(notebook, tmp_path, monkeypatch)


# nbdev 2 ------------------------------------------------------------------------------------------------------------


@pytest.mark.drill
@needs_nbdev
def test_nbdev_2_exports_the_same_bytes(small_project: Path, tmp_path: Path) -> None:
    environment = tmp_path / "nbdev2"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    wanted = ["nbdev==2.4.14", "fastcore<2", "execnb<0.2", "setuptools"]
    python = environment / Path(sys.executable).parent.name / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
    frozen = notebook_export.copy_project(ROOT, tmp_path / "frozen")  # both must read the same notebooks
    for name, root in {"small": small_project, "ours": frozen}.items():
        new = notebook_export.exported(root, tmp_path / f"{name}3", notebook_export.tool("nbdev-export"))
        old = notebook_export.exported(root, tmp_path / f"{name}2", notebook_export.tool("nbdev_export", environment))
        indexes = [without_empty_entries(files.pop(notebook_export.INDEX)) for files in (new, old)]
        assert new == old
        assert indexes[0] == indexes[1]
