"""What TinyTorch's own exercises and tests reach for, used the way they use it, file by file."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import tinytorch.core
from tinytorch.core.autograd import enable_autograd
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss, MSELoss
from tinytorch.core.optimizers import SGD, AdamW
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer

NAMES = {
    "tensor": ["Tensor"],
    "autograd": ["Function", "enable_autograd", "no_grad", "AddBackward", "MulBackward", "MatmulBackward"],
    "activations": ["Sigmoid", "ReLU", "Tanh", "GELU", "Softmax", "TOLERANCE"],
    "layers": ["Layer", "Linear", "Dropout", "Sequential", "ReLU", "XAVIER_SCALE_FACTOR"],
    "losses": ["MSELoss", "CrossEntropyLoss", "BinaryCrossEntropyLoss", "log_softmax", "EPSILON"],
    "optimizers": ["Optimizer", "SGD", "Adam", "AdamW"],
    "training": [
        *("Trainer", "CosineSchedule", "clip_grad_norm", "Linear", "SGD", "Tensor"),
        *("MSELoss", "CrossEntropyLoss", "BinaryCrossEntropyLoss"),
    ],
    "dataloader": ["Dataset", "TensorDataset", "DataLoader", "RandomHorizontalFlip", "RandomCrop", "Compose"],
}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in NAMES.items() for name in names])
def test_the_names_of_tinytorch_are_where_they_were(module, name):
    assert hasattr(importlib.import_module(f"tinytorch.core.{module}"), name)


def test_the_constants_have_tinytorchs_values():
    assert tinytorch.core.activations.TOLERANCE == 1e-10
    assert tinytorch.core.layers.XAVIER_SCALE_FACTOR == 1.0
    assert tinytorch.core.losses.EPSILON == 1e-7


def test_the_package_offers_what_it_lists():
    assert sorted(set(tinytorch.core.__all__)) == sorted(tinytorch.core.__all__)
    assert all(hasattr(tinytorch.core, name) for name in tinytorch.core.__all__)


class StudentNetwork(Layer):
    """Written as TinyTorch's course has it: no super().__init__, parameters listed by hand."""

    def __init__(self):
        self.first = Linear(2, 16)
        self.dropout = Dropout(0.1)
        self.second = Linear(16, 2)

    def forward(self, x):
        hidden = self.first.forward(x)
        hidden = hidden * Tensor(hidden.data > 0)
        return self.second(self.dropout.forward(hidden, training=self.training))

    def parameters(self):
        return self.first.parameters() + self.second.parameters()


def test_a_students_loop_learns_exclusive_or():
    enable_autograd(quiet=True)
    rng = np.random.default_rng(0)
    features = Tensor(rng.uniform(-1.0, 1.0, (400, 2)))
    labels = Tensor((features.data[:, 0] * features.data[:, 1] > 0).astype(int))
    model, loss_fn = StudentNetwork(), CrossEntropyLoss()
    for parameter in model.parameters():
        parameter.requires_grad = True
        parameter.data = rng.standard_normal(parameter.shape) * 0.7
    model.dropout.rng = rng
    optimizer = AdamW(model.parameters(), lr=0.02)
    for _ in range(40):
        for batch_features, batch_labels in DataLoader(TensorDataset(features, labels), batch_size=50):
            loss = loss_fn.forward(model.forward(batch_features), batch_labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    _, accuracy = Trainer(model, optimizer, loss_fn).evaluate([(features, labels)])
    # Chance is 0.5; the classes share a border along the axes, where mistakes stay.
    assert accuracy > 0.9


def test_a_model_of_only_forward_and_parameters_is_trained_and_judged():
    class Always:
        training = True

        def forward(self, x):
            logits = np.zeros((x.data.shape[0], 3))
            logits[:, 0] = 10.0
            return Tensor(logits)

        def parameters(self):
            return []

    model = Always()
    trainer = Trainer(model, SGD([], lr=0.01), CrossEntropyLoss())
    assert trainer.evaluate([(Tensor([[1.0, 0.0]]), Tensor(np.array([0])))])[1] == 1.0
    assert trainer.evaluate([(Tensor([[1.0, 0.0]]), Tensor(np.array([1])))])[1] == 0.0
    assert model.training is False


def test_a_loss_with_only_forward_has_no_accuracy():
    class Custom:
        def forward(self, outputs, targets):
            return MSELoss().forward(outputs, targets)

    model = Linear(2, 2)
    trainer = Trainer(model, SGD(model.parameters(), lr=0.01), Custom())
    batches = [(Tensor([[1.0, 2.0]]), Tensor([[1.0, 2.0]]))]
    assert trainer.train_epoch(batches) >= 0.0
    assert trainer.evaluate(batches)[1] == 0.0


def test_weights_may_be_set_through_data_in_place_or_anew():
    layer = Linear(2, 1)
    layer.weight.data[:] = 3.0
    layer.bias.data = np.array([1.0])
    assert layer(Tensor([[1.0, 1.0]])).item() == 7.0
    assert Sequential(layer)(Tensor([[1.0, 1.0]])).data.dtype == np.float32
