"""Points for each blank of a student's own notebook, whatever stands in it; lesson.py only if it is sound."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import notebook_export
import pytest
from student_project import STUB, StudentProject

from tinytorch.course.check import LessonResult, check_lessons
from tinytorch.course.notebook import LESSON_STAGES

A, B = "15a_monitoring", "15b_drift"
# Long for a check, which takes milliseconds, and short for the test that waits until it is over.
SHORT_LIMIT_S = 2.0
IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import tinytorch
assert tinytorch.__file__.startswith(sys.argv[1]), tinytorch.__file__
found, broken = 0, {}
for module in pkgutil.walk_packages(tinytorch.__path__, "tinytorch.", onerror=lambda name: None):
    if module.name.endswith("__main__"):
        continue
    found += 1
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] == "tinytorch":
            broken[module.name] = str(error)
    except BaseException as error:
        broken[module.name] = repr(error)
print(json.dumps({"found": found, "broken": broken}))
"""


@pytest.fixture
def project(tmp_path: Path) -> StudentProject:
    root = tmp_path / "project"
    root.mkdir()
    return StudentProject(root)


@pytest.fixture
def check(project: StudentProject, tmp_path: Path):
    """Check some lessons of the project; a function that returns name -> result."""

    def run(*asked: str, limit_s: float = 30.0) -> dict[str, LessonResult]:
        folder = tmp_path / f"export {len(list(tmp_path.iterdir()))}"
        results = check_lessons(project.notebooks(), asked or tuple(LESSON_STAGES), folder, limit_s)
        return {result.name: result for result in results}

    return run


def test_an_untouched_notebook_earns_nothing_and_is_exported(check):
    results = check()
    assert list(results) == list(LESSON_STAGES)
    for result in results.values():
        assert result.earned == 0 < result.points
        assert {blank.status for blank in result.blanks} == {"not yet written"}
        assert (result.refused, result.target, result.finished) == ("", "", False)


def test_right_answers_earn_every_point(project, check):
    for name in LESSON_STAGES:
        project.solve(name)
    for result in check().values():
        assert [blank.blank for blank in result.blanks if blank.status != "right"] == []
        assert result.earned == result.points
        assert result.finished


def test_each_fault_costs_its_own_blank_and_gets_a_plain_sentence(project, check):
    project.write(A, 0, "return None")
    project.write(A, 1, "import sys\nsys.exit(3)")
    project.write(A, 2, "return (lambda f: f(f))(lambda f: f(f))")
    project.write(A, 3, "import os\nos._exit(7)")
    project.solve(A, 4)
    name = project.notebook(A).blanks[4].cell_id
    project.edit(A, name, lambda text: text.replace('"""\n    #', '"""\n    print("x" * 5_000_000)\n    #'))
    (result,) = check(A).values()
    none, ends, recursion, gone, loud = result.blanks
    assert (none.status, loud.status, loud.earned) == ("not right", "right", loud.points)
    assert "got None: is there a `return` on every path?" in none.message
    assert "the code called sys.exit, which ends the whole program" in ends.message
    assert "RecursionError was raised in the line `return (lambda f" in recursion.message
    assert "ended the whole process (exit code 7)" in gone.message
    assert result.earned == loud.points


def test_an_endless_loop_is_stopped_and_its_line_is_named(project, check):
    project.write(A, 0, "while True:\n    pass")
    project.solve(A, 1)
    (result,) = check(A, limit_s=SHORT_LIMIT_S).values()
    hanging, right, *rest = result.blanks
    assert "did not finish within 2 s: is there a loop that never ends? It was at line" in hanging.message
    assert f"of cell {hanging.cell_id}: `" in hanging.message
    assert (hanging.status, right.status) == ("does not run", "right")
    assert {blank.status for blank in rest} == {"not yet written"}


def test_a_loop_outside_a_function_is_stopped_once(project, check):
    project.edit(A, "imports", lambda text: text + "\nwhile True: pass")
    (result,) = check(A, limit_s=SHORT_LIMIT_S).values()
    assert {blank.status for blank in result.blanks} == {"does not run"}
    assert "running the cells did not finish within 2 s" in result.blanks[0].message
    assert "importing the lesson did not finish within 2 s" in result.refused


def test_the_lesson_files_are_those_of_make_export(project, check, tmp_path):
    package = project.add_package()
    project.solve(B)
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    check(B)
    made = notebook_export.exported(project.root, tmp_path / "copy", notebook_export.tool("nbdev-export"))
    lessons = {path: content for path, content in made.items() if path.endswith("lesson.py")}
    assert len(lessons) == len(LESSON_STAGES)
    for path, content in lessons.items():
        assert (project.root / path).read_bytes() == content
    after = {
        path: path.read_bytes()
        for path in project.root.rglob("*")
        if "__pycache__" not in path.parts and path.is_file()
    }
    changed = {path for path in after if after[path] != before.get(path)}
    assert changed <= {package / "mlops" / stage / "lesson.py" for stage in LESSON_STAGES.values()}


def test_the_unfinished_package_imports_whole(project, check):
    project.add_package()
    assert all(not result.refused for result in check().values())
    command = [sys.executable, "-c", IMPORT_EVERYTHING, str(project.root)]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["broken"] == {}
    assert outcome["found"] > 100
    assert STUB in (project.root / "tinytorch/mlops/drift/lesson.py").read_text(encoding="utf-8")


def test_what_does_not_parse_is_not_exported_and_the_old_lesson_stays(project, check):
    lesson = project.add_package() / "mlops/monitor/lesson.py"
    old = lesson.read_bytes()
    project.write(A, 0, "return (1 +")
    project.solve(A, 1)
    results = check(A, B)
    blank = project.notebook(A).blanks[0]
    line = project.notebook(A).cell(blank.cell_id).source.splitlines().index("    return (1 +") + 1
    sentence = f"15a_monitoring.ipynb, cell {blank.cell_id} (blank {blank.name}), line {line} does not parse: "
    assert results[A].refused == f"{sentence}'(' was never closed: `return (1 +`."
    assert results[A].blanks[0].message == results[A].refused
    assert results[A].blanks[1].status == "right"
    assert results[B].refused == ""
    assert lesson.read_bytes() == old


def test_a_lesson_that_would_break_the_package_is_not_exported(project, check):
    lesson = project.add_package() / "mlops/monitor/lesson.py"
    old = lesson.read_bytes()
    blank = project.notebook(A).blanks[0]
    project.edit(A, blank.cell_id, lambda text: text.replace(f"def {blank.name}(", "def another_name("))
    (result,) = check(A).values()
    lost = f"it no longer defines {blank.name}: was a cell deleted, or a name changed?"
    assert result.refused == f"tinytorch.mlops.monitor does not import with this lesson: {lost}"
    assert result.blanks[0].blank == blank.name
    assert result.blanks[0].message.startswith(f"{blank.name} is not defined: is its cell still there")
    assert lesson.read_bytes() == old


@pytest.mark.parametrize(
    ("cell_id", "change", "refused"),
    [
        ("default-exp", lambda text: None, "has lost its cell `#| default_exp mlops.monitor.lesson`"),
        ("imports", lambda text: f"{text}\n%matplotlib inline", "a notebook command cannot be exported"),
        ("imports", lambda text: f"{text}\nimport numppy", "No module named 'numppy'"),
    ],
)
def test_other_damage_is_named(project, check, cell_id, change, refused):
    project.edit(A, cell_id, change)
    (result,) = check(A).values()
    assert refused in result.refused
    assert not result.finished


def test_damaged_check_cells_and_markers_are_named(project, check):
    first, second, third, *_ = project.notebook(A).blanks
    project.solve(A)
    project.edit(A, first.check_ids[0], lambda text: None)
    project.edit(A, second.check_ids[0], lambda text: "check_cases(")
    project.edit(A, third.cell_id, lambda text: text.replace("#| export\n", ""))
    (result,) = check(A).values()
    assert "its check cell is missing" in result.blanks[0].message
    assert "does not parse (line 1:" in result.blanks[1].message
    assert result.blanks[2].status == "right"
    assert (
        result.refused
        == f"15a_monitoring.ipynb, cell {third.cell_id} has lost its first line `#| export`: write it again."
    )
    assert not result.finished
