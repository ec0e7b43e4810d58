"""Floor 3, the marking room: what every summary of data must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np

from tinytorch.checks.calls import in_words, must_refuse, require, require_unchanged, watch
from tinytorch.mlops.contracts import Summary

FromBatch = Callable[[np.ndarray], Summary]
Read = Callable[[Any], Any]

N_SUMMARY_ROWS = 300
N_COLUMNS = 3
# Whole numbers from 0 to 9, one in ten missing.
N_GRADES = 10
MISSING_SHARE = 0.1
CUTS = (1, 40, 41, 200, 290)
# Adding in another order changes the last digits of a float, no more.
MERGE_ROUNDING = 1e-9
TABLE_SEED = 3


def check_summary(from_batch: FromBatch, read: Read) -> None:
    """Try a summary: the merge of parts is the summary of the whole, in any order and grouping.

    Parameters
    ----------
    from_batch : callable
        `from_batch(table)` returns a summary of a table of shape (n, 3) with NaN for missing values.
    read : callable
        `read(summary)` returns everything that the summary says, as one array or a sequence of arrays.

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.stats.summaries import Moments
    >>> check_summary(Moments.from_batch, lambda moments: (moments.count, moments.mean, moments.variance))
    """
    make = watch(from_batch, "from_batch")
    _leaves_parts_alone(make, read)
    _merges_to_the_whole(make, read)
    _tells_data_apart(make, read)
    _refuses_what_does_not_fit(make)


def _draw_table(n_columns: int = N_COLUMNS) -> np.ndarray:
    """Return a table of whole numbers with missing values."""
    rng = np.random.default_rng(TABLE_SEED)
    table = rng.integers(0, N_GRADES, (N_SUMMARY_ROWS, n_columns)).astype(np.float64)
    table[rng.random(table.shape) < MISSING_SHARE] = np.nan
    return table


def _says(read: Read, summary: Any) -> list[np.ndarray]:
    """Return what a summary says, as arrays."""
    said = watch(read, "read")(summary)
    return [np.asarray(part) for part in (said if isinstance(said, (tuple, list)) else (said,))]


def _require_equal(
    got: list[np.ndarray], expected: list[np.ndarray], call: str, whose: str = "what it said before"
) -> None:
    """Raise unless two summaries say the same: counts and texts to the bit, floats up to rounding."""
    for ours, whole in zip(got, expected, strict=True):
        require(ours.shape == whole.shape, call, f"{whose}, {in_words(whole)}", ours)
        if whole.dtype.kind == "f":
            same = np.allclose(ours, whole, rtol=MERGE_ROUNDING, atol=MERGE_ROUNDING, equal_nan=True)
        else:
            same = np.array_equal(ours, whole)
        require(bool(same), call, f"{whose}, {in_words(whole)}", ours)


def _merge(left: Any, right: Any) -> Any:
    """Merge two summaries, guarded."""
    return watch(left, "summary").merge(right)


def _merges_to_the_whole(make: FromBatch, read: Read) -> None:
    table = _draw_table()
    kept = table.copy()
    whole = _says(read, make(table))
    require_unchanged(table, kept, "from_batch")
    whose = "what the whole says"
    parts = [make(part) for part in np.split(table, CUTS)]
    _require_equal(_says(read, reduce(_merge, parts)), whole, "summary.merge of six parts, one after the other", whose)
    _require_equal(
        _says(read, reduce(_merge, parts[::-1])), whole, "summary.merge of six parts in reverse order", whose
    )
    pairs = [_merge(left, right) for left, right in zip(parts[::2], parts[1::2], strict=True)]
    _require_equal(_says(read, reduce(_merge, pairs)), whole, "summary.merge of parts merged in pairs", whose)


def _leaves_parts_alone(make: FromBatch, read: Read) -> None:
    first, second = (make(part) for part in np.array_split(_draw_table(), 2))
    ours, theirs = ([array.copy() for array in _says(read, summary)] for summary in (first, second))
    _merge(first, second)
    _require_equal(_says(read, first), ours, "a summary after summary.merge(other)")
    _require_equal(_says(read, second), theirs, "the other summary after summary.merge(other)")


def _tells_data_apart(make: FromBatch, read: Read) -> None:
    """A summary that says the same of all data would pass every other check."""
    table = _draw_table()
    first, second = _says(read, make(table)), _says(read, make(table[: N_SUMMARY_ROWS // 3]))
    same = all(
        np.array_equal(one, other, equal_nan=one.dtype.kind == "f") for one, other in zip(first, second, strict=True)
    )
    require(not same, "from_batch of a table and of a third of it", "summaries that differ", first[0])


def _refuses_what_does_not_fit(make: FromBatch) -> None:
    summary = make(_draw_table())
    must_refuse(partial(_merge, summary, "text"), 'summary.merge("text")')
    wider = _draw_table(N_COLUMNS + 1)
    must_refuse(lambda: _merge(summary, make(wider)), "summary.merge with a summary of another width")
    bad: dict[str, Any] = {"ragged rows": [[1.0, 2.0, 3.0], [1.0]], "no rows": np.zeros((0, N_COLUMNS))}
    for what, batch in bad.items():
        must_refuse(partial(make, batch), f"from_batch of {what}")
