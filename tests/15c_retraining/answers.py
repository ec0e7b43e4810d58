"""Typical answers to the blanks of 15c, wrong and right: the audit tries the check cells on them. Never in the kit."""
# Students write what they write: the linter's advice on style is switched off where it would mend their answers.
# ruff: noqa: B905, C417, NPY002, SIM103, UP031, UP032

from __future__ import annotations

import itertools

import numpy as np

from tinytorch.course.answers import right, wrong
from tinytorch.datasets import kept_for_comparison

# reasons_to_retrain --------------------------------------------------------------------------------------------------


@wrong("reasons_to_retrain", "does not look at the state: a resolved alert counts as well")
def ignores_state(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.rule in rules)


@wrong("reasons_to_retrain", "does not look at the rule: every alert is a reason")
def ignores_rule(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "firing")


@wrong("reasons_to_retrain", "or in place of and")
def or_instead_of_and(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" or alert.rule in rules)


@wrong("reasons_to_retrain", "the filter is the wrong way round: keeps the rules that are not listed")
def other_rules(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" and alert.rule not in rules)


@wrong("reasons_to_retrain", "keeps what is resolved")
def keeps_resolved(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "resolved" and alert.rule in rules)


@wrong("reasons_to_retrain", "returns the names of the rules without 'is firing'")
def names_only(alerts, rules):
    return tuple(alert.rule for alert in alerts if alert.state == "firing" and alert.rule in rules)


@wrong("reasons_to_retrain", "returns the alerts themselves")
def alerts_themselves(alerts, rules):
    return tuple(alert for alert in alerts if alert.state == "firing" and alert.rule in rules)


@wrong("reasons_to_retrain", "returns the alerts' own messages")
def own_messages(alerts, rules):
    return tuple(alert.message for alert in alerts if alert.state == "firing" and alert.rule in rules)


@wrong("reasons_to_retrain", "forgets tuple(...), so that a generator comes back")
def forgets_tuple(alerts, rules):
    return (f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" and alert.rule in rules)


@wrong("reasons_to_retrain", "returns at the first reason, as a text: (text) without a comma is no tuple")
def first_as_text(alerts, rules):
    for alert in alerts:
        if alert.state == "firing" and alert.rule in rules:
            return f"{alert.rule} is firing"
    return ()


@wrong("reasons_to_retrain", "tuple of one text: takes it apart into letters")
def letters(alerts, rules):
    reasons = ""
    for alert in alerts:
        if alert.state == "firing" and alert.rule in rules:
            reasons += f"{alert.rule} is firing"
    return tuple(reasons)


@wrong("reasons_to_retrain", "stops at the first reason, later ones are lost")
def first_only(alerts, rules):
    for alert in alerts:
        if alert.state == "firing" and alert.rule in rules:
            return (f"{alert.rule} is firing",)
    return ()


@wrong("reasons_to_retrain", "return stands inside the loop: only the first alert is looked at")
def return_in_loop(alerts, rules):
    kept = []
    for alert in alerts:
        if alert.state == "firing" and alert.rule in rules:
            kept.append(f"{alert.rule} is firing")
        return tuple(kept)
    return ()


@wrong("reasons_to_retrain", "stops at the first alert that is no reason: break in place of continue")
def break_at_first_other(alerts, rules):
    kept = []
    for alert in alerts:
        if alert.state != "firing" or alert.rule not in rules:
            break
        kept.append(f"{alert.rule} is firing")
    return tuple(kept)


@wrong("reasons_to_retrain", "compares a text with a tuple: alert.rule == rules is never true")
def equals_the_tuple(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" and alert.rule == rules)


@wrong("reasons_to_retrain", "looks at the first rule only")
def first_rule_only(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" and alert.rule == rules[0])


@wrong("reasons_to_retrain", "the rule of the example is written into the code")
def hard_coded_rule(alerts, rules):
    return tuple(
        "accuracy_low is firing" for alert in alerts if alert.state == "firing" and alert.rule == "accuracy_low"
    )


@wrong("reasons_to_retrain", "goes through the rules in place of the alerts, so that the order is theirs")
def order_of_the_rules(alerts, rules):
    firing = [alert.rule for alert in alerts if alert.state == "firing"]
    return tuple(f"{rule} is firing" for rule in rules if rule in firing)


@wrong("reasons_to_retrain", "sorts the reasons by name")
def sorted_by_name(alerts, rules):
    kept = {f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" and alert.rule in rules}
    return tuple(sorted(kept))


@wrong("reasons_to_retrain", "asks for the severity in place of the state")
def severity_for_state(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.severity == "critical" and alert.rule in rules)


@wrong("reasons_to_retrain", "writes the alert's state into the text and does not filter by it")
def state_in_the_text(alerts, rules):
    return tuple(f"{alert.rule} is {alert.state}" for alert in alerts if alert.rule in rules)


@wrong("reasons_to_retrain", "& in place of and: binds tighter than ==")
def ampersand(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "firing" & alert.rule in rules)


@wrong("reasons_to_retrain", "returns whether there is a reason")
def only_whether(alerts, rules):
    return any(alert.state == "firing" and alert.rule in rules for alert in alerts)


@wrong("reasons_to_retrain", "prints the reasons and returns nothing")
def prints_reasons(alerts, rules):
    for alert in alerts:
        if alert.state == "firing" and alert.rule in rules:
            print(f"{alert.rule} is firing")


@wrong("reasons_to_retrain", "misspells the state")
def capital_state(alerts, rules):
    return tuple(f"{alert.rule} is firing" for alert in alerts if alert.state == "Firing" and alert.rule in rules)


@right("reasons_to_retrain", "a loop with append")
def loop_with_append(alerts, rules):
    reasons = []
    for alert in alerts:
        if alert.state == "firing" and alert.rule in rules:
            reasons.append(alert.rule + " is firing")
    return tuple(reasons)


@right("reasons_to_retrain", "filter and map")
def filter_and_map(alerts, rules):
    kept = filter(lambda alert: alert.rule in rules and alert.state == "firing", alerts)
    return tuple(map(lambda alert: "%s is firing" % alert.rule, kept))


@right("reasons_to_retrain", "skips what is no reason, and grows a tuple")
def skips_and_grows(alerts, rules):
    reasons = ()
    for alert in alerts:
        if alert.state != "firing":
            continue
        if alert.rule not in rules:
            continue
        reasons += ("{} is firing".format(alert.rule),)
    return reasons


@right("reasons_to_retrain", "puts the state into the text after filtering by it, with a set of rules")
def state_in_text_after_filter(alerts, rules):
    wanted = set(rules)
    return tuple(
        f"{alert.rule} is {alert.state}" for alert in alerts if alert.rule in wanted and alert.state == "firing"
    )


@right("reasons_to_retrain", "two steps with an index")
def by_index(alerts, rules):
    firing = [alert for alert in alerts if alert.state == "firing"]
    reasons = []
    for i in range(len(firing)):
        for rule in rules:
            if firing[i].rule == rule:
                reasons.append(f"{rule} is firing")
    return tuple(reasons)


@right("reasons_to_retrain", "excludes the other state, and unpacks")
def not_resolved(alerts, rules):
    return (*[f"{a.rule} is firing" for a in alerts if a.state != "resolved" and a.rule in rules],)


# cooldown_is_over ----------------------------------------------------------------------------------------------------


@wrong("cooldown_is_over", "> in place of >=")
def strictly_longer(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now - last_retraining > cooldown_s


@wrong("cooldown_is_over", "'not last_retraining' takes second 0 for 'there was none'")
def zero_is_none(now, last_retraining, cooldown_s):
    if not last_retraining:
        return True
    return now - last_retraining >= cooldown_s


@wrong("cooldown_is_over", "'last_retraining or 0.0' takes 'there was none' for a retraining at second 0")
def none_is_zero(now, last_retraining, cooldown_s):
    return now - (last_retraining or 0.0) >= cooldown_s


@wrong("cooldown_is_over", "forgets that there may have been none")
def forgets_none(now, last_retraining, cooldown_s):
    return now - last_retraining >= cooldown_s


@wrong("cooldown_is_over", "without an earlier retraining it waits for ever")
def none_waits(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return False
    return now - last_retraining >= cooldown_s


@wrong("cooldown_is_over", "answers whether it is still cooling down")
def still_cooling(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now - last_retraining < cooldown_s


@wrong("cooldown_is_over", "<= in place of >=")
def at_most(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now - last_retraining <= cooldown_s


@wrong("cooldown_is_over", "subtracts the wrong way round")
def negative_time(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return last_retraining - now >= cooldown_s


@wrong("cooldown_is_over", "subtracts the wrong way round and takes the comparison with it")
def negative_and_less(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return last_retraining - now <= cooldown_s


@wrong("cooldown_is_over", "compares the clock, not the time that has passed")
def clock_only(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now >= cooldown_s


@wrong("cooldown_is_over", "any later moment will do: the cooldown is not used")
def any_later(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now > last_retraining


@wrong("cooldown_is_over", "takes the cooldown for hours")
def in_hours(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return (now - last_retraining) / 3600 >= cooldown_s


@wrong("cooldown_is_over", "returns the seconds that have passed")
def seconds_passed(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now - last_retraining


@wrong("cooldown_is_over", "returns the seconds that are left")
def seconds_left(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return 0.0
    return max(0.0, cooldown_s - (now - last_retraining))


@wrong("cooldown_is_over", "the answer is a text")
def yes_or_no(now, last_retraining, cooldown_s):
    if last_retraining is None or now - last_retraining >= cooldown_s:
        return "True"
    return "False"


@wrong("cooldown_is_over", "no return where the cooldown is not over")
def no_else(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    if now - last_retraining >= cooldown_s:
        return True


@wrong("cooldown_is_over", "no return where there was no retraining")
def no_return_for_none(now, last_retraining, cooldown_s):
    if last_retraining is not None:
        return now - last_retraining >= cooldown_s


@wrong("cooldown_is_over", "exactly the cooldown, no other moment")
def exactly_then(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now - last_retraining == cooldown_s


@wrong("cooldown_is_over", "adds the times")
def adds_times(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now + last_retraining >= cooldown_s


@wrong("cooldown_is_over", "the four hours of the lesson are written into the code")
def hard_coded_two_hours(now, last_retraining, cooldown_s):
    if last_retraining is None:
        return True
    return now - last_retraining >= 7_200.0


@right("cooldown_is_over", "one expression, as a date: at or after the end of the cooldown")
def end_of_cooldown(now, last_retraining, cooldown_s):
    return last_retraining is None or now >= last_retraining + cooldown_s


@right("cooldown_is_over", "turned round: not shorter")
def not_shorter(now, last_retraining, cooldown_s):
    if last_retraining is not None:
        return not (now - last_retraining < cooldown_s)
    return True


@right("cooldown_is_over", "no retraining is one infinitely long ago; a numpy bool")
def infinitely_long_ago(now, last_retraining, cooldown_s):
    last = -np.inf if last_retraining is None else last_retraining
    return np.greater_equal(np.float64(now) - last, cooldown_s)


@right("cooldown_is_over", "if and else, == None")
def if_else(now, last_retraining, cooldown_s):
    if last_retraining == None:  # noqa: E711
        return True
    passed = now - last_retraining
    if passed < cooldown_s:
        return False
    else:
        return True


@right("cooldown_is_over", "asks forgiveness in place of permission")
def catches_none(now, last_retraining, cooldown_s):
    try:
        return cooldown_s <= now - last_retraining
    except TypeError:
        return True


# split_rows ----------------------------------------------------------------------------------------------------------


@wrong("split_rows", "swapped: trains on what is kept for the exam")
def swapped_parts(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[kept], labels[kept], features[~kept], labels[~kept]


@wrong("split_rows", "the order of scikit-learn's train_test_split: both features first")
def order_of_scikit_learn(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[~kept], features[kept], labels[~kept], labels[kept]


@wrong("split_rows", "trains on all rows")
def trains_on_all(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features, labels, features[kept], labels[kept]


@wrong("split_rows", "the exam holds all rows")
def exam_of_all(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[~kept], labels[~kept], features, labels


@wrong("split_rows", "both get all rows")
def all_for_both(request_ids, features, labels):
    return features, labels, features, labels


@wrong("split_rows", "the first half and the second half, by position")
def halves(request_ids, features, labels):
    half = len(labels) // 2
    return features[:half], labels[:half], features[half:], labels[half:]


@wrong("split_rows", "every second row by position, whatever its id")
def every_second_position(request_ids, features, labels):
    return features[1::2], labels[1::2], features[::2], labels[::2]


@wrong("split_rows", "splits at random")
def random_split(request_ids, features, labels):
    kept = np.random.default_rng().random(len(request_ids)) < 0.5
    return features[~kept], labels[~kept], features[kept], labels[kept]


@wrong("split_rows", "asks about the labels in place of the ids")
def by_label(request_ids, features, labels):
    kept = kept_for_comparison(labels)
    return features[~kept], labels[~kept], features[kept], labels[kept]


@wrong("split_rows", "asks about the positions in place of the ids")
def by_position(request_ids, features, labels):
    kept = kept_for_comparison(np.arange(len(request_ids)))
    return features[~kept], labels[~kept], features[kept], labels[kept]


@wrong("split_rows", "the labels of the other rows: features and labels no longer belong together")
def mismatched_labels(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[~kept], labels[kept], features[kept], labels[~kept]


@wrong("split_rows", "not in place of ~")
def python_not(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[not kept], labels[not kept], features[kept], labels[kept]


@wrong("split_rows", "minus in place of ~")
def minus_for_not(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[-kept], labels[-kept], features[kept], labels[kept]


@wrong("split_rows", "~ of numbers, not of booleans: picks rows -1 and -2")
def invert_integers(request_ids, features, labels):
    kept = kept_for_comparison(request_ids).astype(int)
    return features[~kept], labels[~kept], features[kept], labels[kept]


@wrong("split_rows", "picks columns in place of rows")
def columns(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[:, ~kept], labels[~kept], features[:, kept], labels[kept]


@wrong("split_rows", "two pairs in place of four arrays")
def two_pairs(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return (features[~kept], labels[~kept]), (features[kept], labels[kept])


@wrong("split_rows", "exam first")
def exam_first(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    exam = features[kept], labels[kept]
    training = features[~kept], labels[~kept]
    return exam + training


@wrong("split_rows", "labels before features")
def labels_first(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return labels[~kept], features[~kept], labels[kept], features[kept]


@wrong("split_rows", "returns the training rows only")
def training_only(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    return features[~kept], labels[~kept]


@wrong("split_rows", "returns which rows are kept")
def mask_only(request_ids, features, labels):
    return kept_for_comparison(request_ids)


@wrong("split_rows", "uses the ids as row numbers")
def ids_as_rows(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    training, exam = request_ids[~kept], request_ids[kept]
    return features[training], labels[training], features[exam], labels[exam]


@wrong("split_rows", "lists of rows: without a row the shape (0, n_features) is lost")
def lists_of_rows(request_ids, features, labels):
    train_x, train_y, exam_x, exam_y = [], [], [], []
    for request_id, row, label in zip(request_ids, features, labels):
        if kept_for_comparison([request_id])[0]:
            exam_x.append(row)
            exam_y.append(label)
        else:
            train_x.append(row)
            train_y.append(label)
    return np.array(train_x), np.array(train_y), np.array(exam_x), np.array(exam_y)


@wrong("split_rows", "sets the exam rows of the caller's features to 0 in place of leaving them out")
def zeroed_in_place(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    exam_x, exam_y = features[kept], labels[kept]
    features[kept] = 0
    return features[~kept], labels[~kept], exam_x, exam_y


@right("split_rows", "positions in place of booleans")
def positions(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    training, exam = np.flatnonzero(~kept), np.flatnonzero(kept)
    return features[training], labels[training], features[exam], labels[exam]


@right("split_rows", "np.where and take")
def where_and_take(request_ids, features, labels):
    exam = np.where(kept_for_comparison(request_ids))[0]
    training = np.where(np.logical_not(kept_for_comparison(request_ids)))[0]
    return (
        np.take(features, training, axis=0),
        np.take(labels, training, axis=0),
        np.take(features, exam, axis=0),
        np.take(labels, exam, axis=0),
    )


@right("split_rows", "compares with False, returns a list")
def compares_with_false(request_ids, features, labels):
    kept = kept_for_comparison(request_ids)
    learn = kept == False  # noqa: E712
    return [features[learn], labels[learn], features[kept], labels[kept]]


@right("split_rows", "np.delete")
def deletes(request_ids, features, labels):
    exam = np.nonzero(kept_for_comparison(request_ids))[0]
    return np.delete(features, exam, axis=0), np.delete(labels, exam), features[exam], labels[exam]


@right("split_rows", "loop over positions")
def loop_over_positions(request_ids, features, labels):
    training, exam = [], []
    for i, kept in enumerate(kept_for_comparison(request_ids)):
        if kept:
            exam.append(i)
        else:
            training.append(i)
    training, exam = np.array(training, dtype=int), np.array(exam, dtype=int)
    return features[training, :], labels[training], features[exam, :], labels[exam]


@right("split_rows", "compress along the rows, copies")
def compresses(request_ids, features, labels):
    kept = np.asarray(kept_for_comparison(request_ids))
    parts = []
    for mask in (1 - kept.astype(int), kept):
        parts += [np.compress(mask, features, axis=0).copy(), np.compress(mask, labels).copy()]
    return tuple(parts)


# count_disagreements -------------------------------------------------------------------------------------------------


@wrong("count_disagreements", "counts all right answers, also where both are right")
def all_right_answers(champion_answers, challenger_answers, labels):
    return int((champion_answers == labels).sum()), int((challenger_answers == labels).sum())


@wrong("count_disagreements", "counts the wrong answers")
def all_wrong_answers(champion_answers, challenger_answers, labels):
    return int((champion_answers != labels).sum()), int((challenger_answers != labels).sum())


@wrong("count_disagreements", "challenger first")
def challenger_first(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    return int((challenger_right & ~champion_right).sum()), int((champion_right & ~challenger_right).sum())


@wrong("count_disagreements", "different answers are enough: where both are wrong in another way, too")
def different_answers(champion_answers, challenger_answers, labels):
    n_different = int((champion_answers != challenger_answers).sum())
    return n_different, n_different


@wrong("count_disagreements", "one number: the rows where exactly one is right")
def one_total(champion_answers, challenger_answers, labels):
    return int(((champion_answers == labels) ^ (challenger_answers == labels)).sum())


@wrong("count_disagreements", "the same rows for both: exactly one is right, whoever it is")
def exclusive_or_twice(champion_answers, challenger_answers, labels):
    differ = (champion_answers == labels) != (challenger_answers == labels)
    return int(differ.sum()), int(differ.sum())


@wrong("count_disagreements", "shares in place of counts")
def shares(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    return (champion_right & ~challenger_right).mean(), (challenger_right & ~champion_right).mean()


@wrong("count_disagreements", "no brackets: & binds tighter than ==")
def no_brackets(champion_answers, challenger_answers, labels):
    return (
        (champion_answers == labels & challenger_answers != labels).sum(),
        (challenger_answers == labels & champion_answers != labels).sum(),
    )


@wrong("count_disagreements", "and in place of &")
def python_and(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    return sum(champion_right and ~challenger_right), sum(challenger_right and ~champion_right)


@wrong("count_disagreements", "subtracts booleans")
def subtracts_booleans(champion_answers, challenger_answers, labels):
    lead = (champion_answers == labels) - (challenger_answers == labels)
    return int((lead > 0).sum()), int((lead < 0).sum())


@wrong("count_disagreements", "only the lead: who is ahead, and by how many")
def lead_only(champion_answers, challenger_answers, labels):
    lead = int((challenger_answers == labels).sum() - (champion_answers == labels).sum())
    return max(-lead, 0), max(lead, 0)


@wrong("count_disagreements", "the rest of the rows goes to the challenger")
def rest_to_challenger(champion_answers, challenger_answers, labels):
    n_champion_only = int(((champion_answers == labels) & (challenger_answers != labels)).sum())
    return n_champion_only, len(labels) - n_champion_only


@wrong("count_disagreements", "which rows, not how many")
def which_rows(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    return champion_right & ~challenger_right, challenger_right & ~champion_right


@wrong("count_disagreements", "the loop leaves the last row out")
def misses_last_row(champion_answers, challenger_answers, labels):
    counts = [0, 0]
    for i in range(len(labels) - 1):
        if champion_answers[i] == labels[i] and challenger_answers[i] != labels[i]:
            counts[0] += 1
        if challenger_answers[i] == labels[i] and champion_answers[i] != labels[i]:
            counts[1] += 1
    return tuple(counts)


@wrong("count_disagreements", "the loop leaves the first row out")
def misses_first_row(champion_answers, challenger_answers, labels):
    counts = [0, 0]
    for i in range(1, len(labels)):
        if champion_answers[i] == labels[i] and challenger_answers[i] != labels[i]:
            counts[0] += 1
        if challenger_answers[i] == labels[i] and champion_answers[i] != labels[i]:
            counts[1] += 1
    return tuple(counts)


@wrong("count_disagreements", "~ of a Python bool in a loop: ~True is -2, which counts as true")
def tilde_of_a_bool(champion_answers, challenger_answers, labels):
    n_champion_only = n_challenger_only = 0
    for champion, challenger, label in zip(champion_answers.tolist(), challenger_answers.tolist(), labels.tolist()):
        if (champion == label) and ~(challenger == label):
            n_champion_only += 1
        if (challenger == label) and ~(champion == label):
            n_challenger_only += 1
    return n_champion_only, n_challenger_only


@wrong("count_disagreements", "the larger class wins the row")
def larger_class_wins(champion_answers, challenger_answers, labels):
    return int((champion_answers > challenger_answers).sum()), int((challenger_answers > champion_answers).sum())


@wrong("count_disagreements", "both right and both wrong, in place of exactly one")
def agreements(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    return int((champion_right & challenger_right).sum()), int((~champion_right & ~challenger_right).sum())


@wrong("count_disagreements", "the same count twice: copied the line and forgot to swap the models")
def copied_line(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    n_champion_only = int((champion_right & ~challenger_right).sum())
    n_challenger_only = int((champion_right & ~challenger_right).sum())
    return n_champion_only, n_challenger_only


@right("count_disagreements", "a loop over the rows")
def loop_over_rows(champion_answers, challenger_answers, labels):
    n_champion_only = n_challenger_only = 0
    for champion, challenger, label in zip(champion_answers, challenger_answers, labels):
        if champion == label and challenger != label:
            n_champion_only += 1
        elif challenger == label and champion != label:
            n_challenger_only += 1
    return n_champion_only, n_challenger_only


@right("count_disagreements", "right and different answers; numpy integers")
def right_and_different(champion_answers, challenger_answers, labels):
    different = champion_answers != challenger_answers
    return np.sum(different & (champion_answers == labels)), np.sum(different & (challenger_answers == labels))


@right("count_disagreements", "all right ones less those where both are right")
def less_both(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    both = np.count_nonzero(champion_right & challenger_right)
    return np.count_nonzero(champion_right) - both, np.count_nonzero(challenger_right) - both


@right("count_disagreements", "booleans compared: True is greater than False; a list")
def greater_booleans(champion_answers, challenger_answers, labels):
    champion_right, challenger_right = champion_answers == labels, challenger_answers == labels
    return [int((champion_right > challenger_right).sum()), int((champion_right < challenger_right).sum())]


@right("count_disagreements", "the sign of the difference of integers; an array")
def sign_of_difference(champion_answers, challenger_answers, labels):
    lead = (champion_answers == labels).astype(int) - (challenger_answers == labels).astype(int)
    return np.array([(lead == 1).sum(), (lead == -1).sum()])


@right("count_disagreements", "sets of row numbers")
def sets_of_rows(champion_answers, challenger_answers, labels):
    champion = set(np.flatnonzero(champion_answers == labels).tolist())
    challenger = set(np.flatnonzero(challenger_answers == labels).tolist())
    return len(champion - challenger), len(challenger - champion)


# coin_flip_pvalue ----------------------------------------------------------------------------------------------------


@wrong("coin_flip_pvalue", "> in place of >=: a tie does not count")
def strictly_more_heads(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads > n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "counts for the champion")
def side_of_the_champion(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_champion_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "<= in place of >=")
def at_most_as_many(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads <= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "the share of rounds that do worse: one minus the p-value")
def one_minus(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return 1 - (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "exactly as many in place of at least as many")
def exactly_as_many(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads == n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "counts leads to both sides")
def two_sided(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    as_far = np.abs(heads - n_flips / 2) >= abs(n_challenger_only - n_flips / 2)
    return (1 + int(as_far.sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "no + 1: what was observed is left out, and a p-value can be 0")
def no_plus_one(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return float((heads >= n_challenger_only).mean())


@wrong("coin_flip_pvalue", "+ 1 above only")
def plus_one_above(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / n_rounds


@wrong("coin_flip_pvalue", "+ 1 below only")
def plus_one_below(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return int((heads >= n_challenger_only).sum()) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "brackets forgotten: 1 + count / 1 + rounds")
def no_brackets_in_the_share(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return 1 + (heads >= n_challenger_only).sum() / 1 + n_rounds


@wrong("coin_flip_pvalue", "adds up over the rounds: axis 0")
def wrong_axis(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=0)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "adds up everything: one number of heads for all rounds")
def no_axis(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum()
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "the size is turned round, the axis is not")
def turned_size(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_flips, n_rounds)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "mean in place of sum: shares of heads against a count")
def mean_of_heads(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).mean(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "integers(0, 1) is always 0: no heads at all")
def coin_without_heads(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 1, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "integers(0, 3): a coin with three sides")
def three_sided_coin(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 3, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "tosses for the challenger's rows only")
def flips_of_the_challenger(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "tosses once for each row of the lead")
def flips_of_the_lead(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = abs(n_challenger_only - n_champion_only)
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "compares the heads with the lead, not with the challenger's rows")
def against_the_lead(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only - n_champion_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "the number of rounds is the default, whatever the caller asked for")
def rounds_ignored(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(2_000, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + 2_000)


@wrong("coin_flip_pvalue", "returns the count")
def count_of_rounds(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return 1 + int((heads >= n_challenger_only).sum())


@wrong("coin_flip_pvalue", "tosses one round only")
def one_round(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    heads = rng.integers(0, 2, size=n_champion_only + n_challenger_only).sum()
    return (1 + int(heads >= n_challenger_only)) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "no tossing: the challenger's share of the rows where they differ")
def share_of_rows(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    if n_flips == 0:
        return 1.0
    return n_champion_only / n_flips


@wrong("coin_flip_pvalue", "the coins come from numpy's global randomness: the same seed gives another answer")
def global_randomness(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_flips = n_champion_only + n_challenger_only
    heads = np.random.randint(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@wrong("coin_flip_pvalue", "makes a generator of its own: every call tosses the same coins, whatever is handed in")
def generator_of_its_own(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    rng = np.random.default_rng(0)
    n_flips = n_champion_only + n_challenger_only
    heads = rng.integers(0, 2, size=(n_rounds, n_flips)).sum(axis=1)
    return (1 + int((heads >= n_challenger_only).sum())) / (1 + n_rounds)


@right("coin_flip_pvalue", "a loop of rounds")
def loop_of_rounds(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    n_as_good = 0
    for _ in range(n_rounds):
        heads = rng.integers(0, 2, size=n_champion_only + n_challenger_only).sum()
        if heads >= n_challenger_only:
            n_as_good += 1
    return (n_as_good + 1) / (n_rounds + 1)


@right("coin_flip_pvalue", "the number of heads drawn at once: binomial")
def binomial_heads(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    heads = rng.binomial(n_champion_only + n_challenger_only, 0.5, size=n_rounds)
    return (1 + np.count_nonzero(heads >= n_challenger_only)) / (1 + n_rounds)


@right("coin_flip_pvalue", "coins from random numbers below one half; rounds in columns")
def coins_in_columns(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    coins = rng.random((n_champion_only + n_challenger_only, n_rounds)) < 0.5
    heads = np.sum(coins, axis=0)
    return np.float64(1 + sum(heads >= n_challenger_only)) / (n_rounds + 1)


@right("coin_flip_pvalue", "counts tails: at most as many as the champion has rows")
def counts_tails(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    tails = rng.choice([0, 1], size=(n_rounds, n_champion_only + n_challenger_only)).sum(axis=1)
    as_good = list(itertools.chain([True], tails <= n_champion_only))
    return float(np.mean(as_good))


@right("coin_flip_pvalue", "nothing to toss is answered at once; the p-value from the mean")
def early_return(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    if n_champion_only + n_challenger_only == 0:
        return 1
    heads = rng.integers(2, size=(n_rounds, n_champion_only + n_challenger_only)).sum(axis=-1)
    return (1 + n_rounds * np.mean(heads >= n_challenger_only)) / (1 + n_rounds)


@right("coin_flip_pvalue", "a loop of rounds around a loop of single coins")
def coin_by_coin(n_champion_only, n_challenger_only, rng, n_rounds=2_000):
    count = 0
    for _ in range(n_rounds):
        heads = 0
        for _ in range(n_champion_only + n_challenger_only):
            heads += rng.integers(0, 2)
        if heads >= n_challenger_only:
            count += 1
    return (1 + count) / (1 + n_rounds)
