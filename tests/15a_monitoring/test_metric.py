"""One measured figure: it is a record, and it refuses what is no figure."""

from __future__ import annotations

import json
import math

import pytest

from tinytorch.mlops.monitor import Metric


def test_a_metric_is_ready_for_json() -> None:
    assert json.loads(json.dumps(Metric("MAE", 2.0, 1.0, 3.0, 40).to_dict()))["value"] == 2.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"n": 0}, "n must be"),
        ({"value": math.nan}, "value must be"),
        ({"low": 4.0}, "low must be <= high, got 4.0 and 3.0."),
    ],
)
def test_what_is_no_figure_is_refused(change: dict, message: str) -> None:
    fields = {"name": "MAE", "value": 2.0, "low": 1.0, "high": 3.0, "n": 40, **change}
    with pytest.raises(ValueError, match=message):
        Metric(**fields)
