"""Floor 4: files under the name of their own SHA-256: written whole, verified at every reading, never unpickled.

Touches only the folder it is handed.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytorch._arguments import check_choice, check_integer
from tinytorch._storage import write_whole
from tinytorch.mlops._record import Record

SUFFIXES = (".npz", ".onnx", ".json")
# A network of 250 million float32 weights; whoever keeps larger ones says so.
DEFAULT_LIMIT_BYTES = 1_000_000_000
SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")


class DamagedArtifactError(ValueError):
    """A stored file is missing or differs from what was written; nothing of it was used.

    Examples
    --------
    >>> issubclass(DamagedArtifactError, ValueError)
    True
    """


@dataclass(frozen=True)
class Artifact(Record):
    """What identifies a stored file: its SHA-256, its size in bytes, and its kind of content.

    Examples
    --------
    >>> Artifact.of(b"weights", ".npz").size_bytes
    7
    """

    sha256: str
    size_bytes: int
    suffix: str

    def __post_init__(self) -> None:
        if not isinstance(self.sha256, str) or not SHA256_PATTERN.fullmatch(self.sha256):
            raise ValueError(f"sha256 must be 64 hexadecimal digits, got {self.sha256!r}.")
        check_integer(self.size_bytes, "size_bytes", minimum=0)
        check_choice(self.suffix, "suffix", SUFFIXES)

    @classmethod
    def of(cls, content: bytes, suffix: str) -> Artifact:
        """Return the artifact that some bytes make."""
        return cls(hashlib.sha256(content).hexdigest(), len(content), suffix)


class ArtifactFolder:
    """A folder of artifacts. The path of each follows from its SHA-256; nobody supplies one.

    Parameters
    ----------
    folder : path-like
        Made when the first artifact is written.
    limit_bytes : int
        The largest file that is written or read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     folder = ArtifactFolder(path)
    ...     artifact = folder.write(b"weights", ".npz")
    ...     folder.read(artifact)
    b'weights'
    """

    def __init__(self, folder: str | os.PathLike[str], limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = Path(folder)
        self.limit_bytes = check_integer(limit_bytes, "limit_bytes", minimum=1)

    def path_of(self, artifact: Artifact) -> Path:
        """Return where an artifact lies; the first two digits spread them over folders."""
        return self.folder / artifact.sha256[:2] / f"{artifact.sha256}{artifact.suffix}"

    def write(self, content: bytes, suffix: str) -> Artifact:
        """Store bytes and return what identifies them; the same bytes are stored once.

        When it returns they are on the disk. A file of this name that was damaged is replaced.

        Raises
        ------
        ValueError
            If there are more bytes than `limit_bytes`.
        """
        if len(content) > self.limit_bytes:
            raise ValueError(f"content must have at most {self.limit_bytes} bytes, got {len(content)}.")
        artifact = Artifact.of(content, suffix)
        if not self._is_whole(artifact):
            write_whole(self.path_of(artifact), lambda file: file.write(content))
        return artifact

    def read(self, artifact: Artifact) -> bytes:
        """Return the bytes of an artifact, after their size and SHA-256 were compared.

        Raises
        ------
        DamagedArtifactError
            If the file is missing, has another size, or a changed bit.
        """
        path = self.path_of(artifact)
        if artifact.size_bytes > self.limit_bytes:
            raise DamagedArtifactError(f"artifact must have at most {self.limit_bytes} bytes, got {artifact}.")
        try:
            with open(path, "rb") as file:
                content = file.read(artifact.size_bytes + 1)  # one more would show a file that has grown
        except OSError as error:
            raise DamagedArtifactError(f"artifact must be readable, got {path} ({error.strerror}).") from error
        found = Artifact.of(content, artifact.suffix)
        if found != artifact:
            raise DamagedArtifactError(
                f"artifact must have the SHA-256 {artifact.sha256[:12]}... of {artifact.size_bytes} bytes, "
                f"got {found.sha256[:12]}... in {path}."
            )
        return content

    def _is_whole(self, artifact: Artifact) -> bool:
        """Tell whether an artifact is stored already, undamaged."""
        try:
            self.read(artifact)
        except DamagedArtifactError:
            return False
        return True


def pack_arrays(arrays: dict[str, np.ndarray]) -> bytes:
    """Return named arrays as the bytes of an `.npz` file, the same bytes for the same arrays.

    Raises
    ------
    ValueError
        If an array holds Python objects, which only a pickle could store.

    Examples
    --------
    >>> pack_arrays({"bias": np.zeros(3)}) == pack_arrays({"bias": np.zeros(3)})
    True
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"arrays[{name!r}] must hold numbers or text, got Python objects.")
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def unpack_arrays(content: bytes, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file, once its declared sizes are known to be honest and small enough.

    A compressed file can be a thousandth of what it holds; and an array's header can claim more than follows it.

    Raises
    ------
    ValueError
        If it is no archive of arrays, declares more than `limit_bytes`, or contradicts itself.

    Examples
    --------
    >>> unpack_arrays(pack_arrays({"bias": np.zeros(2)}))
    {'bias': array([0., 0.])}
    >>> file = io.BytesIO()
    >>> np.savez_compressed(file, bomb=np.zeros(1_000_000))
    >>> unpack_arrays(file.getvalue(), limit_bytes=100_000)
    Traceback (most recent call last):
    ...
    ValueError: arrays must take at most 100000 bytes, got 8000128 declared.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            declared = sum(member.file_size for member in members)
            if declared > limit_bytes:
                raise ValueError(f"arrays must take at most {limit_bytes} bytes, got {declared} declared.")
            for member in members:
                _check_declared(archive, member)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        raise ValueError(f"content must be a whole archive of arrays, got {error}.") from error


def _check_declared(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Compare what an array's header claims with the size that the archive declares for it."""
    with archive.open(member) as file:
        try:
            version = np.lib.format.read_magic(file)
            shape, _, dtype = _HEADER_READERS[version](file)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{member.filename} must be a numpy array, got {error}.") from error
        claimed = file.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject or claimed != member.file_size:
        raise ValueError(
            f"{member.filename} must be numbers or text of {member.file_size} bytes, got {shape} of {dtype}."
        )


_HEADER_READERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
