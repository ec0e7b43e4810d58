"""Every summary class keeps the contract's method names and is exported."""

from __future__ import annotations

import inspect

import pytest

from tinytorch.stats import summaries
from tinytorch.stats.summaries import CategoryCounts, Histogram, Missing, Moments, Quantiles, TableSummary


@pytest.mark.parametrize("kind", [CategoryCounts, Histogram, Missing, Moments, Quantiles, TableSummary])
def test_the_batch_comes_first_and_everything_else_by_name(kind):
    batch, *others = inspect.signature(kind.from_batch).parameters.values()
    assert batch.name == "batch"
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in others)
    assert list(inspect.signature(kind.merge).parameters) == ["self", "other"]


def test_every_exported_name_exists():
    assert all(hasattr(summaries, name) for name in summaries.__all__)
    assert list(summaries.__all__) == sorted(summaries.__all__)
