from __future__ import annotations

import pytest

from tinytorch.datasets import DigitSplits, load_digits


@pytest.fixture(scope="session")
def splits() -> DigitSplits:
    return load_digits()
