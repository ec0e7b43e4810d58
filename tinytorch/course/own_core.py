"""Floor 4, the course office: is there all that the lessons ask of a `tinytorch.core`, and does its training learn?

Run inside a kit, after a student's own core was put in place: `python -m tinytorch.course.own_core`. It imports the
core by name, so that a missing file is an answer and not a crash.
"""

from __future__ import annotations

import importlib
import sys

import numpy as np

NEEDED_NAMES = {
    "tensor": ("Tensor",),
    "autograd": ("enable_autograd",),
    "activations": ("ReLU", "Softmax"),
    "layers": ("Linear", "Sequential"),
    "losses": ("CrossEntropyLoss",),
    "optimizers": ("Adam", "AdamW"),
    "training": ("Trainer",),
}
"""What the lessons and the library import from `tinytorch.core`, file by file. All are names of TinyTorch's own."""

EXIT_FINE = 0
EXIT_FINDING = 1

# The trial's task is easy: two clouds of points, far apart. Chance tells one half of them rightly.
WORKING_ACCURACY = 0.9
TRIALS = ("train_as_the_lessons_do", "train_as_the_library_does")


def missing_names() -> tuple[str, ...]:
    """Return what the core in use lacks, as "layers.Sequential"; a file that cannot be imported comes with its error.

    Examples
    --------
    >>> missing_names()
    ()
    """
    missing = []
    for file, names in NEEDED_NAMES.items():
        try:
            module = importlib.import_module(f"tinytorch.core.{file}")
        except Exception as error:  # a student's file may fail in any way
            missing.append(f"{file}.py ({type(error).__name__}: {error})")
        else:
            missing.extend(f"{file}.{name}" for name in names if not hasattr(module, name))
    return tuple(missing)


def explain_training() -> str:
    """Train a small network on an easy task; return one sentence on what is wrong, or "" if it learns.

    Examples
    --------
    >>> explain_training()
    ''
    """
    try:
        trial = importlib.import_module("tinytorch.course.core_trial")
        accuracies = [getattr(trial, name)(np.random.default_rng(0)) for name in TRIALS]
    except Exception as error:  # a student's code may fail in any way
        return f"training a small network ends with {type(error).__name__}: {error}"
    if min(accuracies) < WORKING_ACCURACY:
        return f"a small network learns nothing: {min(accuracies):.0%} of an easy task, where chance gives 50%"
    return ""


def main() -> int:
    """Print what the core in use lacks, one line each, and return 1 if there is any."""
    findings = [f"missing: {name}" for name in missing_names()] or [text for text in [explain_training()] if text]
    for finding in findings:
        print(finding)
    if not findings:
        print("Your tinytorch.core has all that the lessons need, and it learns.")
    return EXIT_FINDING if findings else EXIT_FINE


if __name__ == "__main__":
    sys.exit(main())
