"""Floor 4, the examiner's desk: a solution with one small change, on which its checks are tried.

It reads source text and gives source text; it runs nothing. The changes themselves stand in `mutations.py`.
"""

from __future__ import annotations

import ast
import copy
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tinytorch.course.mutations import Mutation, expression_mutations, statement_mutations

# Annotations do nothing, and the words of an error message or of any other text are not what a check is about.
_UNTOUCHED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "exc", "cause"})

_MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")


@dataclass(frozen=True)
class Mutant:
    """A solution with one small change.

    Attributes
    ----------
    identity : str
        "kind: original -> mutated", as `ast` writes them, so that a new layout of the solution changes nothing; the
        second identical change in a function ends with " #2".
    source : str
        The whole function, changed.

    Examples
    --------
    >>> Mutant("operator: 1 + 2 -> 1 - 2", "def three():\\n    return 1 - 2").identity
    'operator: 1 + 2 -> 1 - 2'
    """

    identity: str
    source: str


@dataclass(frozen=True)
class _Slot:
    """A place in the syntax tree that holds one expression or statement."""

    parent: ast.AST
    field: str
    index: int | None

    @property
    def node(self) -> ast.expr | ast.stmt:
        """What stands in this place now."""
        held = getattr(self.parent, self.field)
        found: ast.expr | ast.stmt = held if self.index is None else held[self.index]
        return found

    def put(self, node: ast.AST) -> None:
        """Let something else stand in this place."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def make_mutants(cell_source: str, name: str) -> tuple[Mutant, ...]:
    """Return every mutant of the function `name` that a cell defines, in the order of its text.

    Where the cell marks its solution, only that is changed: the lines around it are given, no student writes them.

    Parameters
    ----------
    cell_source : str
    name : str
        Of the function.

    Raises
    ------
    ValueError
        If the cell does not define it.

    Examples
    --------
    >>> [mutant.identity for mutant in make_mutants("def double(x):\\n    return 2 * x", "double")][:3]
    ['remove: return 2 * x -> pass', 'operator: 2 * x -> 2 / x', 'operand: 2 * x -> 2']
    """
    function = _find_function(cell_source, name)
    seen: Counter[str] = Counter()
    sources = {ast.unparse(function)}
    mutants = []
    written = _solution_lines(cell_source)
    for slot in list(_slots(function)):
        if slot.node.lineno not in written:
            continue
        for mutation in _mutations(slot, function):
            identity = f"{mutation.kind}: {_text(slot.node)} -> {_text(mutation.replacement)}"
            source = _changed(function, slot, mutation)
            if source in sources:
                continue
            sources.add(source)
            seen[identity] += 1
            number = f" #{seen[identity]}" if seen[identity] > 1 else ""
            mutants.append(Mutant(identity + number, source))
    return tuple(mutants)


def _find_function(cell_source: str, name: str) -> ast.FunctionDef:
    """Return the definition without its docstring, whose words no check reads."""
    for statement in ast.parse(textwrap.dedent(cell_source)).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            if ast.get_docstring(statement) is not None:
                statement.body = statement.body[1:]
            return statement
    raise ValueError(f"cell_source must define the function {name}, got a cell without it.")


def _solution_lines(cell_source: str) -> range:
    """Return the numbers of the lines between the marks of a solution; of all lines if there is no mark."""
    lines = cell_source.splitlines()
    marks = [number for number, line in enumerate(lines, start=1) if line.strip() in _MARKS]
    return range(marks[0], marks[-1]) if marks else range(1, len(lines) + 1)


def _slots(node: ast.AST) -> Iterator[_Slot]:
    """Walk over the places below a node, each before those inside it."""
    for field, value in ast.iter_fields(node):
        if field in _UNTOUCHED_FIELDS or isinstance(node, (ast.JoinedStr, ast.arguments)):
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, (ast.expr, ast.stmt)):
                yield _Slot(node, field, index)
            if isinstance(child, ast.AST):
                yield from _slots(child)


def _mutations(slot: _Slot, function: ast.FunctionDef) -> Iterator[Mutation]:
    if isinstance(slot.node, ast.stmt):
        return statement_mutations(slot.node, function)
    return expression_mutations(slot.node, function)


def _changed(function: ast.FunctionDef, slot: _Slot, mutation: Mutation) -> str:
    """Return the text of the whole function with one place changed; the tree itself stays as it was."""
    original = slot.node
    slot.put(copy.deepcopy(mutation.replacement))
    text = ast.unparse(ast.fix_missing_locations(function))
    slot.put(original)
    return text


def _text(node: ast.AST) -> str:
    """Return the first line of a statement, or the whole expression."""
    return ast.unparse(node).partition("\n")[0]
