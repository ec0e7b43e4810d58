"""Floor 5: `tinytorch kit`, the tree that students get."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import tinytorch
from tinytorch.adapters.extras import MissingExtraError, require_extra

EXIT_FINE = 0
EXIT_BAD_INPUT = 2
EXAMPLES = """\
examples:
  tinytorch kit ../handout                          the students' tree, with the course's own Tensor
  tinytorch kit ../ada --core ~/ada/tinytorch/core  the same on Ada's own Tensor

Exit code 0: written; 2: not written, and the line says why (a solution found in it, too).
"""


def add_kit(commands: Any) -> None:
    """Add `kit` to the command line."""
    parser = commands.add_parser(
        "kit",
        help="write the tree that students get: everything but the solutions",
        description="Write a whole installable tree for students into DIR: notebooks with blanks, the library, and a "
        "page that says how to begin. It is searched for solutions before it is put there.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a new or empty folder")
    parser.add_argument(
        "--core",
        metavar="PATH",
        type=Path,
        help="a student's own tinytorch/core, in place of the course's; its code is run to try it",
    )
    parser.set_defaults(run=run_kit)


def run_kit(options: argparse.Namespace) -> int:
    """Write the kit and say how a student begins."""
    try:
        require_extra("course", ["nbgrader", "nbformat", "nbdev"], "kits")
    except MissingExtraError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT
    from tinytorch.course.kit import make_kit

    kit = make_kit(Path(tinytorch.__file__).resolve().parents[1], options.folder, options.core)
    print(f"Kit written to {kit}.")
    print(f"Its core is {'the one you named' if options.core else 'the course’s own'}.")
    print(f"Next, as a student would:  cd {options.folder}, read README.md, `make lab`")
    return EXIT_FINE
