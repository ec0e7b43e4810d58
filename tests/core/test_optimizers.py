"""Optimizers: their rules written out, their state, and what they refuse. (Torch's fifty steps are checked apart.)"""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.core.optimizers import SGD, Adam, AdamW
from tinytorch.core.tensor import Tensor

START = np.array([0.5, -1.0, 2.0])
GRADIENTS = np.array([[0.1, -0.2, 0.3], [-0.4, 0.1, 0.2], [0.3, 0.5, -0.1]])
KINDS = [(SGD, {"momentum": 0.9}), (Adam, {}), (AdamW, {})]


def run(kind, **options):
    parameter = Tensor(START)
    optimizer = kind([parameter], **options)
    seen = []
    for gradient in GRADIENTS:
        parameter.grad = gradient.astype(np.float32)
        optimizer.step()
        seen.append(parameter.data.copy())
    return seen


def by_hand_sgd(lr, momentum, weight_decay):
    x, velocity, seen = START.copy(), np.zeros(3), []
    for gradient in GRADIENTS:
        velocity = momentum * velocity + gradient + weight_decay * x
        x = x - lr * velocity
        seen.append(x)
    return seen


def by_hand_adam(lr, betas, eps, coupled, decoupled):
    x, mean, square, seen = START.copy(), np.zeros(3), np.zeros(3), []
    for t, plain in enumerate(GRADIENTS, start=1):
        gradient = plain + coupled * x
        mean = betas[0] * mean + (1 - betas[0]) * gradient
        square = betas[1] * square + (1 - betas[1]) * gradient**2
        x = x * (1 - lr * decoupled)
        x = x - lr * (mean / (1 - betas[0] ** t)) / (np.sqrt(square / (1 - betas[1] ** t)) + eps)
        seen.append(x)
    return seen


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_sgd_follows_its_rule(momentum, weight_decay):
    seen = run(SGD, lr=0.1, momentum=momentum, weight_decay=weight_decay)
    np.testing.assert_allclose(seen, by_hand_sgd(0.1, momentum, weight_decay), rtol=1e-5)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("eps", [1e-8, 0.5])
def test_adam_adds_decay_to_the_gradient_and_adamw_takes_it_off_the_weights(weight_decay, eps):
    betas = (0.8, 0.95)
    seen = run(Adam, lr=0.01, betas=betas, eps=eps, weight_decay=weight_decay)
    np.testing.assert_allclose(seen, by_hand_adam(0.01, betas, eps, weight_decay, 0.0), rtol=1e-5)
    seen = run(AdamW, lr=0.01, betas=betas, eps=eps, weight_decay=weight_decay)
    np.testing.assert_allclose(seen, by_hand_adam(0.01, betas, eps, 0.0, weight_decay), rtol=1e-5)


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_step_leaves_the_gradient_alone_and_passes_over_parameters_without_one(kind, options):
    moved, still = Tensor([1.0, 2.0]), Tensor([3.0])
    optimizer = kind([moved, still], weight_decay=0.1, **options)
    moved.grad = np.array([1.0, 1.0], dtype=np.float32)
    for _ in range(2):
        optimizer.step()
    np.testing.assert_array_equal(moved.grad, [1.0, 1.0])
    np.testing.assert_array_equal(still.data, [3.0])
    assert optimizer.step_count == 2
    assert optimizer.update_counts == [2, 0]
    optimizer.zero_grad()
    assert moved.grad is None


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_optimizers_take_generators_make_gradients_required_and_see_assigned_data(kind, options):
    parameter = Tensor([1.0])
    optimizer = kind((tensor for tensor in [parameter]), **options)
    assert optimizer.params == [parameter]
    assert parameter.requires_grad
    parameter.data = [5.0]
    parameter.grad = np.array([1.0])
    optimizer.step()
    assert 4.0 < parameter.item() < 5.0
    kind([]).step()


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
@pytest.mark.parametrize("name", ["lr", "weight_decay"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, "fast"])
def test_bad_numbers_are_refused_before_a_parameter_is_touched(kind, name, value):
    parameter = Tensor([1.0])
    with pytest.raises(ValueError, match=f"{name} must be finite and nonnegative"):
        kind([parameter], **{name: value})
    assert not parameter.requires_grad


@pytest.mark.parametrize("kind", [Adam, AdamW])
@pytest.mark.parametrize("options", [{"betas": (1.0, 0.9)}, {"betas": (0.9, np.nan)}, {"betas": (0.9,)}, {"eps": -1.0}])
def test_adam_refuses_bad_betas_and_eps(kind, options):
    with pytest.raises(ValueError, match="must be"):
        kind([Tensor([1.0])], **options)


def test_sgd_refuses_bad_momentum_and_what_is_no_tensor():
    with pytest.raises(ValueError, match="momentum must be finite and nonnegative, got nan"):
        SGD([Tensor([1.0])], momentum=np.nan)
    parameter = Tensor([1.0])
    with pytest.raises(ValueError, match="params must hold tensors, got ndarray"):
        SGD([parameter, np.ones(1)])
    assert not parameter.requires_grad


def test_momentum_state_is_a_copy_that_can_be_put_back():
    optimizer = SGD([Tensor([1.0, 2.0])], momentum=0.9)
    assert optimizer.has_momentum() is True
    assert optimizer.get_momentum_state() == [None]
    optimizer.params[0].grad = np.ones(2)
    optimizer.step()
    state = optimizer.get_momentum_state()
    optimizer.step()
    np.testing.assert_array_equal(state[0], [1.0, 1.0])
    optimizer.set_momentum_state(state)
    np.testing.assert_array_equal(optimizer.momentum_buffers[0], [1.0, 1.0])
    optimizer.set_momentum_state(None)
    np.testing.assert_array_equal(optimizer.momentum_buffers[0], [1.0, 1.0])
    with pytest.raises(ValueError, match="length mismatch"):
        optimizer.set_momentum_state([*state, state[0]])
    with pytest.raises(ValueError, match=r"must have shape \(2,\)"):
        optimizer.set_momentum_state([np.ones(3)])


def test_without_momentum_there_is_no_momentum_state():
    optimizer = SGD([Tensor([1.0])])
    assert optimizer.has_momentum() is False
    assert optimizer.get_momentum_state() is None
    optimizer.set_momentum_state([np.ones(1)])
    assert optimizer.momentum_buffers == [None]


def test_adam_begins_with_no_moments():
    optimizer = Adam([Tensor([1.0]), Tensor([2.0])])
    assert optimizer.m_buffers == [None, None]
    assert optimizer.v_buffers == [None, None]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_restored_optimizer_goes_on_to_the_bit_with_the_saved_settings(kind, options):
    originals = [Tensor([1.0, 2.0]), Tensor([3.0])]
    optimizer = kind(originals, lr=0.05, weight_decay=0.02, **options)
    # The second parameter starts late, so that its moments are younger.
    for late in (None, None, np.array([0.5])):
        originals[0].grad, originals[1].grad = np.array([1.0, -2.0]), late
        optimizer.step()
    copies = [Tensor(tensor) for tensor in originals]
    restored = kind(copies, lr=0.9)
    restored.load_state_dict(optimizer.state_dict())
    for _ in range(3):
        for tensor in (*originals, *copies):
            tensor.grad = np.full(tensor.shape, 0.3, dtype=np.float32)
        optimizer.step()
        restored.step()
    for ours, theirs in zip(originals, copies, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    assert restored.update_counts == optimizer.update_counts == [6, 4]
    assert restored.step_count == 6


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.update(kind=np.array("Other")),
        lambda state: state.pop("lr"),
        lambda state: state.pop("kind"),
        lambda state: state.update(surprise=np.zeros(1)),
        lambda state: state.update(update_counts=np.zeros(3)),
        lambda state: state.update({next(name for name in state if name.endswith(".1")): np.zeros((1, 1))}),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(kind, options, change):
    parameters = [Tensor([1.0]), Tensor([2.0])]
    optimizer = kind(parameters, **options)
    for parameter in parameters:
        parameter.grad = np.ones(1)
    optimizer.step()
    before = optimizer.state_dict()
    bad = {name: array if array.dtype.kind == "U" else array + 1 for name, array in before.items()}
    change(bad)
    with pytest.raises(ValueError, match="must"):
        optimizer.load_state_dict(bad)
    after = optimizer.state_dict()
    assert set(after) == set(before)
    for name, array in after.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step_count", np.array("x")),
        ("step_count", np.array(-1)),
        ("update_counts", np.array(["a", "b"])),
        ("update_counts", np.array([1, -1])),
        ("lr", np.array(-1.0)),
        ("lr", np.array("x")),
        ("lr", np.array([0.1])),
        ("weight_decay", np.array(np.nan)),
    ],
)
def test_a_state_with_a_number_the_constructor_refuses_changes_nothing(kind, options, name, value):
    optimizer = kind([Tensor([1.0]), Tensor([2.0])], **options)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=f"{name} must"):
        optimizer.load_state_dict({**before, "step_count": np.array(7), name: value})
    for key, array in optimizer.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_a_state_with_a_beta_of_one_is_refused(kind):
    optimizer = kind([Tensor([1.0])])
    with pytest.raises(ValueError, match=r"beta2 must be in \[0, 1\), got 1.0"):
        optimizer.load_state_dict({**optimizer.state_dict(), "beta2": np.array(1.0)})
    assert optimizer.beta2 == 0.999


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_single_tensor_is_no_list_of_parameters(kind):
    with pytest.raises(ValueError, match="params must be a list of tensors, got a single Tensor"):
        kind(Tensor([1.0, 2.0]))
