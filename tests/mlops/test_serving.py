"""Who answers which request: never an error that the challenger made, never a request without its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from batches import Always

from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.deploy import AuditedRegistry, split_traffic
from tinytorch.mlops.serving import Router, answer


class TooFew(Always):
    """A model that forgets a row."""

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        return super().predict_proba(features[1:])


def a_router(*models: Any) -> Router:
    registry = AuditedRegistry()
    for number, model in enumerate(models):
        registry.register(model, ModelVersion("digits", content_hash=str(number)))
    registry.promote("digits", 1, expected_revision=0)
    return Router(registry, "digits", split_traffic)


def route(router: Router, n_rows: int = 200) -> tuple[Any, str | None]:
    return router.route(np.arange(n_rows), np.zeros((n_rows, 1)), now=7.0)


def test_the_champion_answers_everything_while_nobody_is_on_trial():
    (batch,), failure = route(a_router(Always(1), Always(0)))
    assert failure is None
    assert (batch.model_version, batch.timestamp, len(batch)) == (1, 7.0, 200)
    assert (batch.predictions == 1).all()
    assert (batch.latency_ms == batch.latency_ms[0]).all()
    assert batch.latency_ms[0] >= 0


def test_every_request_is_answered_once_and_the_challengers_share_is_its_weight():
    router = a_router(Always(0), Always(1))
    router.start_rollout(2, 0.3)
    (champion, challenger), failure = route(router, 2000)
    assert failure is None
    assert sorted([*champion.request_ids, *challenger.request_ids]) == list(range(2000))
    assert (champion.predictions == 0).all()
    assert (challenger.predictions == 1).all()
    # The count is binomial (2000, 0.3): beyond 5 standard deviations of 20.5 chance goes once in a million.
    assert abs(len(challenger) - 600) < 103
    router.stop_rollout()
    assert len(route(router)[0]) == 1


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_all_or_nothing_leaves_the_other_without_rows(weight: float):
    router = a_router(Always(0), Always(1))
    router.start_rollout(2, weight)
    (champion, challenger), failure = route(router)
    assert failure is None
    assert (len(champion), len(challenger)) == ((200, 0) if weight == 0 else (0, 200))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Always(RuntimeError("out of memory")), "RuntimeError: out of memory"),
        (Always(None), "ValueError: probabilities must be finite"),
        (TooFew(1), "must have the same length"),
        (object(), "AttributeError"),
    ],
)
def test_what_the_challenger_fails_on_is_answered_by_the_champion(broken: Any, said: str):
    router = a_router(Always(0), broken)
    router.start_rollout(2, 0.5)
    (batch,), failure = route(router)
    assert failure is not None
    assert said in failure
    assert batch.model_version == 1
    assert batch.request_ids.tolist() == list(range(200))


@pytest.mark.parametrize("broken", [Always(None), TooFew(1), Always(RuntimeError("no"))])
def test_a_champion_that_cannot_answer_is_an_error_for_the_caller(broken: Any):
    with pytest.raises((ValueError, RuntimeError)):
        route(a_router(broken))


@pytest.mark.parametrize(
    ("ids", "features", "message"),
    [
        ([1, 1], [[0.0], [0.0]], "request_ids must be distinct"),
        ([1], [[0.0], [0.0]], "request_ids, features must have the same length, got 1, 2"),
        ([1], [[np.nan]], "features must be finite"),
    ],
)
def test_malformed_requests_are_refused(ids: Any, features: Any, message: str):
    router = a_router(Always(0), Always(1))
    router.start_rollout(2, 1.0)
    with pytest.raises(ValueError, match=message):
        router.route(ids, features, now=0.0)


def test_an_empty_batch_is_answered_by_an_empty_one():
    batches, failure = route(a_router(Always(0)), 0)
    assert (len(batches[0]), failure) == (0, None)


def test_a_version_that_is_not_registered_is_an_error():
    router = a_router(Always(0))
    with pytest.raises(ValueError, match="version_or_alias must be 1 to 1"):
        answer(router.registry, "digits", 9, (np.arange(1), np.zeros((1, 1))), 0.0)
