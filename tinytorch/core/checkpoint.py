"""Ground floor, files of arrays: written whole or not at all, read without running anything in them.

Touches only the path it is handed.
"""

from __future__ import annotations

import json
import os
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch.core._walk import walk
from tinytorch.core.autograd import Array

__all__ = ["find_generators", "get_generator_states", "read_arrays", "set_generator_states", "write_arrays"]


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write named arrays to exactly `path`: after a crash it holds the old content or the new, never a part.

    Parameters
    ----------
    path : path-like
        The file; missing folders are made.
    arrays : mapping of str to ndarray
        Arrays of numbers or text, no Python objects.

    Raises
    ------
    ValueError
        If an array holds Python objects; they could only be stored as a pickle, which runs code when read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_arrays(Path(folder) / "weights.bin", {"a": np.arange(3)})
    ...     read_arrays(Path(folder) / "weights.bin")["a"]
    array([0, 1, 2])
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"arrays[{name!r}] must hold numbers or text, got Python objects.")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the final rename stays within one file system.
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with open(draft, "xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def read_arrays(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read every array of a file that `write_arrays` wrote.

    Raises
    ------
    ValueError
        If the file is no archive of arrays, is damaged, or contains a pickle.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    # A bare array, which is no archive, is an attribute or a type error, as Python's version has it.
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"path must name a whole file of numpy arrays, got {os.fspath(path)!r} ({error}).") from error


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
