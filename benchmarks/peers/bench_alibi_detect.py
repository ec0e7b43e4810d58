"""Time alibi-detect against ours: `make bench-peers`, or this script in an environment of its requirements."""

from __future__ import annotations

import os
from functools import partial

# One thread a side, read when numpy and torch are imported: two that wait for each other take several times as long
# as one wherever another process wants a core, torch's most of all.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from _shared import (
    N_PERMUTATIONS,
    Task,
    Work,
    apart,
    mmd_samples,
    run,
    speed_table_floors,
    speed_table_work,
)
from alibi_detect.cd import ChiSquareDrift, KSDrift, MMDDrift

from tinytorch.stats import chi2_test, column_report, ks_2samp, mmd_test

IMPORT = "from alibi_detect.cd import ChiSquareDrift, KSDrift, MMDDrift"
NOTES = (
    "alibi-detect's detectors are made beforehand; its MMD runs on torch (backend='pytorch', float32, on the "
    "processor), whose memory the tracer does not see, and has its kernel's width and the reference's own kernel "
    "ready, where ours works them out in every call. Both sides and the floor get one thread. Its report is KS with "
    "the false discovery rate alone"
)


def column_tasks(work: Work) -> list[Task]:
    """KS and chi-square, and KS again for a report."""
    ks = partial(KSDrift(work.reference, correction="fdr").predict, work.current)
    chi2 = partial(ChiSquareDrift(work.codes).predict, work.current_codes)
    our_ks = partial(ks_2samp, work.fitted, work.current)
    our_chi2 = partial(chi2_test, work.fitted_codes, work.current_codes)
    sort, _, codes_pass = speed_table_floors(work)
    same_ks, same_chi2 = (
        apart(ours().pvalue, theirs()["data"]["p_val"]) for ours, theirs in ((our_ks, ks), (our_chi2, chi2))
    )
    return [
        Task("KS x 100, fitted", sort, our_ks, ks, 49, same_ks),
        Task("chi-square x 100, 20 categories", codes_pass, our_chi2, chi2, None, same_chi2),
        Task("full report, 100 columns", sort, partial(column_report, work.fitted, work.current), ks, 12, same_ks),
    ]


def mmd_task(reference: np.ndarray, current: np.ndarray, floor: str) -> Task:
    """MMD; with the width that alibi-detect chose, both must find the same statistic."""
    detector = MMDDrift(reference, backend="pytorch", n_permutations=N_PERMUTATIONS, device="cpu")
    ours = partial(mmd_test, reference, current, rng=np.random.default_rng(1), n_permutations=N_PERMUTATIONS)
    width = float(detector._detector.kernel.sigma)
    same = apart(ours(bandwidth=width).statistic, detector.predict(current)["data"]["distance"])
    return Task("MMD n=m=1000, d=64, P=200", floor, ours, partial(detector.predict, current), 60, same)


def main() -> None:
    """Run the benchmark."""
    work = speed_table_work()
    reference, current, floor = mmd_samples()
    tasks = [*column_tasks(work), mmd_task(reference, current, *floor)]
    run("alibi-detect", IMPORT, tasks, speed_table_floors(work) | floor, NOTES)


if __name__ == "__main__":
    main()
