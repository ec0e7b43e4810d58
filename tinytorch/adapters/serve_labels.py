"""Floor 4: late labels as a client sends them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

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
    if not _is_list_of(ids, str) or "" in content["request_ids"]:
        raise ProtocolError("request_ids must be a list of texts, at least one.")
    if not _is_list_of(labels, int):
        raise ProtocolError("labels must be a list of class indices 0, 1, 2, ..., at least one.")
    try:
        return LabelBatch(np.array(ids), np.array(labels), now)
    except (ValueError, OverflowError) as error:
        raise ProtocolError(str(error)) from None


def _is_list_of(values: Any, kind: type) -> bool:
    """Tell whether something is a list that is not empty, of exactly this type (true is no number)."""
    return type(values) is list and set(map(type, values)) == {kind}
