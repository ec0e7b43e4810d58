"""Floor 1: who answers which request. Champion and challenger side by side, and never an error for the caller.

May import contracts and protocols of the stages; the concrete registry and split are handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tinytorch.mlops.contracts import PredictionBatch, Registry
from tinytorch.mlops.validate import as_features, as_probabilities, as_request_ids, check_same_length

# Seconds to milliseconds.
MS_PER_S = 1000.0


def answer(
    registry: Registry, name: str, version: int, requests: tuple[np.ndarray, np.ndarray], now: float
) -> PredictionBatch:
    """Let one version answer `(request_ids, features)` and time it.

    The latency of every request is that of the whole call: each waited until all were answered.

    Raises
    ------
    ValueError
        If the requests are malformed, or the model's answers are not probabilities.

    Examples
    --------
    >>> from tinytorch.mlops.contracts import ModelVersion
    >>> from tinytorch.mlops.deploy.registry import AuditedRegistry
    >>> class Uniform:
    ...     def predict_proba(self, features):
    ...         return np.full((len(features), 2), 0.5)
    >>> registry = AuditedRegistry()
    >>> version = registry.register(Uniform(), ModelVersion("digits", content_hash="aa")).version
    >>> print(answer(registry, "digits", version, (np.arange(3), np.zeros((3, 4))), now=0.0))
    3 predictions by version 1
    """
    request_ids, features = requests
    model = registry.load(name, version)
    started = time.perf_counter()
    probabilities = as_probabilities(model.predict_proba(features)) if len(features) else None
    elapsed_ms = (time.perf_counter() - started) * MS_PER_S
    predictions = np.zeros(0) if probabilities is None else probabilities.argmax(axis=1)
    latency_ms = np.full(len(features), elapsed_ms)
    return PredictionBatch(request_ids, features, predictions, probabilities, latency_ms, now, version)


class Router:
    """Sends each request to the champion or, while a rollout runs, a share of them to the challenger.

    Parameters
    ----------
    registry : Registry
    name : str
        The model's name in the registry.
    split : callable
        `split(request_ids, challenger_weight, salt)` returns booleans: True goes to the challenger.

    Examples
    --------
    >>> from tinytorch.mlops.contracts import ModelVersion
    >>> from tinytorch.mlops.deploy import AuditedRegistry, split_traffic
    >>> class Uniform:
    ...     def predict_proba(self, features):
    ...         return np.full((len(features), 2), 0.5)
    >>> registry = AuditedRegistry()
    >>> _ = registry.register(Uniform(), ModelVersion("digits", content_hash="aa"))
    >>> _ = registry.promote("digits", 1, expected_revision=0)
    >>> batches, failure = Router(registry, "digits", split_traffic).route(np.arange(3), np.zeros((3, 4)), now=0.0)
    >>> print(batches[0], failure)
    3 predictions by version 1 None
    """

    def __init__(self, registry: Registry, name: str, split: Callable[[np.ndarray, float, str], np.ndarray]) -> None:
        self.registry = registry
        self.name = name
        self.split = split
        self.challenger_version: int | None = None
        self.challenger_weight = 0.0

    def start_rollout(self, version: int, weight: float) -> None:
        """Give a challenger its share of traffic from the next request on."""
        self.challenger_version, self.challenger_weight = version, weight

    def stop_rollout(self) -> None:
        """Send everything to the champion from the next request on."""
        self.challenger_version, self.challenger_weight = None, 0.0

    def route(
        self, request_ids: np.ndarray, features: np.ndarray, now: float
    ) -> tuple[tuple[PredictionBatch, ...], str | None]:
        """Return the answers, one batch a version, and what the challenger failed with, if it did.

        Requests that the challenger fails on are answered by the champion.

        Raises
        ------
        ValueError
            If the requests are malformed, or the champion cannot answer.
        """
        ids, table = as_request_ids(request_ids), as_features(features)
        check_same_length({"request_ids": ids, "features": table})
        champion = self.registry.get(self.name, "champion").version
        if self.challenger_version is None:
            return (self._answer(champion, ids, table, now),), None
        theirs = self.split(ids, self.challenger_weight, f"{self.name}-{self.challenger_version}")
        try:
            challenged = self._answer(self.challenger_version, ids[theirs], table[theirs], now)
        except Exception as error:  # a broken challenger must not reach the caller; its failure is handed on
            failure = f"{type(error).__name__}: {error}"
            return (self._answer(champion, ids, table, now),), failure
        return (self._answer(champion, ids[~theirs], table[~theirs], now), challenged), None

    def _answer(self, version: int, ids: np.ndarray, features: np.ndarray, now: float) -> PredictionBatch:
        """Let one version answer its part of the requests."""
        return answer(self.registry, self.name, version, (ids, features), now)
