"""What the pipeline says about itself, in words and as plain values."""

from __future__ import annotations

import json

from tinytorch.mlops.contracts import Alert, ModelVersion
from tinytorch.mlops.status import Event, PipelineStatus, SystemHealth

ALERT = Alert("accuracy_low", "firing", "critical", 0.8, 0.9, 0.0, 1, "accuracy fell")


def test_health_is_lost_when_an_alert_fires_and_says_which():
    assert SystemHealth((), None, 2).healthy
    ill = SystemHealth((ALERT, ALERT), None, None)
    assert not ill.healthy
    assert str(ill) == "; ".join(["accuracy_low firing (critical): accuracy fell"] * 2)


def test_status_says_who_serves_and_who_is_on_trial():
    first, second = ModelVersion("digits", 1), ModelVersion("digits", 2)
    assert str(PipelineStatus(first, None, 0.0, 3, ())) == "version 1 serves, 3 requests answered"
    on_trial = PipelineStatus(first, second, 0.25, 3, ())
    assert str(on_trial) == "version 1 serves, version 2 on trial, 3 requests answered"


def test_records_inside_records_are_written_whole():
    status = PipelineStatus(ModelVersion("digits", 1), None, 0.0, 3, (Event(1.0, "drift", "began"),))
    plain = json.loads(json.dumps(status.to_dict()))
    assert plain["champion"]["model_name"] == "digits"
    assert plain["events"] == [{"timestamp": 1.0, "kind": "drift", "message": "began"}]
    assert SystemHealth((ALERT,), None, None).to_dict()["firing_alerts"][0]["rule"] == "accuracy_low"
