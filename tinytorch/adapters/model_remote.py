"""Floor 4: a model that runs at a URL, asked by the Open Inference Protocol's JSON. Touches the network.

The server's first input takes the features; "probabilities", or else its first output, answers.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tinytorch._arguments import check_positive
from tinytorch.mlops.validate import as_features, as_probabilities

# A model that takes longer is no use to a caller who waits; a stalled server must not stall its router.
DEFAULT_TIMEOUT_S = 5.0
PROBABILITIES = "probabilities"


class RemoteModel:
    """A model at a URL such as `http://127.0.0.1:8080/v2/models/digits`.

    Its content hash is that of the URL: what runs behind it can change without notice, and the registry cannot know.

    Parameters
    ----------
    url : str
        Of the model, without `/infer`; http or https.
    timeout_s : float
        How long each answer may take.

    Examples
    --------
    >>> RemoteModel("file:///etc/passwd")
    Traceback (most recent call last):
    ...
    ValueError: url must be http(s)://HOST[:PORT]/v2/models/NAME, got 'file:///etc/passwd'.
    """

    def __init__(self, url: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or "/v2/models/" not in url:
            raise ValueError(f"url must be http(s)://HOST[:PORT]/v2/models/NAME, got {url!r}.")
        self.url = url.rstrip("/")
        self.timeout_s = check_positive(timeout_s, "timeout_s")
        self._input: dict[str, Any] | None = None
        self._n_classes = 2  # of an empty table's answer, until the server has answered once

    @property
    def content_hash(self) -> str:
        """The hash of the URL."""
        return hashlib.sha256(self.url.encode()).hexdigest()

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the server's probabilities of shape (n, n_classes).

        Raises
        ------
        ValueError
            If the features are malformed, or the server refuses them or answers with something else.
        ConnectionError
            If the server cannot be reached, is too slow, or fails.
        """
        table = as_features(features)
        if not len(table):
            return np.zeros((0, self._n_classes))
        if self._input is None:
            self._input = self._first_input()
        tensor = {**self._input, "shape": list(table.shape), "data": table.ravel().tolist()}
        answer = self._ask("/infer", {"inputs": [tensor]})
        answers = as_probabilities(_read_probabilities(answer, self.url))
        if len(answers) != len(table):
            raise ValueError(f"{self.url} must answer {len(table)} rows, got {len(answers)}.")
        self._n_classes = answers.shape[1]
        return answers

    def _first_input(self) -> dict[str, Any]:
        """Ask the server what its first input is called, and of which type."""
        described = self._ask("", None)
        try:
            first = described["inputs"][0]
            return {"name": str(first["name"]), "datatype": str(first["datatype"])}
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"{self.url} must describe its inputs, got {str(described)[:200]}.") from error

    def _ask(self, path: str, body: dict[str, Any] | None) -> Any:
        """Send a question and return the JSON of its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            words = f"{self.url} answered {error.code}: {error.read()[:200].decode(errors='replace')}"
            if error.code < http.client.INTERNAL_SERVER_ERROR:
                raise ValueError(f"features must be what the server takes; {words}") from error
            raise ConnectionError(words) from error
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionError(f"{self.url} cannot be reached: {error}") from error


def _read_probabilities(answer: Any, url: str) -> np.ndarray:
    """Return the table of probabilities in an answer."""
    try:
        outputs = {part["name"]: part for part in reversed(answer["outputs"])}
        chosen = outputs.get(PROBABILITIES, answer["outputs"][0])
        return np.asarray(chosen["data"], dtype=np.float64).reshape(chosen["shape"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{url} must answer with a table of probabilities, got {str(answer)[:200]}.") from error
