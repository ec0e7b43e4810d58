"""Datasets, batches and random changes to images."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.dataloader import Compose, DataLoader, Dataset, RandomCrop, RandomHorizontalFlip, TensorDataset
from tinytorch.core.tensor import Tensor


class Numbered(Dataset):
    """Samples fetched one by one."""

    def __len__(self):
        return 7

    def __getitem__(self, index):
        return Tensor([float(index), 1.0]), index


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7]), (np.int64(4), [4, 3])]
)
@pytest.mark.parametrize("dataset", [Numbered(), TensorDataset(np.arange(14.0).reshape(7, 2), np.arange(7))])
def test_batches_hold_every_sample_once_in_order(dataset, batch_size, sizes):
    loader = DataLoader(dataset, batch_size=batch_size)
    batches = list(loader)
    assert len(loader) == len(sizes)
    assert [features.shape for features, _ in batches] == [(size, 2) for size in sizes]
    np.testing.assert_array_equal(np.concatenate([labels.data for _, labels in batches]), np.arange(7))
    assert all(isinstance(part, Tensor) and part.dtype == np.float32 for batch in batches for part in batch)


@pytest.mark.parametrize("dataset", [Numbered(), TensorDataset(np.arange(14.0).reshape(7, 2), np.arange(7))])
def test_shuffling_draws_a_new_order_each_pass_from_the_generator(dataset):
    def passes(seed):
        loader = DataLoader(dataset, batch_size=3, shuffle=True, rng=np.random.default_rng(seed))
        return [np.concatenate([labels.data for _, labels in loader]).tolist() for _ in range(2)]

    first, second = passes(0)
    assert sorted(first) == sorted(second) == list(range(7))
    assert first != second
    assert passes(0) == [first, second]
    assert passes(1) != [first, second]


def test_a_dataset_without_rows_has_no_batches():
    loader = DataLoader(TensorDataset(np.zeros((0, 3))), batch_size=4)
    assert len(loader) == 0
    assert list(loader) == []


def test_batches_are_copies_of_the_dataset():
    dataset = TensorDataset(np.zeros((2, 1)))
    next(iter(DataLoader(dataset, batch_size=2)))[0].data[:] = 9.0
    assert dataset[0][0].item() == 0.0


@pytest.mark.parametrize("size", [0, -1, 1.5, True, False, "2"])
def test_the_batch_size_must_be_a_positive_integer(size):
    with pytest.raises(ValueError, match="batch_size must be a positive integer"):
        DataLoader(Numbered(), batch_size=size)


@pytest.mark.parametrize("tensors", [(), (np.zeros(3), np.zeros(4)), (1.0,)])
def test_a_tensor_dataset_wants_tensors_of_one_length(tensors):
    with pytest.raises(ValueError, match="tensors must be at least one, all of the same size"):
        TensorDataset(*tensors)


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_a_flip_mirrors_left_to_right_or_does_nothing(shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(RandomHorizontalFlip(1.0)(image), image[..., ::-1])
    np.testing.assert_array_equal(RandomHorizontalFlip(0.0)(image), image)
    flip = RandomHorizontalFlip(0.5, rng=np.random.default_rng(0))
    flips = sum(bool(flip(image).flat[0]) for _ in range(400))
    assert abs(flips - 200) < 50, "400 fair draws stay within five standard deviations of 10"


@pytest.mark.parametrize("shape", [(6, 6), (3, 6, 6)])
def test_a_crop_is_a_window_of_the_padded_image(shape):
    image = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    crop = RandomCrop(5, padding=2, rng=np.random.default_rng(0))
    padded = np.pad(image, [(0, 0)] * (len(shape) - 2) + [(2, 2)] * 2)
    windows = [padded[..., i : i + 5, j : j + 5].tolist() for i in range(6) for j in range(6)]
    seen = {windows.index(crop(image).tolist()) for _ in range(60)}
    assert len(seen) > 10
    assert RandomCrop((2, 3), padding=0)(image).shape == (*shape[:-2], 2, 3)


def test_a_tensor_stays_a_tensor_through_all_changes():
    changes = Compose([RandomHorizontalFlip(1.0), RandomCrop(2, padding=0)])
    assert isinstance(changes(Tensor(np.ones((2, 2)))), Tensor)
    assert isinstance(changes(np.ones((2, 2))), np.ndarray)


def test_changes_refuse_what_cannot_be():
    with pytest.raises(ValueError, match="p must be in"):
        RandomHorizontalFlip(2.0)
    with pytest.raises(ValueError, match="size must be a positive integer"):
        RandomCrop(0)
    with pytest.raises(ValueError, match="padding must be an integer >= 0"):
        RandomCrop(2, padding=-1)
    with pytest.raises(ValueError, match="image must be at least"):
        RandomCrop(9, padding=1)(np.ones((4, 4)))
