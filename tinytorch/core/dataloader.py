"""Ground floor, data: sets of samples, batches of them, and random changes to images. Rests on `tensor`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.core._checks import check_positive_integer
from tinytorch.core.autograd import Array
from tinytorch.core.tensor import Tensor

__all__ = ["Compose", "DataLoader", "Dataset", "RandomCrop", "RandomHorizontalFlip", "TensorDataset"]


class Dataset:
    """Samples that can be counted and fetched by number; subclasses write `__len__` and `__getitem__`.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return Tensor(float(index)), Tensor(float(index**2))
    >>> [targets.data for _, targets in DataLoader(Squares(), batch_size=3)]
    [array([0., 1., 4.], dtype=float32)]
    """

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError


class TensorDataset(Dataset):
    """Samples that are the rows of tensors of equal length.

    Parameters
    ----------
    *tensors : Tensor or array_like
        For example features (n_samples, n_features) and labels (n_samples,).

    Raises
    ------
    ValueError
        If there is no tensor, or the lengths differ.

    Examples
    --------
    >>> dataset = TensorDataset(Tensor([[1.0], [2.0]]), Tensor([0, 1]))
    >>> len(dataset), dataset[1]
    (2, (Tensor(data=[2.], shape=(1,)), Tensor(data=1.0, shape=())))
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(item if isinstance(item, Tensor) else Tensor(item) for item in tensors)
        lengths = [len(tensor) if tensor.ndim else None for tensor in self.tensors]
        if not lengths or None in lengths or len(set(lengths)) > 1:
            raise ValueError(f"tensors must be at least one, all of the same size along axis 0, got sizes {lengths}.")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def take(self, indices: Array) -> tuple[Tensor, ...]:
        """Return the rows `indices` (n_rows,) of every tensor, copied."""
        return tuple([Tensor.from_array(tensor.data.take(indices, axis=0)) for tensor in self.tensors])


class DataLoader:
    """Batches of a dataset, in order or newly shuffled each time it is iterated.

    Parameters
    ----------
    dataset : Dataset
        Where the samples come from.
    batch_size : int
        Samples in a batch; the last batch may be smaller.
    shuffle : bool
        Whether each pass takes the samples in a new random order.
    rng : numpy.random.Generator, optional
        Draws the orders; without it they differ from run to run. A checkpoint of the trainer holds its state.

    Raises
    ------
    ValueError
        If `batch_size` is not a positive integer.

    Examples
    --------
    >>> loader = DataLoader(TensorDataset(Tensor([[1.0], [2.0], [3.0]])), batch_size=2)
    >>> [features.shape for (features,) in loader]
    [(2, 1), (1, 1)]
    """

    def __init__(
        self, dataset: Any, batch_size: int = 1, shuffle: bool = False, rng: np.random.Generator | None = None
    ) -> None:
        self.dataset = dataset
        self.batch_size = check_positive_integer(batch_size, "batch_size")
        self.shuffle = shuffle
        self.rng = rng if rng is not None else np.random.default_rng()

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        count = len(self.dataset)
        order = self.rng.permutation(count) if self.shuffle else np.arange(count)
        gather = self.dataset.take if isinstance(self.dataset, TensorDataset) else self._gather
        for start in range(0, count, self.batch_size):
            yield gather(order[start : start + self.batch_size])

    def _gather(self, indices: Array) -> tuple[Tensor, ...]:
        """Fetch samples one by one and stack each of their parts."""
        samples = [self.dataset[int(index)] for index in indices]
        rows = [sample if isinstance(sample, tuple) else (sample,) for sample in samples]
        return tuple(Tensor(np.stack([np.asarray(part) for part in column])) for column in zip(*rows, strict=True))


class RandomHorizontalFlip:
    """Mirrors an image left to right with chance p.

    Parameters
    ----------
    p : float
        Chance of a flip, from 0 to 1.
    rng : numpy.random.Generator, optional
        Decides; without it flips differ from run to run.

    Raises
    ------
    ValueError
        If `p` is not in [0, 1].

    Examples
    --------
    >>> RandomHorizontalFlip(p=1.0)(np.array([[1, 2, 3]]))
    array([[3, 2, 1]])
    """

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        self.p = check_in_range(p, "p", 0.0, 1.0)
        self.rng = rng if rng is not None else np.random.default_rng()

    def __call__(self, image: Any) -> Any:
        """Return the image (..., height, width), a tensor for a tensor and an array otherwise."""
        array = np.asarray(image)
        flipped = np.flip(array, axis=-1) if self.rng.random() < self.p else array
        return _like(flipped, image)


class RandomCrop:
    """Pads an image with zeros and cuts a random window out of it.

    Parameters
    ----------
    size : int or tuple of int
        Height and width of the window.
    padding : int
        Zeros added on each side first.
    rng : numpy.random.Generator, optional
        Places the window; without it windows differ from run to run.

    Raises
    ------
    ValueError
        If a length is not a positive integer, or the padding a negative one.

    Examples
    --------
    >>> RandomCrop(4, padding=0)(np.arange(16).reshape(4, 4)).shape
    (4, 4)
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 4, rng: np.random.Generator | None = None) -> None:
        height, width = size if isinstance(size, tuple) else (size, size)
        self.size = check_positive_integer(height, "size"), check_positive_integer(width, "size")
        self.padding = check_integer(padding, "padding")
        self.rng = rng if rng is not None else np.random.default_rng()

    def __call__(self, image: Any) -> Any:
        """Return the window of an image (..., height, width).

        Raises
        ------
        ValueError
            If the padded image is smaller than the window.
        """
        array = np.asarray(image)
        pad = [(0, 0)] * (array.ndim - 2) + [(self.padding, self.padding)] * 2
        padded = np.pad(array, pad)
        room = [have - want for have, want in zip(padded.shape[-2:], self.size, strict=True)]
        if min(room) < 0:
            raise ValueError(f"image must be at least {self.size} after padding, got {padded.shape[-2:]}.")
        top, left = (int(self.rng.integers(0, spare + 1)) for spare in room)
        return _like(padded[..., top : top + self.size[0], left : left + self.size[1]], image)


class Compose:
    """Several changes, one after the other.

    Parameters
    ----------
    transforms : sequence of callables
        Each takes an image and returns one.

    Examples
    --------
    >>> twice = Compose([RandomHorizontalFlip(1.0), RandomHorizontalFlip(1.0)])
    >>> twice(np.array([[1, 2, 3]]))
    array([[1, 2, 3]])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        """Return the image after all changes."""
        for transform in self.transforms:
            image = transform(image)
        return image


def _like(array: Array, image: Any) -> Any:
    """Return `array` as a tensor if `image` is one."""
    return Tensor(array) if isinstance(image, Tensor) else array
