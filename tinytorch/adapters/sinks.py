"""Floor 4: where alerts go: a log file, a webhook, Prometheus' Alertmanager. Standard library only.

A sink either delivers or raises `DeliveryError`; nothing is dropped in silence.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from tinytorch._arguments import check_integer, check_positive
from tinytorch.mlops.contracts import Alert
from tinytorch.mlops.validate import check_text

# Longer than a healthy receiver ever takes, and short enough to try again while the alert matters.
DEFAULT_TIMEOUT_S = 5.0
DEFAULT_ATTEMPTS = 3
# The pause doubles after every attempt: half a second, one second, ...
FIRST_PAUSE_S = 0.5
# An alert of a monitor that died without a word ends a day later: by then somebody has looked, or nobody will.
LONGEST_UNSAID_S = 86_400.0
HTTP_OK = range(200, 300)


class DeliveryError(OSError):
    """An alert could not be delivered; the message says where to, how often it was tried, and why it failed.

    Examples
    --------
    >>> isinstance(DeliveryError("http://127.0.0.1:9 did not take it"), OSError)
    True
    """


class Sink(Protocol):
    """Takes alerts out of the process.

    Examples
    --------
    >>> hasattr(Sink, "send")
    True
    """

    def send(self, alerts: Sequence[Alert]) -> None:
        """Deliver alerts, or raise `DeliveryError`."""


class LogSink:
    """Appends one line of JSON per alert to a file.

    Examples
    --------
    >>> import tempfile
    >>> alert = Alert("accuracy_low", "firing", "critical", 0.81, 0.9, 0.0, 1, "accuracy fell")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     LogSink(f"{folder}/alerts.jsonl").send([alert])
    ...     json.loads(Path(f"{folder}/alerts.jsonl").read_text(encoding="utf-8"))["rule"]
    'accuracy_low'
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def send(self, alerts: Sequence[Alert]) -> None:
        """Write the alerts to the end of the file, all in one piece, and see them onto the disk."""
        lines = "".join(json.dumps(alert.to_dict()) + "\n" for alert in alerts)
        try:
            with open(self.path, "a", encoding="utf-8", newline="\n") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DeliveryError(f"{self.path} did not take {len(alerts)} alerts: {error}.") from error


class WebhookSink:
    """Posts alerts as JSON to an address: `{"alerts": [...]}`, each alert with all its fields.

    Parameters
    ----------
    url : str
        Of http or https.
    timeout_s : float
        For each attempt.
    attempts : int
        How often to try; the pause between two attempts doubles each time, from half a second.
    sleep : callable
        Waits for so many seconds; tests hand in one that does not.

    Raises
    ------
    ValueError
        If the address is not of http or https, or a number breaks its rule.

    Examples
    --------
    >>> WebhookSink("http://127.0.0.1:8000/alerts").url
    'http://127.0.0.1:8000/alerts'
    """

    def __init__(
        self,
        url: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        attempts: int = DEFAULT_ATTEMPTS,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.url = _check_url(url)
        self.timeout_s = check_positive(timeout_s, "timeout_s")
        self.attempts = check_integer(attempts, "attempts", minimum=1)
        self._sleep = sleep

    def send(self, alerts: Sequence[Alert]) -> None:
        """Post the alerts, trying again if the receiver does not answer with success.

        Raises
        ------
        DeliveryError
            If no attempt succeeded.
        """
        self.post({"alerts": [alert.to_dict() for alert in alerts]})

    def post(self, content: Any) -> None:
        """Post any JSON content in the same manner."""
        problem = ""
        for attempt in range(self.attempts):
            if attempt:
                self._sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
            problem = self._try_once(json.dumps(content).encode("utf-8"))
            if not problem:
                return
        raise DeliveryError(f"{self.url} did not take it in {self.attempts} attempts: {problem}.")

    def _try_once(self, body: bytes) -> str:
        """Post once; return what went wrong, or nothing."""
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                return "" if answer.status in HTTP_OK else f"status {answer.status}"
        except OSError as error:  # URLError and HTTPError are two of them
            return str(error)
        except http.client.HTTPException as error:  # whoever answers speaks no HTTP
            return f"no answer of HTTP, {error!r}"


class AlertmanagerSink:
    """Posts alerts to Prometheus' Alertmanager, which groups them, silences them and calls people.

    Alertmanager takes an alert without an end for resolved when it has not heard of it for five minutes, and a monitor
    says a change once: so a firing alert is posted with an end a day ahead, a resolved one with the moment it ended.

    Parameters
    ----------
    url : str
        Of the Alertmanager, such as `http://127.0.0.1:9093`.
    model_name : str
        The label `model` of every alert.
    timeout_s : float

    Examples
    --------
    >>> AlertmanagerSink("http://127.0.0.1:9093/", "digits").url
    'http://127.0.0.1:9093/api/v2/alerts'
    """

    def __init__(self, url: str, model_name: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self.model_name = check_text(model_name, "model_name")
        self._webhook = WebhookSink(url.rstrip("/") + "/api/v2/alerts", timeout_s)
        self.url = self._webhook.url
        self._started: dict[str, float] = {}

    def send(self, alerts: Sequence[Alert]) -> None:
        """Post the alerts; one that was resolved ends in Alertmanager, too.

        Raises
        ------
        DeliveryError
            If no attempt succeeded.
        """
        started = dict(self._started)
        content = [self._describe(alert, started) for alert in alerts]
        self._webhook.post(content)
        self._started = started

    def _describe(self, alert: Alert, started: dict[str, float]) -> dict[str, Any]:
        """Return an alert in Alertmanager's words; the rule and the model make it the same alert as before."""
        began = started.setdefault(alert.rule, alert.timestamp)
        resolved = alert.state == "resolved"
        if resolved:
            del started[alert.rule]
        return {
            "labels": {"alertname": alert.rule, "severity": alert.severity, "model": self.model_name},
            "annotations": {"summary": alert.message, "model_version": str(alert.model_version)},
            "startsAt": _as_rfc3339(began),
            "endsAt": _as_rfc3339(alert.timestamp if resolved else time.time() + LONGEST_UNSAID_S),
        }


def _check_url(url: str) -> str:
    """Return an address that a request can be sent to, or refuse it."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except (ValueError, AttributeError):  # such as a port that is no number
        is_address = False
    if not is_address or any(not mark.isprintable() or mark.isspace() for mark in url):
        raise ValueError(f"url must be an address of http or https, got {url!r}.")
    return url


def _as_rfc3339(moment: float) -> str:
    """Write a moment (seconds since the epoch) as Alertmanager reads it."""
    return datetime.fromtimestamp(moment, tz=timezone.utc).isoformat().replace("+00:00", "Z")
