"""Ground floor: find what a model is made of, by its attributes. Touches nothing but Python objects."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from tinytorch.core.tensor import Tensor


def walk(root: object) -> Iterator[tuple[str, object]]:
    """Yield the path and the value of everything reachable from `root` by attributes, lists, tuples and dicts.

    Each object comes once, in the order of definition, so two models built by the same code are walked alike.

    Examples
    --------
    >>> class Pair:
    ...     def __init__(self):
    ...         self.parts = ["left", "right"]
    >>> [path for path, value in walk(Pair()) if isinstance(value, str)]
    ['parts.0', 'parts.1']
    """
    seen: set[int] = set()
    stack: list[tuple[str, object]] = [("", root)]
    while stack:
        path, value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield path, value
        inside = [(f"{path}.{name}" if path else str(name), part) for name, part in _children(value)]
        stack.extend(reversed(inside))


def named_parameters(root: object) -> dict[str, Tensor]:
    """Return the tensors below `root` that require gradients, by path.

    Examples
    --------
    >>> named_parameters([Tensor([1.0], requires_grad=True), Tensor([2.0])])
    {'0': Tensor(data=[1.], shape=(1,), requires_grad=True)}
    """
    return {path: value for path, value in walk(root) if isinstance(value, Tensor) and value.requires_grad}


def _children(value: object) -> list[tuple[object, object]]:
    """Return the named parts of one object that can hold layers, tensors or generators."""
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, (type, ModuleType)):
        return []
    return list(getattr(value, "__dict__", {}).items())
