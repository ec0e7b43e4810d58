"""Mutants: every kind of small mistake, in an order and under names that a new layout does not change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytorch.course.mutants import make_mutants
from tinytorch.course.notebook import find_notebooks

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = '''
def threshold(values: np.ndarray, limit: float = 0.5) -> np.ndarray:
    """Return the share of values above the limit."""
    if len(values) == 0:
        raise ValueError("values must not be empty, got 0.")
    copied = values.copy()
    marks = (copied >= limit) & ~np.isnan(copied)
    return marks.mean(axis=0)
'''
SAME_IN_ANOTHER_LAYOUT = """
def threshold(
    values: np.ndarray,
    limit: float = 0.5,
) -> np.ndarray:
    # Says the same.
    if (len(values) == 0):
        raise ValueError('values must not be empty, got 0.')

    copied = values.copy()
    marks = (
        (copied >= limit)
        & ~np.isnan(copied)
    )
    return marks.mean( axis = 0 )
"""


def identities(source: str, name: str = "threshold") -> list[str]:
    return [mutant.identity for mutant in make_mutants(source, name)]


@pytest.mark.parametrize(
    "identity",
    [
        "remove: if len(values) == 0: -> pass",
        "comparison: copied >= limit -> copied > limit",
        "comparison: copied >= limit -> copied <= limit",
        "negation: copied >= limit -> not copied >= limit",
        "operator: (copied >= limit) & ~np.isnan(copied) -> (copied >= limit) | ~np.isnan(copied)",
        "operand: (copied >= limit) & ~np.isnan(copied) -> copied >= limit",
        "operand: ~np.isnan(copied) -> np.isnan(copied)",
        "unwrapped: values.copy() -> values",
        "constant: 0 -> 1",
        "constant: 0 -> -1 #2",
        "keyword: marks.mean(axis=0) -> marks.mean()",
        "function: marks.mean(axis=0) -> marks.sum(axis=0)",
        "rows: marks.mean(axis=0) -> marks[1:].mean(axis=0)",
        "intermediate: return marks.mean(axis=0) -> return marks",
        "variable: limit -> values",
    ],
)
def test_a_typical_slip_is_among_the_mutants(identity: str) -> None:
    assert identity in identities(FUNCTION)


@pytest.mark.parametrize(
    ("body", "identity"),
    [
        ("a - b", "turned: a - b -> b - a"),
        ("a / b", "operator: a / b -> a // b"),
        ("min(a, b)", "function: min(a, b) -> max(a, b)"),
        ("max(0.0, a)", "turned: max(0.0, a) -> max(a, 0.0)"),
        ("a and b", "junction: a and b -> a or b"),
        ("a and b", "condition: a and b -> b"),
        ("a if b else 0", "branch: a if b else 0 -> 0"),
        ("np.mean(a)", "function: np.mean(a) -> np.median(a)"),
        ("[x for x in a if x]", "condition: [x for x in a if x] -> [x for x in a]"),
        ("(a, b)", "turned: (a, b) -> (b, a)"),
        ("a['key']", "constant: 'key' -> 'key?'"),
        ("a == b", "comparison: a == b -> a != b"),
        ("a[1:]", "whole: a[1:] -> a"),
    ],
)
def test_an_expression_is_changed(body: str, identity: str) -> None:
    assert identity in identities(f"def f(a, b):\n    return {body}", "f")


@pytest.mark.parametrize(
    ("body", "identity"),
    [
        ("for x in a:\n        break", "jump: break -> continue"),
        ("for x in a:\n        continue", "jump: continue -> break"),
        ("a += b", "assignment: a += b -> a = b"),
        ("a += b", "operator: a += b -> a -= b"),
        ("if a:\n        return b", "negation: if a: -> if not a:"),
        ("raise ValueError(a)", "error: raise ValueError(a) -> return None"),
        ("raise ValueError(a)", "error: raise ValueError(a) -> raise RuntimeError(a)"),
    ],
)
def test_a_statement_is_changed(body: str, identity: str) -> None:
    assert identity in identities(f"def f(a, b):\n    {body}", "f")


def test_names_and_order_survive_another_layout() -> None:
    assert identities(FUNCTION) == identities(SAME_IN_ANOTHER_LAYOUT)


def test_docstring_annotations_defaults_and_words_stay() -> None:
    for mutant in make_mutants(FUNCTION, "threshold"):
        assert mutant.source.startswith("def threshold(values: np.ndarray, limit: float=0.5) -> np.ndarray:")
        assert "raise" not in mutant.source or "'values must not be empty, got 0.'" in mutant.source


def test_only_the_marked_solution_is_changed() -> None:
    source = "def f(a):\n    given = a + 1\n    ### BEGIN SOLUTION\n    return given * 2\n    ### END SOLUTION"
    assert identities(source, "f")
    assert [name for name in identities(source, "f") if "a + 1" in name] == []


def test_the_function_must_be_there() -> None:
    with pytest.raises(ValueError, match="cell_source must define the function f"):
        make_mutants("g = 1", "f")


@pytest.mark.parametrize("notebook", find_notebooks(ROOT / "modules"), ids=lambda notebook: notebook.name)
def test_every_solution_has_many_different_mutants_that_compile(notebook) -> None:
    for blank in notebook.blanks:
        mutants = make_mutants(notebook.cell(blank.cell_id).source, blank.name)
        assert len(mutants) >= 10
        assert len({mutant.identity for mutant in mutants}) == len({mutant.source for mutant in mutants})
        for mutant in mutants:
            compile(mutant.source, blank.name, "exec")
