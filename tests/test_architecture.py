"""The house keeps its rules, and every rule fails when it is broken (each is tried on a small bad source)."""

from __future__ import annotations

import json
from pathlib import Path

import architecture_rules as rules
import pytest

ROOT = Path(__file__).resolve().parents[1]
GOOD_NOTEBOOK = json.dumps({"cells": [{"source": ["#| default_exp mlops.drift.lesson\n"]}]})
GOOD_LESSON = "# File to edit: ../../../modules/15b_drift/15b_drift.ipynb.\n"


@pytest.fixture(scope="module")
def package() -> rules.SourceTree:
    return rules.SourceTree(ROOT)


def plant(root: Path, files: dict[str, str]) -> rules.SourceTree:
    """Write a small project and read it as a tree."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return rules.SourceTree(root)


def body(lines: int) -> str:
    """A function of `lines` lines of code, its `def` line counted, its docstring and comment not."""
    return 'def work(x):\n    """Work."""\n\n    # why\n' + "    x += 1\n" * (lines - 1)


def forks(count: int) -> str:
    """A function whose way forks `count` times."""
    return "def work(x):\n" + "    if x:\n        x = 1\n" * count


def takes(*names: str) -> str:
    return f"class Work:\n    def work(self, {', '.join(names)}):\n        return a\n"


def methods(*names: str) -> str:
    return "class Tensor:\n" + "".join(f"    def {name}(self):\n        return 1\n" for name in names)


def a_property(name: str) -> str:
    return f"    @property\n    def {name}(self):\n        return 1\n"


DRIFT = "tinytorch/mlops/drift/extra.py"
ADAPTER = "tinytorch/adapters/extra.py"
LETTERS = "abcdefgh"

BROKEN = [
    ("import_floors", {DRIFT: "from tinytorch.mlops.monitor import Alert\n"}, "four stages never import each other"),
    ("import_floors", {DRIFT: "from ..monitor.windowed import ModelMonitor\n"}, "four stages never import each other"),
    ("import_floors", {DRIFT: "from .. import monitor\n", "tinytorch/mlops/monitor/__init__.py": ""}, "four stages"),
    ("import_floors", {"tinytorch/stats/a.py": "import tinytorch.core.tensor\n"}, "floor 0 may import only from"),
    (
        "import_floors",
        {"tinytorch/datasets/a.py": "from tinytorch import stats\n", "tinytorch/stats/__init__.py": ""},
        "1",
    ),
    ("import_floors", {"tinytorch/mlops/contracts.py": "from tinytorch.mlops.drift import X\n"}, "this is on floor 2"),
    ("import_floors", {DRIFT: "from tinytorch.mlops.pipeline import MLOpsPipeline\n"}, "this is on floor 3"),
    ("import_floors", {"tinytorch/course/a.py": "from tinytorch.adapters.files import read\n"}, "this is on floor 4"),
    ("import_floors", {"tinytorch/_arguments.py": "from tinytorch.core.tensor import Tensor\n"}, "floor -1 may import"),
    ("import_floors", {"tinytorch/attic/a.py": ""}, "tinytorch.attic.a stands on no floor"),
    (
        "no_import_cycles",
        {
            "tinytorch/stats/a.py": "import tinytorch.stats.b\n",
            "tinytorch/stats/b.py": "from tinytorch.stats import a\n",
        },
        "tinytorch.stats.a -> tinytorch.stats.b -> tinytorch.stats.a",
    ),
    (
        "no_import_cycles",
        {
            "tinytorch/stats/__init__.py": "from tinytorch.stats.a import f\n",
            "tinytorch/stats/a.py": "from tinytorch.stats import g\n",
        },
        "tinytorch.stats -> tinytorch.stats.a -> tinytorch.stats",
    ),
    ("lessons_stay_apart", {DRIFT: "from tinytorch.mlops.drift.lesson import DriftDetector\n"}, "drift.lesson"),
    (
        "lessons_stay_apart",
        {DRIFT: "from tinytorch.mlops.drift import lesson\n", "tinytorch/mlops/drift/lesson.py": ""},
        "tinytorch.mlops.drift.extra imports tinytorch.mlops.drift.lesson",
    ),
    ("lessons_stay_apart", {"tinytorch/mlops/pipeline.py": "from tinytorch.mlops.drift.lesson import D\n"}, "lesson"),
    ("no_outside_world", {DRIFT: "import socket\n"}, "imports socket below the adapters"),
    ("no_outside_world", {DRIFT: "from http.server import HTTPServer\n"}, "imports http.server"),
    ("no_outside_world", {"tinytorch/core/a.py": "import os\nHOME = os.environ['HOME']\n"}, "uses os.environ"),
    ("third_party", {DRIFT: "import scipy.stats\n"}, "imports scipy.stats; allowed here: numpy"),
    ("third_party", {DRIFT: "import matplotlib\n"}, "imports matplotlib"),
    ("third_party", {ADAPTER: "import pandas\n"}, "imports pandas"),
    ("import_style", {DRIFT: "from numpy import *\n"}, "star import"),
    ("import_style", {DRIFT: "from .other import work\n"}, "relative import"),
    ("import_style", {DRIFT: "try:\n    import scipy\nexcept ImportError:\n    scipy = None\n"}, "tried import"),
    ("import_style", {DRIFT: "def work():\n    import numpy\n"}, "not at the top"),
    ("function_length", {DRIFT: body(31)}, "work has 31 lines, at most 30"),
    ("function_length", {"tinytorch/mlops/drift/lesson.py": body(26)}, "work has 26 lines, at most 25"),
    ("file_length", {DRIFT: "x = 1\n" * 301}, "301 lines, at most 300"),
    ("public_methods", {DRIFT: methods(*LETTERS)}, "Tensor has 8 public methods, at most 7"),
    ("public_methods", {"tinytorch/core/tensor.py": methods("exp", *LETTERS)}, "Tensor has 8 public methods"),
    ("complexity", {DRIFT: forks(8)}, "work has 9, at most 8"),
    ("complexity", {DRIFT: "def work(x):\n    return " + " and ".join(["x"] * 9) + "\n"}, "work has 9, at most 8"),
    ("parameters", {DRIFT: takes(*"abcdef")}, "work takes 6, at most 5"),
    ("parameters", {DRIFT: takes(*"abcde", "**options")}, "work takes 6, at most 5"),
    (
        "defined_once",
        {DRIFT: "class Work: pass\n", ADAPTER: "class Work: pass\n"},
        "is also defined in tinytorch/adapters",
    ),
    ("defined_once", {DRIFT: "def _help(): pass\n", ADAPTER: "def _help(): pass\n"}, "_help is also defined in"),
    ("portable", {ADAPTER: "import resource\n"}, "unguarded import of resource"),
    ("portable", {ADAPTER: "from fcntl import flock\n"}, "unguarded import of fcntl"),
    ("portable", {ADAPTER: "import pwd\n"}, "unguarded import of pwd"),
    ("portable", {ADAPTER: "import signal\nsignal.SIGKILL\n"}, "signal.SIGKILL does not exist on Windows"),
    ("portable", {ADAPTER: "from signal import SIGKILL\n"}, "signal.SIGKILL does not exist on Windows"),
    ("text_files", {ADAPTER: "open(path)\n"}, "open() without encoding="),
    ("text_files", {ADAPTER: "open(path, 'w', encoding='utf-8')\n"}, "open() without newline="),
    ("text_files", {ADAPTER: "path.open()\n"}, "path.open() without encoding="),
    ("text_files", {ADAPTER: "path.open('a')\n"}, "path.open() without encoding= and newline="),
    ("text_files", {ADAPTER: "path.read_text()\n"}, "path.read_text() without encoding="),
    ("text_files", {ADAPTER: "path.write_text(text, encoding='utf-8')\n"}, "path.write_text() without newline="),
    ("replace_not_rename", {ADAPTER: "import os\nos.rename(a, b)\n"}, "use os.replace"),
    ("replace_not_rename", {ADAPTER: "from os import rename\n"}, "use os.replace"),
    ("randomness_is_handed_in", {DRIFT: "import numpy as np\nnp.random.seed(0)\n"}, "uses np.random.seed"),
    ("randomness_is_handed_in", {DRIFT: "import numpy as np\nnp.random.default_rng()\n"}, "without a seed"),
    ("randomness_is_handed_in", {DRIFT: "import random\n"}, "imports random"),
    ("time_is_handed_in", {DRIFT: "import time\nnow = time.time()\n"}, "calls time.time()"),
    ("time_is_handed_in", {DRIFT: "import datetime\ndatetime.datetime.now()\n"}, "calls datetime.datetime.now()"),
    ("notebook_map", {"modules/16_more/16_more.ipynb": GOOD_NOTEBOOK}, "no place for this notebook"),
    ("notebook_map", {"modules/15b_drift/draft.ipynb": GOOD_NOTEBOOK}, "no place for this notebook"),
    ("notebook_map", {"modules/15b_drift/15b_drift.ipynb": GOOD_NOTEBOOK}, "drift/lesson.py is missing"),
    ("notebook_map", {"modules/15b_drift/15b_drift.ipynb": GOOD_NOTEBOOK}, "tests/15b_drift holds no tests"),
    ("notebook_map", {"modules/15a_monitoring/15a_monitoring.ipynb": GOOD_NOTEBOOK}, "must be mlops.monitor.lesson"),
    ("notebook_map", {"tinytorch/mlops/drift/lesson.py": GOOD_LESSON}, "no notebook makes this file"),
]

WHOLE = [
    (
        "import_floors",
        {DRIFT: "from tinytorch.core.tensor import Tensor\nfrom tinytorch.mlops.contracts import Alert\n"},
    ),
    ("import_floors", {"tinytorch/mlops/pipeline.py": "import tinytorch.mlops.drift\nimport tinytorch.mlops.deploy\n"}),
    ("import_floors", {"tinytorch/cli/main.py": "import tinytorch.course\nimport tinytorch.checks\n"}),
    (
        "no_import_cycles",
        {"tinytorch/stats/a.py": "import tinytorch.stats.b\n", "tinytorch/stats/b.py": "import numpy\n"},
    ),
    ("lessons_stay_apart", {"tinytorch/mlops/drift/__init__.py": "from tinytorch.mlops.drift.lesson import D\n"}),
    ("lessons_stay_apart", {"tinytorch/cli/main.py": "from tinytorch.mlops.drift.lesson import D\n"}),
    ("no_outside_world", {ADAPTER: "import socket\nimport sqlite3\n", DRIFT: "import os\nos.replace(a, b)\n"}),
    ("third_party", {DRIFT: "import json\nimport numpy as np\n", ADAPTER: "import starlette\n"}),
    ("import_style", {ADAPTER: "def work():\n    import matplotlib\n"}),
    ("import_style", {"tinytorch/mlops/drift/lesson.py": "from ...core.tensor import Tensor\n"}),
    ("function_length", {DRIFT: body(30), "tinytorch/mlops/drift/lesson.py": body(25)}),
    ("file_length", {DRIFT: '"""Word.\n\nMore.\n"""\n' + "# why\n\n" * 50 + "x = 1\n" * 300}),
    ("public_methods", {DRIFT: methods(*LETTERS[:7], "_private") + a_property("eighth")}),
    ("public_methods", {"tinytorch/core/tensor.py": methods(*rules.TENSOR_OPERATIONS)}),
    ("complexity", {DRIFT: forks(7)}),
    ("parameters", {DRIFT: takes(*"abcde")}),
    ("defined_once", {DRIFT: "def main(): pass\n", ADAPTER: "def main(): pass\ndef __getattr__(name): pass\n"}),
    ("portable", {ADAPTER: "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None\n"}),
    ("text_files", {ADAPTER: "open(path, 'rb')\npath.open('wb')\nos.open(path, flags)\narchive.open(name)\n"}),
    ("text_files", {ADAPTER: "path.write_text(text, encoding='utf-8', newline='\\n')\n"}),
    ("replace_not_rename", {ADAPTER: "import os\nos.replace(a, b)\n"}),
    ("randomness_is_handed_in", {DRIFT: "import numpy as np\nrng = np.random.default_rng(0)\n"}),
    ("time_is_handed_in", {DRIFT: "import time\ntime.perf_counter()\n", ADAPTER: "import time\ntime.time()\n"}),
    (
        "notebook_map",
        {
            "modules/15b_drift/15b_drift.ipynb": GOOD_NOTEBOOK,
            "tinytorch/mlops/drift/lesson.py": GOOD_LESSON,
            "tests/15b_drift/test_lesson.py": "",
        },
    ),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(package: rules.SourceTree, rule: rules.Rule) -> None:
    problems = rule(package)
    assert not problems, "\n".join(["", *problems])


@pytest.mark.parametrize(("name", "files", "expected"), BROKEN)
def test_a_rule_fails_when_it_is_broken(tmp_path: Path, name: str, files: dict[str, str], expected: str) -> None:
    problems = getattr(rules, name)(plant(tmp_path, files))
    assert any(expected in problem and name in problem for problem in problems), problems


@pytest.mark.parametrize(("name", "files"), WHOLE)
def test_a_rule_is_silent_where_it_is_kept(tmp_path: Path, name: str, files: dict[str, str]) -> None:
    assert getattr(rules, name)(plant(tmp_path, files)) == []


def test_a_message_names_file_line_rule_and_value(tmp_path: Path) -> None:
    tree = plant(tmp_path, {DRIFT: "import numpy\n\nimport socket\n"})
    assert rules.no_outside_world(tree) == [f"{DRIFT}:3: no_outside_world: imports socket below the adapters"]


def test_every_rule_is_tried_both_ways() -> None:
    names = {rule.__name__ for rule in rules.RULES}
    assert {name for name, *_ in BROKEN} == names
    assert {name for name, *_ in WHOLE} == names


def test_the_package_is_found(package: rules.SourceTree) -> None:
    """A tree read from the wrong folder would break no rule."""
    assert {"tinytorch", "tinytorch.core", "tinytorch.stats", "tinytorch.mlops.drift"} <= package.modules


def test_exempt_operations_belong_to_the_tensor(package: rules.SourceTree) -> None:
    """The list of exemptions is no place for names that Tensor does not have."""
    path = rules.TENSOR_CLASS.partition(":")[0]
    source = next(file.text for file in package.files if file.path == path)
    assert [name for name in sorted(rules.TENSOR_OPERATIONS) if f"def {name}(" not in source] == []
