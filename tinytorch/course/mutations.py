"""Floor 4, the examiner's desk: the kinds of small mistakes that `mutants.py` puts into a solution.

Each rule takes a node of a syntax tree and gives what could stand there instead; it changes and runs nothing.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE, ast.Eq),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE, ast.Eq),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_NAMES: dict[str, tuple[str, ...]] = {
    "mean": ("sum", "max"),
    "nanmean": ("mean", "nanmedian"),
    "median": ("mean",),
    "sum": ("mean", "any"),
    "count_nonzero": ("size",),
    "max": ("min",),
    "min": ("max",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "any": ("all",),
    "all": ("any",),
    "std": ("var",),
    "var": ("std",),
    "zeros": ("ones",),
    "zeros_like": ("ones_like",),
    "ones": ("zeros",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "append": ("remove",),
    "vstack": ("hstack",),
    "hstack": ("vstack",),
}
"""What a student may take for the other: mean and sum, min and max, any and all, a spread and its square."""
_SUMMARIES = frozenset({"sum", "mean", "max", "min", "any", "all", "std", "count_nonzero"})
"""Functions that make one number of many, from which a student may leave one out."""


@dataclass(frozen=True)
class Mutation:
    """One change: its kind, and what stands there instead.

    Examples
    --------
    >>> Mutation("number", ast.Constant(0)).kind
    'number'
    """

    kind: str
    replacement: ast.AST


def expression_mutations(node: ast.AST, function: ast.FunctionDef) -> Iterator[Mutation]:
    """Return the changes to one expression of a function.

    Examples
    --------
    >>> expression = ast.parse("a < b", mode="eval").body
    >>> function = ast.parse("def f(a, b): return a < b").body[0]
    >>> [ast.unparse(mutation.replacement) for mutation in expression_mutations(expression, function)]
    ['a <= b', 'a > b', 'not a < b']
    """
    for kind, rule in _EXPRESSION_RULES.get(type(node), ()):
        for replacement in rule(node):
            yield Mutation(kind, replacement)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from (Mutation("variable", ast.Name(other)) for other in _other_variables(node, function))


def statement_mutations(node: ast.AST, function: ast.FunctionDef) -> Iterator[Mutation]:
    """Return the changes to one statement of a function.

    Examples
    --------
    >>> function = ast.parse("def f(a): return a").body[0]
    >>> [mutation.kind for mutation in statement_mutations(function.body[0], function)]
    ['remove']
    """
    yield Mutation("remove", ast.Pass())
    for kind, rule in _STATEMENT_RULES.get(type(node), ()):
        for replacement in rule(node):
            yield Mutation(kind, replacement)
    if isinstance(node, ast.Return):
        given = node.value.id if isinstance(node.value, ast.Name) else ""
        for name in _assigned_before(node, function):
            if name != given:
                yield Mutation("intermediate", ast.Return(ast.Name(name)))


def _with(node: Any, **changed: Any) -> Any:
    """Return a copy of a node with some fields changed."""
    new = copy.copy(node)
    for field, value in changed.items():
        setattr(new, field, value)
    return new


def _without(items: list[Any], index: int) -> list[Any]:
    return items[:index] + items[index + 1 :]


def _replaced(items: list[Any], index: int, item: Any) -> list[Any]:
    return [*items[:index], item, *items[index + 1 :]]


def _negated(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def _other_operator(node: ast.BinOp | ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in _ARITHMETIC:
        yield _with(node, op=_ARITHMETIC[type(node.op)]())
    if isinstance(node.op, ast.Div):
        yield _with(node, op=ast.FloorDiv())


def _one_operand(node: ast.BinOp) -> Iterator[ast.AST]:
    yield node.left
    yield node.right


def _turned_operands(node: ast.BinOp) -> Iterator[ast.AST]:
    if isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
        yield _with(node, left=node.right, right=node.left)


def _other_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            yield _with(node, ops=_replaced(node.ops, index, other()))


def _negated_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    if not isinstance(node.ops[0], (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)):  # these just turn round
        yield _negated(node)


def _other_junction(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _one_condition_less(node: ast.BoolOp) -> Iterator[ast.AST]:
    for index in range(len(node.values)):
        rest = _without(node.values, index)
        yield rest[0] if len(rest) == 1 else _with(node, values=rest)


def _operand_alone(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _either_branch(node: ast.IfExp) -> Iterator[ast.AST]:
    yield node.body
    yield node.orelse
    yield _with(node, body=node.orelse, orelse=node.body)


def _other_constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        others = dict.fromkeys([node.value + 1, node.value - 1, 0])
        yield from (ast.Constant(other) for other in others if other != node.value)
    elif isinstance(node.value, str) and node.value:
        yield ast.Constant(f"{node.value}?")


def _turned_arguments(node: ast.Call) -> Iterator[ast.AST]:
    for index in range(len(node.args) - 1):
        first, second = node.args[index : index + 2]
        yield _with(node, args=[*node.args[:index], second, first, *node.args[index + 2 :]])


def _one_keyword_less(node: ast.Call) -> Iterator[ast.AST]:
    for index, keyword in enumerate(node.keywords):
        if keyword.arg != "out":  # numpy would leave what memory held before: a verdict by chance
            yield _with(node, keywords=_without(node.keywords, index))


def _call_left_out(node: ast.Call) -> Iterator[ast.AST]:
    """`float(x)` and `np.abs(x)` become `x`, and so does `x.copy()`."""
    if len(node.args) == 1:
        yield node.args[0]
    elif not node.args and isinstance(node.func, ast.Attribute):
        yield node.func.value


def _other_function(node: ast.Call) -> Iterator[ast.AST]:
    field = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node.func))
    if field:
        for other in _NAMES.get(getattr(node.func, field), ()):
            yield _with(node, func=_with(node.func, **{field: other}))
    if ast.unparse(node.func) == "np.mean":  # arrays have no method of this name
        yield _with(node, func=ast.parse("np.median", mode="eval").body)


def _whole_sequence(node: ast.Subscript) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        yield node.value


def _unfiltered(node: ast.GeneratorExp | ast.ListComp) -> Iterator[ast.AST]:
    for index, generator in enumerate(node.generators):
        if generator.ifs:
            yield _with(node, generators=_replaced(node.generators, index, _with(generator, ifs=[])))


def _negated_test(node: ast.If | ast.While) -> Iterator[ast.AST]:
    if not isinstance(node.test, ast.Compare):  # a comparison has its own rule
        yield _with(node, test=_negated(node.test))


def _always(node: ast.If) -> Iterator[ast.AST]:
    yield _with(node, test=ast.Constant(True))
    if node.orelse:
        yield _with(node, test=ast.Constant(False))


def _plain_assignment(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.copy_location(ast.Assign([node.target], node.value), node)


def _other_jump(node: ast.Break | ast.Continue) -> Iterator[ast.AST]:
    yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def _other_error(node: ast.Raise) -> Iterator[ast.AST]:
    yield ast.Return(ast.Constant(None))
    if isinstance(node.exc, ast.Call):
        yield _with(node, exc=_with(node.exc, func=ast.Name("RuntimeError")))


def _turned_items(node: ast.Tuple) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        for index in range(len(node.elts) - 1):
            first, second = node.elts[index : index + 2]
            yield _with(node, elts=[*node.elts[:index], second, first, *node.elts[index + 2 :]])


def _one_less(sequence: ast.expr) -> Iterator[ast.expr]:
    """Leave the first or the last item of a sequence out."""
    for part in (ast.Slice(lower=ast.Constant(1)), ast.Slice(upper=ast.Constant(-1))):
        yield ast.Subscript(sequence, part)


def _as_list(sequence: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("list"), [sequence], [])


def _one_round_less(node: ast.For) -> Iterator[ast.AST]:
    for shorter in _one_less(_as_list(node.iter)):
        yield _with(node, iter=shorter)


def _first_round_only(node: ast.For) -> Iterator[ast.AST]:
    yield _with(node, body=[*node.body, ast.Break()])


def _one_item_less(node: ast.GeneratorExp | ast.ListComp) -> Iterator[ast.AST]:
    for index, generator in enumerate(node.generators):
        for shorter in _one_less(_as_list(generator.iter)):
            yield _with(node, generators=_replaced(node.generators, index, _with(generator, iter=shorter)))


def _one_row_less(node: ast.Call) -> Iterator[ast.AST]:
    """`x.sum()` becomes `x[1:].sum()`, and `np.sum(x)` becomes `np.sum(x[1:])`."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _SUMMARIES:
        return
    if ast.unparse(node.func.value) != "np":
        yield from (_with(node, func=_with(node.func, value=shorter)) for shorter in _one_less(node.func.value))
    elif node.args:
        yield from (_with(node, args=_replaced(node.args, 0, shorter)) for shorter in _one_less(node.args[0]))


def _other_variables(node: ast.Name, function: ast.FunctionDef) -> list[str]:
    """Return the parameters that may be taken for this one, or the local variables that exist by then."""
    parameters = [argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]]
    family = parameters if node.id in parameters else _assigned_before(node, function)
    return [name for name in family if name != node.id] if node.id in family else []


def _assigned_before(node: ast.stmt | ast.expr, function: ast.FunctionDef) -> list[str]:
    """Return the local variables that have a value when `node` is reached."""
    names = []
    for statement in ast.walk(function):
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and (statement.end_lineno or 0) < node.lineno:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return list(dict.fromkeys(names))


_Rules = tuple[tuple[str, Callable[[Any], Iterator[ast.AST]]], ...]
_EXPRESSION_RULES: dict[type[ast.AST], _Rules] = {
    ast.BinOp: (("operator", _other_operator), ("operand", _one_operand), ("turned", _turned_operands)),
    ast.Compare: (("comparison", _other_comparison), ("negation", _negated_comparison)),
    ast.BoolOp: (("junction", _other_junction), ("condition", _one_condition_less)),
    ast.UnaryOp: (("operand", _operand_alone),),
    ast.IfExp: (("branch", _either_branch),),
    ast.Constant: (("constant", _other_constant),),
    ast.Call: (
        ("turned", _turned_arguments),
        ("keyword", _one_keyword_less),
        ("unwrapped", _call_left_out),
        ("function", _other_function),
        ("rows", _one_row_less),
    ),
    ast.Subscript: (("whole", _whole_sequence),),
    ast.Tuple: (("turned", _turned_items),),
    ast.ListComp: (("condition", _unfiltered), ("items", _one_item_less)),
    ast.GeneratorExp: (("condition", _unfiltered), ("items", _one_item_less)),
}
_STATEMENT_RULES: dict[type[ast.AST], _Rules] = {
    ast.If: (("negation", _negated_test), ("branch", _always)),
    ast.While: (("negation", _negated_test),),
    ast.For: (("items", _one_round_less), ("jump", _first_round_only)),
    ast.AugAssign: (("operator", _other_operator), ("assignment", _plain_assignment)),
    ast.Break: (("jump", _other_jump),),
    ast.Continue: (("jump", _other_jump),),
    ast.Raise: (("error", _other_error),),
}
