"""Known means and spreads, one for all streams or one for each."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.stats.streams import CUSUM, EWMA, Shewhart


@pytest.mark.parametrize("make", [CUSUM, EWMA, Shewhart])
def test_every_stream_may_have_a_target_of_its_own(make):
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1.5, (800, 3))
    mean, standard_deviation = np.array([0.0, 50.0, -3.0]), np.array([1.0, 8.0, 0.25])
    shifted = make(mean, standard_deviation).update(mean + standard_deviation * scores)
    plain = make().update(scores)
    assert [a.tolist() for a in shifted.alarms_] == [a.tolist() for a in plain.alarms_]
    assert make(mean).n_streams == 3
    with pytest.raises(ValueError, match=r"shape \(n, 3\)"):
        make(mean).update([0.0, 1.0])


def test_a_value_too_many_deviations_away_is_refused():
    with pytest.raises(ValueError, match="values in standard deviations must be at most"):
        CUSUM(standard_deviation=1e-200).update([1e100])
