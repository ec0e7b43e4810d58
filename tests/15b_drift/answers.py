"""Typical answers to the blanks of 15b, wrong and right: `tinytorch audit` tries its checks on them. Not in the kit."""

from __future__ import annotations

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.course.answers import right, wrong

# out_of_range_rate --------------------------------------------------------------------------------------------------


@wrong("out_of_range_rate", "takes the share along each row")
def rate_of_rows(features, low, high):
    return ((features < low) | (features > high)).mean(axis=1)


@wrong("out_of_range_rate", "gives one number for the whole table")
def rate_of_the_table(features, low, high):
    return ((features < low) | (features > high)).mean()


@wrong("out_of_range_rate", "counts instead of dividing")
def count_outside(features, low, high):
    return ((features < low) | (features > high)).sum(axis=0)


@wrong("out_of_range_rate", "looks at the upper end only")
def too_high_only(features, low, high):
    return (features > high).mean(axis=0)


@wrong("out_of_range_rate", "looks at the lower end only")
def too_low_only(features, low, high):
    return (features < low).mean(axis=0)


@wrong("out_of_range_rate", "refuses the ends themselves")
def ends_are_outside(features, low, high):
    return ((features <= low) | (features >= high)).mean(axis=0)


@wrong("out_of_range_rate", "refuses the upper end itself")
def upper_end_is_outside(features, low, high):
    return ((features < low) | (features >= high)).mean(axis=0)


@wrong("out_of_range_rate", "refuses the lower end itself")
def lower_end_is_outside(features, low, high):
    return ((features <= low) | (features > high)).mean(axis=0)


@wrong("out_of_range_rate", "measures what is inside")
def rate_inside(features, low, high):
    return ((features >= low) & (features <= high)).mean(axis=0)


@wrong("out_of_range_rate", "marks what is inside and turns it round: NaN becomes out of range")
def not_inside(features, low, high):
    return (~((features >= low) & (features <= high))).mean(axis=0)


@wrong("out_of_range_rate", "one minus the share inside: NaN becomes out of range")
def one_minus_inside(features, low, high):
    return 1 - ((features >= low) & (features <= high)).mean(axis=0)


@wrong("out_of_range_rate", "joins the marks with and: nothing is both")
def joined_with_and(features, low, high):
    return ((features < low) & (features > high)).mean(axis=0)


@wrong("out_of_range_rate", "joins the marks with Python's `or`")
def python_or(features, low, high):
    return ((features < low) or (features > high)).mean(axis=0)


@wrong("out_of_range_rate", "leaves the parentheses out")
def no_parentheses(features, low, high):
    return (features < low | features > high).mean(axis=0)


@wrong("out_of_range_rate", "has 0 and 1 written into the code")
def always_ink(features, low, high):
    return ((features < 0) | (features > 1)).mean(axis=0)


@wrong("out_of_range_rate", "leaves missing values out of the number of rows")
def share_of_values(features, low, high):
    outside = (features < low) | (features > high)
    return outside.sum(axis=0) / (~np.isnan(features)).sum(axis=0)


@wrong("out_of_range_rate", "divides by the number of all values")
def divides_by_the_table(features, low, high):
    return ((features < low) | (features > high)).sum(axis=0) / features.size


@wrong("out_of_range_rate", "adds the missing values up too")
def with_missing(features, low, high):
    return ((features < low) | (features > high) | np.isnan(features)).mean(axis=0)


@wrong("out_of_range_rate", "asks whether any value is outside")
def any_outside(features, low, high):
    return ((features < low) | (features > high)).any(axis=0)


@wrong("out_of_range_rate", "gives the values that are outside")
def values_outside(features, low, high):
    return features[(features < low) | (features > high)]


@wrong("out_of_range_rate", "cuts the caller's own table to the range first")
def clips_in_place(features, low, high):
    before = features.copy()
    np.clip(features, low, high, out=features)
    return ((before != features) & ~np.isnan(before)).mean(axis=0)


@wrong("out_of_range_rate", "gives per cent")
def rate_in_per_cent(features, low, high):
    return 100 * ((features < low) | (features > high)).mean(axis=0)


@wrong("out_of_range_rate", "judges each column's mean")
def mean_outside(features, low, high):
    average = features.mean(axis=0)
    return ((average < low) | (average > high)).astype(float)


@wrong("out_of_range_rate", "looks at the first column only")
def first_column_only(features, low, high):
    column = features[:, 0]
    return np.array([np.mean((column < low) | (column > high))])


@right("out_of_range_rate", "loops over columns and values, and returns a list")
def loop_over_values(features, low, high):
    rates = []
    for column in features.T:
        count = 0
        for value in column:
            if value < low or value > high:
                count += 1
        rates.append(count / len(column))
    return rates


@right("out_of_range_rate", "compares with the table cut to the range")
def compares_with_clipped(features, low, high):
    outside = ~np.isclose(np.clip(features, low, high), features, rtol=0, atol=0, equal_nan=True)
    return outside.sum(axis=0) / features.shape[0]


@right("out_of_range_rate", "adds the two shares")
def adds_two_shares(features, low, high):
    return np.mean(features < low, axis=0) + np.mean(features > high, axis=0)


@right("out_of_range_rate", "np.logical_or, np.where and np.average")
def with_numpy_functions(features, low, high):
    outside = np.logical_or(np.less(features, low), np.greater(features, high))
    return np.average(np.where(outside, 1, 0), axis=0)


@right("out_of_range_rate", "measures the distance from the middle, and leaves NaN out by hand")
def distance_from_the_middle(features, low, high):
    known = np.nan_to_num(features, nan=(low + high) / 2)
    return (np.abs(known - (low + high) / 2) > (high - low) / 2).mean(axis=0)


# constant_columns ---------------------------------------------------------------------------------------------------


@wrong("constant_columns", "asks along each row")
def constant_rows(features):
    return (features == features[0]).all(axis=1)


@wrong("constant_columns", "asks about the whole table")
def constant_table(features):
    return (features == features[0]).all()


@wrong("constant_columns", "asks whether any row agrees with the first, which the first always does")
def any_row_agrees(features):
    return (features == features[0]).any(axis=0)


@wrong("constant_columns", "marks the columns that change")
def marks_what_changes(features):
    return (features != features[0]).any(axis=0)


@wrong("constant_columns", "compares the last row with the first")
def first_and_last(features):
    return features[0] == features[-1]


@wrong("constant_columns", "compares the second row with the first")
def first_and_second(features):
    return features[0] == features[min(1, len(features) - 1)]


@wrong("constant_columns", "compares with the first column, not the first row")
def first_column(features):
    return (features == features[:, :1]).all(axis=0)


@wrong("constant_columns", "asks for zeros: a dead sensor can say anything")
def all_zero(features):
    return (features == 0).all(axis=0)


@wrong("constant_columns", "compares the mean with the first value")
def mean_is_first(features):
    return features.mean(axis=0) == features[0]


@wrong("constant_columns", "compares the median with the first value")
def median_is_first(features):
    return np.median(features, axis=0) == features[0]


@wrong("constant_columns", "counts a column of NaN as constant")
def missing_is_constant(features):
    return ((features == features[0]) | np.isnan(features)).all(axis=0)


@wrong("constant_columns", "asks whether no two neighbours differ by more than 0: NaN never does")
def no_neighbour_differs(features):
    return ~(np.abs(np.diff(features, axis=0)) > 0).any(axis=0)


@wrong("constant_columns", "calls one row alone no constant")
def one_row_is_none(features):
    return (features == features[0]).all(axis=0) & (len(features) > 1)


@wrong("constant_columns", "leaves the last row out")
def leaves_the_last_out(features):
    return (features[:-1] == features[0]).all(axis=0)


@wrong("constant_columns", "gives the numbers of the constant columns")
def numbers_of_columns(features):
    return np.flatnonzero((features == features[0]).all(axis=0))


@wrong("constant_columns", "counts the constant columns")
def how_many(features):
    return (features == features[0]).all(axis=0).sum()


@wrong("constant_columns", "gives the comparison of step 1")
def step_one_only(features):
    return features == features[0]


@wrong("constant_columns", "gives the share of rows that agree")
def share_that_agrees(features):
    return (features == features[0]).mean(axis=0)


@wrong("constant_columns", "calls a column constant if it holds at most two different values")
def few_values(features):
    return np.array([len(np.unique(column)) <= 2 for column in features.T])


@wrong("constant_columns", "calls a spread below 1 constant")
def small_spread(features):
    return features.std(axis=0) < 1


@wrong("constant_columns", "subtracts the first row from the caller's own table")
def subtracts_in_place(features):
    features -= features[0].copy()
    return (features == 0).all(axis=0)


@wrong("constant_columns", "asks for a spread of 0, which rounding makes 1e-17 for equal numbers such as 0.1")
def spread_of_nothing(features):
    return features.std(axis=0) == 0


@wrong("constant_columns", "a tolerance of its own: small differences vanish in it")
def nearly_constant(features):
    return features.var(axis=0) < 1e-12


@wrong("constant_columns", "asks whether the first row is the largest")
def first_is_largest(features):
    return features.max(axis=0) == features[0]


@wrong("constant_columns", "compares the smallest with the largest, leaving NaN out")
def range_of_known(features):
    known = np.where(np.isnan(features), 0, features)
    return known.max(axis=0) == known.min(axis=0)


@wrong("constant_columns", "counts different values with np.unique, which takes all NaN for one value")
def one_unique_value(features):
    return np.array([len(np.unique(column)) == 1 for column in features.T])


@wrong("constant_columns", "asks for a spread of 0, which rounding misses: 0.1, 0.1, 0.1 has one of 1e-17")
def spread_of_zero(features):
    return features.std(axis=0) == 0


@wrong("constant_columns", "compares each column with the first row of the first column")
def first_value_of_the_table(features):
    return (features == features[0, 0]).all(axis=0)


@wrong("constant_columns", "compares neighbours in a row")
def neighbours_in_a_row(features):
    return (np.diff(features, axis=1, prepend=features[:, :1]) == 0).all(axis=0)


@right("constant_columns", "compares the smallest with the largest")
def smallest_is_largest(features):
    return features.min(axis=0) == features.max(axis=0)


@right("constant_columns", "loops over the columns, and returns a list of bools")
def loop_over_columns(features):
    answers = []
    for column in range(features.shape[1]):
        first = features[0, column]
        answers.append(all(value == first for value in features[:, column]))
    return answers


@right("constant_columns", "asks for a range of 0")
def range_is_zero(features):
    return np.ptp(features, axis=0) == 0


@right("constant_columns", "no row may differ")
def no_row_differs(features):
    return ~(features != features[0]).any(axis=0)


@right("constant_columns", "counts different values; NaN is counted as missing")
def one_value(features):
    return np.array([len(set(column)) == 1 and not np.isnan(column[0]) for column in features.T.tolist()])


@right("constant_columns", "multiplies the marks of step 1")
def product_of_marks(features):
    return np.prod(features == features[0, :], axis=0).astype(bool)


@right("constant_columns", "asks for a spread of exactly 0, by way of the distances from the first row")
def spread_is_zero(features):
    return np.abs(features - features[0]).sum(axis=0) == 0


# standard_shift -----------------------------------------------------------------------------------------------------


def _fill(shift, spread):
    """Divide where there is a spread, as step 3 asks; the answers below differ in what they divide."""
    shift, spread = np.broadcast_arrays(np.asarray(shift, dtype=float), spread)
    return np.divide(shift, spread, out=np.zeros(shift.shape), where=spread > 0)


def _joined(reference, current):
    return np.concatenate([reference, current])


@wrong("standard_shift", "divides by nothing: the shift in the column's own unit")
def not_divided(reference, current):
    return current.mean(axis=0) - reference.mean(axis=0)


@wrong("standard_shift", "reference minus current")
def turned_shift(reference, current):
    return _fill(reference.mean(axis=0) - current.mean(axis=0), _joined(reference, current).std(axis=0))


@wrong("standard_shift", "takes the absolute value, so that a fall looks like a rise")
def absolute_shift(reference, current):
    return _fill(np.abs(current.mean(axis=0) - reference.mean(axis=0)), _joined(reference, current).std(axis=0))


@wrong("standard_shift", "divides by the variance")
def divides_by_variance(reference, current):
    return _fill(current.mean(axis=0) - reference.mean(axis=0), _joined(reference, current).var(axis=0))


@wrong("standard_shift", "divides by the spread with ddof=1")
def with_ddof(reference, current):
    return _fill(current.mean(axis=0) - reference.mean(axis=0), _joined(reference, current).std(axis=0, ddof=1))


@wrong("standard_shift", "divides by the spread of the reference alone")
def spread_of_reference(reference, current):
    return _fill(current.mean(axis=0) - reference.mean(axis=0), reference.std(axis=0))


@wrong("standard_shift", "divides by the spread of the current rows alone")
def spread_of_current(reference, current):
    return _fill(current.mean(axis=0) - reference.mean(axis=0), current.std(axis=0))


@wrong("standard_shift", "divides by the mean of the two spreads")
def mean_of_spreads(reference, current):
    spread = (reference.std(axis=0) + current.std(axis=0)) / 2
    return _fill(current.mean(axis=0) - reference.mean(axis=0), spread)


@wrong("standard_shift", "pools the two variances, as Cohen's d does: the shift itself is no part of the spread")
def pooled_spread(reference, current):
    spread = np.sqrt((reference.var(axis=0) + current.var(axis=0)) / 2)
    return _fill(current.mean(axis=0) - reference.mean(axis=0), spread)


@wrong("standard_shift", "divides by the standard error: how sure, not how large")
def divides_by_standard_error(reference, current):
    rows = _joined(reference, current)
    return _fill(current.mean(axis=0) - reference.mean(axis=0), rows.std(axis=0) / np.sqrt(len(rows)))


@wrong("standard_shift", "takes one mean and one spread of the whole table")
def one_for_the_table(reference, current):
    return _fill(current.mean() - reference.mean(), _joined(reference, current).std())


@wrong("standard_shift", "takes one spread for all columns")
def one_spread_for_all(reference, current):
    return _fill(current.mean(axis=0) - reference.mean(axis=0), _joined(reference, current).std())


@wrong("standard_shift", "takes means along the rows")
def means_of_rows(reference, current):
    n = min(len(reference), len(current))
    return _fill(current[:n].mean(axis=1) - reference[:n].mean(axis=1), _joined(reference, current).std())


@wrong("standard_shift", "joins the columns side by side instead of the rows")
def joined_by_columns(reference, current):
    spread = np.concatenate([reference, current], axis=1).std(axis=0)[: reference.shape[1]]
    return _fill(current.mean(axis=0) - reference.mean(axis=0), spread)


@wrong("standard_shift", "divides by 0 where there is no spread")
def divides_by_zero(reference, current):
    return (current.mean(axis=0) - reference.mean(axis=0)) / _joined(reference, current).std(axis=0)


@wrong("standard_shift", "adds a very small number to every spread: a hidden epsilon, which decides in small units")
def tiny_epsilon(reference, current):
    spread = np.concatenate([reference, current]).std(axis=0)
    return (current.mean(axis=0) - reference.mean(axis=0)) / (spread + 1e-8)


@wrong("standard_shift", "adds a small number to every spread")
def hidden_epsilon(reference, current):
    return (current.mean(axis=0) - reference.mean(axis=0)) / (_joined(reference, current).std(axis=0) + 0.01)


@wrong("standard_shift", "divides only where the spread is above a fifth")
def only_large_spreads(reference, current):
    spread = _joined(reference, current).std(axis=0)
    return np.where(spread > 0.2, _fill(current.mean(axis=0) - reference.mean(axis=0), spread), 0.0)


@wrong("standard_shift", "divides with `where` but without `out`: numpy leaves there whatever memory held")
def without_out(reference, current):
    spread = _joined(reference, current).std(axis=0)
    return np.divide(current.mean(axis=0) - reference.mean(axis=0), spread, where=spread > 0)


@wrong("standard_shift", "joins the two tables into one long row, so that all columns share a spread")
def appended(reference, current):
    return _fill(current.mean(axis=0) - reference.mean(axis=0), np.append(reference, current).std())


@wrong("standard_shift", "refuses columns without a spread")
def refuses_no_spread(reference, current):
    spread = _joined(reference, current).std(axis=0)
    if (spread == 0).any():
        raise ValueError("spread must be > 0.")
    return (current.mean(axis=0) - reference.mean(axis=0)) / spread


@wrong("standard_shift", "gives 1 where there is no spread, as if 0 / 0 were 1")
def one_for_no_spread(reference, current):
    spread = _joined(reference, current).std(axis=0)
    return np.where(spread > 0, _fill(current.mean(axis=0) - reference.mean(axis=0), spread), 1.0)


@wrong("standard_shift", "compares medians")
def shift_of_medians(reference, current):
    shift = np.median(current, axis=0) - np.median(reference, axis=0)
    return _fill(shift, _joined(reference, current).std(axis=0))


@wrong("standard_shift", "subtracts the mean of all rows, not that of the reference")
def from_the_mean_of_all(reference, current):
    rows = _joined(reference, current)
    return _fill(current.mean(axis=0) - rows.mean(axis=0), rows.std(axis=0))


@wrong("standard_shift", "compares the first rows instead of the means")
def first_rows(reference, current):
    return _fill(current[0] - reference[0], _joined(reference, current).std(axis=0))


@wrong("standard_shift", "compares sums: more rows, more shift")
def shift_of_sums(reference, current):
    return _fill(current.sum(axis=0) - reference.sum(axis=0), _joined(reference, current).std(axis=0))


@wrong("standard_shift", "moves the caller's own rows to the mean of the reference")
def centres_in_place(reference, current):
    centre = reference.mean(axis=0)
    spread = _joined(reference, current).std(axis=0)
    current -= centre
    return _fill(current.mean(axis=0), spread)


@wrong("standard_shift", "cuts shifts at one standard deviation")
def cut_at_one(reference, current):
    return np.clip(_fill(current.mean(axis=0) - reference.mean(axis=0), _joined(reference, current).std(axis=0)), -1, 1)


@right("standard_shift", "fills a result of zeros where there is a spread")
def fills_zeros(reference, current):
    spread = np.vstack((reference, current)).std(axis=0)
    shift = np.mean(current, axis=0) - np.mean(reference, axis=0)
    result = np.zeros(len(spread))
    has_spread = spread > 0
    result[has_spread] = shift[has_spread] / spread[has_spread]
    return result


@right("standard_shift", "divides everywhere, lets numpy warn, and keeps what has a spread")
def where_there_is_a_spread(reference, current):
    spread = np.concatenate((reference, current)).std(axis=0)
    shift = current.mean(axis=0) - reference.mean(axis=0)
    return np.where(spread > 0, shift / spread, 0)


@right("standard_shift", "divides by 1 where there is no spread: the shift is 0 there anyway")
def divides_by_one(reference, current):
    spread = np.std(np.r_[reference, current], axis=0)
    return (current.mean(axis=0) - reference.mean(axis=0)) / np.where(spread == 0, 1, spread)


@right("standard_shift", "divides everywhere, and puts 0 in place of NaN")
def replaces_nan(reference, current):
    shift = current.mean(axis=0) - reference.mean(axis=0)
    return np.nan_to_num(shift / np.concatenate([reference, current]).std(axis=0), nan=0.0)


@right("standard_shift", "loops over the columns, with the spread written out, and returns a list")
def shift_by_loop(reference, current):
    shifts = []
    for before, after in zip(reference.T, current.T, strict=True):
        values = [*before, *after]
        mean = sum(values) / len(values)
        spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
        shift = sum(after) / len(after) - sum(before) / len(before)
        shifts.append(shift / spread if spread > 0 else 0.0)
    return shifts


@right("standard_shift", "takes the spread from means of squares, and adds the smallest float to every spread")
def means_of_squares(reference, current):
    rows = np.concatenate([reference, current], axis=0)
    spread = np.sqrt(np.maximum((rows**2).mean(axis=0) - rows.mean(axis=0) ** 2, 0))
    return (current.mean(axis=0) - reference.mean(axis=0)) / (spread + np.finfo(float).tiny)


# shuffled_shifts ----------------------------------------------------------------------------------------------------


@wrong("shuffled_shifts", "compares sums")
def sums(rows, is_current):
    return is_current @ rows - ~is_current @ rows


@wrong("shuffled_shifts", "gives the sums of one group")
def sums_of_one_group(rows, is_current):
    return is_current @ rows


@wrong("shuffled_shifts", "gives the means of one group")
def means_of_one_group(rows, is_current):
    return is_current @ rows / is_current.sum(axis=1, keepdims=True)


@wrong("shuffled_shifts", "False minus True")
def false_minus_true(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return ~is_current @ rows / (len(rows) - n_current) - is_current @ rows / n_current


@wrong("shuffled_shifts", "divides both groups by all rows")
def divides_by_all_rows(rows, is_current):
    return (is_current @ rows - ~is_current @ rows) / len(rows)


@wrong("shuffled_shifts", "divides both groups by the number called current")
def one_number_for_both(rows, is_current):
    return (is_current @ rows - ~is_current @ rows) / is_current.sum(axis=1, keepdims=True)


@wrong("shuffled_shifts", "takes the number of the first shuffle for all of them")
def number_of_first_shuffle(rows, is_current):
    n_current = is_current[0].sum()
    return is_current @ rows / n_current - ~is_current @ rows / (len(rows) - n_current)


@wrong("shuffled_shifts", "takes half of the rows for each group")
def half_and_half(rows, is_current):
    return is_current @ rows / (len(rows) / 2) - ~is_current @ rows / (len(rows) / 2)


@wrong("shuffled_shifts", "subtracts the mean of all rows")
def minus_mean_of_all(rows, is_current):
    return is_current @ rows / is_current.sum(axis=1, keepdims=True) - rows.mean(axis=0)


@wrong("shuffled_shifts", "counts down the shuffles instead of along each")
def counts_along_the_wrong_axis(rows, is_current):
    n_current = is_current.sum(axis=0, keepdims=True).T[: len(is_current)]
    return is_current @ rows / n_current - ~is_current @ rows / (len(rows) - n_current)


@wrong("shuffled_shifts", "forgets keepdims: numbers of shuffles meet columns")
def no_keepdims(rows, is_current):
    n_current = is_current.sum(axis=1)
    return is_current @ rows / n_current - ~is_current @ rows / (len(rows) - n_current)


@wrong("shuffled_shifts", "drops the feature axis")
def flat(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return (is_current @ rows / n_current - ~is_current @ rows / (len(rows) - n_current)).ravel()


@wrong("shuffled_shifts", "gives one line per feature")
def transposed(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return (is_current @ rows / n_current - ~is_current @ rows / (len(rows) - n_current)).T


@wrong("shuffled_shifts", "looks at the first shuffle only")
def first_shuffle_only(rows, is_current):
    return (rows[is_current[0]].mean(axis=0) - rows[~is_current[0]].mean(axis=0))[np.newaxis]


@wrong("shuffled_shifts", "mixes the columns: one mean for all features")
def one_mean_for_all(rows, is_current):
    return np.array([[rows[mask].mean() - rows[~mask].mean()] * rows.shape[1] for mask in is_current])


@wrong("shuffled_shifts", "takes absolute values")
def absolute_shuffles(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return np.abs(is_current @ rows / n_current - ~is_current @ rows / (len(rows) - n_current))


@wrong("shuffled_shifts", "turns the marks round with a minus, which gives 0 and -1")
def minus_for_not(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return is_current @ rows / n_current - (-1 * is_current) @ rows / (len(rows) - n_current)


@wrong("shuffled_shifts", "compares medians of the groups")
def medians(rows, is_current):
    return np.array([np.median(rows[mask], axis=0) - np.median(rows[~mask], axis=0) for mask in is_current])


@wrong("shuffled_shifts", "counts the other group one row too small")
def one_row_too_few(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return is_current @ rows / n_current - ~is_current @ rows / np.maximum(1, len(rows) - n_current - 1)


@wrong("shuffled_shifts", "divides by how many columns there are")
def divides_by_columns(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return is_current @ rows / n_current - ~is_current @ rows / np.maximum(1, abs(rows.shape[1] - n_current))


@wrong("shuffled_shifts", "takes the marks for row numbers: 0 and 1")
def marks_as_places(rows, is_current):
    places = is_current.astype(int)
    return rows[places].mean(axis=1) - rows[1 - places].mean(axis=1)


@wrong("shuffled_shifts", "turns the caller's own marks round")
def turns_marks_in_place(rows, is_current):
    current = is_current @ rows / is_current.sum(axis=1, keepdims=True)
    np.logical_not(is_current, out=is_current)
    return current - is_current @ rows / is_current.sum(axis=1, keepdims=True)


@wrong("shuffled_shifts", "leaves the difference of the groups' sizes out: one call of the dot product is enough")
def weights_of_plus_and_minus(rows, is_current):
    return np.where(is_current, 1, -1) @ rows / (len(rows) / 2)


@right("shuffled_shifts", "loops over the shuffles, and picks rows by their marks")
def loop_over_shuffles(rows, is_current):
    return np.array([rows[mask].mean(axis=0) - rows[~mask].mean(axis=0) for mask in is_current])


@right("shuffled_shifts", "three loops in plain Python, and nested lists")
def plain_loops(rows, is_current):
    table = []
    for mask in is_current:
        line = []
        for column in range(rows.shape[1]):
            inside = [value for value, mark in zip(rows[:, column], mask, strict=True) if mark]
            outside = [value for value, mark in zip(rows[:, column], mask, strict=True) if not mark]
            line.append(sum(inside) / len(inside) - sum(outside) / len(outside))
        table.append(line)
    return table


@right("shuffled_shifts", "one matrix product with weights of 1/n and -1/n")
def one_product(rows, is_current):
    n_current = is_current.sum(axis=1, keepdims=True)
    return np.where(is_current, 1 / n_current, -1 / (len(rows) - n_current)) @ rows


@right("shuffled_shifts", "gets the other group's sum by subtracting from the sum of all rows")
def sum_of_the_rest(rows, is_current):
    n_current = np.count_nonzero(is_current, axis=1)[:, None]
    total = is_current.astype(float) @ rows
    return total / n_current - (rows.sum(axis=0) - total) / (is_current.shape[1] - n_current)


@right("shuffled_shifts", "Einstein's sums")
def einstein(rows, is_current):
    current = np.einsum("sn,nf->sf", is_current.astype(float), rows) / is_current.sum(axis=1)[:, np.newaxis]
    others = np.einsum("sn,nf->sf", 1.0 - is_current, rows) / (~is_current).sum(axis=1)[:, np.newaxis]
    return current - others


@right("shuffled_shifts", "the matrix product of module 01, of Tensors")
def tensor_product(rows, is_current):
    marks = is_current.astype(float)
    counts = marks.sum(axis=1, keepdims=True)
    return (Tensor(marks) @ Tensor(rows)).numpy() / counts - (Tensor(1 - marks) @ Tensor(rows)).numpy() / (
        len(rows) - counts
    )


# shuffle_pvalue -----------------------------------------------------------------------------------------------------


@wrong("shuffle_pvalue", "leaves out that what happened is a shuffle too")
def share_alone(observed, shuffled):
    return (np.abs(shuffled) >= np.abs(observed)).mean(axis=0)


@wrong("shuffle_pvalue", "adds 1 to the count only")
def one_above_only(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / len(shuffled)


@wrong("shuffle_pvalue", "adds 1 to the number of shuffles only")
def one_below_only(observed, shuffled):
    return (np.abs(shuffled) >= np.abs(observed)).sum(axis=0) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "wants more than the shift, not as much")
def strictly_further(observed, shuffled):
    return (1 + (np.abs(shuffled) > np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "forgets the absolute values")
def signed_comparison(observed, shuffled):
    return (1 + (shuffled >= observed).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "takes the absolute value of the shuffles only")
def absolute_shuffles_only(observed, shuffled):
    return (1 + (np.abs(shuffled) >= observed).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "takes the absolute value of the shift only")
def absolute_shift_only(observed, shuffled):
    return (1 + (shuffled >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "counts the shuffles that lie nearer")
def counts_nearer(observed, shuffled):
    return (1 + (np.abs(shuffled) <= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "gives how sure one is: 1 - p")
def one_minus_p(observed, shuffled):
    return 1 - (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "counts over the whole table")
def counts_the_table(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum()) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "counts along each shuffle")
def counts_each_shuffle(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=1)) / (1 + shuffled.shape[1])


@wrong("shuffle_pvalue", "divides by the number of all entries")
def divides_by_size(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + shuffled.size)


@wrong("shuffle_pvalue", "divides by the number of columns")
def divides_by_features(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + shuffled.shape[1])


@wrong("shuffle_pvalue", "gives the count")
def count_alone(observed, shuffled):
    return (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)


@wrong("shuffle_pvalue", "leaves the parentheses out: 1 + count / 1 + n")
def precedence(observed, shuffled):
    return 1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0) / 1 + len(shuffled)


@wrong("shuffle_pvalue", "doubles one tail, although the absolute values hold both")
def doubles(observed, shuffled):
    return np.minimum(1, 2 * (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled)))


@wrong("shuffle_pvalue", "adds one more shuffle below than above")
def two_below(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (2 + len(shuffled))


@wrong("shuffle_pvalue", "compares with the mean of the shuffles")
def compares_with_the_mean(observed, shuffled):
    return (1 + (np.abs(observed) >= np.abs(shuffled).mean(axis=0)).astype(int)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "compares with the largest of each shuffle: that is the next blank")
def already_adjusted(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (1 + (largest >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "has the 999 shuffles of the lesson written into the code")
def always_999(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + 999)


@wrong("shuffle_pvalue", "answers whether the p-value is small")
def significant(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled)) <= 0.05


@wrong("shuffle_pvalue", "turns the caller's own shuffles positive")
def absolute_in_place(observed, shuffled):
    np.abs(shuffled, out=shuffled)
    return (1 + (shuffled >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("shuffle_pvalue", "looks at the first column only")
def first_column_alone(observed, shuffled):
    return np.array([(1 + (np.abs(shuffled[:, 0]) >= abs(observed[0])).sum()) / (1 + len(shuffled))])


@right("shuffle_pvalue", "puts what happened among the shuffles and takes the share")
def among_the_shuffles(observed, shuffled):
    every = np.vstack([observed, shuffled])
    return (np.abs(every) >= np.abs(observed)).mean(axis=0)


@right("shuffle_pvalue", "compares squares")
def squares(observed, shuffled):
    count = np.count_nonzero(shuffled**2 >= observed**2, axis=0)
    return (count + 1) / (shuffled.shape[0] + 1)


@right("shuffle_pvalue", "loops over columns and shuffles, and returns a list")
def pvalue_by_loop(observed, shuffled):
    pvalues = []
    for column in range(len(observed)):
        count = 1
        for shuffle in shuffled:
            if abs(shuffle[column]) >= abs(observed[column]):
                count += 1
        pvalues.append(count / (len(shuffled) + 1))
    return pvalues


@right("shuffle_pvalue", "counts both tails apart")
def two_tails(observed, shuffled):
    distance = np.abs(observed)
    above, below = (shuffled >= distance).sum(axis=0), (shuffled <= -distance).sum(axis=0)
    both = ((shuffled >= distance) & (shuffled <= -distance)).sum(axis=0)
    return (1 + above + below - both) / (1 + len(shuffled))


@right("shuffle_pvalue", "one minus the share of those strictly nearer")
def one_minus_nearer(observed, shuffled):
    return 1 - (np.abs(shuffled) < np.abs(observed)).sum(axis=0) / (1 + len(shuffled))


# adjusted_pvalue ----------------------------------------------------------------------------------------------------


@wrong("adjusted_pvalue", "judges each column for itself, as before")
def not_adjusted(observed, shuffled):
    return (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "multiplies by the number of columns, as Bonferroni does")
def bonferroni(observed, shuffled):
    pvalue = (1 + (np.abs(shuffled) >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))
    return np.minimum(1.0, pvalue * len(observed))


@wrong("adjusted_pvalue", "takes the largest of each column, over all shuffles")
def largest_of_each_column(observed, shuffled):
    largest = np.abs(shuffled).max(axis=0)
    return (1 + (largest >= np.abs(observed))) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "takes the largest of the whole table")
def largest_of_all(observed, shuffled):
    largest = np.abs(shuffled).max()
    return (1 + len(shuffled) * (largest >= np.abs(observed))) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "takes the largest first and the absolute value then")
def absolute_too_late(observed, shuffled):
    largest = np.abs(shuffled.max(axis=1, keepdims=True))
    return (1 + (largest >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "forgets the absolute value of the shuffles")
def signed_largest(observed, shuffled):
    largest = shuffled.max(axis=1, keepdims=True)
    return (1 + (largest >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "forgets the absolute value of the shifts")
def signed_shifts(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (1 + (largest >= observed).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "compares all columns with the largest shift")
def largest_shift_for_all(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    count = (largest >= np.abs(observed).max()).sum(axis=0)
    return np.full(len(observed), (1 + count[0]) / (1 + len(shuffled)))


@wrong("adjusted_pvalue", "takes the smallest of each shuffle")
def smallest_for_largest(observed, shuffled):
    smallest = np.abs(shuffled).min(axis=1, keepdims=True)
    return (1 + (smallest >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "takes the mean of each shuffle")
def mean_for_largest(observed, shuffled):
    average = np.abs(shuffled).mean(axis=1, keepdims=True)
    return (1 + (average >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "adds up all columns of a shuffle")
def sum_for_largest(observed, shuffled):
    total = np.abs(shuffled).sum(axis=1, keepdims=True)
    return (1 + (total >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "leaves out that what happened is a shuffle too")
def adjusted_share_alone(observed, shuffled):
    return (np.abs(shuffled).max(axis=1, keepdims=True) >= np.abs(observed)).mean(axis=0)


@wrong("adjusted_pvalue", "adds 1 to the count only")
def adjusted_one_above_only(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (1 + (largest >= np.abs(observed)).sum(axis=0)) / len(shuffled)


@wrong("adjusted_pvalue", "adds 1 to the number of shuffles only")
def adjusted_one_below_only(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (largest >= np.abs(observed)).sum(axis=0) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "wants more than the shift, not as much")
def adjusted_strictly(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (1 + (largest > np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "counts the shuffles that stay below")
def adjusted_nearer(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (1 + (largest <= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "counts over the whole table")
def adjusted_over_the_table(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (1 + (largest >= np.abs(observed)).sum()) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "counts along each shuffle")
def adjusted_each_shuffle(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    return (1 + (largest >= np.abs(observed)).sum(axis=1)) / (1 + shuffled.shape[1])


@wrong("adjusted_pvalue", "forgets keepdims: shuffles meet columns")
def adjusted_no_keepdims(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1)
    return (1 + (largest >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "gives every column the smallest p-value")
def smallest_pvalue(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1, keepdims=True)
    pvalue = (1 + (largest >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))
    return np.full(len(observed), pvalue.min())


@wrong("adjusted_pvalue", "gives one p-value for the whole window")
def one_for_the_window(observed, shuffled):
    largest = np.abs(shuffled).max(axis=1)
    return (1 + (largest >= np.abs(observed).max()).sum()) / (1 + len(shuffled))


@wrong("adjusted_pvalue", "sorts the caller's own shuffles to find the largest")
def sorts_the_shuffles(observed, shuffled):
    np.abs(shuffled, out=shuffled)
    shuffled.sort(axis=1)
    return (1 + (shuffled[:, -1:] >= np.abs(observed)).sum(axis=0)) / (1 + len(shuffled))


@right("adjusted_pvalue", "asks whether any column of a shuffle moved as far")
def any_column(observed, shuffled):
    as_far = (np.abs(shuffled)[:, :, np.newaxis] >= np.abs(observed)).any(axis=1)
    return (1 + as_far.sum(axis=0)) / (1 + len(shuffled))


@right("adjusted_pvalue", "loops over the columns, and returns a list")
def adjusted_by_loop(observed, shuffled):
    largest = [max(abs(value) for value in shuffle) for shuffle in shuffled]
    return [(1 + sum(most >= abs(shift) for most in largest)) / (1 + len(largest)) for shift in observed]


@right("adjusted_pvalue", "sorts the largest ones and looks each shift up")
def looks_up(observed, shuffled):
    largest = np.sort(np.abs(shuffled).max(axis=1))
    nearer = np.searchsorted(largest, np.abs(observed), side="left")
    return (1 + len(largest) - nearer) / (1 + len(largest))


@right("adjusted_pvalue", "takes the larger of the highest and the turned lowest")
def highest_and_lowest(observed, shuffled):
    largest = np.maximum(shuffled.max(axis=1), -shuffled.min(axis=1))
    as_far = np.abs(observed)[:, None] <= largest
    return (1 + as_far.sum(axis=1)) / (1 + as_far.shape[1])


@right("adjusted_pvalue", "repeats the largest in every column and judges each column as before")
def as_before(observed, shuffled):
    largest = np.repeat(np.abs(shuffled).max(axis=1)[:, None], len(observed), axis=1)
    every = np.concatenate([np.abs(observed)[None], largest])
    return (every >= np.abs(observed)).mean(axis=0)
