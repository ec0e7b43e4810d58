"""Ground floor, what a checkpoint holds and whether it can be taken over: everything is checked before anything is set.

Touches the arrays and generators it is handed, and no file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinytorch._arguments import check_integer
from tinytorch.core._checks import check_not_negative, copy_float32
from tinytorch.core._walk import walk
from tinytorch.core.autograd import Array
from tinytorch.core.tensor import Tensor

__all__ = [
    "CHECKPOINT_FORMAT",
    "check_generator_states",
    "find_generators",
    "fit_weights",
    "get_generator_states",
    "plain_attributes",
    "read_meta",
    "set_generator_states",
    "strip_prefix",
]

CHECKPOINT_FORMAT = 1
"""Raised when a new version can no longer be read by the old code."""

HISTORIES = ("train_loss", "eval_loss", "learning_rates")
"""The lists that a trainer itself writes to; a history must hold them, and may hold more."""


def find_generators(root: object) -> list[np.random.Generator]:
    """Return the random generators among the attributes of `root`, however deep, each once.

    Examples
    --------
    >>> len(find_generators({"shuffle": np.random.default_rng(0)}))
    1
    """
    return [part for _, part in walk(root) if isinstance(part, np.random.Generator)]


def get_generator_states(generators: Iterable[np.random.Generator]) -> list[Any]:
    """Return the states of generators as plain lists and numbers that JSON can hold.

    Examples
    --------
    >>> get_generator_states([np.random.default_rng(0)])[0]["bit_generator"]
    'PCG64'
    """
    states = [generator.bit_generator.state for generator in generators]
    return list(json.loads(json.dumps(states, default=np.ndarray.tolist)))


def set_generator_states(generators: list[np.random.Generator], states: list[Any]) -> None:
    """Put generators back into states that `get_generator_states` returned.

    Raises
    ------
    ValueError
        If there are more or fewer states than generators, of other kinds, or damaged. No generator is changed then.
    """
    check_generator_states(generators, states)
    for generator, state in zip(generators, states, strict=True):
        generator.bit_generator.state = state


def check_generator_states(generators: list[np.random.Generator], states: list[Any]) -> None:
    """Check that `set_generator_states` can put the generators into these states.

    Examples
    --------
    >>> check_generator_states([], get_generator_states([np.random.default_rng(0)]))
    Traceback (most recent call last):
    ...
    ValueError: generators must be of the kinds ['PCG64'], got [].
    """
    _check_states(states, "generators")
    have = [generator.bit_generator.state["bit_generator"] for generator in generators]
    wanted = [state["bit_generator"] for state in states]
    if have != wanted:
        raise ValueError(f"generators must be of the kinds {wanted}, got {have}.")


def plain_attributes(value: object) -> dict[str, Any]:
    """Return the attributes of `value` that are single numbers, texts or None.

    Examples
    --------
    >>> plain_attributes(None)
    {}
    """
    attributes = getattr(value, "__dict__", {})
    return {name: item for name, item in attributes.items() if _is_plain(item)}


def strip_prefix(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    """Return the arrays whose names begin with `prefix`, without it.

    Examples
    --------
    >>> strip_prefix({"model.0": np.zeros(1), "meta": np.zeros(1)}, "model.")
    {'0': array([0.])}
    """
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


def fit_weights(arrays: dict[str, Array], prefix: str, parameters: list[Tensor]) -> list[Array]:
    """Return float32 copies of the saved arrays in the order of `parameters`, if they fit.

    Examples
    --------
    >>> fit_weights({"model.0": np.ones(2)}, "model.", [Tensor([0.0, 0.0])])
    [array([1., 1.], dtype=float32)]
    """
    saved = strip_prefix(arrays, prefix)
    if set(saved) != {str(i) for i in range(len(parameters))}:
        raise ValueError(f"Checkpoint parameters {prefix}* must be {len(parameters)}, got {sorted(saved)}.")
    return [
        copy_float32(saved[str(i)], f"Checkpoint parameter {prefix}{i}", parameter.shape)
        for i, parameter in enumerate(parameters)
    ]


def read_meta(arrays: dict[str, Array]) -> dict[str, Any]:
    """Return the part of a checkpoint that is no array, with every entry there, of its type and in its range.

    Raises
    ------
    ValueError
        If this is no checkpoint, one of another format, or an entry is missing or wrong.

    Examples
    --------
    >>> read_meta({"meta": np.array('{"format": 1}')})
    Traceback (most recent call last):
    ...
    ValueError: checkpoint meta must hold 'epoch', got ['format'].
    """
    try:
        meta = json.loads(str(arrays["meta"]))
        version = meta["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("path must name a checkpoint of a trainer, got a file without its description.") from error
    if isinstance(version, bool) or version != CHECKPOINT_FORMAT:
        raise ValueError(f"checkpoint format must be {CHECKPOINT_FORMAT}, got {version!r}.")
    for name, check in META_CHECKS.items():
        if name not in meta:
            raise ValueError(f"checkpoint meta must hold {name!r}, got {sorted(meta)}.")
        check(meta[name], name)
    return dict(meta)


def _is_any_number(value: object) -> bool:
    """Tell whether `value` is a number; NaN and infinity are, for a training may diverge."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (int, float, str))


def _check_mode(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, got {value!r}.")


def _check_history(value: Any, name: str) -> None:
    """Check lists of numbers by name, those that a trainer writes to among them."""
    if not isinstance(value, dict) or not set(HISTORIES) <= set(value):
        raise ValueError(f"{name} must hold the lists {', '.join(HISTORIES)}, got {value!r}.")
    for key, numbers in value.items():
        if not isinstance(numbers, list) or not all(map(_is_any_number, numbers)):
            raise ValueError(f"{name}[{key!r}] must be a list of numbers, got {numbers!r}.")


def _check_clip(value: Any, name: str) -> None:
    if value is not None:
        check_not_negative(value, name)


def _check_scheduler(value: Any, name: str) -> None:
    if not isinstance(value, dict) or not all(map(_is_plain, value.values())):
        raise ValueError(f"{name} must hold numbers, texts or None by name, got {value!r}.")


def _check_watch(value: Any, name: str) -> None:
    """Check the best loss, infinite before there is one, and the count of epochs since."""
    if value is None:
        return
    if not isinstance(value, list) or len(value) != 2 or not _is_any_number(value[0]) or math.isnan(value[0]):
        raise ValueError(f"{name} must be None or a loss and a count of epochs, got {value!r}.")
    check_integer(value[1], name)


def _check_states(states: Any, name: str) -> None:
    """Check that numpy takes each state, by setting it in a new generator of its kind."""
    if not isinstance(states, list):
        raise ValueError(f"{name} must be a list of states, got {states!r}.")
    for state in states:
        kind = state.get("bit_generator") if isinstance(state, dict) else None
        maker = getattr(np.random, kind, None) if isinstance(kind, str) else None
        if not isinstance(maker, type) or not issubclass(maker, np.random.BitGenerator):
            raise ValueError(f"{name} must hold states of numpy's bit generators, got {state!r}.")
        try:
            maker(0).state = state  # type: ignore[misc, call-arg]
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{name} must hold states that numpy takes, got {state!r}.") from error


META_CHECKS: dict[str, Callable[[Any, str], object]] = {
    "epoch": check_integer,
    "step": check_integer,
    "training_mode": _check_mode,
    "history": _check_history,
    "grad_clip_norm": _check_clip,
    "scheduler": _check_scheduler,
    "watch": _check_watch,
    "model_generators": _check_states,
    "loader_generators": _check_states,
}
"""What each entry of the description must be."""
