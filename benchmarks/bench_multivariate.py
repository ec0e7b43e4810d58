"""MMD with permutations: ours, numpy's matrix-product floor, and the plain float64 permutation loop, in one run.

    python benchmarks/bench_multivariate.py [--repetitions N] [--json PATH]

The floor is the one product Z K of 200 labellings (float32, 200 x 2000) with a ready kernel matrix (2000 x 2000): no
kernel to compute, no symmetry used. The peer is what a textbook gives: the kernel matrix in float64 once, then a loop
that shuffles its rows and columns and averages its blocks. alibi-detect needs an environment of its own; in a trial it
took 60 to 75 times as long as 16 to 41 ms on this work.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from timing import Row, measure, parse_arguments, print_table, write_json

from tinytorch.stats import energy_test, mmd_test

N_ROWS = 1000
N_COLUMNS = 64
N_PERMUTATIONS = 200
# The goal is set for samples of one size; the other two rows stand beside it.
GOALS = ("<= 2 products; >= 120x alibi", "", "")
# Rows of the growth check: time per pair of rows should stay level.
GROWTH_ROWS = (500, 1000, 2000, 4000)


def plain_loop(reference: np.ndarray, current: np.ndarray, rng: np.random.Generator) -> float:
    """MMD's permutation p-value as one would first write it, in float64."""
    points = np.concatenate([reference, current])
    squared_norms = (points**2).sum(axis=1)
    squared = np.maximum(squared_norms[:, None] + squared_norms - 2 * points @ points.T, 0)
    kernel = np.exp(-squared / (2 * np.median(squared[np.triu_indices(len(points), 1)])))
    np.fill_diagonal(kernel, 0.0)
    n, m = len(reference), len(current)

    def statistic(order: np.ndarray) -> float:
        shuffled = kernel[np.ix_(order, order)]
        own = shuffled[:n, :n].sum() / (n * (n - 1)) + shuffled[n:, n:].sum() / (m * (m - 1))
        return float(own - 2 * shuffled[:n, n:].mean())

    observed = statistic(np.arange(n + m))
    permuted = [statistic(rng.permutation(n + m)) for _ in range(N_PERMUTATIONS)]
    return (1 + sum(value >= observed for value in permuted)) / (1 + N_PERMUTATIONS)


def speed_rows(repetitions: int, rng: np.random.Generator) -> list[Row]:
    """Time samples of one size (swaps), of two sizes (all relabellings), and the energy test."""
    reference, current = rng.normal(size=(N_ROWS, N_COLUMNS)), rng.normal(size=(N_ROWS, N_COLUMNS))
    labels = rng.integers(0, 2, size=(N_PERMUTATIONS, 2 * N_ROWS)).astype(np.float32)
    kernel = rng.random((2 * N_ROWS, 2 * N_ROWS), dtype=np.float32)
    ours = {
        "MMD n=m=1000, d=64, P=200": partial(mmd_test, reference, current, rng=rng),
        "MMD n=1000, m=999": partial(mmd_test, reference, current[:-1], rng=rng),
        "energy n=m=1000, d=64, P=200": partial(energy_test, reference, current, rng=rng),
    }
    timings = measure(ours | {"floor": partial(np.matmul, labels, kernel)}, repetitions)
    loop = measure({"loop": partial(plain_loop, reference, current, rng)}, min(repetitions, 3))["loop"]
    return [
        Row(name, timings[name], "Z @ K, float32", timings["floor"], "float64 loop", loop, goal)
        for name, goal in zip(ours, GOALS, strict=True)
    ]


def print_growth(repetitions: int, rng: np.random.Generator) -> None:
    """Print how time per pair of rows and peak memory grow with the rows."""
    print(f"\n{'MMD, rows in each sample':<26} {'ms':>9} {'ns a pair':>10} {'MB':>7}")
    for n_rows in GROWTH_ROWS:
        samples = rng.normal(size=(2, n_rows, N_COLUMNS))
        timing = measure({"mmd": partial(mmd_test, *samples, rng=rng)}, min(repetitions, 5))["mmd"]
        pairs = (2 * n_rows) ** 2 / 2
        print(f"{n_rows:<26} {timing.median_ms:>9.2f} {1e6 * timing.median_ms / pairs:>10.2f} {timing.peak_mb:>7.1f}")


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments(__doc__ or "")
    rng = np.random.default_rng(0)
    rows = speed_rows(arguments.repetitions, rng)
    print_table(rows)
    print_growth(arguments.repetitions, rng)
    if arguments.json is not None:
        write_json(rows, arguments.json)


if __name__ == "__main__":
    main()
