"""Floor 4, the course office: the students' version of a lesson's notebook, made by nbgrader's own preprocessors.

It reads notebooks through a path handed in and needs nbgrader, which the course extra brings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import (  # type: ignore[import-untyped]
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

# What stands in a blank that nobody has written in; the comment above it in the notebook names the steps.
CODE_STUB = 'raise NotImplementedError("write this part")'
# Those of nbgrader's release, in its order, without its database. Hidden tests go after the first checksums.
_RELEASE_STEPS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)


def release_config() -> Config:
    """Return nbgrader's settings for this course's stubs.

    Examples
    --------
    >>> release_config().ClearSolutions.code_stub["python"]
    'raise NotImplementedError("write this part")'
    """
    config = Config()
    config.ClearSolutions.code_stub = {"python": CODE_STUB}
    return config


def make_stub_notebook(source: Path) -> str:
    """Return the text of a lesson's notebook without solutions, hidden tests and outputs.

    Points and ids of the check cells stay, so that what students hand in can be graded.

    Parameters
    ----------
    source : Path
        The notebook with the solutions; it is left as it is.

    Raises
    ------
    ValueError
        If it cannot be read, or a marker of a solution or of hidden tests stands alone.
    """
    try:
        notebook: Any = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
        for step in _RELEASE_STEPS:
            notebook, _ = step(config=release_config()).preprocess(notebook, {})
    except (OSError, RuntimeError, nbformat.reader.NotJSONError) as error:
        raise ValueError(f"source must be a lesson's notebook, got {source.name!r} ({error}).") from error
    text: str = nbformat.writes(notebook, version=4)  # type: ignore[no-untyped-call]
    return text + "\n"
