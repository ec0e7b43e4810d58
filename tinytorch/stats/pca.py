"""PCA reconstruction error: do the columns still hang together as they did? Imports numpy only.

error(x) = |z - W W'z|, with z the row in units of the reference's means and standard deviations and W the reference's
first principal components: what the reference's own pattern cannot explain of x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinytorch._arguments import check_generator, check_in_range, check_integer
from tinytorch.stats._effects import in_common_unit
from tinytorch.stats._inputs import as_columns, as_pair
from tinytorch.stats._permutations import DEFAULT_PERMUTATIONS
from tinytorch.stats._results import TwoSampleResult
from tinytorch.stats.permutation import permutation_test

# Share of the variance that the kept components hold: NannyML's default, so that results can be compared.
DEFAULT_VARIANCE_KEPT = 0.65
# An error this small beside its row is rounding, and counts as 0.
ROUNDING_SHARE = 1e-12
# Half of the reference fits the components and needs two rows to vary; the other half gives honest errors.
SMALLEST_REFERENCE = 4


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """A reference's main directions, made by `fit_principal_components`.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        The reference's means and standard deviations (1 for a constant column).
    components : ndarray of shape (n_kept, n_features)
        Orthonormal rows, most variance first.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray

    def reconstruction_errors(self, table: ArrayLike) -> np.ndarray:
        """Distance of each row from the kept components' plane, shape (n_samples,), in reference deviations.

        Raises
        ------
        ValueError
            If `table` is not a finite table with the reference's number of columns.

        Examples
        --------
        >>> reference = np.outer(np.arange(9.0), [1.0, 2.0])
        >>> components = fit_principal_components(reference)
        >>> components.reconstruction_errors([[4.0, 8.0], [8.0, 0.0]]).round(2)
        array([0.  , 2.19])
        """
        values = as_columns(table, "table")
        if values.shape[1] != len(self.mean):
            raise ValueError(f"table must have the {len(self.mean)} columns of reference, got {values.shape[1]}.")
        standardised = (values - self.mean) / self.scale
        left_over = standardised - (standardised @ self.components.T) @ self.components
        errors = np.linalg.norm(left_over, axis=1)
        return np.where(errors > ROUNDING_SHARE * np.linalg.norm(standardised, axis=1), errors, 0.0)


def fit_principal_components(
    reference: ArrayLike, *, variance_kept: float = DEFAULT_VARIANCE_KEPT
) -> PrincipalComponents:
    """Find the fewest directions that hold `variance_kept` of the standardised reference's variance.

    At least one direction is kept and at least one is left out, or no error could ever be seen.

    Parameters
    ----------
    reference : array_like of shape (n_reference, n_features)
        At least two rows and two columns.
    variance_kept : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If `reference` is not such a table or `variance_kept` lies outside [0, 1].

    Examples
    --------
    >>> fit_principal_components(np.outer(np.arange(9.0), [1.0, 2.0])).components.round(2)
    array([[0.71, 0.71]])
    """
    table = as_columns(reference, "reference")
    check_in_range(variance_kept, "variance_kept", 0.0, 1.0)
    check_integer(len(table), "number of reference rows", minimum=2)
    check_integer(table.shape[1], "number of columns", minimum=2)
    mean = table.mean(axis=0)
    spread = table.std(axis=0)
    scale = np.where((np.ptp(table, axis=0) > 0) & (spread > 0), spread, 1.0)
    standardised = (table - mean) / scale
    variances, directions = np.linalg.eigh(standardised.T @ standardised / len(table))
    variances, directions = np.maximum(variances[::-1], 0.0), directions[:, ::-1]
    n_needed = 1 + int(np.searchsorted(np.cumsum(variances), variance_kept * variances.sum()))
    signs = np.where(directions.sum(axis=0) < 0, -1.0, 1.0)  # eigenvectors come with either sign: fix one
    return PrincipalComponents(mean, scale, (directions * signs).T[: min(n_needed, table.shape[1] - 1)])


def pca_reconstruction_test(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    rng: np.random.Generator,
    variance_kept: float = DEFAULT_VARIANCE_KEPT,
    n_permutations: int = DEFAULT_PERMUTATIONS,
) -> TwoSampleResult:
    """Test whether rows of `current` fit the reference's principal components as well as the reference's own.

    A random half of the reference fits the components; the mean error of the other half, which they have not seen
    either, is compared with that of `current` by shuffling. (Errors of the rows that were fitted are too small, and
    every fresh sample would look like drift.) It sees columns that no longer move together; it does not see a shift
    along the kept components. Rows that depend on their neighbours in time raise false alarms.

    Parameters
    ----------
    reference : array_like of shape (n_reference, n_features)
        At least four rows and two columns.
    current : array_like of shape (n_current, n_features)
    rng : numpy.random.Generator
        Draws the half and the shuffles.
    variance_kept : float
        Share of the variance that the kept components hold, between 0 and 1.
    n_permutations : int
        Number of shuffles P; no p-value is below 1 / (1 + P).

    Returns
    -------
    TwoSampleResult
        Arrays of shape (1,). `statistic` is the mean error of `current` less that of the reference, in reference
        standard deviations; `effect_size` is the same over the errors' pooled standard deviation (Cohen's d).

    Raises
    ------
    ValueError
        If a sample is not such a table, or an argument breaks its rule.

    References
    ----------
    Jackson and Mudholkar (1979), Control procedures for residuals associated with principal component analysis,
    Technometrics 21.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reference = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 3))
    >>> current = rng.normal(size=(100, 3))
    >>> pca_reconstruction_test(reference, current, rng=rng).pvalue.round(3)
    array([0.005])
    """
    left, right = as_pair(reference, current)
    check_generator(rng)
    check_integer(len(left), "number of reference rows", minimum=SMALLEST_REFERENCE)
    left, right, _ = in_common_unit(left, right)
    shuffled = rng.permutation(left)
    components = fit_principal_components(shuffled[: len(left) // 2], variance_kept=variance_kept)
    return permutation_test(
        components.reconstruction_errors(shuffled[len(left) // 2 :]),
        components.reconstruction_errors(right),
        rng=rng,
        n_permutations=n_permutations,
    )
