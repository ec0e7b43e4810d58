"""The summaries' check finds what is wrong with wrong summaries, and names it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.summary import check_summary
from tinytorch.stats.summaries import Missing, Moments


@dataclass
class Total:
    """Sums and counts of the columns, done right."""

    total: np.ndarray
    count: np.ndarray

    @classmethod
    def from_batch(cls, batch):
        table = np.asarray(batch, dtype=float)
        if table.size == 0:
            raise ValueError("batch must have a row, got none.")
        return cls(np.nansum(table, axis=0), (~np.isnan(table)).sum(axis=0))

    def merge(self, other):
        if type(other) is not type(self) or len(other.total) != len(self.total):
            raise ValueError(f"other must be a summary of {len(self.total)} columns, got {other!r}.")
        return type(self)(self.total + other.total, self.count + other.count)


def read(summary):
    return summary.total, summary.count


class MeanOfMeans(Total):
    """Averages the parts' means, however many rows each has."""

    @classmethod
    def from_batch(cls, batch):
        made = super().from_batch(batch)
        return cls(made.total / made.count, made.count)

    def merge(self, other):
        merged = super().merge(other)
        return type(self)(merged.total / 2, merged.count)


class MergesInPlace(Total):
    def merge(self, other):
        merged = super().merge(other)
        self.total += other.total
        return merged


class KeepsTheNewer(Total):
    def merge(self, other):
        super().merge(other)
        return other


class SaysNothing(Total):
    @classmethod
    def from_batch(cls, batch):
        made = super().from_batch(batch)
        return cls(0 * made.total, 0 * made.count)


class MergesAnything(Total):
    def merge(self, other):
        return super().merge(other) if isinstance(other, Total) else self


class TakesNoRows(Total):
    @classmethod
    def from_batch(cls, batch):
        return super().from_batch(batch) if len(batch) else cls(np.zeros(3), np.zeros(3))


class FillsTheCallersTable(Total):
    @classmethod
    def from_batch(cls, batch):
        made = super().from_batch(batch)
        np.nan_to_num(batch, copy=False)
        return made


def test_a_right_summary_passes():
    check_summary(Total.from_batch, read)
    check_summary(Missing.from_batch, lambda summary: (summary.n_rows, summary.n_missing))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (MeanOfMeans, "summary.merge of six parts, one after the other: expected what the whole says"),
        (MergesInPlace, r"a summary after summary.merge\(other\): expected what it said before"),
        (KeepsTheNewer, "summary.merge of six parts, one after the other: expected what the whole says"),
        (SaysNothing, "from_batch of a table and of a third of it: expected summaries that differ"),
        (MergesAnything, r'summary.merge\("text"\): expected a ValueError'),
        (TakesNoRows, "from_batch of no rows: expected a ValueError"),
        (FillsTheCallersTable, "from_batch changed the array it was given"),
    ],
)
def test_a_wrong_summary_is_told_what_is_wrong(kind, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_summary(kind.from_batch, read)


def test_a_summary_that_reads_another_thing_than_it_merges_is_noticed():
    with pytest.raises(ContractError, match="expected what the whole says"):
        check_summary(Moments.from_batch, lambda moments: (moments.mean_rounded, moments.mean_remainder * 1e12))
