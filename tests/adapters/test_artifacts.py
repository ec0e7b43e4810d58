"""Artifacts: no changed bit is used, nothing is inflated on trust, nothing is half written."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tinytorch.adapters.artifacts import Artifact, ArtifactFolder, DamagedArtifactError, pack_arrays, unpack_arrays

WEIGHTS = {"weight": np.arange(6.0).reshape(2, 3), "bias": np.zeros(3, dtype=np.float32), "text": np.array("layers")}


def damage_every_bit(path: Path, folder: ArtifactFolder, artifact: Artifact, bits: tuple[int, ...]) -> int:
    """Flip these bits of every byte of a stored file, one at a time, and count the flips that were noticed."""
    whole = path.read_bytes()
    noticed = 0
    for place in range(len(whole)):
        for bit in bits:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])
            try:
                folder.read(artifact)
            except DamagedArtifactError:
                noticed += 1
    path.write_bytes(whole)
    assert folder.read(artifact) == whole
    return noticed


def test_a_flipped_bit_in_any_byte_is_noticed(tmp_path: Path) -> None:
    folder = ArtifactFolder(tmp_path)
    artifact = folder.write(pack_arrays(WEIGHTS), ".npz")
    assert damage_every_bit(folder.path_of(artifact), folder, artifact, bits=(3,)) == artifact.size_bytes


@pytest.mark.drill
def test_every_flipped_bit_of_a_trained_networks_size_is_noticed(tmp_path: Path) -> None:
    folder = ArtifactFolder(tmp_path)
    rng = np.random.default_rng(0)
    arrays = {"first": rng.normal(size=(64, 32)).astype(np.float32), "second": rng.normal(size=(32, 10))}
    artifact = folder.write(pack_arrays(arrays), ".npz")
    assert damage_every_bit(folder.path_of(artifact), folder, artifact, tuple(range(8))) == 8 * artifact.size_bytes


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + b"\0", lambda c: b""])
def test_a_file_that_shrank_or_grew_is_noticed(tmp_path: Path, change) -> None:
    folder = ArtifactFolder(tmp_path)
    artifact = folder.write(b"weights", ".npz")
    folder.path_of(artifact).write_bytes(change(b"weights"))
    with pytest.raises(DamagedArtifactError, match="artifact must have the SHA-256"):
        folder.read(artifact)
    assert folder.write(b"weights", ".npz") == artifact
    assert folder.read(artifact) == b"weights", "writing it again mends it"


def test_a_file_that_is_gone_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(DamagedArtifactError, match="artifact must be readable"):
        ArtifactFolder(tmp_path).read(Artifact.of(b"weights", ".npz"))


@pytest.mark.parametrize("sha256", ["../" * 20, "A" * 64, "a" * 63, "a" * 64 + "\n", 7])
def test_no_path_can_be_supplied(sha256) -> None:
    with pytest.raises(ValueError, match="sha256 must be 64 hexadecimal digits"):
        Artifact(sha256, 1, ".npz")


def test_more_bytes_than_allowed_are_neither_written_nor_read(tmp_path: Path) -> None:
    artifact = ArtifactFolder(tmp_path).write(b"12345", ".json")
    small = ArtifactFolder(tmp_path, limit_bytes=4)
    with pytest.raises(ValueError, match="content must have at most 4 bytes, got 5"):
        small.write(b"12345", ".json")
    with pytest.raises(DamagedArtifactError, match="artifact must have at most 4 bytes"):
        small.read(artifact)


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_at_any_step_leaves_neither_draft_nor_torn_file(tmp_path: Path, monkeypatch, step: str) -> None:
    folder = ArtifactFolder(tmp_path)
    kept = folder.write(b"old", ".npz")

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr("tinytorch._storage.open", lambda *arguments: _FullFile(*arguments), raising=False)
        else:
            patch.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space left"):
            folder.write(b"new", ".npz")
    assert folder.read(kept) == b"old"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder.path_of(kept)]
    assert folder.read(folder.write(b"new", ".npz")) == b"new", "once there is room, it works"


class _FullFile(io.FileIO):
    """A file on a disk with room for one byte."""

    def write(self, content) -> int:
        super().write(content[:1])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_arrays_come_back_as_they_were() -> None:
    again = unpack_arrays(pack_arrays(WEIGHTS))
    assert again.keys() == WEIGHTS.keys()
    for name, array in WEIGHTS.items():
        assert again[name].dtype == array.dtype and np.array_equal(again[name], array)


def archive_of(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def array_file(claimed_shape: tuple[int, ...], n_bytes: int) -> bytes:
    """An .npy file whose header claims a shape, with so many bytes behind it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": claimed_shape})
    return file.getvalue() + b"\0" * n_bytes


class _Boom:
    """Ends the process when it is unpickled."""

    def __reduce__(self):
        return os._exit, (3,)


def pickled_array() -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([_Boom()], dtype=object), allow_pickle=True)
    return file.getvalue()


REFUSED = {
    "a bomb": (archive_of({"a.npy": array_file((10_000_000,), 80_000_000)}), "at most 1000000 bytes"),
    "many small bombs": (archive_of({f"{i}.npy": array_file((25_000,), 200_000) for i in range(6)}), "at most"),
    "a header that claims more than follows": (
        archive_of({"a.npy": array_file((10**12,), 8)}),
        "must be numbers or text",
    ),
    "a header that claims less": (archive_of({"a.npy": array_file((1,), 80)}), "must be numbers or text"),
    "a negative shape": (archive_of({"a.npy": array_file((-1,), 0)}), "must be"),
    "a pickle": (archive_of({"a.npy": pickled_array()}), "must be numbers or text"),
    "no array": (archive_of({"a.npy": b"hello"}), "must be a numpy array"),
    "no archive": (b"hello", "must be a whole archive"),
    "nothing": (b"", "must be a whole archive"),
    "half an archive": (pack_arrays(WEIGHTS)[:300], "must be a whole archive"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_archive_that_is_not_what_it_claims_is_refused_before_it_is_inflated(what: str) -> None:
    content, message = REFUSED[what]
    with pytest.raises(ValueError, match=message):
        unpack_arrays(content, limit_bytes=1_000_000)


def test_no_flipped_bit_of_an_archive_can_do_worse_than_a_refusal() -> None:
    """An archive from elsewhere, with no SHA-256 to hold it to: zip's own checksum and the declared sizes remain."""
    whole = pack_arrays({"weight": np.arange(3.0)})
    for place in range(len(whole)):
        for bit in (0, 3, 7):
            content = whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :]
            try:
                found = unpack_arrays(content, limit_bytes=10_000)
            except ValueError:
                continue
            assert all(np.array_equal(array, np.arange(3.0)) for array in found.values()), place


def test_python_objects_are_not_packed() -> None:
    with pytest.raises(ValueError, match="must hold numbers or text, got Python objects"):
        pack_arrays({"a": np.array([object()])})
