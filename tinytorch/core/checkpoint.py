"""Ground floor, what a checkpoint needs besides weights: the states of random generators. Numpy only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinytorch.core._walk import walk

__all__ = ["find_generators", "get_generator_states", "set_generator_states"]


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
        If there are more or fewer states than generators, or of other kinds. No generator is changed then.
    """
    have = [generator.bit_generator.state["bit_generator"] for generator in generators]
    wanted = [state["bit_generator"] for state in states]
    if have != wanted:
        raise ValueError(f"generators must be of the kinds {wanted}, got {have}.")
    for generator, state in zip(generators, states, strict=True):
        generator.bit_generator.state = state
