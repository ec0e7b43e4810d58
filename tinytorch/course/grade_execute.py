"""Floor 4, the step that replaces nbgrader's own execution: its autograder calls it between repairing and scoring.

nbgrader reads points from the outputs of check cells. Its own step gets them from a kernel in which a student's code
and the checks share everything; this one gets them from `judge_cells`, and starts no kernel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor  # type: ignore[import-untyped]
from traitlets import Float, Integer, Unicode

from tinytorch.course.grade_check import CheckVerdict, judge_cells
from tinytorch.course.grade_student import StudentProcess
from tinytorch.course.grade_walls import Limits
from tinytorch.course.notebook import Cell, notebook_path, read_notebook


class ExecuteApart(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs the check cells of a submitted notebook with the student's code in a process of its own.

    Examples
    --------
    >>> ExecuteApart(seconds=2.0).seconds
    2.0
    """

    modules = Unicode(help="folder of the instructor's notebooks").tag(config=True)
    stage = Unicode(help="folder with the package that students' processes import").tag(config=True)
    seconds = Float(Limits.seconds, help="for one call of a blank").tag(config=True)
    memory_mb = Integer(Limits.memory_mb, help="for a student's process").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Write into each check cell what it said, as a kernel would."""
        source = read_notebook(notebook_path(Path(self.modules), resources["nbgrader"]["notebook"]))
        cells = [Cell(_id_of(cell), cell.cell_type, cell.source) for cell in nb.cells]
        with StudentProcess(Path(self.stage), Limits(self.seconds, self.memory_mb)) as student:
            verdicts = judge_cells(cells, source, student)
        for cell in nb.cells:
            if _id_of(cell) in verdicts:
                cell.outputs = [_as_output(verdicts[_id_of(cell)])]
        return nb, resources


def _id_of(cell: Any) -> str:
    """nbgrader knows graded cells by its own name for them, which it restores; it is our id too."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", ""))


def _as_output(verdict: CheckVerdict) -> Any:
    """What a kernel would have written: a printed line, or an error, which is worth no points."""
    if verdict.passed:
        return new_output("stream", name="stdout", text=verdict.said + "\n")  # type: ignore[no-untyped-call]
    return new_output(  # type: ignore[no-untyped-call]
        "error", ename=verdict.raised, evalue=verdict.said, traceback=[verdict.said]
    )
