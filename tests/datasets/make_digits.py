"""Make tinytorch/datasets/digits.npz from scikit-learn's `load_digits`.

Run as `python tests/datasets/make_digits.py`. tests/datasets/test_digits.py imports `digit_arrays` from here and
compares the committed file with a fresh run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

# Any fixed number would do; it was chosen before any result was seen, and never changed.
ASSIGNMENT_SEED = 20260101
N_TRAINING, N_VALIDATION, N_TRAFFIC = 600, 197, 1000
# The roles' codes are their places in tinytorch.datasets.digits.ROLES.
TRAINING, VALIDATION, TRAFFIC = 0, 1, 2
OUTPUT = Path(__file__).parents[2] / "tinytorch" / "datasets" / "digits.npz"


def stratified_order(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random order of the rows in which every run of consecutive rows holds the classes in proportion.

    Each class is shuffled and spread evenly over [0, 1); a random offset per class avoids a fixed order of classes.
    """
    position = np.empty(labels.size)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        shuffled = rows[np.argsort(rng.random(rows.size))]
        position[shuffled] = (np.arange(rows.size) + rng.random()) / rows.size
    return np.argsort(position)


def digit_arrays() -> dict[str, np.ndarray]:
    """Return the arrays of the file: row i is the image with id i."""
    digits = load_digits()
    rng = np.random.default_rng(ASSIGNMENT_SEED)
    order = stratified_order(digits.target, rng)
    training, validation, traffic = np.split(order, [N_TRAINING, N_TRAINING + N_VALIDATION])
    # Ids with the same parity form a stratified half of the traffic each, so that splitting the labelled rows by
    # the parity of their id (retrain on one half, compare on the other) gives two halves of the same class mix.
    one_parity, other_parity = np.split(traffic, 2)
    interleaved = np.empty_like(traffic)
    interleaved[0::2] = one_parity[np.argsort(rng.random(one_parity.size))]
    interleaved[1::2] = other_parity[np.argsort(rng.random(other_parity.size))]
    source_rows = np.concatenate([training, validation, interleaved])
    roles = np.repeat([TRAINING, VALIDATION, TRAFFIC], [N_TRAINING, N_VALIDATION, N_TRAFFIC])
    return {
        "pixels": digits.data[source_rows].astype(np.uint8),
        "labels": digits.target[source_rows].astype(np.uint8),
        "roles": roles.astype(np.uint8),
        "source_rows": source_rows.astype(np.uint16),
    }


if __name__ == "__main__":
    np.savez_compressed(OUTPUT, **digit_arrays())
    print(f"wrote {OUTPUT}, {OUTPUT.stat().st_size:,} bytes")
