"""The cellar: named arrays to and from one `.npz` file, without pickle. Touches only the path it is handed."""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np


def save_npz(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to exactly `path`: a crash leaves the old content or the new, never a part.

    Missing folders are made.

    Raises
    ------
    ValueError
        If an array holds Python objects, which only a pickle could store, and a pickle runs code when it is read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_npz(Path(folder) / "reference.npz", {"counts": np.arange(3)})
    ...     load_npz(Path(folder) / "reference.npz")["counts"]
    array([0, 1, 2])
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"arrays[{name!r}] must hold numbers or text, got Python objects.")
    write_whole(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def write_whole(path: str | os.PathLike[str], write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a draft, sync it to the disk, and put it in the place of `path` in one step.

    A crash, a full disk or a failing `write` leaves the old content or the new, never a part. Missing folders are
    made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "note.txt", lambda file: file.write(b"whole"))
    ...     (Path(folder) / "note.txt").read_bytes()
    b'whole'
    """
    target = Path(path)
    _make_folder(target.parent)
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")  # the same folder: a rename moves no bytes
    try:
        with open(draft, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each on the disk before anything is put into it."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Bring the entries of a folder to the disk; Windows opens no folders, and needs it not."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def load_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read every array of a file that `save_npz` wrote.

    Raises
    ------
    ValueError
        If the file is no archive of arrays, is damaged, or holds a pickle. A missing file stays FileNotFoundError.

    Examples
    --------
    >>> load_npz(os.devnull)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: path must name a whole file of numpy arrays, got ...
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, AttributeError, TypeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise ValueError(f"path must name a whole file of numpy arrays, got {os.fspath(path)!r} ({error}).") from error
