"""The search finds a solution wherever it hides in a kit, and nothing in what is clean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinytorch.course.kit_search import find_secrets, search_kit, squeeze
from tinytorch.course.notebook import Cell, LessonNotebook

BLANK = '''#| export
def share(part, whole):
    """Return part of whole."""
    # Your turn: steps 1-2 above.
    ### BEGIN SOLUTION
    if whole == 0:
        return 0.0
    return float(part) / float(whole)  # both may be ints
    ### END SOLUTION
'''
CHECK = """cases = [Case((1, 2), 0.5)]
check_cases(share, cases)
### BEGIN HIDDEN TESTS
hidden_cases = [Case((3, 4), 0.75), Case((0, 0), 0.0)]
check_cases(share, cases)
### END HIDDEN TESTS
"""
CELLS = (Cell("share", "code", BLANK, solution=True), Cell("check-share", "code", CHECK, graded=True, points=2.0))
SECRETS = find_secrets([LessonNotebook("15a_monitoring", Path("15a_monitoring.ipynb"), CELLS)])
SOLUTION = "the solution of share in 15a_monitoring"
HIDDEN = "the hidden tests of check-share in 15a_monitoring"


def notebook(*sources: str, outputs: tuple[str, ...] = ()) -> str:
    cells = [{"id": f"cell-{n}", "cell_type": "code", "source": [text]} for n, text in enumerate(sources)]
    cells[0]["outputs"] = [{"text": text} for text in outputs]
    return json.dumps({"cells": cells})


def search(folder: Path, path: str, text: str) -> list[str]:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
    return [finding.partition(" ")[2] for finding in search_kit(folder, SECRETS)]


def test_the_secrets_are_the_solution_and_what_only_the_hidden_tests_have() -> None:
    assert [secret.title for secret in SECRETS] == [SOLUTION, HIDDEN]
    assert SECRETS[0].lines == ("ifwhole==0:", "return0.0", "returnfloat(part)/float(whole)")
    assert SECRETS[1].lines == ("hidden_cases=[Case((3,4),0.75),Case((0,0),0.0)]",)


@pytest.mark.parametrize(
    ("path", "text", "finding"),
    [
        ("tinytorch/mlops/extra.py", "def f(part, whole):\n\treturn float(part)/float( whole )", SOLUTION),
        ("README.md", "Write\n\n    return float(part) / float(whole)\n", SOLUTION),
        ("modules/a.ipynb", notebook("x = 1", "    return float(part) / float(whole)"), SOLUTION),
        ("modules/a.ipynb", notebook("hidden_cases = [Case((3, 4), 0.75), Case((0, 0), 0.0)]"), HIDDEN),
        ("modules/a.ipynb", notebook("x = 1", outputs=("0.5",)), "outputs in cell cell-0"),
        ("modules/a.ipynb", notebook("### BEGIN SOLUTION"), "the marker BEGIN SOLUTION"),
        ("tinytorch/mlops/monitor/lesson.py", "### END HIDDEN TESTS", "the marker END HIDDEN TESTS"),
    ],
)
def test_a_secret_is_found_in_any_file(path: str, text: str, finding: str, tmp_path: Path) -> None:
    assert search(tmp_path, path, text) == [f"holds {finding}"]


def test_short_lines_are_a_secret_only_one_after_the_other(tmp_path: Path) -> None:
    cell = Cell("b", "code", "### BEGIN SOLUTION\na = 1\nb = 2\n### END SOLUTION")
    short = find_secrets([LessonNotebook("15a_monitoring", Path("a.ipynb"), (cell,))])
    (tmp_path / "a.py").write_text("a = 1\nc = 3\nb = 2\n", encoding="utf-8")
    assert search_kit(tmp_path, short) == ()
    (tmp_path / "a.py").write_text("    a = 1\n\n    b = 2\n", encoding="utf-8")
    assert search_kit(tmp_path, short) == ("a.py holds the solution of b in 15a_monitoring",)


@pytest.mark.parametrize("path", ["tests/x.py", ".git/config", "docs/a.md", "INSTRUCTORS.md", "modules/answers.py"])
def test_what_holds_answers_does_not_belong_into_a_kit(path: str, tmp_path: Path) -> None:
    findings = search(tmp_path, path, "x = 1")
    assert findings
    assert all(finding == "does not belong into a kit" for finding in findings)


def test_a_clean_kit_is_clean(tmp_path: Path) -> None:
    (tmp_path / "data.npz").write_bytes(b"BEGIN SOLUTION")  # binary: nobody reads it
    stub = BLANK.partition("    ### BEGIN")[0] + '    raise NotImplementedError("write this part")\n'
    assert search(tmp_path, "tinytorch/mlops/monitor/lesson.py", stub) == []
    assert search(tmp_path, "tinytorch/course/stubs.py", "MARKER = 'BEGIN SOLUTION'") == []
    assert search(tmp_path, "modules/a.ipynb", notebook(stub, CHECK.partition("### BEGIN")[0])) == []


def test_a_notebook_without_solutions_is_a_students() -> None:
    blank = Cell("b", "code", "def b():\n    raise NotImplementedError", solution=True)
    with pytest.raises(ValueError, match=r"15a_monitoring\.ipynb must hold solutions, got none"):
        find_secrets([LessonNotebook("15a_monitoring", Path("15a_monitoring.ipynb"), (blank,))])


def test_spaces_comments_and_empty_lines_hide_nothing() -> None:
    assert squeeze(" a  =  1 # one\n\n#\n\tb=2") == ("a=1", "b=2")
