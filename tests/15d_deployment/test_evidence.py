"""Evidence counts what both versions answered, whatever the order in which answers and labels come."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import pytest
from batches import answered, labelled
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.mlops.contracts import LabelBatch, PredictionBatch
from tinytorch.mlops.deploy import EvidenceLog, VersionEvidence
from tinytorch.mlops.deploy.evidence import LATENCIES_KEPT, MAXIMUM_CLASSES

NOBODY = np.arange(0)


def one_look() -> EvidenceLog:
    """Ten answers of each version; of five labels each, one and two say that the answer was wrong."""
    log = EvidenceLog()
    log.add(answered(np.arange(10)), answered(np.arange(10, 20), version=2))
    log.record_labels(labelled(np.arange(5), [1, 0, 0, 0, 0]))
    log.record_labels(labelled(np.arange(10, 15), [1, 1, 0, 0, 0]))
    return log


def test_before_the_first_answer_everything_is_zero_or_unknown() -> None:
    for version in EvidenceLog().summary():
        assert (version.n_requests, version.n_failed, version.n_labelled, version.n_errors) == (0, 0, 0, 0)
        assert version.class_counts == ()
        assert np.isnan([version.error_rate, version.typical_ms, version.slow_ms]).all()


def test_errors_are_counted_by_the_version_that_answered() -> None:
    champion, challenger = one_look().summary()
    assert (champion.n_requests, champion.n_labelled, champion.n_errors) == (10, 5, 1)
    assert (challenger.n_requests, challenger.n_labelled, challenger.n_errors) == (10, 5, 2)
    assert (champion.error_rate, challenger.error_rate) == (0.2, 0.4)


def test_a_label_counts_once_and_unknown_ones_not_at_all() -> None:
    log = one_look()
    before = log.summary()
    for _ in range(3):
        log.record_labels(labelled(np.arange(5), 1))
        log.record_labels(labelled(np.arange(100, 120), 1))
    assert log.summary() == before


def test_failures_are_requests_without_answers() -> None:
    log = one_look()
    log.record_failures(1, 4)
    champion, challenger = log.summary()
    assert (champion.n_requests, champion.n_answered, champion.n_failed) == (11, 10, 1)
    assert (challenger.n_requests, challenger.n_answered, challenger.n_failed) == (14, 10, 4)
    assert str(challenger) == "10 answers, 2 errors in 5 labels, 4 failed"


def test_classes_and_latencies_are_summed_up_by_version() -> None:
    log = EvidenceLog()
    log.add(answered([1, 2, 3], [0, 2, 2], latency_ms=[1.0, 2.0, 30.0]), answered([4], 1, version=2, latency_ms=7.0))
    log.add(answered([5], 1, latency_ms=2.0), answered(NOBODY, version=2))
    champion, challenger = log.summary()
    assert (champion.class_counts, challenger.class_counts) == ((1, 1, 2), (0, 1))
    assert (champion.typical_ms, challenger.typical_ms, challenger.slow_ms) == (2.0, 7.0, 7.0)
    assert champion.slow_ms == pytest.approx(np.percentile([1.0, 2.0, 2.0, 30.0], 95))


def test_only_the_newest_latencies_count_so_that_a_late_slowdown_is_seen() -> None:
    log = EvidenceLog()
    ids = np.arange(LATENCIES_KEPT)
    log.add(answered(ids), answered(NOBODY, version=2))
    log.add(answered(LATENCIES_KEPT + ids, latency_ms=10.0), answered(NOBODY, version=2))
    assert log.summary()[0].typical_ms == 10.0


def test_a_mirrored_request_is_answered_by_both_and_its_label_counts_for_both() -> None:
    log = EvidenceLog(mirrored=True)
    log.add(answered(np.arange(10), 0), answered(np.arange(4), 1, version=2))
    log.record_labels(labelled(np.arange(10), 0))
    champion, challenger = log.summary()
    assert (champion.n_labelled, champion.n_errors) == (10, 0)
    assert (challenger.n_labelled, challenger.n_errors) == (4, 4)


@pytest.mark.parametrize(
    ("champion", "challenger", "problem"),
    [
        (answered([50]), answered([51]), "challenger_batch must come from another version, got 1"),
        (answered([50]), answered([51], version=3), r"both batches must come from versions \(1, 2\), got \(1, 3\)"),
        (answered([50], version=2), answered([51]), r"both batches must come from versions \(1, 2\), got \(2, 1\)"),
        (answered([50, 9]), answered([51], version=2), "request_ids must be new, got 9"),
        (answered([50]), answered([51, 19], version=2), "request_ids must be new, got 19"),
        (answered([50, 19]), answered([51], version=2), "request_ids must be new, got 19"),
        (answered([50]), answered([51, 9], version=2), "request_ids must be new, got 9"),
        (answered(["50"]), answered([9], version=2), "request_ids must be new, got 9"),
        (answered([50]), answered([50], version=2), "request_ids must go to one version each, got 50 twice"),
        (answered([50]), answered([51], MAXIMUM_CLASSES, version=2), "predictions must be classes below 100000"),
        (
            answered([50]),
            PredictionBatch([51], np.zeros((1, 2)), [0], None, [1.0], 0.0, 2),
            "features must have 1 columns, got 2",
        ),
        (
            answered(NOBODY),
            PredictionBatch([51], np.zeros((1, 2)), [0], None, [1.0], 0.0, 2),
            "features must have 1 columns, got 2",
        ),
    ],
)
def test_bad_batches_are_refused_and_change_nothing(champion, challenger, problem: str) -> None:
    log = one_look()
    before, waiting = log.summary(), copy.deepcopy(log)
    with pytest.raises(ValueError, match=problem):
        log.add(champion, challenger)
    assert log.summary() == before
    for either in (log, waiting):
        either.record_labels(labelled(np.r_[0:100], 1))
    assert log.summary() == waiting.summary()


def test_bad_labels_are_refused_and_change_nothing() -> None:
    log = EvidenceLog()
    sure = np.array([[1.0, 0.0]])
    log.add(answered([1]), PredictionBatch([2], np.zeros((1, 1)), [0], sure, [1.0], 0.0, 2))
    before = log.summary()
    with pytest.raises(ValueError, match="labels must be class indices below 2, got 5"):
        log.record_labels(LabelBatch([1, 2], [0, 5], timestamp=0.0))
    assert log.summary() == before


@pytest.mark.parametrize("counts", [(-1, 0), (0, -1), (0, 1.5), (True, 0), ("1", 0)])
def test_bad_failure_counts_are_refused_and_change_nothing(counts) -> None:
    log = one_look()
    before = log.summary()
    with pytest.raises(ValueError, match=r"n_(champion|challenger) must be an integer >= 0"):
        log.record_failures(*counts)
    assert log.summary() == before


@settings(max_examples=40)
@given(
    predictions=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    owners=st.lists(st.booleans(), min_size=40, max_size=40),
    cuts=st.sets(st.integers(1, 39), max_size=5),
)
def test_the_cut_into_batches_does_not_matter(predictions: list[int], owners: list[bool], cuts: set[int]) -> None:
    n = len(predictions)
    ids, classes, theirs = np.arange(n), np.array(predictions), np.array(owners[:n])

    def counted(edges: list[int]) -> list[VersionEvidence]:
        log = EvidenceLog()
        for first, last in pairwise(edges):
            rows = slice(first, last)
            mine, yours = ids[rows][~theirs[rows]], ids[rows][theirs[rows]]
            log.add(answered(mine, classes[mine]), answered(yours, classes[yours], version=2))
        log.record_labels(labelled(ids, 0))
        return list(log.summary())

    edges = [0, *sorted(cut for cut in cuts if cut < n), n]
    # As texts: a version without answers has NaN latencies, which equal nothing.
    assert repr(counted(edges)) == repr(counted([0, n]))
    champion, challenger = counted(edges)
    assert champion.n_errors + challenger.n_errors == int((classes != 0).sum())
    assert sum(champion.class_counts) == int((~theirs).sum())
    assert sum(challenger.class_counts) == int(theirs.sum())
