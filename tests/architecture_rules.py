"""The rules of the house, each a function from a source tree to the list of what breaks it.

`test_architecture.py` runs every rule on the package, and every rule on a small source made to break it. A message
names the file, the line, the rule and the value. Only the source is read (with `ast` and `tokenize`): nothing of
the package is imported, so a broken file is reported and not run.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MAXIMUM_FUNCTION_LINES = 30
MAXIMUM_LESSON_FUNCTION_LINES = 25
"""A function of a lesson is one notebook cell, and a cell must fit a screen."""
MAXIMUM_FILE_LINES = 300
MAXIMUM_PUBLIC_METHODS = 7
MAXIMUM_COMPLEXITY = 8
MAXIMUM_PARAMETERS = 5

CELLAR, GROUND, RECORDS, STAGE, PIPELINE, ADAPTER, COMMAND = range(-1, 6)
FLOORS = {
    "tinytorch.core": GROUND,
    "tinytorch.stats": GROUND,
    "tinytorch.datasets": GROUND,
    "tinytorch.mlops.contracts": RECORDS,
    "tinytorch.mlops.validate": RECORDS,
    "tinytorch.mlops.chapter": RECORDS,
    "tinytorch.mlops.hashing": RECORDS,
    "tinytorch.mlops.labelled_rows": RECORDS,
    "tinytorch.mlops.networks": RECORDS,
    "tinytorch.mlops.prediction_log": RECORDS,
    "tinytorch.mlops.serving": RECORDS,
    "tinytorch.mlops.status": RECORDS,
    "tinytorch.mlops.trial": RECORDS,
    "tinytorch.mlops.monitor": STAGE,
    "tinytorch.mlops.drift": STAGE,
    "tinytorch.mlops.retrain": STAGE,
    "tinytorch.mlops.deploy": STAGE,
    "tinytorch.mlops.pipeline": PIPELINE,
    "tinytorch.checks": PIPELINE,
    "tinytorch.adapters": ADAPTER,
    "tinytorch.course": ADAPTER,
    "tinytorch.cli": COMMAND,
    "tinytorch.__main__": COMMAND,
}
"""Room -> floor. `tinytorch/_*.py` is the cellar, `tinytorch/mlops/_*.py` stands beside the records."""
RECORD_ROOMS = {"tinytorch.mlops", *(room for room, floor in FLOORS.items() if floor == RECORDS)}
"""Rooms of the records' floor, which may use each other (without a cycle)."""

LESSONS = {
    "15a_monitoring": "monitor",
    "15b_drift": "drift",
    "15c_retraining": "retrain",
    "15d_deployment": "deploy",
}
"""Notebook (and test folder) -> the stage whose `lesson.py` it makes."""
LESSON_READERS = ("tinytorch.checks", "tinytorch.cli", "tinytorch.adapters", "tinytorch.course")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TENSOR_CLASS = "tinytorch/core/tensor.py:Tensor"
TENSOR_OPERATIONS = _words("backward detach exp item log matmul max mean numpy reshape sum transpose zero_grad")
"""Exempt from the limit on public methods: what a Tensor can do is a list of operations, however long."""

OUTSIDE_WORLD = _words(
    "_thread asyncio concurrent dask distributed ftplib getpass http httptools httpx imaplib mmap multiprocessing "
    "pty requests select selectors smtplib socket socketserver sqlite3 ssl starlette subprocess telnetlib threading "
    "urllib urllib3 uvicorn uvloop webbrowser xmlrpc"
)
OUTSIDE_CALLS = frozenset({"os.system", "os.popen", "os.environ", "os.getenv", "os.fork", "os.kill"})
THIRD_PARTY_BELOW = frozenset({"numpy"})
THIRD_PARTY_ABOVE = THIRD_PARTY_BELOW | _words(
    "croniter dask distributed httptools ipykernel jinja2 jupyter_client jupyterlab matplotlib nbclient nbconvert "
    "nbdev nbformat nbgrader onnx orjson prometheus_client pyarrow rich starlette tomli traitlets uvicorn uvloop"
)
"""What the extras of pyproject.toml bring, by import name."""

POSIX_ONLY = frozenset({"resource", "fcntl", "pwd", "grp", "termios"})
CLOCKS = frozenset({"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"})
UNSEEDED_ROOMS = ("tinytorch.core",)
"""`Linear(4, 2)` and `Dropout(0.5)` must work as in TinyTorch, which hands no generator in."""
MAY_REPEAT = frozenset({"main"})
"""Top-level names that several files may define."""
GENERATED = "tinytorch/_modidx.py"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class SourceFile:
    """One Python file of the package: its path from the root, its text, its dotted name."""

    path: str
    text: str

    @cached_property
    def syntax(self) -> ast.Module:
        """The parsed file, each node knowing its parent as `.parent`."""
        module = ast.parse(self.text, self.path)
        for node in ast.walk(module):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]
        return module

    @property
    def module(self) -> str:
        """`tinytorch.stats` for tinytorch/stats/__init__.py, `tinytorch.stats.trend` for trend.py in it."""
        parts = self.path.removesuffix(".py").split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """The dotted package that relative imports of this file start from."""
        return self.path.rpartition("/")[0].replace("/", ".")

    @property
    def is_lesson(self) -> bool:
        return self.path.endswith("/lesson.py")

    @cached_property
    def code_lines(self) -> frozenset[int]:
        """Numbers of the lines that hold code: no blank lines, comments or docstrings."""
        silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in silent:
                lines.update(range(token.start[0], token.end[0] + 1))
        for node in ast.walk(self.syntax):
            if _is_bare_string(node):
                lines.difference_update(range(node.lineno, node.end_lineno + 1))
        return frozenset(lines)

    def walk(self, *kinds: type) -> Iterator:
        """Every node of the given kinds."""
        return (node for node in ast.walk(self.syntax) if isinstance(node, kinds))

    def at(self, node: ast.AST, message: str) -> str:
        """The message with the place in front."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


class SourceTree:
    """A project folder that holds a package `tinytorch`, with notebooks in `modules` and tests in `tests`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = sorted((root / "tinytorch").rglob("*.py"))
        names = [path.relative_to(root).as_posix() for path in paths]
        self.files = [
            SourceFile(name, path.read_text(encoding="utf-8"))
            for name, path in zip(names, paths, strict=True)
            if name != GENERATED
        ]
        self.modules = frozenset(file.module for file in self.files)

    def imports(self, file: SourceFile) -> Iterator[tuple[ast.stmt, str]]:
        """Every imported module of a file by its absolute dotted name, relative imports resolved."""
        for node in file.walk(ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            else:
                yield from ((node, name) for name in self._imported_from(file, node))

    def _imported_from(self, file: SourceFile, node: ast.ImportFrom) -> Iterator[str]:
        base = node.module or ""
        if node.level:
            above = file.package.split(".")[: len(file.package.split(".")) - node.level + 1]
            base = ".".join([*above, base]).strip(".")
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in self.modules else base


Rule = Callable[[SourceTree], list[str]]


# Floors ----------------------------------------------------------------------------------------------------------


def import_floors(tree: SourceTree) -> list[str]:
    """A file imports from lower floors and from its own room only; the four stages never import each other."""
    problems = []
    for file in tree.files:
        if _room(file.module) is None:
            problems.append(file.at(file.syntax, f"import_floors: {file.module} stands on no floor of the house"))
            continue
        for node, name in tree.imports(file):
            reason = _why_not(file.module, name)
            if reason:
                problems.append(file.at(node, f"import_floors: {file.module} imports {name}: {reason}"))
    return problems


def no_import_cycles(tree: SourceTree) -> list[str]:
    """No file imports itself, directly or through others (a sibling must not import its own `__init__.py`)."""
    edges = {file.module: {name for _, name in tree.imports(file)} & tree.modules for file in tree.files}
    places = {file.module: file for file in tree.files}
    problems = []
    for module in sorted(edges):
        route = _route_back(edges, module)
        if route and module == min(route):
            chain = " -> ".join([*route, module])
            problems.append(places[module].at(places[module].syntax, f"no_import_cycles: {chain}"))
    return problems


def lessons_stay_apart(tree: SourceTree) -> list[str]:
    """`lesson.py` is the student's: only its stage's `__init__.py` and the upper floors import it."""
    problems = []
    for file in tree.files:
        for node, name in tree.imports(file):
            is_lesson = name.startswith("tinytorch.mlops.") and name.endswith(".lesson")
            own_door = file.path.endswith("/__init__.py") and file.module == name.removesuffix(".lesson")
            if is_lesson and not own_door and not _is_inside(file.module, LESSON_READERS):
                problems.append(file.at(node, f"lessons_stay_apart: {file.module} imports {name}"))
    return problems


def no_outside_world(tree: SourceTree) -> list[str]:
    """Sockets, databases, threads, processes and the environment belong to adapters, course and cli."""
    problems = []
    for file in _below_adapters(tree):
        for node, name in tree.imports(file):
            if name.partition(".")[0] in OUTSIDE_WORLD:
                problems.append(file.at(node, f"no_outside_world: imports {name} below the adapters"))
        for node in file.walk(ast.Attribute):
            if ast.unparse(node) in OUTSIDE_CALLS:
                problems.append(file.at(node, f"no_outside_world: uses {ast.unparse(node)} below the adapters"))
    return problems


def third_party(tree: SourceTree) -> list[str]:
    """Below the adapters numpy and the standard library; above them what an extra brings, and nothing else."""
    problems = []
    below = {file.path for file in _below_adapters(tree)}
    for file in tree.files:
        allowed = THIRD_PARTY_BELOW if file.path in below else THIRD_PARTY_ABOVE
        for node, name in tree.imports(file):
            top = name.partition(".")[0]
            if top not in allowed and top not in sys.stdlib_module_names and top != "tinytorch":
                problems.append(
                    file.at(node, f"third_party: imports {name}; allowed here: {', '.join(sorted(allowed))}")
                )
    return problems


def import_style(tree: SourceTree) -> list[str]:
    """Imports stand at the top, absolute, named; none is tried and none is hidden in a function."""
    problems = []
    below = {file.path for file in _below_adapters(tree)}
    for file in tree.files:
        for node in file.walk(ast.Import, ast.ImportFrom):
            fault = _import_fault(node, file, below=file.path in below)
            if fault:
                problems.append(file.at(node, f"import_style: {fault}: {ast.unparse(node)}"))
    return problems


# Sizes -----------------------------------------------------------------------------------------------------------


def function_length(tree: SourceTree) -> list[str]:
    """A function has at most 30 lines of code without its docstring, in a lesson 25."""
    problems = []
    for file in tree.files:
        limit = MAXIMUM_LESSON_FUNCTION_LINES if file.is_lesson else MAXIMUM_FUNCTION_LINES
        for node in file.walk(ast.FunctionDef, ast.AsyncFunctionDef):
            length = len(file.code_lines.intersection(range(node.lineno, node.end_lineno + 1)))
            if length > limit:
                problems.append(file.at(node, f"function_length: {node.name} has {length} lines, at most {limit}"))
    return problems


def file_length(tree: SourceTree) -> list[str]:
    """A file has at most 300 lines of code without docstrings and comments."""
    return [
        f"{file.path}:1: file_length: {len(file.code_lines)} lines, at most {MAXIMUM_FILE_LINES}"
        for file in tree.files
        if len(file.code_lines) > MAXIMUM_FILE_LINES
    ]


def public_methods(tree: SourceTree) -> list[str]:
    """A class has at most 7 public methods; properties are not methods, and Tensor's operations are exempt."""
    problems = []
    for file in tree.files:
        for node in file.walk(ast.ClassDef):
            names = {item.name for item in node.body if isinstance(item, FunctionNode) and not _is_property(item)}
            names = {name for name in names if not name.startswith("_")}
            if f"{file.path}:{node.name}" == TENSOR_CLASS:
                names -= TENSOR_OPERATIONS
            if len(names) > MAXIMUM_PUBLIC_METHODS:
                count = f"{len(names)} public methods, at most {MAXIMUM_PUBLIC_METHODS}"
                problems.append(file.at(node, f"public_methods: {node.name} has {count}: {', '.join(sorted(names))}"))
    return problems


def complexity(tree: SourceTree) -> list[str]:
    """A function has a cyclomatic complexity of at most 8: one, and one for each place where the way forks."""
    problems = []
    for file in tree.files:
        for node in file.walk(ast.FunctionDef, ast.AsyncFunctionDef):
            value = 1 + sum(_forks(inner) for inner in ast.walk(node))
            if value > MAXIMUM_COMPLEXITY:
                problems.append(file.at(node, f"complexity: {node.name} has {value}, at most {MAXIMUM_COMPLEXITY}"))
    return problems


def parameters(tree: SourceTree) -> list[str]:
    """A function takes at most 5 parameters besides self or cls."""
    problems = []
    for file in tree.files:
        for node in file.walk(ast.FunctionDef, ast.AsyncFunctionDef):
            given = node.args
            names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            names += [argument.arg for argument in (given.vararg, given.kwarg) if argument]
            count = len([name for name in names if name not in ("self", "cls")])
            if count > MAXIMUM_PARAMETERS:
                message = f"parameters: {node.name} takes {count}, at most {MAXIMUM_PARAMETERS}"
                problems.append(file.at(node, message))
    return problems


def defined_once(tree: SourceTree) -> list[str]:
    """No two files define a top-level function or class of the same name, private ones included."""
    first: dict[str, str] = {}
    problems = []
    for file in tree.files:
        names = {node.name: node for node in file.syntax.body if isinstance(node, DefinitionNode)}
        for name, node in names.items():
            place = f"{file.path}:{node.lineno}"
            if name in MAY_REPEAT or _is_dunder(name) or name not in first:
                first.setdefault(name, place)
            else:
                problems.append(file.at(node, f"defined_once: {name} is also defined in {first[name]}"))
    return problems


# Portability and honesty --------------------------------------------------------------------------------------------


def portable(tree: SourceTree) -> list[str]:
    """No unguarded import of a POSIX-only module, no `signal.SIGKILL`: Windows has neither."""
    problems = []
    for file in tree.files:
        for node, name in tree.imports(file):
            if name.partition(".")[0] in POSIX_ONLY and not _is_guarded(node):
                problems.append(file.at(node, f"portable: unguarded import of {name}"))
        for node in file.walk(ast.Attribute, ast.alias):
            if "SIGKILL" in (getattr(node, "attr", None), getattr(node, "name", None)):
                problems.append(file.at(node, "portable: signal.SIGKILL does not exist on Windows"))
    return problems


def text_files(tree: SourceTree) -> list[str]:
    """Text is opened with `encoding=`, and written with `newline=`: the defaults differ between systems."""
    problems = []
    for file in tree.files:
        for node in file.walk(ast.Call):
            missing = _missing_text_arguments(node)
            if missing:
                call = ast.unparse(node.func)
                problems.append(file.at(node, f"text_files: {call}() without {' and '.join(missing)}"))
    return problems


def replace_not_rename(tree: SourceTree) -> list[str]:
    """`os.replace`, never `os.rename`, which fails on Windows where the target exists."""
    problems = []
    for file in tree.files:
        called = [node for node in file.walk(ast.Attribute) if node.attr == "rename"]
        named = [node for node in file.walk(ast.ImportFrom) if node.module == "os"]
        called += [alias for node in named for alias in node.names if alias.name == "rename"]
        problems += [file.at(node, "replace_not_rename: rename; use os.replace or Path.replace") for node in called]
    return problems


def randomness_is_handed_in(tree: SourceTree) -> list[str]:
    """No `random` module, no `np.random.seed` and its kin, no generator without a seed."""
    problems = []
    modern = {"Generator", "default_rng", "SeedSequence", "PCG64", "BitGenerator", "Philox"}
    for file in tree.files:
        for node, name in tree.imports(file):
            if name == "random":
                problems.append(file.at(node, "randomness_is_handed_in: imports random"))
        for node in file.walk(ast.Attribute):
            if ast.unparse(node.value) in ("np.random", "numpy.random") and node.attr not in modern:
                problems.append(file.at(node, f"randomness_is_handed_in: uses {ast.unparse(node)}"))
        for node in file.walk(ast.Call):
            unseeded = ast.unparse(node.func).endswith("default_rng") and not (node.args or node.keywords)
            if unseeded and not _is_inside(file.module, UNSEEDED_ROOMS):
                problems.append(file.at(node, "randomness_is_handed_in: default_rng() without a seed"))
    return problems


def time_is_handed_in(tree: SourceTree) -> list[str]:
    """Below the adapters nobody reads the clock: `now` is an argument (a stopwatch is `time.perf_counter`)."""
    problems = []
    for file in _below_adapters(tree):
        for node in file.walk(ast.Call):
            name = ".".join(ast.unparse(node.func).split(".")[-2:])
            if name in CLOCKS:
                problems.append(file.at(node, f"time_is_handed_in: calls {ast.unparse(node.func)}()"))
    return problems


# Notebooks ---------------------------------------------------------------------------------------------------------


def notebook_map(tree: SourceTree) -> list[str]:
    """One notebook makes one file and has one folder of tests, as LESSONS says; no other makes any."""
    problems = []
    for notebook in sorted((tree.root / "modules").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in notebook.parts:
            continue
        path = notebook.relative_to(tree.root).as_posix()
        stage = LESSONS.get(notebook.stem)
        if path != f"modules/{notebook.stem}/{notebook.stem}.ipynb" or stage is None:
            problems.append(f"{path}:1: notebook_map: no place for this notebook among {', '.join(LESSONS)}")
        else:
            problems += [f"{path}:1: notebook_map: {fault}" for fault in _notebook_faults(tree.root, notebook, stage)]
    for file in tree.files:
        source = next(
            (name for name, stage in LESSONS.items() if file.path == f"tinytorch/mlops/{stage}/lesson.py"), ""
        )
        if file.is_lesson and not (tree.root / f"modules/{source}/{source}.ipynb").is_file():
            problems.append(f"{file.path}:1: notebook_map: no notebook makes this file")
    return problems


RULES: tuple[Rule, ...] = (
    import_floors,
    no_import_cycles,
    lessons_stay_apart,
    no_outside_world,
    third_party,
    import_style,
    function_length,
    file_length,
    public_methods,
    complexity,
    parameters,
    defined_once,
    portable,
    text_files,
    replace_not_rename,
    randomness_is_handed_in,
    time_is_handed_in,
    notebook_map,
)


# Helpers -----------------------------------------------------------------------------------------------------------


def _is_inside(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def _room(module: str) -> str | None:
    """The room that a dotted module name stands in, or None."""
    parts = module.split(".")
    if module in ("tinytorch", "tinytorch.mlops"):
        return module
    if len(parts) == 2 and parts[1].startswith("_") and module not in FLOORS:
        return "tinytorch"
    if len(parts) == 3 and parts[1] == "mlops" and parts[2].startswith("_"):
        return "tinytorch.mlops"
    return next((room for room in FLOORS if _is_inside(module, (room,))), None)


def _floor(room: str) -> int:
    return {"tinytorch": CELLAR, "tinytorch.mlops": RECORDS}.get(room, FLOORS.get(room, COMMAND))


def _why_not(importer: str, imported: str) -> str | None:
    """Say why this import breaks the floors, or None when it does not (or is no import of ours)."""
    here, there = _room(importer), _room(imported)
    if imported.partition(".")[0] != "tinytorch" or here is None or here == there:
        return None
    if there is None:
        return "it stands on no floor of the house"
    if _floor(here) == _floor(there) == STAGE:
        return "the four stages never import each other"
    if _floor(there) < _floor(here) or {here, there} <= RECORD_ROOMS:
        return None
    return f"floor {_floor(here)} may import only from floors below it, this is on floor {_floor(there)}"


def _route_back(edges: dict[str, set[str]], start: str) -> list[str]:
    """The shortest list of modules, `start` first, that leads from `start` back to it; empty when none does."""
    routes = [[start]]
    seen: set[str] = set()
    while routes:
        route = routes.pop(0)
        for name in sorted(edges.get(route[-1], ())):
            if name == start:
                return route
            if name not in seen:
                seen.add(name)
                routes.append([*route, name])
    return []


def _below_adapters(tree: SourceTree) -> list[SourceFile]:
    return [file for file in tree.files if _floor(_room(file.module) or "tinytorch") < ADAPTER]


def _parents(node: ast.AST) -> Iterator[ast.AST]:
    while hasattr(node, "parent"):
        node = node.parent
        yield node


def _import_fault(node: ast.Import | ast.ImportFrom, file: SourceFile, *, below: bool) -> str | None:
    relative = isinstance(node, ast.ImportFrom) and node.level > 0
    if any(alias.name == "*" for alias in node.names):
        return "star import"
    if relative and not file.is_lesson:  # nbdev makes the imports of a lesson relative
        return "relative import"
    if below and any(isinstance(parent, ast.Try) for parent in _parents(node)):
        return "tried import below the adapters"
    if below and any(isinstance(parent, FunctionNode | ast.ClassDef) for parent in _parents(node)):
        return "import that is not at the top, below the adapters"
    return None


def _is_guarded(node: ast.AST) -> bool:
    return any(isinstance(parent, ast.Try | ast.If) for parent in _parents(node))


def _is_bare_string(node: ast.AST) -> bool:
    """A docstring, or a string that documents the constant above it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = [ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list]
    return bool({"property", "cached_property", "setter", "deleter", "overload"}.intersection(names))


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _forks(node: ast.AST) -> int:
    """How many more ways lead through this node: the usual count, boolean operators included."""
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    kinds = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert)
    if isinstance(node, ast.match_case):
        return int(not (isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None))
    return int(isinstance(node, kinds))


def _missing_text_arguments(node: ast.Call) -> list[str]:
    """The arguments that a call which opens text should name and does not; empty for any other call."""
    mode = _text_mode(node)
    if mode is None:
        return []
    given = {keyword.arg for keyword in node.keywords}
    wanted = ["encoding"] + ["newline"] * any(letter in mode for letter in "wax+")
    return [f"{name}=" for name in wanted if name not in given and None not in given]


def _text_mode(node: ast.Call) -> str | None:
    """The mode in which a call opens a text file, or None when it opens none (or one in binary mode)."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("read_text", "write_text"):
        return "r" if name == "read_text" else "w"
    if name not in ("open", "fdopen"):
        return None
    is_method = isinstance(node.func, ast.Attribute) and name == "open"
    place = 0 if is_method else 1
    stated = [keyword.value for keyword in node.keywords if keyword.arg == "mode"] or node.args[place : place + 1]
    mode = stated[0].value if stated and isinstance(stated[0], ast.Constant) else "r" if not stated else "w"
    is_mode = bool(re.fullmatch(r"[rwaxbt+]{1,4}", str(mode))) and (not is_method or len(node.args) <= 1)
    if is_method and stated and not isinstance(stated[0], ast.Constant):
        is_mode = False  # archive.open(member), os.open(path, flags): the argument is no mode
    return str(mode) if is_mode and "b" not in str(mode) else None


def _notebook_faults(root: Path, notebook: Path, stage: str) -> list[str]:
    """What is wrong between one notebook, the file it should make and the folder of its tests."""
    faults = []
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    exports = re.findall(r"^#\|\s*default_exp\s+(\S+)", "\n".join(sources), flags=re.MULTILINE)
    if exports != [f"mlops.{stage}.lesson"]:
        faults.append(f"default_exp must be mlops.{stage}.lesson, once; it is {exports}")
    lesson = root / "tinytorch" / "mlops" / stage / "lesson.py"
    if not lesson.is_file():
        faults.append(f"tinytorch/mlops/{stage}/lesson.py is missing: run make export")
    elif f"/{notebook.name}." not in lesson.read_text(encoding="utf-8"):
        faults.append(f"tinytorch/mlops/{stage}/lesson.py does not name this notebook as its source")
    if not list((root / "tests" / notebook.stem).glob("test_*.py")):
        faults.append(f"tests/{notebook.stem} holds no tests")
    return faults
