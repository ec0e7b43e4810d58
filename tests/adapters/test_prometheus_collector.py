"""What Prometheus sees: well-formed text, the figures of prometheus-client itself; and a real Prometheus reads it."""

from __future__ import annotations

import importlib
import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batches import answered

from tinytorch.mlops.contracts import Alert, DriftReport
from tinytorch.mlops.monitor import Metric

prometheus_client = pytest.importorskip(
    "prometheus_client", reason="prometheus-client is not installed (the observe extra brings it)"
)

MOST_SECONDS = 60
"""Not a budget: a Prometheus that never answers ends the test some day."""


def a_collector(**options: Any) -> Any:
    """Made here: the room can be entered only where prometheus-client is installed."""
    return importlib.import_module("tinytorch.adapters.prometheus_collector").ModelCollector("digits", **options)


@pytest.fixture
def collector() -> Any:
    made = a_collector()
    made.observe(answered([1, 2, 3], latency_ms=[0.05, 0.3, 9999.0]))
    made.observe(answered([4], version=2, latency_ms=2.0))
    made.set_metrics([Metric("accuracy", 0.9, 0.8, 0.95, n=40)])
    made.set_report(
        DriftReport(("a", "b"), "KS", [0.1, 0.9], [0.4, 0.0], [0.4, 0.0], [0.1, 0.9], [0, 0], 0.01, 0.1, 60, 20, 0.0)
    )
    made.set_alerts([Alert("accuracy_low", "firing", "critical", 0.8, 0.9, 0.0, 1, "fell")])
    return made


def exposition(collector: Any) -> str:
    registry = prometheus_client.CollectorRegistry()
    registry.register(collector)
    return prometheus_client.generate_latest(registry).decode("utf-8")


def test_every_part_is_shown(collector: Any) -> None:
    lines = exposition(collector).splitlines()
    for line in (
        'tinytorch_predictions_total{model="digits",version="1"} 3.0',
        'tinytorch_latency_seconds_bucket{le="0.0005",model="digits",version="1"} 2.0',
        'tinytorch_latency_seconds_bucket{le="+Inf",model="digits",version="1"} 3.0',
        'tinytorch_quality{metric="accuracy",model="digits"} 0.9',
        'tinytorch_quality_bound{bound="low",metric="accuracy",model="digits"} 0.8',
        'tinytorch_quality_rows{metric="accuracy",model="digits"} 40.0',
        'tinytorch_drift_detected{feature="b",model="digits"} 1.0',
        'tinytorch_drift_effect_size{feature="a",model="digits"} 0.1',
        'tinytorch_alert_firing{model="digits",rule="accuracy_low",severity="critical"} 1.0',
    ):
        assert line in lines


def test_a_resolved_alert_is_shown_as_quiet(collector: Any) -> None:
    collector.set_alerts([Alert("accuracy_low", "resolved", "critical", 0.95, 0.93, 9.0, 1, "back")])
    assert 'tinytorch_alert_firing{model="digits",rule="accuracy_low",severity="critical"} 0.0' in exposition(collector)


def test_the_histogram_is_that_of_prometheus_client_observed_one_by_one() -> None:
    ours = a_collector()
    bounds = ours.bounds_s
    latencies_ms = np.concatenate([np.random.default_rng(0).lognormal(0, 3, 500), 1000.0 * np.array(bounds)])
    theirs = prometheus_client.Histogram(
        "tinytorch_latency_seconds", "", ["model", "version"], buckets=bounds, registry=None
    )
    ours.observe(answered(np.arange(len(latencies_ms)), latency_ms=latencies_ms))
    for latency_ms in latencies_ms:
        theirs.labels("digits", "1").observe(latency_ms / 1000.0)
    expected = {(s.name, s.labels.get("le")): s.value for s in theirs.collect()[0].samples if "created" not in s.name}
    found = {(s.name, s.labels.get("le")): s.value for family in ours.collect() for s in family.samples}
    for key, value in expected.items():
        assert found[key] == pytest.approx(value), key


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian's package prometheus)")
def test_promtool_finds_nothing_wrong_with_the_text(collector: Any) -> None:
    outcome = subprocess.run(
        ["promtool", "check", "metrics"], input=exposition(collector), capture_output=True, text=True, check=False
    )
    assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, "")


@pytest.fixture
def scraped(collector: Any, tmp_path: Path) -> Iterator[str]:
    """A real Prometheus that reads the collector every second; yields its address."""
    registry = prometheus_client.CollectorRegistry()
    registry.register(collector)
    server, thread = prometheus_client.start_http_server(0, addr="127.0.0.1", registry=registry)
    target = {"targets": [f"127.0.0.1:{server.server_port}"]}
    job = {"job_name": "model", "scrape_interval": "1s", "static_configs": [target]}
    (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    prometheus = subprocess.Popen(
        [
            "prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address={address}",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield f"http://{address}"
    prometheus.terminate()
    prometheus.wait()
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask(address: str, query: str) -> list[str]:
    """The values that Prometheus has of a query; none while it has not yet looked."""
    try:
        with urllib.request.urlopen(f"{address}/api/v1/query?query={urllib.parse.quote(query)}", timeout=5) as answer:
            return [series["value"][1] for series in json.load(answer)["data"]["result"]]
    except OSError:
        return []


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
def test_a_real_prometheus_reads_it(scraped: str) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while not (found := ask(scraped, 'tinytorch_predictions_total{model="digits",version="1"}')):
        assert time.monotonic() < deadline, "Prometheus has not read the collector"
        time.sleep(0.2)
    assert found == ["3"]
    assert ask(scraped, 'tinytorch_quality_bound{bound="low"}') == ["0.8"]
    assert ask(scraped, "histogram_quantile(0.5, sum by (le) (tinytorch_latency_seconds_bucket))") != []


@pytest.mark.parametrize(
    ("bounds", "message"),
    [((), "bounds_s must rise"), ((1.0, 0.5), "bounds_s must rise"), ((0.0,), "bounds_s must be > 0")],
)
def test_bounds_that_make_no_bins_are_refused(bounds: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        a_collector(bounds_s=bounds)


def test_what_is_no_record_is_refused_before_anything_is_shown() -> None:
    collector = a_collector()
    with pytest.raises(ValueError, match="report must be a DriftReport, got str"):
        collector.set_report("none")
    with pytest.raises(AttributeError):
        collector.set_metrics([Metric("accuracy", 0.9, 0.8, 0.95, n=100), "none"])
    shown = [sample for family in collector.collect() for sample in family.samples]
    assert shown == []
