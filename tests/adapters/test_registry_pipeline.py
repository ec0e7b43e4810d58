"""The whole loop on a registry in a file, begun by a plain function: it is found wanting, and a network takes over."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.model_callable import CallableModel
from tinytorch.adapters.registry_verify import verify_registry
from tinytorch.adapters.sqlite_registry import SqliteRegistry
from tinytorch.mlops.contracts import LabelBatch
from tinytorch.mlops.deploy import CanaryRollout, split_traffic
from tinytorch.mlops.drift import UnivariateDetector
from tinytorch.mlops.hashing import hash_model
from tinytorch.mlops.monitor import WindowedMonitor
from tinytorch.mlops.pipeline import DeploymentStage, MLOpsPipeline, RetrainingStage
from tinytorch.mlops.retrain import (
    BudgetedTrigger,
    NetworkModel,
    NetworkTrainer,
    RetrainingSession,
    compare_by_mcnemar,
)

# A rule of thumb that was right once: class 1 where the first feature is positive.
RULE = """
import numpy as np

def guess(features):
    likely = np.where(features[:, 0] > 0, 0.9, 0.1)
    return np.column_stack([1 - likely, likely])
"""
HOUR_S = 3600.0
ROWS_AN_HOUR = 100


@pytest.fixture
def rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CallableModel:
    (tmp_path / "rule_of_thumb.py").write_text(RULE, encoding="utf-8", newline="\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return CallableModel("rule_of_thumb:guess")


def truth(features: np.ndarray, hour: int) -> np.ndarray:
    """From the third hour on, the second feature decides."""
    return (features[:, 0 if hour < 3 else 1] > 0).astype(int)


def make_loop(registry: SqliteRegistry, rng: np.random.Generator) -> MLOpsPipeline:
    features = rng.normal(size=(200, 2))
    trainer = NetworkTrainer(hidden_units=8, epochs=20, n_classes=2)
    retraining = RetrainingStage(
        BudgetedTrigger(cooldown_s=HOUR_S),
        RetrainingSession(trainer, compare_by_mcnemar),
        features,
        truth(features, 0),
        is_holdout=lambda request_ids: request_ids % 3 == 0,
        rng=rng,
    )
    deployment = DeploymentStage(registry, split_traffic, CanaryRollout, first_weight=0.5)
    return MLOpsPipeline(
        "sign", WindowedMonitor("sign", 1.0, n_baseline=200), UnivariateDetector(), retraining, deployment
    )


def test_a_plain_function_is_the_first_champion_and_a_network_that_was_trained_takes_over(
    tmp_path: Path, rule: CallableModel
) -> None:
    rng = np.random.default_rng(0)
    with SqliteRegistry(tmp_path / "registry", actor="loop") as registry:
        pipeline = make_loop(registry, rng)
        first = pipeline.start_monitoring(rule, 1.0, n_baseline=200, now=0.0)
        assert first.content_hash == hash_model(rule) == rule.content_hash
        for hour in range(1, 16):
            ids, features = np.arange(ROWS_AN_HOUR) + hour * ROWS_AN_HOUR, rng.normal(size=(ROWS_AN_HOUR, 2))
            pipeline.predict(ids, features, now=hour * HOUR_S)
            pipeline.record_labels(LabelBatch(ids, truth(features, hour), timestamp=hour * HOUR_S + 60))
            pipeline.run_cycle(now=hour * HOUR_S + 120)
    with SqliteRegistry(tmp_path / "registry") as registry:
        champion = registry.get("sign", "champion")
        assert champion.version > 1 and champion.parent is not None
        network = registry.load("sign", "champion")
        assert isinstance(network, NetworkModel)
        question = rng.normal(size=(2000, 2))
        by_rule = registry.load("sign", 1).predict_proba(question)
        assert np.array_equal(by_rule, rule.predict_proba(question))
        now_right = truth(question, 15)
        # The first network also learned from the rows of the first hours; right in half of all cases is the rule now.
        assert (network.predict(question) == now_right).mean() > (by_rule.argmax(axis=1) == now_right).mean() + 0.05
    assert verify_registry(tmp_path / "registry").problems == ()
