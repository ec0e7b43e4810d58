"""PCA reconstruction against scikit-learn's PCA, and the test's false alarms."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from tinytorch.stats.pca import fit_principal_components, pca_reconstruction_test

ALPHA = 0.05


def correlated(rng, n, d=5, noise=0.3):
    """Columns that follow two common causes."""
    mixing = np.random.default_rng(0).normal(size=(2, d))
    return rng.normal(size=(n, 2)) @ mixing + noise * rng.normal(size=(n, d))


@pytest.mark.parametrize("variance_kept", [0.3, 0.65, 0.95])
def test_errors_are_those_of_scikit_learn(variance_kept, rng):
    reference, current = correlated(rng, 200) * [1, 10, 100, 1, 1], rng.normal(size=(50, 5))
    scaler = StandardScaler().fit(reference)
    peer = PCA(n_components=variance_kept, svd_solver="full").fit(scaler.transform(reference))
    rebuilt = peer.inverse_transform(peer.transform(scaler.transform(current)))
    ours = fit_principal_components(reference, variance_kept=variance_kept)
    assert len(ours.components) == peer.n_components_
    expected = np.linalg.norm(scaler.transform(current) - rebuilt, axis=1)
    np.testing.assert_allclose(ours.reconstruction_errors(current), expected, rtol=1e-9)


@pytest.mark.parametrize(("n", "m"), [(40, 30), (200, 100)])
def test_false_alarms_stay_at_their_nominal_rate(n, m, rng):
    """300 clean pairs at 0.05: 15 expected; 4 to 28 (binomial, 5e-4 on either side)."""
    alarms = sum(
        pca_reconstruction_test(correlated(rng, n), correlated(rng, m), rng=rng, n_permutations=99).pvalue[0] <= ALPHA
        for _ in range(300)
    )
    assert 4 <= alarms <= 28


def test_errors_of_fitted_rows_would_have_raised_false_alarms(rng):
    """Why half of the reference is held out: errors of the rows that were fitted are too small."""
    fitted, fresh = [], []
    for _ in range(100):
        reference, current = correlated(rng, 20, d=12), correlated(rng, 20, d=12)
        components = fit_principal_components(reference)
        fitted.append(components.reconstruction_errors(reference).mean())
        fresh.append(components.reconstruction_errors(current).mean())
    assert np.mean(np.array(fresh) > np.array(fitted)) > 0.8


def test_a_broken_relation_is_found_though_each_column_looks_the_same(rng):
    current = correlated(rng, 200)
    shuffled = rng.permuted(current, axis=0)
    result = pca_reconstruction_test(correlated(rng, 200), shuffled, rng=rng)
    assert result.pvalue[0] == 1 / 201
    assert result.statistic[0] > 0 and result.effect_size[0] > 0.5


def test_at_least_one_component_is_kept_and_one_left_out(rng):
    table = rng.normal(size=(50, 3))
    assert len(fit_principal_components(table, variance_kept=0.0).components) == 1
    assert len(fit_principal_components(table, variance_kept=1.0).components) == 2


def test_a_column_constant_in_the_reference_shows_when_it_moves(rng):
    reference = np.column_stack([rng.normal(size=(100, 2)), np.full(100, 7.0)])
    current = reference[:50].copy()
    current[:, 2] = 12.0
    assert pca_reconstruction_test(reference, current, rng=rng).pvalue[0] == 1 / 201


def test_trap_constant_columns_give_p_one_and_never_nan(rng):
    result = pca_reconstruction_test(np.full((20, 3), 0.1), np.full((30, 3), 0.1), rng=rng)
    assert (result.statistic[0], result.pvalue[0], result.effect_size[0]) == (0.0, 1.0, 0.0)


def test_rounding_is_not_an_error(rng):
    """Two columns with one cause: no error but rounding, which grows with the row; it must not look like drift."""
    cause = rng.normal(size=300)
    table = np.column_stack([cause, 3 * cause])
    current = np.column_stack([1000 * cause, 3000 * cause])
    assert pca_reconstruction_test(table, current, rng=rng).pvalue[0] == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": np.ones((3, 2))}, "number of reference rows must be an integer >= 4, got 3"),
        ({"reference": np.ones(9), "current": np.ones(9)}, "number of columns must be an integer >= 2, got 1"),
        ({"variance_kept": 1.5}, r"variance_kept must be in \[0.0, 1.0\], got 1.5"),
        ({"n_permutations": 0}, "n_permutations must be an integer >= 1, got 0"),
        ({"rng": 3}, "rng must be a numpy.random.Generator, got 3"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"reference": np.ones((9, 2)), "current": np.ones((9, 2)), "rng": np.random.default_rng(0)} | change
    with pytest.raises(ValueError, match=message):
        pca_reconstruction_test(**arguments)


def test_a_table_of_another_width_is_refused(rng):
    with pytest.raises(ValueError, match="table must have the 2 columns of reference, got 3"):
        fit_principal_components(rng.normal(size=(9, 2))).reconstruction_errors(np.ones((4, 3)))
