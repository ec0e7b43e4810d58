"""Floor 4: one sentence for whoever lacks an extra. Standard library only, so that it can always be said."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

DISTRIBUTION = "tinytorch-mlops"


class MissingExtraError(ImportError):
    """A package that an extra brings is not installed; the message is the line that installs it.

    Examples
    --------
    >>> isinstance(MissingExtraError("plots need matplotlib"), ImportError)
    True
    """


def require_extra(extra: str, modules: Sequence[str], subject: str | None = None) -> None:
    """Do nothing if every one of `modules` can be imported, or say what installs them.

    An adapter calls it before it imports them, and imports them inside the function that needs them.

    Parameters
    ----------
    extra : str
        As in pyproject.toml.
    modules : sequence of str
        Import names of top-level packages.
    subject : str, optional
        Who needs them, in the plural; the extra's name when not given.

    Raises
    ------
    MissingExtraError
        If one of them is not installed.

    Examples
    --------
    >>> require_extra("plots", ["json"])
    >>> require_extra("plots", ["json", "no_such_package"])
    Traceback (most recent call last):
    ...
    tinytorch.adapters.extras.MissingExtraError: plots need json and no_such_package: pip install \
"tinytorch-mlops[plots]"
    """
    if any(find_spec(module) is None for module in modules):
        needed = " and ".join(modules)
        raise MissingExtraError(f'{subject or extra} need {needed}: pip install "{DISTRIBUTION}[{extra}]"')
