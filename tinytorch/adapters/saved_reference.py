"""Floor 4: a reference in a file: counts between edges by default, sorted values if asked for. Numpy alone.

The default holds no record: edges lie between values, five rows at least lie between two of them, rarer categories are
pooled without their names, and neither the smallest nor the largest value is kept.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch._storage import load_npz, save_npz
from tinytorch.adapters.drift_exact import FittedColumn, fit_column
from tinytorch.adapters.drift_profile import ColumnProfile, pool_rare, profile_column
from tinytorch.adapters.drift_reference import Reference
from tinytorch.adapters.tables import KINDS, MISSING_CODE, Column
from tinytorch.stats import CategoryCounts, Histogram, Moments

FORMAT = "tinytorch drift reference 1"


def save_reference(reference: Reference, path: str | os.PathLike[str], exact: bool = False) -> None:
    """Write a reference to exactly `path`, whole or not at all.

    Parameters
    ----------
    reference : Reference
    path : path-like
    exact : bool
        Keep every value, sorted column by column: such a file is data, to be guarded as the table itself.

    Raises
    ------
    ValueError
        If exact values are asked for and are not at hand, or the file cannot be written.

    Examples
    --------
    >>> from tinytorch.adapters.drift_reference import fit_reference
    >>> from tinytorch.adapters.tables import Table
    >>> reference = fit_reference(Table((Column("age", "number", np.arange(40.0)),), "a.csv"), ["age"])
    >>> save_reference(reference, "reference.npz")
    >>> load_reference("reference.npz").names
    ('age',)
    """
    arrays: dict[str, np.ndarray] = {}
    described = []
    for number, one in enumerate(reference.columns):
        facts, members = _pack_values(one) if exact else _pack_counts(one)
        described.append(facts)
        arrays |= {f"{number}.{name}": array for name, array in members.items()}
    content = {"source": Path(reference.source).name, "n_rows": reference.n_rows, "exact": exact, "columns": described}
    try:
        save_npz(path, {"format": np.array(FORMAT), "content": np.array(json.dumps(content)), **arrays})
    except OSError as error:
        raise ValueError(f"reference file must be writable, got {os.fspath(path)!r} ({error.strerror}).") from error


def is_saved_reference(path: object) -> bool:
    """Tell whether a path names a file that `save_reference` wrote.

    Examples
    --------
    >>> is_saved_reference("no_such.npz")
    False
    """
    if not isinstance(path, (str, os.PathLike)) or not Path(path).is_file():
        return False
    try:
        with np.load(path, allow_pickle=False) as archive:
            return "content" in archive.files and str(archive["format"]).startswith("tinytorch drift reference")
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):  # its reader will say what it is
        return False


def load_reference(path: str | os.PathLike[str]) -> Reference:
    """Read what `save_reference` wrote.

    Raises
    ------
    ValueError
        If the file is damaged or of another format.

    Examples
    --------
    See `save_reference`.
    """
    arrays = load_npz(path)
    if str(arrays.get("format")) != FORMAT:
        raise ValueError(f"{os.fspath(path)} must hold a {FORMAT!r}, got something else.")
    try:
        content = json.loads(str(arrays["content"]))
        unpack = _unpack_values if content["exact"] else _unpack_counts
        columns = tuple(
            unpack(described, {key.partition(".")[2]: array for key, array in arrays.items() if _is_of(key, number)})
            for number, described in enumerate(content["columns"])
        )
        reference = Reference(f"{content['source']} (saved in {os.fspath(path)})", int(content["n_rows"]), columns)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"{os.fspath(path)} must be a whole reference file, got a damaged one ({error}).") from error
    return replace(reference, notes=(_how_exact(reference, bool(content["exact"])),))


def _is_of(key: str, number: int) -> bool:
    """Tell whether an array belongs to a column."""
    return key.startswith(f"{number}.")


def _how_exact(reference: Reference, exact: bool) -> str:
    """Say what the file can and cannot tell."""
    if exact:
        return "The reference file holds sorted values: each column is compared exactly, all together cannot be."
    return (
        "The reference file holds counts between edges: shares of its rows at or below a value are known to within "
        f"{100 * reference.rank_error:.2g} percentage points; all columns together cannot be compared."
    )


def _pack_counts(one: FittedColumn | ColumnProfile) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a column as a description and arrays without a record in them."""
    profile = pool_rare(one if isinstance(one, ColumnProfile) else profile_column(one.column))
    described = {
        "name": profile.name,
        "kind": profile.kind,
        "n_rows": profile.n_rows,
        "n_missing": profile.n_missing,
        "n_rare": profile.n_rare,
    }
    if profile.categories is not None:
        return described, {"categories": profile.categories.categories[0], "counts": profile.categories.counts[0]}
    if profile.histogram is None or profile.moments is None or profile.sole is None:
        return described, {}
    moments = profile.moments
    return described, {
        "edges": profile.histogram.edges[0],
        "counts": profile.histogram.counts[0],
        "mixed": np.isnan(profile.sole),
        "moments": np.concatenate([moments.count, moments.mean_rounded, moments.mean_remainder, moments.squares]),
    }


def _unpack_counts(described: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ColumnProfile:
    """Return the profile that `_pack_counts` took apart."""
    profile = ColumnProfile(
        str(described["name"]),
        _known_kind(described["kind"]),
        int(described["n_rows"]),
        int(described["n_missing"]),
        n_rare=int(described["n_rare"]),
    )
    if "categories" in arrays:
        return replace(profile, categories=CategoryCounts((arrays["categories"].astype(np.str_),), (arrays["counts"],)))
    edges, counts, mixed = arrays["edges"], arrays["counts"], arrays["mixed"]
    if len(counts) != len(edges) + 1 or len(mixed) != len(counts) or (np.diff(edges) <= 0).any() or (counts < 0).any():
        raise ValueError(f"edges and counts of {described['name']!r} do not fit")
    count, mean, remainder, squares = np.split(np.asarray(arrays["moments"], dtype=np.float64), 4)
    unknown = np.array([np.nan])  # the smallest and the largest value are somebody's
    moments = Moments(count.astype(np.int64), mean, remainder, squares, unknown, unknown)
    return replace(
        profile,
        moments=moments,
        histogram=Histogram(edges[np.newaxis], counts[np.newaxis]),
        sole=np.where(mixed, np.nan, 0.0),
    )


def _pack_values(one: FittedColumn | ColumnProfile) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a column as a description and its sorted values."""
    if isinstance(one, ColumnProfile):
        raise ValueError("exact values must be at hand to be saved, got a reference that was summed up.")
    column = one.column
    described = {"name": column.name, "kind": column.kind, "n_rows": len(column.values), "n_missing": one.n_missing}
    if column.is_measured:
        return described, {"sorted": np.sort(column.present)}
    return described, {"categories": np.array(column.categories, dtype=np.str_), "counts": column.counts()}


def _unpack_values(described: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> FittedColumn:
    """Return the column that `_pack_values` took apart; its rows are in another order."""
    kind, n_missing = _known_kind(described["kind"]), int(described["n_missing"])
    if "sorted" in arrays:
        values = np.concatenate([arrays["sorted"].astype(np.float64), np.full(n_missing, np.nan)])
        return fit_column(Column(str(described["name"]), kind, values))
    categories = tuple(arrays["categories"].astype(np.str_).tolist())
    codes = np.append(np.repeat(np.arange(len(categories)), arrays["counts"]), np.full(n_missing, MISSING_CODE))
    return fit_column(Column(str(described["name"]), kind, codes.astype(np.int64), categories))


def _known_kind(kind: object) -> str:
    """Return a kind, or refuse one that this version does not know."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    return str(kind)
