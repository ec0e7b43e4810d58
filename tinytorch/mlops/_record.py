"""Floor 1: what all records of `contracts.py` have in common. May import numpy and the standard library."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np


class Record:
    """What all records share: they become dictionaries for a program and tables for a notebook."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record's fields as plain Python values, ready for `json.dumps`."""
        return {item.name: _to_plain(getattr(self, item.name)) for item in fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        """Show the record in a notebook as a table of two columns."""
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(_shorten(value))}</td></tr>"
            for name, value in self.to_dict().items()
        )
        return f"<table><caption>{html.escape(str(self))}</caption>{rows}</table>"


def store_arrays(record: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Put checked copies of arrays into a frozen record, and make them read-only."""
    for name, array in arrays.items():
        kept = array.copy()
        kept.setflags(write=False)
        object.__setattr__(record, name, kept)


def _to_plain(value: Any) -> Any:
    """Return `value` as something `json.dumps` takes; a model is named by its class."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_to_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__


def _shorten(value: Any, limit: int = 120) -> str:
    """Write a value in at most `limit` characters."""
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
