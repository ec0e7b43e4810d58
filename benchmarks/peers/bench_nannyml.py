"""Time nannyml against ours: `make bench-peers`, or this script in an environment of its requirements."""

from __future__ import annotations

import os
import warnings
from functools import partial

# Read by nannyml at every call: it would else report its use over the network.
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import numpy as np
import pandas as pd
from _shared import Task, Work, apart, named_columns, run, speed_table_floors, speed_table_work
from nannyml import UnivariateDriftCalculator

from tinytorch.stats import chi2_test, column_report, jensen_shannon_distance, ks_2samp, wasserstein_distance

IMPORT = "from nannyml import UnivariateDriftCalculator"
NOTES = (
    "nannyml's calculator is fitted beforehand and the current rows are one chunk. Above 10,000 reference rows its KS "
    "and Wasserstein look at 10,000 bins of equal width instead of the values. Of p-values it gives chi-square's alone"
)
METHODS = ("kolmogorov_smirnov", "wasserstein", "jensen_shannon")


class Calculator:
    """A fitted calculator of some methods, all columns of one kind."""

    def __init__(self, reference: np.ndarray, current: np.ndarray, *methods: str, categorical: bool = False) -> None:
        self.methods = methods
        self.current = pd.DataFrame(named_columns(current))
        names = list(self.current)
        kinds = {"treat_as_categorical": names} if categorical else {"treat_as_numerical": names}
        chosen = {"categorical_methods" if categorical else "continuous_methods": list(methods)}
        calculator = UnivariateDriftCalculator(column_names=names, chunk_size=len(current), **kinds, **chosen)
        self.fitted = calculator.fit(pd.DataFrame(named_columns(reference)))

    def calculate(self) -> object:
        """Do the work that is timed."""
        return self.fitted.calculate(self.current)

    def values(self) -> np.ndarray:
        """The figures of the first method."""
        frame = self.fitted.calculate(self.current).filter(period="analysis").to_df()
        return np.array([frame[name, self.methods[0], "value"].iloc[0] for name in self.current])


def tasks_of(work: Work) -> list[Task]:
    """One line a method, then all together."""
    ks, distance, js = (Calculator(work.reference, work.current, method) for method in METHODS)
    chi2 = Calculator(work.codes, work.current_codes, "chi2", categorical=True)
    together = Calculator(work.reference, work.current, *METHODS)
    our_ks, our_distance = (partial(test, work.fitted, work.current) for test in (ks_2samp, wasserstein_distance))
    our_chi2 = partial(chi2_test, work.fitted_codes, work.current_codes)
    sort, one_pass, codes_pass = speed_table_floors(work)
    return [
        Task("KS x 100, fitted", sort, our_ks, ks.calculate, None, apart(our_ks().statistic, ks.values())),
        Task("Wasserstein-1 x 100", sort, our_distance, distance.calculate, None,
             apart(our_distance(), distance.values())),
        Task("Jensen-Shannon x 100", one_pass, partial(jensen_shannon_distance, work.fitted, work.current),
             js.calculate, None, "(other bins: equal width, Doane's number)"),
        Task("chi-square x 100, 20 categories", codes_pass, our_chi2, chi2.calculate, None,
             apart(our_chi2().statistic, chi2.values())),
        Task("full report, 100 columns", sort, partial(column_report, work.fitted, work.current), together.calculate,
             8.6, "(Jensen-Shannon for PSI; see the lines above)"),
    ]  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    # Said of every column: the reference makes five chunks, few for a threshold. No threshold is looked at here.
    warnings.filterwarnings("ignore", message="The resulting number of chunks is too low")
    work = speed_table_work()
    run("nannyml", IMPORT, tasks_of(work), speed_table_floors(work), NOTES)


if __name__ == "__main__":
    main()
