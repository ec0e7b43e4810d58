"""The trainer: epochs, evaluation, early stopping."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tinytorch.core.activations import ReLU
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss
from tinytorch.core.optimizers import SGD, Adam
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import CosineSchedule, EpochReport, Trainer, clip_grad_norm


def line_trainer(lr=0.1, **options):
    """y = x, one weight, one bias."""
    model = Linear(1, 1)
    model.weight.data, model.bias.data = [[1.0]], [0.0]
    return Trainer(model, SGD(model.parameters(), lr=lr), MSELoss(), **options)


def cloud_trainer(seed, lr=0.05):
    rng = np.random.default_rng(seed)
    model = Sequential(Linear(4, 16, rng=rng), ReLU(), Linear(16, 3, rng=rng))
    return Trainer(model, Adam(model.parameters(), lr=lr), CrossEntropyLoss())


def loader(features, labels, seed=0):
    return DataLoader(TensorDataset(features, labels), batch_size=16, shuffle=True, rng=np.random.default_rng(seed))


ONE_BATCH = [(Tensor([[10.0]]), Tensor([[0.0]]))]


class Identity:
    """The least a model can be."""

    def parameters(self):
        return []

    def forward(self, x):
        return x


def test_training_learns_clouds_and_evaluation_sees_it(blobs):
    features, labels = blobs
    trainer = cloud_trainer(seed=0)
    before, _ = trainer.evaluate([(Tensor(features[150:]), labels[150:])])
    history = trainer.fit(loader(features[:150], labels[:150]), loader(features[150:], labels[150:]), epochs=15)
    assert history is trainer.history
    assert len(history["train_loss"]) == 15
    assert len(history["eval_loss"]) == 16
    assert history["eval_loss"][-1] < 0.5 * before
    assert history["train_loss"][-1] < 0.5 * history["train_loss"][0]
    loss, accuracy = trainer.evaluate([(Tensor(features[150:]), labels[150:])])
    assert loss == pytest.approx(history["eval_loss"][-1], rel=1e-5)
    # Three clouds whose centres are 2.8 standard deviations apart: about 90% can be told.
    assert accuracy > 0.8
    assert (trainer.epoch, trainer.step) == (15, 15 * 10)


@pytest.mark.parametrize(("sizes", "window"), [([1], 4), ([2, 1], 2), ([2, 1], 4), ([2, 1, 2], 2)])
@pytest.mark.parametrize("clip", [None, 0.5])
def test_accumulated_batches_make_the_step_of_the_joint_batch(sizes, window, clip):
    xs = np.arange(1.0, sum(sizes) + 1).reshape(-1, 1)
    cuts = np.cumsum([0, *sizes])
    batches = [(Tensor(xs[a:b]), Tensor(0.0 * xs[a:b])) for a, b in itertools.pairwise(cuts)]
    accumulated, reference = line_trainer(grad_clip_norm=clip), line_trainer(grad_clip_norm=clip)
    observed = accumulated.train_epoch(iter(batches), accumulation_steps=window)
    total = 0.0
    for start in range(0, len(sizes), window):
        a, b = cuts[start], cuts[min(start + window, len(sizes))]
        total += (b - a) * reference.train_epoch([(Tensor(xs[a:b]), Tensor(0.0 * xs[a:b]))])
    for ours, theirs in zip(accumulated.model.parameters(), reference.model.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, atol=1e-6)
        assert ours.grad is None
    assert observed == pytest.approx(total / len(xs))
    assert accumulated.step == -(-len(sizes) // window)


@pytest.mark.parametrize("window", [0, -1, 1.5, True])
def test_the_accumulation_window_must_be_a_positive_integer(window):
    trainer = line_trainer()
    with pytest.raises(ValueError, match="accumulation_steps must be a positive integer"):
        trainer.train_epoch([], accumulation_steps=window)
    assert trainer.epoch == 0


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "accuracy"),
    [
        (BinaryCrossEntropyLoss(), [[0.9], [0.1]], [[1.0], [0.0]], 1.0),
        (BinaryCrossEntropyLoss(), [0.5, 0.1, 0.9], [1.0, 0.0, 0.0], 2 / 3),
        (BinaryCrossEntropyLoss(), [[0.9, 0.1], [0.9, 0.9]], [[1.0, 0.0], [0.0, 1.0]], 0.75),
        (CrossEntropyLoss(), [[3.0, 1.0], [1.0, 3.0], [3.0, 1.0]], [0, 1, 1], 2 / 3),
        (MSELoss(), [[2.0, 3.0], [4.0, 5.0]], [[2.0, 3.0], [4.0, 4.0]], 0.0),
    ],
)
def test_loss_and_accuracy_do_not_depend_on_the_cut_into_batches(loss, outputs, targets, accuracy):
    x, y = np.array(outputs), np.array(targets)
    trainer = Trainer(Identity(), SGD([]), loss)
    whole = trainer.evaluate([(Tensor(x), Tensor(y))])
    parts = trainer.evaluate([(Tensor(x[:1]), Tensor(y[:1])), (Tensor(x[:0]), Tensor(y[:0])), (Tensor(x[1:]), y[1:])])
    assert whole[1] == pytest.approx(accuracy)
    assert parts == pytest.approx(whole)
    assert all(type(number) is float for number in whole)


def test_a_batch_with_no_rows_changes_nothing():
    trainer = line_trainer()
    empty = (Tensor(np.zeros((0, 1))), Tensor(np.zeros((0, 1))))
    assert trainer.train_epoch([empty]) == 0.0
    assert trainer.evaluate([empty]) == (0.0, 0.0)
    assert (trainer.epoch, trainer.step) == (1, 0)
    assert trainer.train_epoch([*ONE_BATCH, empty]) == 100.0
    with pytest.raises(ValueError, match="validation must hold at least one row"):
        trainer.fit(ONE_BATCH, [empty], epochs=1)


def test_evaluation_switches_dropout_off_and_training_on_again_in_any_class_of_model(blobs):
    class HandWritten:
        def __init__(self):
            self.linear = Linear(4, 3, rng=np.random.default_rng(0))
            self.inside = [Dropout(0.5, rng=np.random.default_rng(1))]

        def forward(self, x):
            return self.inside[0](self.linear(x))

        def parameters(self):
            yield from self.linear.parameters()

    model = HandWritten()
    trainer = Trainer(model, SGD(model.parameters()), CrossEntropyLoss(), grad_clip_norm=0.1)
    batches = [(Tensor(blobs[0]), Tensor(blobs[1]))]
    before = [parameter.data.copy() for parameter in model.parameters()]
    assert trainer.evaluate(batches) == trainer.evaluate(batches)
    assert model.inside[0].training is model.linear.training is trainer.training_mode is False
    for parameter, kept in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, kept)
        assert parameter.grad is None
    trainer.train_epoch(batches)
    assert model.inside[0].training is trainer.training_mode is True


def test_evaluation_records_nothing_for_a_way_back():
    outputs = []

    class Watched(Linear):
        def forward(self, x):
            outputs.append(super().forward(x))
            return outputs[-1]

    model = Watched(1, 1)
    trainer = Trainer(model, SGD(model.parameters()), MSELoss())
    trainer.evaluate(ONE_BATCH)
    trainer.train_epoch(ONE_BATCH)
    assert [output.requires_grad for output in outputs] == [False, True]


def test_the_schedule_sets_the_learning_rate_of_each_epoch():
    schedule = CosineSchedule(max_lr=0.1, min_lr=0.01, total_epochs=4)
    trainer = line_trainer(scheduler=schedule)
    trainer.fit([(Tensor([[0.0]]), Tensor([[0.0]]))], epochs=6)
    expected = [0.01 + 0.09 * (1 + np.cos(np.pi * min(epoch, 4) / 4)) / 2 for epoch in range(6)]
    np.testing.assert_allclose(trainer.history["learning_rates"], expected)
    assert trainer.optimizer.lr == 0.01
    plain = line_trainer()
    plain.train_epoch(ONE_BATCH)
    assert plain.history["learning_rates"] == []


def test_gradients_are_clipped_together_and_keep_their_direction():
    trainer = line_trainer(grad_clip_norm=0.5)
    trainer.train_epoch(ONE_BATCH)
    # The gradient is [200, 20].
    step = 0.1 * 0.5 * np.array([200.0, 20.0]) / np.hypot(200.0, 20.0)
    np.testing.assert_allclose([trainer.model.weight.item(), trainer.model.bias.item()], [1.0 - step[0], -step[1]])


@pytest.mark.parametrize("large", [3.0, 3e20])
def test_clipping_returns_the_length_before_also_of_huge_gradients(large):
    first, second, without = (Tensor([0.0]) for _ in range(3))
    first.grad, second.grad = np.array([large], np.float32), np.array([4.0 / 3.0 * large], np.float32)
    norm = clip_grad_norm(iter([first, second, without]), max_norm=1.0)
    assert type(norm) is float
    assert norm == pytest.approx(5.0 / 3.0 * large, rel=1e-6)
    np.testing.assert_allclose([first.grad[0], second.grad[0]], [0.6, 0.8], rtol=1e-6)
    assert clip_grad_norm([first, second], max_norm=2.0) == pytest.approx(1.0)
    np.testing.assert_allclose(first.grad, [0.6], rtol=1e-6)


def test_clipping_leaves_zero_and_infinite_gradients_alone():
    parameter = Tensor([0.0])
    for value in (0.0, np.inf):
        parameter.grad = np.array([value], np.float32)
        assert clip_grad_norm([parameter]) == value
        np.testing.assert_array_equal(parameter.grad, [value])
    assert clip_grad_norm([]) == 0.0


@pytest.mark.parametrize("limit", [-1.0, np.nan, np.inf])
def test_the_clipping_length_must_be_finite_and_nonnegative(limit):
    with pytest.raises(ValueError, match="max_norm must be finite and nonnegative"):
        clip_grad_norm([], max_norm=limit)
    with pytest.raises(ValueError, match="grad_clip_norm must be finite and nonnegative"):
        line_trainer(grad_clip_norm=limit)


def test_a_training_that_diverges_shows_it_by_its_loss_and_warns_of_nothing():
    trainer = line_trainer(lr=1e10)
    history = trainer.fit(ONE_BATCH, ONE_BATCH, epochs=20)
    assert not np.isfinite(history["train_loss"][-1])
    assert not np.isfinite(history["eval_loss"][-1])


def test_the_callback_hears_of_every_epoch():
    trainer, reports = line_trainer(lr=0.001), []
    trainer.fit(ONE_BATCH, epochs=1)
    trainer.fit(ONE_BATCH, ONE_BATCH, epochs=2, on_epoch_end=reports.append)
    assert [(report.epoch, report.epochs) for report in reports] == [(2, 3), (3, 3)]
    assert all(isinstance(report, EpochReport) for report in reports)
    assert [report.train_loss for report in reports] == trainer.history["train_loss"][1:]
    assert [report.eval_loss for report in reports] == trainer.history["eval_loss"]
    assert {(report.accuracy, report.learning_rate) for report in reports} == {(0.0, 0.001)}
    trainer.fit(ONE_BATCH, epochs=1, on_epoch_end=reports.append)
    assert reports[-1].eval_loss is reports[-1].accuracy is None


@pytest.mark.parametrize("epochs", [30, 5])
def test_early_stopping_puts_the_best_weights_back_however_the_end_is_reached(blobs, epochs):
    """Validation labels are turned round by one class for most rows, so learning soon makes them worse."""
    features, labels = blobs
    turned = np.where(np.arange(200) % 4 == 0, labels, (labels + 1) % 3)
    trainer, seen = cloud_trainer(seed=1, lr=0.002), []

    def remember(report):
        seen.append((report.eval_loss, [parameter.data.copy() for parameter in trainer.model.parameters()]))

    validation = [(Tensor(features), Tensor(turned))]
    trainer.fit(loader(features, labels), validation, epochs=epochs, patience=4, on_epoch_end=remember)
    losses = [loss for loss, _ in seen]
    best = int(np.argmin(losses))
    assert len(losses) == min(best + 1 + 4, epochs)
    assert best < len(losses) - 1, "the test means nothing unless the loss has risen again"
    for parameter, kept in zip(trainer.model.parameters(), seen[best][1], strict=True):
        np.testing.assert_array_equal(parameter.data, kept)
    assert trainer.evaluate(validation)[0] == losses[best]


def test_without_patience_the_last_weights_stay(blobs):
    features, labels = blobs
    trainer, seen = cloud_trainer(seed=1), []
    validation = [(Tensor(features), Tensor((labels + 1) % 3))]
    trainer.fit(
        loader(features, labels), validation, epochs=3, on_epoch_end=lambda report: seen.append(report.eval_loss)
    )
    assert seen[-1] > seen[0]
    assert trainer.evaluate(validation)[0] == seen[-1]


def test_a_validation_loss_that_is_always_nan_stops_after_patience():
    trainer = line_trainer()
    trainer.fit(ONE_BATCH, [(Tensor([[np.nan]]), Tensor([[0.0]]))], epochs=50, patience=3)
    assert trainer.epoch == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be a positive integer"),
        ({"epochs": 1.5}, "epochs must be a positive integer"),
        ({"epochs": 1, "validation": ONE_BATCH, "patience": 0}, "patience must be a positive integer"),
        ({"epochs": 1, "patience": 1}, "validation must be given with patience"),
    ],
)
def test_fit_refuses_bad_counts_before_it_starts(options, message):
    trainer = line_trainer()
    with pytest.raises(ValueError, match=message):
        trainer.fit(ONE_BATCH, **options)
    assert trainer.epoch == 0


def test_a_failing_callback_ends_fit_and_the_next_fit_counts_patience_anew():
    trainer = line_trainer(lr=0.0)

    def fail(report):
        raise KeyError(report.epoch)

    for expected in (1, 2):
        with pytest.raises(KeyError, match=str(expected)):
            trainer.fit(ONE_BATCH, ONE_BATCH, epochs=5, patience=2, on_epoch_end=fail)
    trainer.fit(ONE_BATCH, ONE_BATCH, epochs=5, patience=2)
    assert trainer.epoch == 5, "one epoch sets the best loss, two more bring no better"


@pytest.mark.parametrize("options", [{"max_lr": -1.0}, {"min_lr": np.nan}, {"total_epochs": 0}])
def test_a_schedule_refuses_bad_numbers(options):
    with pytest.raises(ValueError, match="must be"):
        CosineSchedule(**options)


def test_a_schedule_falls_from_the_greatest_to_the_least_and_stays():
    schedule = CosineSchedule(max_lr=0.5, min_lr=0.05, total_epochs=10)
    rates = [schedule.get_lr(epoch) for epoch in range(13)]
    assert rates[0] == 0.5
    assert rates[5] == pytest.approx(0.275)
    assert rates[10:] == [0.05] * 3
    assert rates == sorted(rates, reverse=True)


EMPTY = (Tensor(np.zeros((0, 1))), Tensor(np.zeros((0, 1))))


@pytest.mark.parametrize("nothing", [[], [EMPTY], [EMPTY, EMPTY]])
@pytest.mark.parametrize("name", ["train", "validation"])
def test_fit_without_rows_is_refused_before_any_training(name, nothing):
    trainer = line_trainer()
    batches = {"train": ONE_BATCH, "validation": ONE_BATCH, name: nothing}
    with pytest.raises(ValueError, match=f"{name} must hold at least one row, got 0 rows"):
        trainer.fit(batches["train"], batches["validation"], epochs=1)
    assert (trainer.epoch, trainer.step, trainer.history["train_loss"]) == (0, 0, [])
    assert trainer.model.weight.item() == 1.0


def test_batches_that_can_be_gone_through_once_last_one_epoch():
    trainer = line_trainer()
    with pytest.raises(ValueError, match="train must hold at least one row in each epoch"):
        trainer.fit(iter(ONE_BATCH), iter(ONE_BATCH), epochs=2)
    assert (trainer.epoch, trainer.step) == (1, 1)
    assert [len(losses) for losses in trainer.history.values()] == [1, 1, 0]


def test_looking_for_rows_draws_nothing_from_the_shuffling(blobs):
    fitted, by_hand = cloud_trainer(seed=0), cloud_trainer(seed=0)
    fitted.fit(loader(*blobs), loader(*blobs), epochs=1)
    by_hand.train_epoch(loader(*blobs))
    for ours, theirs in zip(fitted.model.parameters(), by_hand.model.parameters(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)


def test_an_epoch_that_fails_leaves_no_entry_in_the_history():
    trainer = line_trainer(scheduler=CosineSchedule())
    with pytest.raises(ValueError, match="x must have 1 features"):
        trainer.train_epoch([(Tensor([[1.0, 2.0]]), Tensor([[0.0]]))])
    assert trainer.history == {"train_loss": [], "eval_loss": [], "learning_rates": []}
    trainer.train_epoch(ONE_BATCH)
    assert trainer.history["learning_rates"] == [0.1]


def test_clipping_refuses_a_single_tensor():
    with pytest.raises(ValueError, match="parameters must be a list of tensors, got a single Tensor"):
        clip_grad_norm(Tensor([1.0, 2.0]))
