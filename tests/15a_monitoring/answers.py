"""Typical answers to the blanks of 15a, wrong and right: `tinytorch audit` tries its checks on them. Not in the kit."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np

from tinytorch.core.tensor import Tensor
from tinytorch.course.answers import right, wrong

# batch_accuracy -----------------------------------------------------------------------------------------------------


def _refuse_bad_batch(predictions, labels):
    if len(predictions) != len(labels) or len(predictions) == 0:
        raise ValueError("predictions and labels must match.")


@wrong("batch_accuracy", "counts the right answers instead of taking their share")
def count_right(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return np.sum(predictions == labels)


@wrong("batch_accuracy", "measures how many are wrong")
def error_rate(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return np.mean(predictions != labels)


@wrong("batch_accuracy", "stops at one answer per row")
def one_answer_per_row(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return predictions == labels


@wrong("batch_accuracy", "gives per cent")
def per_cent(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return 100 * np.mean(predictions == labels)


@wrong("batch_accuracy", "asks whether all are right")
def all_right(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return np.array_equal(predictions, labels)


@wrong("batch_accuracy", "asks whether any is right")
def any_right(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return float((predictions == labels).any())


@wrong("batch_accuracy", "forgets both guards")
def no_guard(predictions, labels):
    return np.mean(predictions == labels)


@wrong("batch_accuracy", "forgets the empty batch")
def no_guard_for_empty(predictions, labels):
    if len(predictions) != len(labels):
        raise ValueError("lengths must match.")
    return np.mean(predictions == labels)


@wrong("batch_accuracy", "calls the accuracy of nothing 0")
def zero_for_empty(predictions, labels):
    if len(predictions) != len(labels):
        raise ValueError("lengths must match.")
    return np.mean(predictions == labels) if len(predictions) else 0.0


@wrong("batch_accuracy", "forgets to compare the lengths, so that one label is held against every prediction")
def no_guard_for_lengths(predictions, labels):
    if len(predictions) == 0:
        raise ValueError("predictions must not be empty.")
    return np.mean(predictions == labels)


@wrong("batch_accuracy", "compares the lengths in one direction only")
def guard_for_fewer_labels_only(predictions, labels):
    if len(labels) < len(predictions) or len(labels) == 0:
        raise ValueError("labels are missing.")
    return np.mean([prediction == label for prediction, label in zip(predictions, labels, strict=False)])


@wrong("batch_accuracy", "cuts the longer of the two")
def zip_cuts(predictions, labels):
    right_ones = sum(prediction == label for prediction, label in zip(predictions, labels, strict=False))
    return right_ones / len(predictions)


@wrong("batch_accuracy", "raises a TypeError, not the ValueError of step 1")
def other_error(predictions, labels):
    if len(predictions) != len(labels) or len(predictions) == 0:
        raise TypeError("lengths must match.")
    return np.mean(predictions == labels)


@wrong("batch_accuracy", "prints the mistake instead of raising it")
def prints_the_error(predictions, labels):
    if len(predictions) != len(labels) or len(predictions) == 0:
        print("ValueError: lengths must match")
        return None
    return np.mean(predictions == labels)


@wrong("batch_accuracy", "prints the answer instead of returning it")
def prints_the_answer(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    print(np.mean(predictions == labels))


@wrong("batch_accuracy", "divides by n - 1")
def n_minus_one(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return np.sum(predictions == labels) / max(1, len(labels) - 1)


@wrong("batch_accuracy", "leaves the last row out of the loop")
def misses_the_last(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return sum(predictions[row] == labels[row] for row in range(len(labels) - 1)) / len(labels)


@wrong("batch_accuracy", "leaves the first row out of the loop")
def misses_the_first(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return sum(predictions[row] == labels[row] for row in range(1, len(labels))) / len(labels)


@wrong("batch_accuracy", "divides whole numbers with //")
def whole_division(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return int(np.sum(predictions == labels)) // len(labels)


@wrong("batch_accuracy", "returns from inside the loop, after the first row")
def returns_in_the_loop(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    count = 0
    for prediction, label in zip(predictions, labels, strict=True):
        count += prediction == label
        return count / len(labels)


@wrong("batch_accuracy", "measures how far the digits lie apart")
def distance_of_digits(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return 1 - np.mean(np.abs(predictions - labels)) / 10


@wrong("batch_accuracy", "compares which digits occur, not row by row")
def order_ignored(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return np.mean(np.sort(predictions) == np.sort(labels))


@wrong("batch_accuracy", "sorts both arrays where they stand, and compares which digits occur")
def sorts_in_place(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    predictions.sort()
    labels.sort()
    return np.mean(predictions == labels)


@wrong("batch_accuracy", "divides by the number of different labels")
def divides_by_classes(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return np.sum(predictions == labels) / len(np.unique(labels))


@wrong("batch_accuracy", "rounds to one decimal")
def rounded_accuracy(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return round(float(np.mean(predictions == labels)), 1)


@wrong("batch_accuracy", "takes the median of the right answers")
def median_of_flags(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return np.median(predictions == labels)


@right("batch_accuracy", "counts in a loop")
def loop_accuracy(predictions, labels):
    if len(predictions) != len(labels):
        raise ValueError("lengths must match.")
    if len(predictions) == 0:
        raise ValueError("an empty batch has no accuracy.")
    count = 0
    for prediction, label in zip(predictions, labels, strict=True):
        if prediction == label:
            count += 1
    return count / len(predictions)


@right("batch_accuracy", "compares shapes, counts with numpy, and returns numpy's own float")
def numpy_count(predictions, labels):
    if predictions.shape != labels.shape or predictions.size == 0:
        raise ValueError("shapes must match.")
    return np.count_nonzero(predictions == labels) / np.float64(labels.size)


@right("batch_accuracy", "takes the mean of plain Python lists")
def mean_of_lists(predictions, labels):
    if not len(labels) or len(predictions) != len(labels):
        raise ValueError("lengths must match.")
    return statistics.mean(float(a == b) for a, b in zip(predictions.tolist(), labels.tolist(), strict=True))


@right("batch_accuracy", "subtracts the error rate from 1")
def one_minus_error(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return 1 - (predictions != labels).mean()


@right("batch_accuracy", "lets zip compare the lengths, and division the empty batch")
def error_of_python(predictions, labels):
    try:
        return sum(a == b for a, b in zip(predictions, labels, strict=True)) / len(predictions)
    except ZeroDivisionError:
        raise ValueError("an empty batch has no accuracy.") from None


@right("batch_accuracy", "counts where the difference is 0, and returns a Tensor")
def tensor_of_zeros(predictions, labels):
    _refuse_bad_batch(predictions, labels)
    return Tensor((predictions - labels == 0).astype(float)).mean()


# accuracy_standard_error --------------------------------------------------------------------------------------------


def _refuse_no_rows(n):
    if n < 1:
        raise ValueError("n must be at least 1.")


@wrong("accuracy_standard_error", "forgets the root")
def forgets_the_root(accuracy, n):
    _refuse_no_rows(n)
    return accuracy * (1 - accuracy) / n


@wrong("accuracy_standard_error", "forgets n")
def ignores_n(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy * (1 - accuracy))


@wrong("accuracy_standard_error", "takes the root before dividing by n")
def root_too_early(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy * (1 - accuracy)) / n


@wrong("accuracy_standard_error", "divides by n - 1 as in a sample's spread")
def error_with_n_minus_one(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy * (1 - accuracy) / max(1, n - 1))


@wrong("accuracy_standard_error", "divides by n + 1")
def error_with_n_plus_one(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy * (1 - accuracy) / (n + 1))


@wrong("accuracy_standard_error", "leaves the factor 1 - accuracy out")
def misses_the_complement(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy / n)


@wrong("accuracy_standard_error", "leaves the factor accuracy out")
def misses_the_accuracy(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt((1 - accuracy) / n)


@wrong("accuracy_standard_error", "squares the accuracy")
def squares_the_accuracy(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy**2 / n)


@wrong("accuracy_standard_error", "adds where it should multiply")
def adds_the_factors(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt((accuracy + (1 - accuracy)) / n)


@wrong("accuracy_standard_error", "leaves the parentheses out: accuracy * 1 - accuracy")
def misses_the_parentheses(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(abs(accuracy * 1 - accuracy / n))


@wrong("accuracy_standard_error", "multiplies by n: the spread of a count")
def spread_of_the_count(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy * (1 - accuracy) * n)


@wrong("accuracy_standard_error", "takes the widest case, accuracy 0.5, whatever the accuracy is")
def widest_case(accuracy, n):
    _refuse_no_rows(n)
    return 0.5 / math.sqrt(n)


@wrong("accuracy_standard_error", "gives the half width of a 95% interval")
def interval(accuracy, n):
    _refuse_no_rows(n)
    return 1.96 * math.sqrt(accuracy * (1 - accuracy) / n)


@wrong("accuracy_standard_error", "gives two standard errors")
def twice(accuracy, n):
    _refuse_no_rows(n)
    return 2 * math.sqrt(accuracy * (1 - accuracy) / n)


@wrong("accuracy_standard_error", "divides by the root of n twice")
def root_of_n_twice(accuracy, n):
    _refuse_no_rows(n)
    return math.sqrt(accuracy * (1 - accuracy) / n) / math.sqrt(n)


@wrong("accuracy_standard_error", "gives per cent")
def error_in_per_cent(accuracy, n):
    _refuse_no_rows(n)
    return 100 * math.sqrt(accuracy * (1 - accuracy) / n)


@wrong("accuracy_standard_error", "rounds to two decimals, where most of a small error is lost")
def rounded_error(accuracy, n):
    _refuse_no_rows(n)
    return round(math.sqrt(accuracy * (1 - accuracy) / n), 2)


@wrong("accuracy_standard_error", "has no guard: Python complains about the division by 0")
def error_without_guard(accuracy, n):
    return math.sqrt(accuracy * (1 - accuracy) / n)


@wrong("accuracy_standard_error", "calls the error of no rows 0")
def zero_for_no_rows(accuracy, n):
    return math.sqrt(accuracy * (1 - accuracy) / n) if n > 0 else 0.0


@wrong("accuracy_standard_error", "guards against 0 only, and takes the absolute value of the rest")
def guards_against_zero_only(accuracy, n):
    if n == 0:
        raise ValueError("n must not be 0.")
    return math.sqrt(accuracy * (1 - accuracy) / abs(n))


@wrong("accuracy_standard_error", "refuses a batch of one row")
def refuses_one_row(accuracy, n):
    if n <= 1:
        raise ValueError("n must be above 1.")
    return math.sqrt(accuracy * (1 - accuracy) / n)


@wrong("accuracy_standard_error", "refuses a model that is always right or always wrong")
def refuses_a_perfect_model(accuracy, n):
    _refuse_no_rows(n)
    if not 0 < accuracy < 1:
        raise ValueError("accuracy must be between 0 and 1.")
    return math.sqrt(accuracy * (1 - accuracy) / n)


@right("accuracy_standard_error", "raises to the power of one half")
def power_of_one_half(accuracy, n):
    if n <= 0:
        raise ValueError("n must be positive.")
    return (accuracy * (1 - accuracy) / n) ** 0.5


@right("accuracy_standard_error", "multiplies out, takes two roots and returns numpy's own float")
def two_roots(accuracy, n):
    if not n >= 1:
        raise ValueError("n must be at least 1.")
    return np.sqrt(accuracy - accuracy**2) / np.sqrt(n)


@right("accuracy_standard_error", "asks numpy for the spread of a right and a wrong answer, by their weights")
def weighted_spread(accuracy, n):
    _refuse_no_rows(n)
    outcomes, weights = np.array([1.0, 0.0]), [accuracy, 1 - accuracy]
    return np.sqrt(np.average((outcomes - accuracy) ** 2, weights=weights) / n)


@right("accuracy_standard_error", "steps 2 and 3 one after the other, in names of their own")
def step_by_step(accuracy, n):
    if n < 1:
        raise ValueError(n)
    variance = accuracy * (1.0 - accuracy)
    variance /= n
    return float(np.sqrt(variance))


@right("accuracy_standard_error", "computes with a Tensor, which has 32 bits")
def tensor_error(accuracy, n):
    _refuse_no_rows(n)
    return Tensor(accuracy * (1 - accuracy) / n) ** 0.5


# alert_threshold ----------------------------------------------------------------------------------------------------


@wrong("alert_threshold", "adds: the limit lies above the baseline")
def above_the_baseline(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy + standard_errors * standard_error)


@wrong("alert_threshold", "adds, and cuts at 1")
def above_and_cut(baseline_accuracy, standard_error, standard_errors):
    return min(1.0, baseline_accuracy + standard_errors * standard_error)


@wrong("alert_threshold", "allows one standard error, whatever is asked for")
def one_standard_error(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy - standard_error)


@wrong("alert_threshold", "allows four standard errors, whatever is asked for")
def always_four(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy - 4 * standard_error)


@wrong("alert_threshold", "subtracts how many, not how far")
def subtracts_the_number(baseline_accuracy, standard_error, standard_errors):
    return baseline_accuracy - standard_errors


@wrong("alert_threshold", "subtracts how many, and cuts at 0")
def subtracts_the_number_and_cuts(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy - standard_errors)


@wrong("alert_threshold", "gives the distance below the baseline")
def distance_only(baseline_accuracy, standard_error, standard_errors):
    return standard_errors * standard_error


@wrong("alert_threshold", "subtracts a share of the baseline")
def share_of_the_baseline(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy * (1 - standard_errors * standard_error))


@wrong("alert_threshold", "divides the standard error by how many are allowed")
def divides_the_error(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy - standard_error / standard_errors)


@wrong("alert_threshold", "takes the root of the standard error once more")
def another_root(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy - standard_errors * math.sqrt(standard_error))


@wrong("alert_threshold", "subtracts first and multiplies then")
def parentheses_elsewhere(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, (baseline_accuracy - standard_errors) * standard_error)


@wrong("alert_threshold", "turns the subtraction round")
def turned_subtraction(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, standard_errors * standard_error - baseline_accuracy)


@wrong("alert_threshold", "lets the limit fall below 0")
def negative_limit(baseline_accuracy, standard_error, standard_errors):
    return baseline_accuracy - standard_errors * standard_error


@wrong("alert_threshold", "takes the smaller of 0 and the limit")
def min_for_max(baseline_accuracy, standard_error, standard_errors):
    return min(0.0, baseline_accuracy - standard_errors * standard_error)


@wrong("alert_threshold", "takes the absolute value of a negative limit")
def absolute_limit(baseline_accuracy, standard_error, standard_errors):
    return abs(baseline_accuracy - standard_errors * standard_error)


@wrong("alert_threshold", "cuts the distance at 0, not the limit")
def cuts_the_distance(baseline_accuracy, standard_error, standard_errors):
    return baseline_accuracy - max(0.0, standard_errors * standard_error)


@wrong("alert_threshold", "returns nothing where the limit would be negative")
def nothing_if_negative(baseline_accuracy, standard_error, standard_errors):
    threshold = baseline_accuracy - standard_errors * standard_error
    if threshold > 0:
        return threshold


@wrong("alert_threshold", "refuses a negative limit")
def refuses_a_negative_limit(baseline_accuracy, standard_error, standard_errors):
    threshold = baseline_accuracy - standard_errors * standard_error
    if threshold < 0:
        raise ValueError("threshold must not be negative.")
    return threshold


@wrong("alert_threshold", "falls back to the baseline where the limit would be negative")
def baseline_if_negative(baseline_accuracy, standard_error, standard_errors):
    threshold = baseline_accuracy - standard_errors * standard_error
    return threshold if threshold >= 0 else baseline_accuracy


@wrong("alert_threshold", "allows whole standard errors only")
def whole_standard_errors(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy - int(standard_errors) * standard_error)


@wrong("alert_threshold", "rounds to two decimals, where large batches differ in the third")
def rounded_limit(baseline_accuracy, standard_error, standard_errors):
    return round(max(0.0, baseline_accuracy - standard_errors * standard_error), 2)


@wrong("alert_threshold", "answers whether the baseline is above the distance")
def answers_yes_or_no(baseline_accuracy, standard_error, standard_errors):
    return baseline_accuracy > standard_errors * standard_error


@wrong("alert_threshold", "is one standard error too generous")
def one_more(baseline_accuracy, standard_error, standard_errors):
    return max(0.0, baseline_accuracy - (standard_errors + 1) * standard_error)


@right("alert_threshold", "asks with `if`, and returns a whole 0")
def if_negative(baseline_accuracy, standard_error, standard_errors):
    threshold = baseline_accuracy - standard_errors * standard_error
    if threshold < 0:
        return 0
    return threshold


@right("alert_threshold", "asks numpy for the larger one")
def numpy_maximum(baseline_accuracy, standard_error, standard_errors):
    return np.maximum(baseline_accuracy - np.multiply(standard_errors, standard_error), 0)


@right("alert_threshold", "cuts at both ends of what an accuracy can be")
def clipped(baseline_accuracy, standard_error, standard_errors):
    return np.clip(baseline_accuracy - standard_errors * standard_error, 0, 1)


@right("alert_threshold", "never subtracts more than there is")
def subtracts_at_most_all(baseline_accuracy, standard_error, standard_errors):
    return baseline_accuracy - min(baseline_accuracy, standard_error * standard_errors)


@right("alert_threshold", "sorts the two and takes the last")
def sorted_pair(baseline_accuracy, standard_error, standard_errors):
    distance = standard_error * standard_errors
    return sorted([0.0, baseline_accuracy - distance])[-1]


# count_in_a_row -----------------------------------------------------------------------------------------------------


@wrong("count_in_a_row", "counts every breach")
def counts_all(flags):
    return int(np.sum(flags))


@wrong("count_in_a_row", "goes from the oldest to the newest")
def from_the_oldest(flags):
    count = 0
    for flag in flags:
        if not flag:
            break
        count += 1
    return count


@wrong("count_in_a_row", "skips good batches instead of stopping")
def continues(flags):
    count = 0
    for flag in reversed(flags):
        if not flag:
            continue
        count += 1
    return count


@wrong("count_in_a_row", "looks at the newest batch alone")
def newest_alone(flags):
    return bool(len(flags)) and bool(flags[-1])


@wrong("count_in_a_row", "finds the longest run, wherever it stands")
def longest_run(flags):
    best = count = 0
    for flag in flags:
        count = count + 1 if flag else 0
        best = max(best, count)
    return best


@wrong("count_in_a_row", "counts good batches")
def counts_good_ones(flags):
    count = 0
    for flag in reversed(flags):
        if flag:
            break
        count += 1
    return count


@wrong("count_in_a_row", "begins to count at 1")
def begins_at_one(flags):
    count = 1
    for flag in reversed(flags):
        if not flag:
            break
        count += 1
    return count


@wrong("count_in_a_row", "counts the batch that ends the run too")
def counts_before_looking(flags):
    count = 0
    for flag in reversed(flags):
        count += 1
        if not flag:
            break
    return count


@wrong("count_in_a_row", "never reaches the oldest flag")
def misses_the_oldest(flags):
    count = 0
    for place in range(len(flags) - 1, 0, -1):
        if not flags[place]:
            break
        count += 1
    return count


@wrong("count_in_a_row", "begins before the newest flag")
def misses_the_newest(flags):
    count = 0
    for place in range(len(flags) - 2, -1, -1):
        if not flags[place]:
            break
        count += 1
    return count


@wrong("count_in_a_row", "looks for the newest good batch, and finds the newest batch where there is none")
def no_good_batch(flags):
    return int(np.argmin(flags[::-1])) if len(flags) else 0


@wrong("count_in_a_row", "runs out of an empty history")
def empty_history(flags):
    count = 0
    while flags[len(flags) - 1 - count] and count < len(flags):
        count += 1
    return count


@wrong("count_in_a_row", "runs past the oldest flag")
def past_the_oldest(flags):
    count = 0
    while len(flags) and flags[-1 - count]:
        count += 1
    return count


@wrong("count_in_a_row", "asks `is False`, which numpy's own False is not")
def is_false(flags):
    count = 0
    for flag in reversed(flags):
        if flag is False:
            break
        count += 1
    return count


@wrong("count_in_a_row", "asks `is True`, which numpy's own True is not")
def is_true(flags):
    count = 0
    for flag in reversed(flags):
        if flag is not True:
            break
        count += 1
    return count


@wrong("count_in_a_row", "returns from inside the loop")
def returns_too_early(flags):
    count = 0
    for flag in reversed(flags):
        if flag:
            count += 1
        return count
    return count


@wrong("count_in_a_row", "returns only where a good batch ends the run")
def returns_at_a_good_batch(flags):
    count = 0
    for flag in reversed(flags):
        if not flag:
            return count
        count = count + 1


@wrong("count_in_a_row", "stops at two, which is all that the alert needs")
def at_most_two(flags):
    count = 0
    for flag in reversed(flags[-2:]):
        if not flag:
            break
        count += 1
    return count


@wrong("count_in_a_row", "gives where the run begins")
def place_of_the_run(flags):
    place = len(flags)
    while place > 0 and flags[place - 1]:
        place -= 1
    return place


@wrong("count_in_a_row", "gives the flags of the run, not their number")
def the_flags_themselves(flags):
    return list(itertools.takewhile(bool, reversed(flags)))


@wrong("count_in_a_row", "sorts the flags, so that all breaches stand at the end")
def sorts_the_flags(flags):
    flags.sort()
    return int(flags.sum())


@wrong("count_in_a_row", "gives the share of breaches")
def share_of_flags(flags):
    return float(np.mean(flags)) if len(flags) else 0


@wrong("count_in_a_row", "counts neighbours that are both breaches")
def pairs(flags):
    return int(sum(flags[1:] & flags[:-1]))


@right("count_in_a_row", "goes forward, and begins anew at each good batch")
def forward(flags):
    count = 0
    for flag in flags:
        count = count + 1 if flag else 0
    return count


@right("count_in_a_row", "walks back with an index")
def walks_back(flags):
    place = len(flags)
    while place > 0 and flags[place - 1]:
        place -= 1
    return len(flags) - place


@right("count_in_a_row", "multiplies the flags up from the newest, and returns numpy's own integer")
def products(flags):
    return np.cumprod(flags[::-1].astype(int)).sum()


@right("count_in_a_row", "measures the distance to the newest good batch")
def distance_to_good(flags):
    good = np.flatnonzero(~flags)
    return len(flags) - 1 - good[-1] if len(good) else len(flags)


@right("count_in_a_row", "takes while True")
def takes_while(flags):
    return len(list(itertools.takewhile(bool, flags[::-1])))


@right("count_in_a_row", "compares with == False, and returns from two places")
def two_returns(flags):
    count = 0
    for flag in list(flags)[::-1]:
        if flag == False:  # noqa: E712 - as beginners write it
            return count
        count = count + 1
    return count


# should_fire --------------------------------------------------------------------------------------------------------


@wrong("should_fire", "has no memory: one good batch resolves")
def no_memory(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return breaches_in_a_row >= needed


@wrong("should_fire", "never resolves")
def never_resolves(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return is_firing or breaches_in_a_row >= needed


@wrong("should_fire", "never begins")
def never_begins(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return is_firing and good_in_a_row < needed


@wrong("should_fire", "begins one breach late: more than needed")
def more_than_needed(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row < needed
    return breaches_in_a_row > needed


@wrong("should_fire", "resolves one good batch late")
def resolves_late(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row <= needed
    return breaches_in_a_row >= needed


@wrong("should_fire", "begins at the first breach")
def begins_at_once(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row < needed
    return breaches_in_a_row > 0


@wrong("should_fire", "resolves at the first good batch")
def resolves_at_once(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row == 0
    return breaches_in_a_row >= needed


@wrong("should_fire", "fires only while exactly `needed` breaches are there")
def exactly_needed(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row < needed
    return breaches_in_a_row == needed


@wrong("should_fire", "resolves only at exactly `needed` good batches")
def resolves_at_exactly(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row != needed
    return breaches_in_a_row >= needed


@wrong("should_fire", "turns the question round when firing: tells whether it is resolved")
def tells_if_resolved(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row >= needed
    return breaches_in_a_row >= needed


@wrong("should_fire", "looks at the breaches when firing and at the good ones when quiet")
def mixed_up(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return breaches_in_a_row >= needed
    return good_in_a_row < needed


@wrong("should_fire", "asks `if not is_firing` with the two steps in the old order")
def turned_condition(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if not is_firing:
        return good_in_a_row < needed
    return breaches_in_a_row >= needed


@wrong("should_fire", "has two in a row written into the code")
def always_two(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return good_in_a_row < 2
    return breaches_in_a_row >= 2


@wrong("should_fire", "weighs breaches against good batches")
def balance(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return breaches_in_a_row - good_in_a_row >= needed


@wrong("should_fire", "stays on only while breaches go on")
def stays_on_with_breaches(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return breaches_in_a_row > 0
    return breaches_in_a_row >= needed


@wrong("should_fire", "keeps the state that was")
def keeps_the_state(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return is_firing


@wrong("should_fire", "turns the state over whenever there is enough of anything")
def toggles(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if breaches_in_a_row >= needed or good_in_a_row >= needed:
        return not is_firing
    return is_firing


@wrong("should_fire", "says nothing where the alert stays quiet")
def silent_otherwise(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing and good_in_a_row < needed:
        return True
    if breaches_in_a_row >= needed:
        return True


@wrong("should_fire", "returns how many, not whether")
def returns_a_number(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return needed - good_in_a_row if is_firing else breaches_in_a_row // needed


@wrong("should_fire", "returns the words of the alert")
def returns_words(is_firing, breaches_in_a_row, good_in_a_row, needed):
    fires = good_in_a_row < needed if is_firing else breaches_in_a_row >= needed
    return "firing" if fires else "resolved"


@right("should_fire", "one conditional expression")
def one_expression(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return good_in_a_row < needed if is_firing else breaches_in_a_row >= needed


@right("should_fire", "one boolean expression")
def one_condition(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return (is_firing and not good_in_a_row >= needed) or (not is_firing and breaches_in_a_row >= needed)


@right("should_fire", "relies on a batch being either good or a breach, never both")
def never_both(is_firing, breaches_in_a_row, good_in_a_row, needed):
    return breaches_in_a_row >= needed or (is_firing and good_in_a_row < needed)


@right("should_fire", "lets a breach, too, say that the trouble goes on")
def breach_goes_on(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing:
        return breaches_in_a_row > 0 or good_in_a_row < needed
    return breaches_in_a_row - needed >= 0


@right("should_fire", "spells every path out")
def every_path(is_firing, breaches_in_a_row, good_in_a_row, needed):
    fires = None
    if not is_firing and breaches_in_a_row < needed:
        fires = False
    elif not is_firing:
        fires = True
    elif good_in_a_row >= needed:
        fires = False
    else:
        fires = True
    return fires


@right("should_fire", "changes the state where it has to, and returns numpy's own bool")
def changes_the_state(is_firing, breaches_in_a_row, good_in_a_row, needed):
    if is_firing and good_in_a_row >= needed:
        is_firing = False
    elif breaches_in_a_row >= needed:
        is_firing = True
    return np.bool_(is_firing)
