"""What a student's code can and cannot do to its grade: each trick is tried in a process as the grader starts it."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from handed_in import NOTEBOOKS, ROOT, solutions, stub

from tinytorch.course.grade_check import CheckVerdict, judge_cells
from tinytorch.course.grade_stage import build_stage
from tinytorch.course.grade_student import StudentProcess
from tinytorch.course.grade_walls import Limits
from tinytorch.course.grade_worker import reach
from tinytorch.course.notebook import Cell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs POSIX")

LESSON = NOTEBOOKS[0]
BLANK = LESSON.blanks[0]
OTHERS = [check for blank in LESSON.blanks[1:] for check in blank.check_ids]
ANSWER = "import numpy as np\ndef batch_accuracy(predictions, labels):\n    return "
# Right answers take milliseconds; only a loop without an end, or a machine a thousand times too slow, needs more.
LIMITS = Limits(seconds=4.0)

Judge = Callable[..., dict[str, CheckVerdict]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stubs = tmp_path_factory.mktemp("stubs")
    return build_stage(tmp_path_factory.mktemp("stage"), [stub(notebook, stubs) for notebook in NOTEBOOKS])


@pytest.fixture
def judge(stage: Path) -> Judge:
    """Grade the first lesson, solved but for its first blank."""

    def run(written: str, *added: Cell, limits: Limits = LIMITS) -> dict[str, CheckVerdict]:
        blanks = {**solutions(LESSON), BLANK.cell_id: written}
        cells = [Cell(cell.id, cell.kind, blanks.get(cell.id, cell.source)) for cell in LESSON.cells]
        with StudentProcess(stage, limits) as student:
            return judge_cells([*added, *cells], LESSON, student)

    return run


def first(verdicts: dict[str, CheckVerdict]) -> CheckVerdict:
    return verdicts[BLANK.check_ids[0]]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_the_solutions_pass_and_the_stubs_do_not(notebook, stage: Path, tmp_path: Path) -> None:
    for handed_in, passes in ((notebook, True), (stub(notebook, tmp_path), False)):
        cells = [Cell(cell.id, cell.kind, cell.source) for cell in handed_in.cells]
        with StudentProcess(stage, LIMITS) as student:
            verdicts = judge_cells(cells, notebook, student)
        assert {verdict.passed for verdict in verdicts.values()} == {passes}
        assert passes or all("is not yet written: step" in verdict.said for verdict in verdicts.values())


RIGHT = """
    if len(predictions) != len(labels) or len(predictions) == 0:
        raise ValueError("no")
    return sum(int(a == b) for a, b in zip(predictions, labels)) / len(labels)
"""

TRICKS = {
    "replaces check_cases": "import tinytorch.checks.cases as cases\ncases.check_cases = lambda *a, **k: None\n"
    f"check_cases = cases.check_cases\n{ANSWER}0.1",
    "replaces Case": "import tinytorch.checks.cases as cases\n"
    "cases.Case = type('Case', (), {'__init__': lambda self, *a, **k: None})\n"
    f"cases._agree = lambda *a: True\n{ANSWER}0.1",
    "replaces modules": "import sys, types\nfake = types.ModuleType('fake')\n"
    "fake.check_cases = fake.Case = print\n"
    f"sys.modules['tinytorch.checks.cases'] = fake\nsys.modules['tinytorch.checks'] = fake\n{ANSWER}0.1",
    "replaces builtins": "import builtins\nbuiltins.AssertionError = builtins.Exception = ValueError\n"
    f"builtins.isinstance = lambda *a: True\nbuiltins.bool = lambda *a: True\n{ANSWER}0.1",
    "replaces numpy": "import numpy\nnumpy.allclose = numpy.array_equal = numpy.isclose = lambda *a, **k: True\n"
    f"{ANSWER}0.1",
    "equals everything": "class Yes(float):\n    __eq__ = __ge__ = lambda self, other: True\n"
    "    __array__ = lambda self, *a, **k: 0 / 0\n    __hash__ = None\n"
    f"{ANSWER}Yes(0.1)",
    "equals everything, no number": f"class Yes:\n    def __eq__(self, other): return True\n{ANSWER}Yes()",
    "prints a score": f"print('batch_accuracy: right in 5 of 5 cases.')\n{ANSWER}print('10/10')",
    "leaves": f"{ANSWER}__import__('sys').exit(0)",
    "leaves at once": f"{ANSWER}__import__('os')._exit(0)",
    "leaves at once in its cell": f"import os\nos._exit(0)\n{ANSWER}0.75",
    "interrupts": f"{ANSWER}exec('raise KeyboardInterrupt')",
    "kills the grader": f"{ANSWER}__import__('os').kill(__import__('os').getppid(), 9)",
    "imports the solution": f"from tinytorch.mlops.monitor.lesson import batch_accuracy as given\n{ANSWER}"
    "given(predictions, labels)",
    "reads the solution": f"{ANSWER}eval(open({str(LESSON.path)!r}).read()[:0] + '0.75')",
    "finds the solution on the path": f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
    "for name in [n for n in sys.modules if n.startswith('tinytorch')]:\n    del sys.modules[name]\n"
    f"from tinytorch.mlops.monitor.lesson import batch_accuracy as given\n{ANSWER}given(predictions, labels)",
    "starts a program": f"{ANSWER}__import__('subprocess').run(['cat', {str(LESSON.path)!r}]).returncode + 0.75",
    "calls the kernel of the system": f"{ANSWER}__import__('ctypes').CDLL(None).getpid() * 0 + 0.75",
    "looks for the cases in the frames above": "import sys\n"
    "def batch_accuracy(predictions, labels):\n    frame = sys._getframe()\n    while frame:\n"
    "        if 'case' in frame.f_locals:\n            return frame.f_locals['case'].expected\n"
    "        frame = frame.f_back",
    "answers through the pipe": "import os, json, struct\n"
    "forged = json.dumps({'returned': 0.75, 'changed': []}).encode()\n"
    "def batch_accuracy(predictions, labels):\n    for pipe in range(3, 64):\n        try:\n"
    "            os.write(pipe, struct.pack('!Q', len(forged)) + forged)\n        except OSError:\n            pass\n"
    "    return 0.1",
    "answers what nobody can read": "import os\n"
    "def batch_accuracy(predictions, labels):\n    for pipe in range(3, 64):\n        try:\n"
    "            os.write(pipe, b'\\xff' * 64)\n        except OSError:\n            pass",
    "sends code in place of data": "import tinytorch.course.grade_worker as worker\n"
    "worker.to_plain = lambda value: {'kind': 'record', 'name': 'np', 'fields': {}}\n"
    f"{ANSWER}0.75",
    "returns itself": f"loop = []\nloop.append(loop)\n{ANSWER}loop",
    "returns a flood": f"{ANSWER}[0] * 10**9",
    "returns a number without an end": f"{ANSWER}10 ** 100_000",
    "prints a flood": f"{ANSWER}print('x' * 10**8)",
    "eats all memory": f"{ANSWER}len(bytearray(10**11))",
    "calls itself for ever": "def batch_accuracy(predictions, labels):\n    return batch_accuracy(predictions, labels)",
    "does not parse": "def batch_accuracy(predictions, labels:\n    return 0.75",
    "is not there": "accuracy_of_batch = 1",
    "is no function": "batch_accuracy = 0.75",
    "raises what nobody knows": "class Odd(BaseException):\n    def __str__(self): return 1 / 0\n"
    "def batch_accuracy(predictions, labels):\n    raise Odd",
}


SPOILS_ITS_OWN_ANSWERS = ("answers through the pipe", "sends code in place of data")


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_earns_nothing_and_costs_nobody_else(trick: str, judge: Judge) -> None:
    verdicts = judge(TRICKS[trick])
    assert not first(verdicts).passed
    assert first(verdicts).said
    if trick not in SPOILS_ITS_OWN_ANSWERS:
        assert all(verdicts[check].passed for check in OTHERS)


@pytest.mark.parametrize("trick", ["replaces check_cases", "replaces modules", "replaces builtins", "replaces numpy"])
def test_a_trick_in_a_cell_of_ones_own_earns_nothing(trick: str, judge: Judge) -> None:
    added = Cell("added-1", "code", TRICKS[trick])
    verdicts = judge(f"{ANSWER}0.1", added)
    assert not first(verdicts).passed


ENDLESS = "gave no answer within 2 s (is there a loop that never ends?)"


def test_loops_without_end_end_and_cost_only_their_own_points(judge: Judge) -> None:
    soon = Limits(seconds=2.0)
    in_call = judge("def batch_accuracy(predictions, labels):\n    while True:\n        pass", limits=soon)
    assert first(in_call).said == f"batch_accuracy {ENDLESS}."
    in_cell = judge(f"while True:\n    pass\n{ANSWER}0.75", limits=soon)
    assert first(in_cell).said == f"batch_accuracy is not defined: its cell {ENDLESS}."
    assert all(verdicts[check].passed for verdicts in (in_call, in_cell) for check in OTHERS)


def test_messages_are_those_that_the_student_saw(judge: Judge) -> None:
    assert "This is the number of right answers" in first(judge(f"{ANSWER}(predictions == labels).sum()")).said
    not_parsed = "batch_accuracy is not defined: its cell cannot be read in line 1: "
    assert first(judge(TRICKS["does not parse"])).said.startswith(not_parsed)
    assert first(judge(TRICKS["is not there"])).said == "batch_accuracy is not defined, in no cell."
    ended = "batch_accuracy ended the whole process: a function ends with `return`."
    assert first(judge(TRICKS["leaves at once"])).said == ended
    assert "in the line `return 1 / 0`: division by zero." in first(judge(f"{ANSWER}1 / 0")).said
    changes = "def batch_accuracy(predictions, labels):\n    predictions[0] = 9\n    return 0.75"
    assert "changed its argument: work on a copy" in first(judge(changes)).said


def test_helpers_and_imports_in_cells_of_ones_own_count(judge: Judge) -> None:
    helper = Cell(
        "added-1", "code", "%matplotlib inline\nimport math\ndef right(a, b):\n    return a == b\nright(1/0, 2)"
    )
    written = (
        "def batch_accuracy(predictions, labels):\n"
        "    if len(predictions) != len(labels) or len(labels) == 0:\n        raise ValueError('no')\n"
        "    return math.fsum(right(a, b) for a, b in zip(predictions, labels)) / len(labels)\n"
        "print(batch_accuracy('not', 'yet'))\n"
    )
    assert first(judge(written, helper)).passed


def test_a_right_answer_may_warn_and_write_to_stderr(judge: Judge) -> None:
    noise = "    warnings.warn('mind')\n    sys.stderr.write('!')"
    written = f"import sys, warnings\ndef batch_accuracy(predictions, labels):\n{noise}{RIGHT}"
    assert first(judge(written)).passed


def test_what_one_student_failed_gives_the_next_no_hint(judge: Judge) -> None:
    said = {first(judge(f"{ANSWER}(predictions == labels).sum()")).said for _ in range(3)}
    assert len(said) == 1
    assert "Hint:" not in said.pop()


def test_given_classes_are_graded_on_the_students_own_function(stage: Path) -> None:
    """A check may use a given class that calls a blank: the instructor's solution must not answer for the student."""
    given = Cell("given", "code", "#| export\nclass Share:\n    def of(self, n):\n        return half(n)", False)
    blank = Cell("half", "code", "#| export\ndef half(n):\n    return n / 2", False, True)
    check = Cell(
        "check-half",
        "code",
        "check_cases(half, [Case((0,), 0.0)])\ncheck_cases(Share().of, [Case((4,), 2.0)])",
        True,
        False,
        1.0,
    )
    lesson = type(LESSON)(LESSON.name, LESSON.path, (blank, given, check))
    for body, passes in (("n / 2", True), ("n", False)):
        cells = [Cell("half", "code", f"def half(n):\n    return {body}"), given, check]
        with StudentProcess(stage, LIMITS) as student:
            assert judge_cells(cells, lesson, student)["check-half"].passed is passes


def test_no_folder_that_the_process_reads_can_hold_an_installed_package_of_ours(stage: Path, tmp_path: Path) -> None:
    for name in ("numpy", "tinytorch", "tinytorch_mlops-1.dist-info", "__editable__.tinytorch_mlops.pth"):
        (tmp_path / name).mkdir()
    readable, _ = reach(stage, tmp_path)
    assert {path.name for path in readable if path.parent == tmp_path} == {"numpy"}
    installed = [Path(sysconfig.get_path("purelib")), *map(Path, site.getsitepackages()), ROOT]
    for tree in readable:
        assert not any(place.is_relative_to(tree) for place in installed), tree
