"""Floor 2, drift: a small network tries to tell the window's rows from the reference's; if it can, they differ.

What it adds to `multivariate`: it learns where to look, so it finds a change in few of many columns, and can name the
columns that betray the window. May import contracts, `stats` and `core`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytorch._arguments import check_in_range, check_integer
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear, Sequential
from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import AdamW
from tinytorch.core.tensor import Tensor
from tinytorch.core.training import Trainer
from tinytorch.mlops.contracts import DriftReport
from tinytorch.mlops.drift._common import (
    ALL_FEATURES,
    DEFAULT_DRIFT_ALPHA,
    DEFAULT_MINIMUM_EFFECT,
    StandardUnits,
    name_features,
    read_reference,
    read_window,
    require_fitted,
)
from tinytorch.mlops.networks import compute_logits, draw_weights
from tinytorch.stats import mannwhitneyu
from tinytorch.stats.special import normal_isf

DEFAULT_HIDDEN_UNITS = 16
# Steps are counted instead of epochs, so that the time does not grow with the reference: about 0.2 s on a slow core.
TRAINING_STEPS = 300
# Half of them from the reference and half from the window, however many rows each has.
ROWS_PER_STEP = 64
# Larger than Adam's customary 0.001: there are few steps.
LEARNING_RATE = 0.01
# Few rows and many columns are learned by heart otherwise, which helps nothing on the rows that judge.
WEIGHT_DECAY = 0.3


class ClassifierDetector:
    """Flags a window whose rows a trained network can tell from the reference's: the classifier two-sample test.

    A random half of the rows of both trains a network (one hidden layer, TinyTorch's own); the other half judges.
    The statistic is the area under the ROC curve on the judging rows, the chance that a row of the window gets a
    higher score than one of the reference: 0.5 means that the network learned nothing. Its p-value is that of the
    Mann-Whitney test, one-sided; as the network has never seen these rows, the test keeps its size however badly or
    well the network was trained. The effect size is the shift between two normal distributions, in standard
    deviations, that would give this area. Columns are put in standard deviations of the reference, values beyond 5
    taken as 5; a missing value is a column of its own, 0 or 1. The same window always gets the same report.

    Parameters
    ----------
    alpha : float
        Chance that a window without drift is flagged.
    minimum_effect : float
        In standard deviations; 0.2 is an area of 0.556.
    hidden_units : int
    feature_names : sequence of str, optional
        For `rank_features`; the report has one row, "all features".
    seed : int
        Draws the halves, the first weights and the rows of each step.

    References
    ----------
    D. Lopez-Paz and M. Oquab, Revisiting classifier two-sample tests, ICLR (2017); here with the area in place of the
    accuracy, which needs no equal numbers of rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> detector = ClassifierDetector(feature_names=("age", "income", "zip")).fit(rng.normal(size=(600, 3)))
    >>> window = rng.normal(size=(300, 3)) + [0.0, 1.5, 0.0]
    >>> print(detector.detect_drift(window, now=0.0))
    drift (high) in 1 of 1 features: all features
    >>> detector.rank_features(window)[0][0]
    'income'
    """

    def __init__(
        self,
        alpha: float = DEFAULT_DRIFT_ALPHA,
        minimum_effect: float = DEFAULT_MINIMUM_EFFECT,
        hidden_units: int = DEFAULT_HIDDEN_UNITS,
        feature_names: tuple[str, ...] | None = None,
        seed: int = 0,
    ) -> None:
        self.alpha = check_in_range(alpha, "alpha", 0, 1, open_ends=True)
        self.minimum_effect = check_in_range(minimum_effect, "minimum_effect", 0.0, np.inf)
        self.hidden_units = check_integer(hidden_units, "hidden_units", minimum=1)
        self.feature_names = None if feature_names is None else tuple(feature_names)
        self.seed = check_integer(seed, "seed")

    def fit(self, reference: np.ndarray) -> ClassifierDetector:
        """Learn the reference of shape (n, n_features); NaN stands for a missing value.

        Raises
        ------
        ValueError
            If it is malformed, has fewer than 2 rows, a feature without any value, or not one column per name.
        """
        self.reference_ = read_reference(reference, self.feature_names)
        self.units_ = StandardUnits.from_reference(self.reference_)
        self.feature_names_ = name_features(self.feature_names, self.reference_.shape[1])
        return self

    def detect_drift(self, current: np.ndarray, now: float) -> DriftReport:
        """Train a network on half of the rows of reference and window, and let the other half judge it.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the window of shape (n, n_features) is malformed or has other columns than the reference.
        """
        require_fitted(self)
        table = read_window(current, self.reference_.shape[1])
        contest = self._train(table, np.random.default_rng(self.seed))
        pvalue = contest.pvalue()
        return DriftReport(
            feature_names=(ALL_FEATURES,),
            method=f"classifier with {self.hidden_units} hidden units, area under the ROC curve",
            statistic=np.array([contest.area()]),
            pvalue=pvalue,
            adjusted_pvalue=pvalue,
            effect_size=np.array([contest.shift()]),
            missing_rate=np.array([np.isnan(table).mean(axis=0).max()]),
            alpha=self.alpha,
            minimum_effect=self.minimum_effect,
            n_reference=len(self.reference_),
            n_current=len(table),
            timestamp=now,
        )

    def rank_features(self, current: np.ndarray) -> tuple[tuple[str, float], ...]:
        """Return every feature with what the network loses without it, the one that betrays the window most first.

        The loss is that of the area under the ROC curve when the feature's judging rows are shuffled: near 0 for a
        feature that does not matter. Features that say the same share the loss. Read it where `detect_drift` found
        drift; without drift it ranks noise.

        Raises
        ------
        NotFittedError, ValueError
            As `detect_drift`.
        """
        require_fitted(self, "rank_features")
        table = read_window(current, self.reference_.shape[1])
        rng = np.random.default_rng(self.seed)
        contest = self._train(table, rng)
        losses = [contest.area() - contest.area_without(column, rng) for column in range(table.shape[1])]
        order = np.argsort(-np.array(losses), kind="stable")
        return tuple((self.feature_names_[column], float(losses[column])) for column in order)

    def _train(self, current: np.ndarray, rng: np.random.Generator) -> _Contest:
        """Return a network trained on a random half of the rows of each table, with the other halves as judges."""
        with_missing = np.isnan(self.reference_).any(axis=0) | np.isnan(current).any(axis=0)
        sources = np.concatenate([np.arange(current.shape[1]), np.flatnonzero(with_missing)])
        tables = [
            rng.permutation(np.hstack([self.units_.standardise(table), np.isnan(table[:, with_missing])]))
            for table in (self.reference_, current)
        ]
        layers = (Linear(len(sources), self.hidden_units), ReLU(), Linear(self.hidden_units, 2))
        network = draw_weights(Sequential(*layers), rng)
        optimizer = AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        batches = _draw_batches([table[: len(table) // 2] for table in tables], rng)
        Trainer(network, optimizer, CrossEntropyLoss()).train_epoch(batches)
        return _Contest(network, tables[0][len(tables[0]) // 2 :], tables[1][len(tables[1]) // 2 :], sources)


@dataclass(frozen=True, eq=False)
class _Contest:
    """A trained network and the rows that judge it.

    `sources` says for each column of the rows which feature it comes from.
    """

    network: Layer
    reference: np.ndarray
    current: np.ndarray
    sources: np.ndarray

    def area(self) -> float:
        """Return the area under the ROC curve."""
        return _area(self._scores(self.reference), self._scores(self.current))

    def pvalue(self) -> np.ndarray:
        """Return the one-sided p-value of the area, shape (1,)."""
        return mannwhitneyu(self._scores(self.current), self._scores(self.reference), alternative="greater").pvalue

    def shift(self) -> float:
        """Return the distance of two normal distributions, in standard deviations, that gives the same area.

        Perfect separation would give infinity; it counts as half a pair of rows in the wrong order.
        """
        least = 0.5 / (len(self.reference) * len(self.current))
        return float(-np.sqrt(2.0) * normal_isf(np.clip(self.area(), least, 1.0 - least)))

    def area_without(self, feature: int, rng: np.random.Generator) -> float:
        """Return the area after a feature has been shuffled over all judging rows."""
        rows = np.concatenate([self.reference, self.current])
        columns = np.flatnonzero(self.sources == feature)
        rows[:, columns] = rng.permutation(rows[:, columns])
        return _area(self._scores(rows[: len(self.reference)]), self._scores(rows[len(self.reference) :]))

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        """Return how much each row looks like the window, shape (n,)."""
        logits = compute_logits(self.network, rows)
        scores: np.ndarray = (logits[:, 1] - logits[:, 0]).astype(np.float64)
        return scores


def _area(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the share of pairs in which the current row has the higher score; ties count one half."""
    return float(mannwhitneyu(current, reference).statistic[0]) / (len(reference) * len(current))


def _draw_batches(halves: list[np.ndarray], rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    """Return the batches of every step, with as many rows of the reference (class 0) as of the window (class 1)."""
    n_each = ROWS_PER_STEP // 2
    labels = Tensor(np.repeat([0, 1], n_each))
    drawn = [half[rng.integers(len(half), size=(TRAINING_STEPS, n_each))] for half in halves]
    return [(Tensor(rows), labels) for rows in np.concatenate(drawn, axis=1)]
