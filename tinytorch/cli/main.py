"""Floor 5: reads the command line and hands over to one file a subcommand."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import tinytorch
from tinytorch.cli.audit import add_audit
from tinytorch.cli.check import add_check
from tinytorch.cli.doctor import add_doctor
from tinytorch.cli.grade import add_grade
from tinytorch.cli.invocation import shown_step
from tinytorch.cli.kit import add_kit
from tinytorch.cli.lab import add_lab
from tinytorch.cli.release import add_release
from tinytorch.cli.rollout import add_rollout

EXIT_BAD_INPUT = 2
# They import the stages, and with them the lessons, which a student may have left in any state.
COMMANDS_ON_STAGES = ("demo", "drift", "registry", "serve")
# What a shell reports of a program whose reader has left: 128 and the number of SIGPIPE.
EXIT_BROKEN_PIPE = 141
DESCRIPTION = """\
Keep a model alive in production: watch it, see drift, retrain it, ship it.

see it all:   demo     a model on real digits goes once round the whole loop
operate:      drift    has one table drifted away from another? a sentence, a page, an exit code
              registry which version serves, since when, by whom; promote it, take it back
              serve    a model behind a socket: logged, watched, switched without a lost request
              rollout  a new version into a server's traffic, step by step, and out of it again
learn:        lab      open the four lessons in Jupyter Lab
              check    your points for each blank, in about two seconds
              doctor   something does not start? looks for the cause and says what to do
teach:        kit      write the tree that students get: everything but the solutions
              release  make the students' notebooks and the gradebook, by nbgrader
              grade    grade a class: points, a feedback page a student, statistics by blank
              audit    try the lessons' checks on right answers, wrong answers and mutants
"""
EPILOG = "first step: tinytorch demo"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    Examples
    --------
    >>> build_parser().parse_args(["demo", "--drift", "blur"]).drift
    'blur'
    """
    parser = argparse.ArgumentParser(
        prog="tinytorch",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tinytorch-mlops {tinytorch.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS_ON_STAGES:
        _add_command_on_stages(commands, name)
    add_rollout(commands)
    add_lab(commands)
    add_check(commands)
    add_doctor(commands)
    add_kit(commands)
    add_release(commands)
    add_grade(commands)
    add_audit(commands)
    return parser


def _add_command_on_stages(commands: Any, name: str) -> None:
    """Add a command that imports the stages; where a lesson in them does not import, the others must go on."""
    try:
        module = importlib.import_module(f"tinytorch.cli.{name}")
    except Exception as error:  # whatever a lesson raises on import
        _add_broken_command(commands, name, f"{type(error).__name__}: {error}")
    else:
        getattr(module, f"add_{name}")(commands)


def _add_broken_command(commands: Any, name: str, reason: str) -> None:
    """Add a command that takes any arguments and says why it cannot start."""

    def say_why(options: argparse.Namespace) -> int:
        mends = "says in which cell, and mends its lesson.py"
        raise ValueError(f"a lesson does not import ({reason}). `{shown_step('check')}` {mends}.")

    no_option = "\0"  # no argument begins with it, so that all of them are taken
    parser = commands.add_parser(name, help="cannot start: a lesson does not import", prefix_chars=no_option)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    parser.set_defaults(run=say_why)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; bad input is one line on stderr and code 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when not given.
    """
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except BrokenPipeError:  # the reader has left, as `head` does; nothing more can be said, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except ValueError as error:
        print(f"tinytorch {options.command}: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return code
