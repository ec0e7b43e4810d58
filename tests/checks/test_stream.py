"""The stream detectors' check finds what is wrong with wrong ones, and names it."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.stream import check_stream_detector
from tinytorch.stats.streams import CUSUM


class JudgesTheBatch:
    """Looks at the mean of what it is handed, however much that is."""

    drift_detected = False

    def update(self, values):
        table = np.asarray(values, dtype=float)
        if not np.isfinite(table).all():
            raise ValueError("values must be finite, got others.")
        self.drift_detected = bool(table.size and table.mean() > 2.5)


class AlwaysAlarmed(CUSUM):
    drift_detected = True


class SeesNothing(CUSUM):
    drift_detected = False


class AlarmedByZeros(CUSUM):
    def update(self, values):
        return super().update(np.asarray(values, dtype=float) + 2.0)


class StaysAlarmed(CUSUM):
    @property
    def drift_detected(self):
        return any(len(found) for found in self.alarms_)


class TakesNaN(CUSUM):
    def update(self, values):
        return super().update(np.nan_to_num(np.asarray(values, dtype=float), posinf=0.0))


class AnswersInWords(CUSUM):
    @property
    def drift_detected(self):
        return "yes" if super().drift_detected else "no"


@pytest.mark.parametrize(
    ("make_stream", "sentence"),
    [
        (JudgesTheBatch, r"in one batch: expected alarm True, as one by one, got False"),
        (AlwaysAlarmed, "before the first value: expected False"),
        (SeesNothing, "after a clear rise of the level in each: expected an alarm, got alarms in 0 of them"),
        (AlarmedByZeros, "update with 600 zeros: expected no alarm"),
        (StaysAlarmed, "drift_detected after an update without values: expected False, got True"),
        (TakesNaN, "detector.update with NaN: expected a ValueError"),
        (
            AnswersInWords,
            "before the first value: expected True or False, or one for each stream, got no",
        ),
    ],
)
def test_a_wrong_stream_detector_is_told_what_is_wrong(make_stream, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_stream_detector(make_stream)


def test_a_batch_that_is_taken_in_part_and_then_refused_is_noticed():
    class TakesPart(CUSUM):
        def update(self, values):
            table = np.asarray(values, dtype=float)
            if table.ndim == 1 and table.size and np.isfinite(table[0]) and not np.isfinite(table).all():
                super().update([50.0])
            return super().update(values)

    with pytest.raises(ContractError, match="alarms after updates that were refused: expected those without them"):
        check_stream_detector(TakesPart)


def test_what_a_detector_reads_must_be_one_of_two():
    with pytest.raises(ValueError, match="reads must be one of 'numbers', 'errors', got 'words'"):
        check_stream_detector(CUSUM, reads="words")
