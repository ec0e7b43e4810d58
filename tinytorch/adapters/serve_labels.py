"""Floor 4: late labels as a client sends them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinytorch.adapters.open_inference_json import ProtocolError
from tinytorch.mlops.contracts import LabelBatch


def read_labels(content: Mapping[str, Any], now: float) -> LabelBatch:
    """Return the labels of `{"request_ids": ["7", ...], "labels": [3, ...]}`.

    A request of several rows has an id for each: `7/0`, `7/1`, ...

    Raises
    ------
    ProtocolError
        If one of the lists is missing, they differ in length, an id is no text or comes twice, or a label is no class
        index.

    Examples
    --------
    >>> print(read_labels({"request_ids": ["7", "8"], "labels": [3, 1]}, now=60.0))
    2 labels
    """
    ids, labels = content.get("request_ids"), content.get("labels")
    if type(ids) is not list or any(type(key) is not str or not key for key in ids) or not ids:
        raise ProtocolError("request_ids must be a list of texts, at least one.")
    if type(labels) is not list or any(type(label) is not int for label in labels):
        raise ProtocolError("labels must be a list of class indices 0, 1, 2, ...")
    try:
        return LabelBatch(ids, labels, now)  # type: ignore[arg-type]
    except (ValueError, OverflowError) as error:
        raise ProtocolError(str(error)) from None
