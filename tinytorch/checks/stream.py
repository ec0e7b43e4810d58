"""Floor 3, the marking room: what every stream detector must do, tried on one. May import numpy and the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from tinytorch._arguments import check_choice
from tinytorch.checks.calls import must_refuse, require, require_unchanged, watch
from tinytorch.mlops.contracts import StreamDetector

MakeStream = Callable[[], StreamDetector]

N_BEFORE = 600
N_AFTER = 600
# Numbers of mean 0 and standard deviation 1 rise by four; errors become frequent where one in ten was.
RISE = 4.0
RATE_BEFORE, RATE_AFTER = 0.1, 0.6
# One stream may be unlucky: a detector that starts anew after a false alarm can be blind for a while.
N_STREAMS = 5
FEWEST_SEEN = 4
# Handed over one by one, so many values before and after the change.
N_AROUND = 300
BLOCK_SIZES = (7, 100)
SEED_OF_STREAMS = 21


def check_stream_detector(make_stream: MakeStream, reads: Literal["numbers", "errors"] = "numbers") -> None:
    """Try a stream detector: a change is seen, constant values are quiet, and the cut into batches does not matter.

    Parameters
    ----------
    make_stream : callable
        `make_stream()` returns a new detector; one that knows the mean and spread beforehand takes 0 and 1.
    reads : "numbers" or "errors"
        Whether it takes any numbers, or only 0 (right) and 1 (wrong).

    Raises
    ------
    ContractError
        With the first behaviour that is missing.

    Examples
    --------
    >>> from tinytorch.stats.streams import CUSUM, DDM
    >>> check_stream_detector(CUSUM)
    >>> check_stream_detector(DDM, reads="errors")
    """
    check_choice(reads, "reads", ("numbers", "errors"))
    streams = [_draw_stream(reads, np.random.default_rng(SEED_OF_STREAMS + index)) for index in range(N_STREAMS)]
    _sees_the_change(make_stream, streams)
    _stays_quiet_when_constant(make_stream)
    around_the_change = streams[0][N_BEFORE - N_AROUND : N_BEFORE + N_AROUND]
    _ignores_the_cut(make_stream, around_the_change)
    _takes_parallel_streams(make_stream, streams)
    _refuses_bad_values(make_stream, around_the_change)


def _draw_stream(reads: str, rng: np.random.Generator) -> np.ndarray:
    """Return a stream whose level rises in the middle, shape (n,)."""
    if reads == "numbers":
        return np.concatenate([rng.normal(0.0, 1.0, N_BEFORE), rng.normal(RISE, 1.0, N_AFTER)])
    return (rng.random(N_BEFORE + N_AFTER) < np.repeat([RATE_BEFORE, RATE_AFTER], [N_BEFORE, N_AFTER])).astype(float)


def _new_stream(make_stream: MakeStream) -> StreamDetector:
    """Return a new detector behind a guard."""
    return watch(watch(make_stream, "make_stream")(), "detector")


def _alarm(detector: StreamDetector, values: Any) -> bool:
    """Hand values over and return whether they raised an alarm in any stream."""
    detector.update(values)
    return _is_alarmed(detector, "after an update")


def _is_alarmed(detector: StreamDetector, when: str) -> bool:
    """Return whether the last update raised an alarm in any stream."""
    detected = detector.drift_detected
    is_answer = np.asarray(detected).dtype.kind == "b"
    require(is_answer, f"detector.drift_detected {when}", "True or False, or one for each stream", detected)
    return bool(np.any(detected))


def _positions(detector: StreamDetector, values: np.ndarray) -> list[int]:
    """Return where alarms were raised when the values are handed over one by one."""
    return [position for position, value in enumerate(values.tolist()) if _alarm(detector, np.array([value]))]


def _sees_the_change(make_stream: MakeStream, streams: list[np.ndarray]) -> None:
    early = _is_alarmed(_new_stream(make_stream), "before the first value")
    require(not early, "detector.drift_detected before the first value", "False", early)
    n_seen = 0
    for values in streams:
        detector = _new_stream(make_stream)
        _alarm(detector, values[:N_BEFORE])
        n_seen += _alarm(detector, values[N_BEFORE:])
    situation = f"update with {len(streams)} streams, after a clear rise of the level in each"
    require(n_seen >= FEWEST_SEEN, situation, "an alarm", f"alarms in {n_seen} of them")


def _stays_quiet_when_constant(make_stream: MakeStream) -> None:
    alarm = _alarm(_new_stream(make_stream), np.zeros(N_BEFORE))
    require(not alarm, f"update with {N_BEFORE} zeros", "no alarm", "one")


def _ignores_the_cut(make_stream: MakeStream, values: np.ndarray) -> None:
    """A block raises an alarm exactly if one of its values does when they come one by one."""
    positions = np.array(_positions(_new_stream(make_stream), values), dtype=np.int64)
    for size in BLOCK_SIZES:
        detector = _new_stream(make_stream)
        for start in range(0, len(values), size):
            alone = bool(((positions >= start) & (positions < start + size)).any())
            alarm = _alarm(detector, values[start : start + size])
            call = f"update with values {start} to {start + size - 1} in one batch"
            require(alarm == alone, call, f"alarm {alone}, as one by one", alarm)
    empty = _new_stream(make_stream)
    _alarm(empty, values)
    require(not _alarm(empty, values[:0]), "drift_detected after an update without values", "False", True)


def _takes_parallel_streams(make_stream: MakeStream, streams: list[np.ndarray]) -> None:
    table = np.column_stack(streams)
    kept = table.copy()
    together = [_new_stream(make_stream)]
    alone = [_new_stream(make_stream) for _ in streams]
    for start in range(0, len(table), BLOCK_SIZES[-1]):
        part = table[start : start + BLOCK_SIZES[-1]]
        alarms = [_alarm(detector, part[:, index]) for index, detector in enumerate(alone)]
        expected = any(alarms)
        got = _alarm(together[0], part)
        call = f"update with {len(streams)} parallel streams, rows {start} to {start + len(part) - 1}"
        require(got == expected, call, f"alarm {expected}, as with a detector for each", got)
    require_unchanged(table, kept, "detector.update")


def _refuses_bad_values(make_stream: MakeStream, values: np.ndarray) -> None:
    half = len(values) // 2 + 1  # in the middle of what the change stirred up
    expected = _positions(_new_stream(make_stream), values)
    bad: dict[str, Any] = {
        "NaN": [0.0, np.nan],
        "an infinite value": [0.0, np.inf],
        "text": ["text"],
        "ragged rows": [[0.0], [0.0, 1.0]],
        "two streams where there was one": np.zeros((2, 2)),
    }
    detector = _new_stream(make_stream)
    got = _positions(detector, values[:half])
    for what, batch in bad.items():
        must_refuse(partial(detector.update, batch), f"detector.update with {what}")
    got += [half + position for position in _positions(detector, values[half:])]
    require(got == expected, "alarms after updates that were refused", f"those without them, {expected}", got)
