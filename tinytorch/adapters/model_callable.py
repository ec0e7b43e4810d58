"""Floor 4: a function of somebody's own file as a model: `module:callable`, with the file's hash, never pickled.

Reads and runs the file that it is told of.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tinytorch.mlops.validate import as_features, as_probabilities

TARGET_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
# So many digits of a file's hash tell its modules apart in `sys.modules`.
SHORT_HASH = 16


class CallableModel:
    """A function, or an object with `predict_proba`, that an importable file defines.

    What runs is exactly the bytes whose hash was recorded: the file is read once, hashed, and run from memory. Other
    files that it imports are not covered by the hash.

    Parameters
    ----------
    target : str
        `module:callable`, such as `scoring.rules:predict`. The function takes features of shape (n, n_features) and
        returns probabilities of shape (n, n_classes).
    file_sha256 : str, optional
        What the file must hash to; any, when not given.

    Raises
    ------
    ValueError
        If there is no such file or name, the file changed, or running it fails.

    Examples
    --------
    >>> CallableModel("no_such_module:predict")
    Traceback (most recent call last):
    ...
    ValueError: target must name a module in a .py file, got 'no_such_module:predict'.
    """

    def __init__(self, target: str, file_sha256: str | None = None) -> None:
        if not isinstance(target, str) or not TARGET_PATTERN.fullmatch(target):
            raise ValueError(f"target must be module:callable, such as scoring:predict, got {target!r}.")
        self.target = target
        module_name, _, name = target.partition(":")
        path = _find_file(module_name, target)
        content = path.read_bytes()
        self.file_sha256 = hashlib.sha256(content).hexdigest()
        if file_sha256 not in (None, self.file_sha256):
            raise ValueError(
                f"{target} must be the file that was registered (SHA-256 {str(file_sha256)[:12]}...), "
                f"got {self.file_sha256[:12]}... in {path}: register it as a new version."
            )
        self._answer = _find_callable(_run_file(module_name, path, content), name, target)

    @property
    def content_hash(self) -> str:
        """The hash of the file and of the name in it."""
        return hashlib.sha256(f"{self.target}|{self.file_sha256}".encode()).hexdigest()

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the function's probabilities of shape (n, n_classes).

        Raises
        ------
        ValueError
            If the features are malformed, or the answers are no probabilities, one row each.
        """
        table = as_features(features)
        answers = as_probabilities(self._answer(table))
        if len(answers) != len(table):
            raise ValueError(f"{self.target} must answer {len(table)} rows, got {len(answers)}.")
        return answers


def target_of(function: Any) -> str:
    """Return under which `module:callable` a plain function can be imported again.

    Raises
    ------
    ValueError
        If it cannot: it was typed at a prompt, or made inside another function.

    Examples
    --------
    >>> target_of(as_probabilities)
    'tinytorch.mlops.validate:as_probabilities'
    >>> target_of(lambda features: features)
    Traceback (most recent call last):
    ...
    ValueError: model must be a function at the top of an importable file, got <lambda>.
    """
    module, name = getattr(function, "__module__", None), str(getattr(function, "__qualname__", function))
    if not module or module == "__main__" or "<" in name:
        raise ValueError(f"model must be a function at the top of an importable file, got {name}.")
    return f"{module}:{name}"


def _find_file(module_name: str, target: str) -> Path:
    """Return the source file of a module; the packages around it are imported, it itself is not."""
    try:
        spec = importlib.util.find_spec(module_name)
    except (ImportError, ValueError) as error:
        raise ValueError(f"target must name a module in a .py file, got {target!r} ({error}).") from error
    if spec is None or not isinstance(spec.loader, SourceFileLoader) or spec.origin is None:
        raise ValueError(f"target must name a module in a .py file, got {target!r}.")
    return Path(spec.origin)


def _run_file(module_name: str, path: Path, content: bytes) -> ModuleType:
    """Run exactly these bytes as a module of their own, beside any that is imported under the plain name."""
    private_name = f"_{module_name.replace('.', '_')}_{hashlib.sha256(content).hexdigest()[:SHORT_HASH]}"
    spec = ModuleSpec(private_name, SourceFileLoader(private_name, str(path)), origin=str(path))
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    module.__package__ = module_name.rpartition(".")[0]  # so that its relative imports find their neighbours
    sys.modules[private_name] = module  # dataclasses look their module up
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[private_name]
        raise ValueError(f"{path} must run, got {type(error).__name__}: {error}.") from error
    return module


def _find_callable(module: ModuleType, name: str, target: str) -> Callable[[np.ndarray], Any]:
    """Return the function of this name, or `predict_proba` of the object of this name."""
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    answer = found if isinstance(found, type) else getattr(found, "predict_proba", found)
    if isinstance(answer, type) or not callable(answer):
        raise ValueError(f"{target} must be a function or an object with predict_proba, got {found!r}.")
    return answer  # type: ignore[no-any-return]
