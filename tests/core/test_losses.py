"""Losses: values, what they refuse, and how they stand on the edge."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.losses import EPSILON, BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss, log_softmax
from tinytorch.core.tensor import Tensor

LOSSES = [
    (MSELoss(), (0, 2), (0, 2)),
    (CrossEntropyLoss(), (0, 3), (0,)),
    (BinaryCrossEntropyLoss(), (0, 1), (0, 1)),
]


@pytest.mark.parametrize(("loss", "predictions", "targets"), LOSSES)
def test_a_batch_with_no_rows_has_loss_0_and_gradients_without_rows(loss, predictions, targets):
    x = Tensor(np.zeros(predictions), requires_grad=True)
    value = loss(x, Tensor(np.zeros(targets)))
    value.backward()
    assert value.item() == 0.0
    assert x.grad.shape == predictions


@pytest.mark.parametrize("label", [-1, 3, 1.5, np.nan, np.inf, -np.inf, 1e30])
def test_labels_that_are_no_class_are_refused_by_value(label):
    logits = Tensor(np.zeros((3, 3)), requires_grad=True)
    with pytest.raises(ValueError, match=r"targets must be whole numbers from 0 to 2, got"):
        CrossEntropyLoss()(logits, Tensor([0, label, 2]))
    assert logits.grad is None


@pytest.mark.parametrize("targets", [[0, 1], [[0], [1], [2]], 1])
def test_there_must_be_one_label_a_row(targets):
    with pytest.raises(ValueError, match=r"targets must have shape \(3,\), one a row of the logits"):
        CrossEntropyLoss()(Tensor(np.zeros((3, 3))), Tensor(targets))
    with pytest.raises(ValueError, match=r"logits must have shape \(n_samples, n_classes\)"):
        CrossEntropyLoss()(Tensor(np.zeros(3)), Tensor([0, 0, 0]))


@pytest.mark.parametrize("labels", [np.array([0, 2]), np.array([0, 2], dtype=np.uint8), [0, 2], Tensor([0, 2])])
def test_labels_may_be_arrays_lists_or_tensors(labels):
    value = CrossEntropyLoss()(Tensor([[2.0, 1.0, 0.1], [0.5, 1.5, 2.0]]), labels).item()
    by_hand = [np.log(np.exp([2.0, 1.0, 0.1]).sum()) - 2.0, np.log(np.exp([0.5, 1.5, 2.0]).sum()) - 2.0]
    assert value == pytest.approx(np.mean(by_hand), rel=1e-6)


def test_cross_entropy_is_the_mean_of_log_softmax_at_the_labels():
    rng = np.random.default_rng(5)
    logits, labels = Tensor(rng.standard_normal((20, 4)) * 30.0), rng.integers(0, 4, 20)
    expected = -log_softmax(logits).data[np.arange(20), labels].mean()
    assert CrossEntropyLoss()(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_a_class_that_is_masked_by_minus_infinity_takes_no_part():
    x = Tensor([[0.0, 0.0, -np.inf]], requires_grad=True)
    value = CrossEntropyLoss()(x, [0])
    value.backward()
    assert value.item() == pytest.approx(np.log(2.0))
    np.testing.assert_allclose(x.grad, [[-0.5, 0.5, 0.0]], atol=1e-6)
    np.testing.assert_array_equal(log_softmax(x).data[0, 2], -np.inf)


def test_huge_logits_neither_overflow_nor_vanish():
    x = Tensor([[1e4, -1e4], [-3e38, 3e37]], requires_grad=True)
    value = CrossEntropyLoss()(x, [0, 1])
    value.backward()
    assert value.item() == 0.0
    assert np.all(np.isfinite(x.grad))


@pytest.mark.parametrize("loss", [MSELoss(), BinaryCrossEntropyLoss()])
@pytest.mark.parametrize(("predictions", "targets"), [((3, 1), (3,)), ((3,), (3, 1)), ((2, 3), (2, 2)), ((), (2,))])
def test_targets_that_would_stretch_the_predictions_are_refused(loss, predictions, targets):
    with pytest.raises(ValueError, match="targets must have the shape of the predictions"):
        loss(Tensor(np.zeros(predictions)), Tensor(np.zeros(targets)))


@pytest.mark.parametrize("target", [-0.1, 1.1, np.nan])
def test_binary_targets_must_lie_between_0_and_1(target):
    with pytest.raises(ValueError, match=r"targets must be in \[0, 1\]"):
        BinaryCrossEntropyLoss()(Tensor([0.5]), [target])


def test_binary_cross_entropy_is_flat_where_the_probability_is_clipped():
    p = Tensor([0.0, 1.0, 0.25], requires_grad=True)
    value = BinaryCrossEntropyLoss()(p, [1.0, 0.0, 1.0])
    value.backward()
    assert value.item() == pytest.approx(-(2 * np.log(EPSILON) + np.log(0.25)) / 3, rel=0.01)
    np.testing.assert_allclose(p.grad, [0.0, 0.0, -4.0 / 3.0], rtol=1e-6)


def test_targets_that_require_gradients_receive_them():
    a, b = Tensor([2.0, 3.0], requires_grad=True), Tensor([3.0, 5.0], requires_grad=True)
    MSELoss()(a, b).backward()
    np.testing.assert_array_equal(a.grad, [-1.0, -2.0])
    np.testing.assert_array_equal(b.grad, [1.0, 2.0])


@pytest.mark.parametrize(("loss", "predictions", "targets"), LOSSES)
def test_nan_predictions_make_a_nan_loss(loss, predictions, targets):
    x, y = Tensor(np.full((2, *predictions[1:]), np.nan)), Tensor(np.zeros((2, *targets[1:])))
    assert np.isnan(loss(x, y).item())
    assert loss.parameters() == []


@pytest.mark.parametrize("loss", [MSELoss(), CrossEntropyLoss(), BinaryCrossEntropyLoss()])
def test_a_loss_asks_for_a_tensor(loss):
    targets = [0, 1] if isinstance(loss, CrossEntropyLoss) else [[0.0, 1.0], [1.0, 0.0]]
    with pytest.raises(ValueError, match=r"x must be a Tensor, got ndarray: wrap it in Tensor\("):
        loss(np.full((2, 2), 0.5), targets)
