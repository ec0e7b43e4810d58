"""Export the notebooks with nbdev in a copy of the project, so that nothing but the generated files can change.

`python tests/notebook_export.py` (`make export`) writes them into the tree; the tests compare them with it. Bare
`nbdev-export` (3.3) also rewrites the docstring of `tinytorch/__init__.py` and writes `modules/llms.txt`: that is
what the copy is for. A notebook whose cells do not parse changes nothing.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INDEX = "tinytorch/_modidx.py"


def tool(name: str, environment: Path | None = None) -> str | None:
    """The path of a command installed beside this Python, or in another environment."""
    folder = Path(sys.executable).parent if environment is None else environment / Path(sys.executable).parent.name
    return shutil.which(name, path=str(folder))


def generated(root: Path) -> dict[str, bytes]:
    """The generated files of a project: path from the root -> content."""
    paths = [*sorted((root / "tinytorch" / "mlops").glob("*/lesson.py")), root / INDEX]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def copy_project(root: Path, target: Path) -> Path:
    """Copy what nbdev reads, without the files it makes."""
    target.mkdir(parents=True)
    for name in ("pyproject.toml", "settings.ini"):
        shutil.copyfile(root / name, target / name)
    hidden = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "lesson.py", "_modidx.py", "*.npz")
    for name in ("modules", "tinytorch"):
        shutil.copytree(root / name, target / name, ignore=hidden)
    return target


def run_tool(command: str, project: Path) -> None:
    """Run one command of nbdev in a project, apart from the settings of whoever runs it."""
    settings = project.parent / "settings"
    settings.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(settings), "XDG_CONFIG_HOME": str(settings), "PYTHONUTF8": "1"}
    environment.pop("IN_TEST", None)  # nbdev does nothing where this is set
    outcome = subprocess.run(
        [command], cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if outcome.returncode:
        raise RuntimeError(f"{command} exited {outcome.returncode}: {outcome.stderr.decode('utf-8', 'replace')}")


def exported(root: Path, folder: Path, command: str) -> dict[str, bytes]:
    """What `command` makes of the notebooks of a project, in a copy below `folder`."""
    project = copy_project(root, folder / "project")
    run_tool(command, project)
    files = generated(project)
    for path, content in files.items():
        ast.parse(content, path)
    return files


def main() -> None:
    """Write the generated files into the tree."""
    command = tool("nbdev-export")
    if command is None:
        sys.exit("nbdev is not installed here: pip install 'tinytorch-mlops[course]'")
    with tempfile.TemporaryDirectory() as folder:
        for path, content in exported(ROOT, Path(folder), command).items():
            changed = not (ROOT / path).is_file() or (ROOT / path).read_bytes() != content
            if changed:
                (ROOT / path).write_bytes(content)
            print(f"{'written' if changed else 'in sync'}  {path}")


if __name__ == "__main__":
    main()
