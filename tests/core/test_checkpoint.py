"""Checkpoints: going on from one is never having stopped; the file is whole or absent and holds only arrays."""

from __future__ import annotations

import dataclasses
import json
import pickle
import zipfile

import numpy as np
import pytest

from tinytorch import _storage
from tinytorch._storage import load_npz, save_npz
from tinytorch.core.activations import ReLU
from tinytorch.core.checkpoint import find_generators, get_generator_states, set_generator_states
from tinytorch.core.dataloader import DataLoader, TensorDataset
from tinytorch.core.layers import Dropout, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import SGD, Adam, AdamW
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import CosineSchedule, Trainer

OPTIMIZERS = [
    (SGD, {"momentum": 0.9, "weight_decay": 0.01}),
    (Adam, {"betas": (0.8, 0.95), "weight_decay": 0.01}),
    (AdamW, {"eps": 1e-6}),
]


class Run:
    """A training with randomness wherever there can be any: shuffling, dropout, first weights."""

    def __init__(self, blobs, seed, kind=Adam, options=None, max_lr=0.02):
        features, labels = blobs
        rng = np.random.default_rng(seed)
        dropout = Dropout(0.3, rng=np.random.default_rng(seed + 100))
        self.model = Sequential(Linear(4, 8, rng=rng), ReLU(), dropout, Linear(8, 3, rng=rng))
        optimizer = kind(self.model.parameters(), lr=0.5, **(options or {}))
        schedule = CosineSchedule(max_lr=max_lr, min_lr=0.0, total_epochs=12)
        self.trainer = Trainer(self.model, optimizer, CrossEntropyLoss(), schedule, grad_clip_norm=1.0)
        data = TensorDataset(features[:150], labels[:150])
        self.train = DataLoader(data, batch_size=32, shuffle=True, rng=np.random.default_rng(seed + 200))
        # Turned labels: the validation loss rises soon, so early stopping has something to stop.
        self.validation = [(Tensor(features[150:]), Tensor((labels[150:] + (np.arange(50) % 4 > 0)) % 3))]

    def fit(self, epochs, **options):
        self.trainer.fit(self.train, self.validation, epochs=epochs, **options)
        return self

    def weights(self):
        return [parameter.data.copy() for parameter in self.model.parameters()]


def assert_same_to_the_bit(ours: Run, theirs: Run):
    for left, right in zip(ours.weights(), theirs.weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert ours.trainer.history == theirs.trainer.history
    assert (ours.trainer.epoch, ours.trainer.step) == (theirs.trainer.epoch, theirs.trainer.step)
    left, right = ours.trainer.optimizer.state_dict(), theirs.trainer.optimizer.state_dict()
    assert set(left) == set(right)
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name])


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_a_resumed_training_equals_one_that_never_stopped(kind, options, blobs, tmp_path):
    path = tmp_path / "resume.any_name"
    whole = Run(blobs, 0, kind, options).fit(6)
    half = Run(blobs, 0, kind, options).fit(3)
    half.trainer.save_checkpoint(path)
    # Built alike but with other seeds and settings: what was saved must win.
    resumed = Run(blobs, 50, kind, max_lr=0.9)
    resumed.trainer.grad_clip_norm = None
    resumed.trainer.load_checkpoint(path)
    assert resumed.trainer.optimizer.lr == half.trainer.optimizer.lr
    assert resumed.trainer.grad_clip_norm == 1.0
    assert resumed.trainer.training_mode is resumed.model.training is False
    assert_same_to_the_bit(resumed, half)
    assert_same_to_the_bit(resumed.fit(3), whole)


def test_a_trainer_can_go_back_to_its_own_checkpoint(blobs, tmp_path):
    run = Run(blobs, 0).fit(2)
    run.trainer.save_checkpoint(tmp_path / "a")
    first = run.fit(2).weights()
    run.trainer.load_checkpoint(str(tmp_path / "a"))
    second = run.fit(2).weights()
    for left, right in zip(first, second, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_checkpoint_saved_again_before_any_training_is_the_same(blobs, tmp_path):
    whole = Run(blobs, 0).fit(4)
    Run(blobs, 0).fit(2).trainer.save_checkpoint(tmp_path / "first")
    middle, last = Run(blobs, 50), Run(blobs, 60)
    middle.trainer.load_checkpoint(tmp_path / "first")
    middle.trainer.save_checkpoint(tmp_path / "second")
    last.trainer.load_checkpoint(tmp_path / "second")
    assert_same_to_the_bit(last.fit(2), whole)


def test_training_may_go_on_with_other_data(blobs, tmp_path):
    run, untrained = Run(blobs, 0).fit(1), Run(blobs, 0)
    run.trainer.save_checkpoint(tmp_path / "shuffled")
    untrained.trainer.save_checkpoint(tmp_path / "untrained")
    run.trainer.load_checkpoint(tmp_path / "shuffled")
    run.trainer.fit(list(run.train), epochs=1)
    run.trainer.load_checkpoint(tmp_path / "untrained")
    run.fit(1)
    assert run.trainer.epoch == 1


@pytest.mark.parametrize("stopped_at", [1, 3, 5])
def test_early_stopping_goes_on_from_a_checkpoint_taken_inside_it(stopped_at, blobs, tmp_path):
    """The best epoch is the third: it lies after, at and before the three checkpoints."""
    path = tmp_path / "inside"
    whole = Run(blobs, 3, max_lr=0.005)

    def save(report):
        if report.epoch == stopped_at:
            whole.trainer.save_checkpoint(path)

    whole.fit(40, patience=4, on_epoch_end=save)
    best = int(np.argmin(whole.trainer.history["eval_loss"])) + 1
    assert (best, whole.trainer.epoch) == (3, 7)
    resumed = Run(blobs, 60)
    resumed.trainer.load_checkpoint(path)
    assert_same_to_the_bit(resumed.fit(40 - stopped_at, patience=4), whole)


def test_a_checkpoint_of_a_spent_patience_trains_no_further(blobs, tmp_path):
    run = Run(blobs, 3, max_lr=0.005)
    run.fit(40, patience=2, on_epoch_end=lambda report: run.trainer.save_checkpoint(tmp_path / "last"))
    resumed = Run(blobs, 60)
    resumed.trainer.load_checkpoint(tmp_path / "last")
    assert_same_to_the_bit(resumed.fit(40, patience=2), run)


def test_exactly_the_named_file_is_written_and_its_folder_made(blobs, tmp_path):
    path = tmp_path / "new" / "folder" / "checkpoint.pkl"
    run = Run(blobs, 0)
    run.trainer.save_checkpoint(path)
    run.trainer.save_checkpoint(path)
    assert [item.name for item in path.parent.iterdir()] == ["checkpoint.pkl"]


def test_the_file_holds_arrays_of_numbers_and_text_only(blobs, tmp_path):
    run = Run(blobs, 0).fit(2)
    run.trainer.save_checkpoint(tmp_path / "a")
    with np.load(tmp_path / "a", allow_pickle=False) as archive:
        kinds = {archive[name].dtype.kind for name in archive.files}
    assert kinds <= set("fiU")
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())


class Trap:
    """Sprung when it is unpickled."""

    sprung = False

    @staticmethod
    def spring():
        Trap.sprung = True
        return 0

    def __reduce__(self):
        return Trap.spring, ()


def test_a_pickle_in_the_file_is_refused_and_never_run(blobs, tmp_path):
    path = tmp_path / "trap"
    with open(path, "wb") as file:
        np.savez(file, meta=np.array([Trap()], dtype=object))
    trap = tmp_path / "plain"
    trap.write_bytes(pickle.dumps(Trap()))
    for bad in (path, trap):
        with pytest.raises(ValueError, match="path must name a whole file of numpy arrays"):
            Run(blobs, 0).trainer.load_checkpoint(bad)
    assert not Trap.sprung
    with pytest.raises(ValueError, match="must hold numbers or text, got Python objects"):
        save_npz(path, {"trap": np.array([Trap()], dtype=object)})


@pytest.mark.parametrize("where", ["savez", "replace"])
def test_a_crash_while_writing_leaves_the_old_file_and_no_rubbish(where, monkeypatch, tmp_path):
    path = tmp_path / "file"
    save_npz(path, {"a": np.zeros(3)})

    def crash(*args, **kwargs):
        if where == "savez":
            args[0].write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(_storage.np if where == "savez" else _storage.os, where, crash)
    with pytest.raises(OSError, match="no space"):
        save_npz(path, {"a": np.ones(3)})
    monkeypatch.undo()
    np.testing.assert_array_equal(load_npz(path)["a"], np.zeros(3))
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "damage", [lambda raw: b"", lambda raw: raw[: len(raw) // 2], lambda raw: b"hello" + raw[5:50]]
)
def test_a_damaged_file_is_refused(damage, blobs, tmp_path):
    path = tmp_path / "damaged"
    Run(blobs, 0).trainer.save_checkpoint(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="path must name a whole file of numpy arrays"):
        Run(blobs, 0).trainer.load_checkpoint(path)


def test_a_file_of_another_kind_is_refused_and_a_missing_one_is_missing(blobs, tmp_path):
    trainer = Run(blobs, 0).trainer
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(ValueError, match="path must name a whole file of numpy arrays"):
        trainer.load_checkpoint(tmp_path / "single.npy")
    save_npz(tmp_path / "weights", {"w": np.zeros(3)})
    with pytest.raises(ValueError, match="got a file without its description"):
        trainer.load_checkpoint(tmp_path / "weights")
    save_npz(tmp_path / "future", {"meta": np.array('{"format": 99}')})
    with pytest.raises(ValueError, match="checkpoint format must be 1, got 99"):
        trainer.load_checkpoint(tmp_path / "future")
    with pytest.raises(FileNotFoundError):
        trainer.load_checkpoint(tmp_path / "missing")


class Wider(Run):
    """Another shape of network."""

    def __init__(self, blobs, seed):
        super().__init__(blobs, seed)
        model = Sequential(Linear(4, 9), ReLU(), Dropout(0.1), Linear(9, 3))
        self.trainer.model, self.model, self.trainer.optimizer = model, model, Adam(model.parameters())


class Longer(Run):
    """One layer more."""

    def __init__(self, blobs, seed):
        super().__init__(blobs, seed)
        self.model.layers.append(Linear(3, 3))


class Shorter(Run):
    """One layer less."""

    def __init__(self, blobs, seed):
        super().__init__(blobs, seed)
        self.model.layers.pop()


class OtherOptimizer(Run):
    """SGD in place of Adam."""

    def __init__(self, blobs, seed):
        super().__init__(blobs, seed, kind=SGD)


class NoDropout(Run):
    """One generator less."""

    def __init__(self, blobs, seed):
        super().__init__(blobs, seed)
        del self.model.layers[2]


@pytest.mark.parametrize("kind", [Wider, Longer, Shorter, OtherOptimizer, NoDropout])
def test_a_checkpoint_of_another_build_is_refused_and_changes_nothing(kind, blobs, tmp_path):
    Run(blobs, 0).fit(1).trainer.save_checkpoint(tmp_path / "a")
    other = kind(blobs, 9)
    before, generators = other.weights(), get_generator_states(find_generators(other.model))
    with pytest.raises(ValueError, match="must"):
        other.trainer.load_checkpoint(tmp_path / "a")
    for left, right in zip(other.weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)
    assert get_generator_states(find_generators(other.model)) == generators
    assert other.trainer.epoch == 0
    assert other.trainer.optimizer.step_count == 0


def test_a_diverged_training_can_be_saved_and_restored(blobs, tmp_path):
    run = Run(blobs, 0).fit(1)
    run.trainer.history["train_loss"].append(float("nan"))
    run.trainer.history["eval_loss"].append(float("inf"))
    run.model.parameters()[0].data[:] = np.nan
    run.trainer.save_checkpoint(tmp_path / "a")
    resumed = Run(blobs, 1)
    resumed.trainer.load_checkpoint(tmp_path / "a")
    assert np.isnan(resumed.trainer.history["train_loss"][-1])
    assert resumed.trainer.history["eval_loss"][-1] == np.inf
    assert np.all(np.isnan(resumed.weights()[0]))


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_every_kind_of_generator_goes_on_where_it_was(kind):
    generator, other = np.random.Generator(kind(1)), np.random.Generator(kind(2))
    generator.random(5)
    set_generator_states([other], get_generator_states([generator]))
    np.testing.assert_array_equal(generator.random(100), other.random(100))
    with pytest.raises(ValueError, match="generators must be of the kinds"):
        set_generator_states([], get_generator_states([generator]))


META_FAULTS = [
    ("epoch", "x"),
    ("epoch", -5),
    ("epoch", 1.5),
    ("step", None),
    ("step", True),
    ("training_mode", 1),
    ("history", None),
    ("history", {}),
    ("history", {"train_loss": [], "eval_loss": [], "learning_rates": ["x"]}),
    ("history", {"train_loss": [], "eval_loss": [], "learning_rates": 0.5}),
    ("grad_clip_norm", -5),
    ("grad_clip_norm", "x"),
    ("scheduler", None),
    ("scheduler", {"max_lr": [1.0]}),
    ("watch", [1.0]),
    ("watch", ["x", 0]),
    ("watch", [float("nan"), 0]),
    ("watch", [1.0, -1]),
    ("watch", [1.0, 0]),  # without the weights that the loss belongs to
    ("model_generators", None),
    ("model_generators", [None]),
    ("model_generators", [{"bit_generator": "PCG64"}]),
    ("model_generators", [{"bit_generator": "default_rng"}]),
    ("loader_generators", 5),
    ("loader_generators", [{"state": {}}]),
    ("loader_generators", [{"bit_generator": "PCG64", "state": {"state": "x", "inc": 1}}]),
]


def change_meta(path, change):
    """Write the checkpoint again, its description changed."""
    arrays = load_npz(path)
    meta = json.loads(str(arrays["meta"]))
    change(meta)
    save_npz(path, {**arrays, "meta": np.array(json.dumps(meta))})


def refuses_and_changes_nothing(run, path, message):
    """Load a bad checkpoint and compare everything with what was before."""
    trainer = run.trainer

    def everything():
        state = {name: array.tolist() for name, array in trainer.optimizer.state_dict().items()}
        weights = [array.tolist() for array in run.weights()]
        return json.dumps([trainer._describe(), state, weights, trainer._watch is None])

    before = everything()
    with pytest.raises(ValueError, match=message):
        trainer.load_checkpoint(path)
    assert everything() == before


@pytest.mark.parametrize("name", sorted({name for name, _ in META_FAULTS}))
def test_a_checkpoint_without_one_entry_is_refused_and_changes_nothing(name, blobs, tmp_path):
    Run(blobs, 0).fit(1).trainer.save_checkpoint(tmp_path / "a")
    change_meta(tmp_path / "a", lambda meta: meta.pop(name))
    refuses_and_changes_nothing(Run(blobs, 9).fit(2), tmp_path / "a", f"must hold '{name}', got")


@pytest.mark.parametrize(("name", "value"), META_FAULTS)
def test_a_checkpoint_with_a_wrong_entry_is_refused_and_changes_nothing(name, value, blobs, tmp_path):
    Run(blobs, 0).fit(1).trainer.save_checkpoint(tmp_path / "a")
    change_meta(tmp_path / "a", lambda meta: meta.update({name: value}))
    refuses_and_changes_nothing(Run(blobs, 9).fit(2), tmp_path / "a", "must")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("model.3", np.array(["a", "b", "c"])),
        ("model.3", np.ones(3, dtype=complex)),
        ("optimizer.lr", np.array("x")),
        ("optimizer.update_counts", np.array(["a", "b", "c", "d"])),
    ],
)
def test_a_checkpoint_whose_arrays_hold_no_real_numbers_is_refused(name, array, blobs, tmp_path):
    Run(blobs, 0).fit(1).trainer.save_checkpoint(tmp_path / "a")
    save_npz(tmp_path / "a", {**load_npz(tmp_path / "a"), name: array})
    message = "parameter model.3 must hold real" if name == "model.3" else f"{name.split('.')[1]} must hold real"
    refuses_and_changes_nothing(Run(blobs, 9).fit(2), tmp_path / "a", message)


def test_a_frozen_schedule_is_restored_too(blobs, tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Constant:
        rate: float

        def get_lr(self, epoch):
            return self.rate

    run, other = Run(blobs, 0), Run(blobs, 1)
    run.trainer.scheduler, other.trainer.scheduler = Constant(0.25), Constant(0.5)
    run.trainer.save_checkpoint(tmp_path / "a")
    other.trainer.load_checkpoint(tmp_path / "a")
    assert other.trainer.scheduler.rate == 0.25


def test_no_generator_is_set_if_one_state_of_several_is_damaged():
    generators = [np.random.default_rng(1), np.random.default_rng(2)]
    states = get_generator_states([np.random.default_rng(3), np.random.default_rng(4)])
    states[1]["state"] = None
    before = get_generator_states(generators)
    with pytest.raises(ValueError, match="generators must hold states that numpy takes"):
        set_generator_states(generators, states)
    assert get_generator_states(generators) == before
