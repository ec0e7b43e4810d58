"""Time frouros against ours: `make bench-peers`, or this script in an environment of its requirements."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

# One thread a side, read when numpy is imported: two that wait for each other take several times as long as one
# wherever another process wants a core. frouros gets one process.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from _shared import (
    BINS,
    N_PERMUTATIONS,
    Task,
    Work,
    apart,
    mmd_samples,
    named_columns,
    run,
    speed_table_floors,
    speed_table_work,
)
from frouros.callbacks import PermutationTestDistanceBased
from frouros.detectors.data_drift import EMD, MMD, PSI, ChiSquareTest, KSTest
from frouros.utils.kernels import rbf_kernel

from tinytorch.stats import chi2_test, ks_2samp, mmd_test, psi, wasserstein_distance

IMPORT = "from frouros.detectors.data_drift import EMD, MMD, PSI, ChiSquareTest, KSTest"
NOTES = (
    "frouros's detectors are made and fitted beforehand, one a column. Its permutations run in a process of their "
    "own (one, and one thread for ours and the floor), whose processor time and memory are not in the table: for MMD "
    "read the clock"
)


def per_column(make: Callable[[], Any], reference: np.ndarray, current: np.ndarray) -> Callable[[], list[Any]]:
    """Compare every column with a detector fitted to its reference."""
    pairs = []
    for name, column in named_columns(reference).items():
        detector = make()
        detector.fit(X=column)
        pairs.append((detector, named_columns(current)[name]))
    return lambda: [detector.compare(X=column)[0] for detector, column in pairs]


def column_tasks(work: Work) -> list[Task]:
    """One line a statistic."""
    ks, psis, distances = (
        per_column(make, work.reference, work.current) for make in (KSTest, partial(PSI, num_bins=BINS), EMD)
    )
    chi2 = per_column(ChiSquareTest, work.codes, work.current_codes)
    our_ks, our_distance = (partial(test, work.fitted, work.current) for test in (ks_2samp, wasserstein_distance))
    our_chi2 = partial(chi2_test, work.fitted_codes, work.current_codes)
    sort, one_pass, codes_pass = speed_table_floors(work)
    return [
        Task("KS x 100, fitted", sort, our_ks, ks, 49, apart(our_ks().pvalue, [one.p_value for one in ks()])),
        Task("PSI, 10 bins x 100", one_pass, partial(psi, work.fitted, work.current), psis, None,
             "(other bins: equal width)"),
        Task("Wasserstein-1 x 100", sort, our_distance, distances, None,
             apart(our_distance(), [one.distance for one in distances()])),
        Task("chi-square x 100, 20 categories", codes_pass, our_chi2, chi2, None,
             apart(our_chi2().pvalue, [one.p_value for one in chi2()])),
    ]  # fmt: skip


def mmd_task(reference: np.ndarray, current: np.ndarray, floor: str) -> Task:
    """MMD with the p-value (1 + k) / (1 + P) on both sides; frouros wants to be told the kernel's width."""
    width = float(np.sqrt(2 * reference.shape[1]))
    shuffles = PermutationTestDistanceBased(N_PERMUTATIONS, num_jobs=1, method="conservative", random_state=1)
    detector = MMD(kernel=partial(rbf_kernel, sigma=width), callbacks=shuffles)
    detector.fit(X=reference)
    ours = partial(mmd_test, reference, current, rng=np.random.default_rng(1), n_permutations=N_PERMUTATIONS)
    same = apart(ours(bandwidth=width).statistic, detector.compare(X=current)[0].distance)
    return Task("MMD n=m=1000, d=64, P=200", floor, ours, partial(detector.compare, X=current), 88, same)


def main() -> None:
    """Run the benchmark."""
    work = speed_table_work()
    reference, current, floor = mmd_samples()
    tasks = [*column_tasks(work), mmd_task(reference, current, *floor)]
    run("frouros", IMPORT, tasks, speed_table_floors(work) | floor, NOTES)


if __name__ == "__main__":
    main()
