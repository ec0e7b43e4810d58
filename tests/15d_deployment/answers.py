"""Typical answers to the blanks of 15d, wrong and right: the audit tries the check cells on them. Never in the kit."""
# Students write what they write: the linter's advice on style is switched off where it would mend their answers.
# ruff: noqa: C409, RUF005, UP031

from __future__ import annotations

import bisect
import hashlib

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.course.answers import right, wrong
from tinytorch.mlops.deploy.lesson import hash_share, standard_error
from tinytorch.mlops.validate import as_request_ids

# move_pointer --------------------------------------------------------------------------------------------------------


@wrong("move_pointer", "does not ask whether somebody was faster")
def moves_unasked(champions, version, revision, expected_revision):
    return champions + (version,)


@wrong("move_pointer", "refuses the moves that are up to date")
def refuses_the_right_ones(champions, version, revision, expected_revision):
    if expected_revision == revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions + (version,)


@wrong("move_pointer", "puts the newest champion first")
def newest_first(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return (version,) + champions


@wrong("move_pointer", "replaces the champion: there is no way back")
def replaces_champion(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions[:-1] + (version,)


@wrong("move_pointer", "returns the new champion alone, as a tuple of one")
def tuple_of_the_newest(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return (version,)


@wrong("move_pointer", "returns the version, not the list")
def version_alone(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return version


@wrong("move_pointer", "a tuple in a tuple")
def nested(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return (champions, version)


@wrong("move_pointer", "(version) without a comma is no tuple")
def no_comma(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions + (version)


@wrong("move_pointer", "a tuple has no append")
def appends(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    champions.append(version)
    return champions


@wrong("move_pointer", "append returns None")
def returns_append(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return list(champions).append(version)


@wrong("move_pointer", "changes nothing: + makes a new tuple, which is thrown away")
def throws_away(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    champions + (version,)
    return champions


@wrong("move_pointer", "refuses only callers that are behind: < in place of !=")
def only_behind(champions, version, revision, expected_revision):
    if expected_revision < revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions + (version,)


@wrong("move_pointer", "refuses only callers that are ahead: > in place of !=")
def only_ahead(champions, version, revision, expected_revision):
    if expected_revision > revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions + (version,)


@wrong("move_pointer", "takes the number of champions for the revision")
def counts_champions(champions, version, revision, expected_revision):
    if expected_revision != len(champions):
        raise ValueError(f"revision is {len(champions)}, expected {expected_revision}")
    return champions + (version,)


@wrong("move_pointer", "compares numbers with 'is not': right for small numbers only")
def is_not(champions, version, revision, expected_revision):
    if expected_revision is not revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions + (version,)


@wrong("move_pointer", "returns the ValueError in place of raising it")
def returns_the_error(champions, version, revision, expected_revision):
    if expected_revision != revision:
        return ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions + (version,)


@wrong("move_pointer", "prints a warning and leaves the list as it is")
def prints_and_stays(champions, version, revision, expected_revision):
    if expected_revision != revision:
        print(f"revision is {revision}, expected {expected_revision}")
        return champions
    return champions + (version,)


@wrong("move_pointer", "raises another kind of error: an assertion")
def asserts(champions, version, revision, expected_revision):
    assert expected_revision == revision, f"revision is {revision}, expected {expected_revision}"
    return champions + (version,)


@wrong("move_pointer", "raises another kind of error: a KeyError")
def raises_key_error(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise KeyError(expected_revision)
    return champions + (version,)


@wrong("move_pointer", "a version that was champion before is not put down again")
def no_repeats(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if version in champions:
        return champions
    return champions + (version,)


@wrong("move_pointer", "sorts the versions")
def sorts_versions(champions, version, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return tuple(sorted((*champions, version)))


@wrong("move_pointer", "refuses an older version")
def only_upwards(champions, version, revision, expected_revision):
    if expected_revision != revision or (champions and version <= champions[-1]):
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions + (version,)


@right("move_pointer", "asks the other way round, raises at the end")
def asks_first(champions, version, revision, expected_revision):
    if revision == expected_revision:
        return champions + (version,)
    raise ValueError(f"The registry is at revision {revision}, not at {expected_revision}.")


@right("move_pointer", "through a list")
def through_a_list(champions, version, revision, expected_revision):
    if not expected_revision == revision:
        raise ValueError("expected revision %d but the registry is at %d" % (expected_revision, revision))
    moved = list(champions)
    moved.append(version)
    return tuple(moved)


@right("move_pointer", "+= makes a new tuple")
def grows_a_tuple(champions, version, revision, expected_revision):
    if (revision - expected_revision) != 0:
        raise ValueError(str(revision) + " is not " + str(expected_revision))
    champions += (version,)
    return champions


@right("move_pointer", "unpacks a list with the version at its end")
def unpacks(champions, version, revision, expected_revision):
    if expected_revision < revision or expected_revision > revision:
        raise ValueError(revision, expected_revision)
    return tuple([*champions, int(version)])


# move_back -----------------------------------------------------------------------------------------------------------


@wrong("move_back", "does not ask whether somebody was faster")
def back_unasked(champions, revision, expected_revision):
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[:-1]


@wrong("move_back", "does not ask whether there is anything to go back to")
def back_to_nothing(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions[:-1]


@wrong("move_back", "refuses the empty list only: one champion is too few as well")
def refuses_empty_only(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 1:
        raise ValueError("nothing to go back to")
    return champions[:-1]


@wrong("move_back", "not champions: refuses the empty list only")
def not_champions(champions, revision, expected_revision):
    if expected_revision != revision or not champions:
        raise ValueError("refused")
    return champions[:-1]


@wrong("move_back", "refuses two champions as well: <= 2")
def refuses_two(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) <= 2:
        raise ValueError("nothing to go back to")
    return champions[:-1]


@wrong("move_back", "refuses exactly one champion: none at all slips through")
def refuses_one_only(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) == 1:
        raise ValueError("nothing to go back to")
    return champions[:-1]


@wrong("move_back", "takes the oldest away")
def takes_oldest(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[1:]


@wrong("move_back", "returns the champion before, not the list")
def one_before(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[-2]


@wrong("move_back", "puts the old champion at the end in place of taking the new one away")
def appends_the_old_one(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions + (champions[-2],)


@wrong("move_back", "goes back two")
def two_back(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[:-2]


@wrong("move_back", "pop returns what it took away")
def returns_popped(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return list(champions).pop()


@wrong("move_back", "a tuple has no pop")
def pops_a_tuple(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    champions.pop()
    return champions


@wrong("move_back", "the version before by number, not by the list")
def number_before(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[:-1] + (champions[-1] - 1,)


@wrong("move_back", "takes every entry of the newest champion away")
def removes_everywhere(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return tuple(version for version in champions if version != max(champions))


@wrong("move_back", "refuses only callers that are behind: < in place of !=")
def back_only_behind(champions, revision, expected_revision):
    if expected_revision < revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[:-1]


@wrong("move_back", "takes the number of champions for the revision")
def back_counts_champions(champions, revision, expected_revision):
    if expected_revision != len(champions):
        raise ValueError(f"revision is {len(champions)}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[:-1]


@wrong("move_back", "asks the revision, not the list, whether there is a champion before")
def asks_the_revision(champions, revision, expected_revision):
    if expected_revision != revision or revision < 2:
        raise ValueError("refused")
    return champions[:-1]


@wrong("move_back", "compares numbers with 'is not': right for small numbers only")
def back_is_not(champions, revision, expected_revision):
    if expected_revision is not revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        raise ValueError("nothing to go back to")
    return champions[:-1]


@wrong("move_back", "stays where it is if there is nothing before")
def stays(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    if len(champions) < 2:
        return champions
    return champions[:-1]


@wrong("move_back", "raises an IndexError where there is nothing before")
def index_error(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError(f"revision is {revision}, expected {expected_revision}")
    return champions[: champions.index(champions[-2]) + 1]


@wrong("move_back", "the two conditions joined by and: each alone slips through")
def joined_by_and(champions, revision, expected_revision):
    if expected_revision != revision and len(champions) < 2:
        raise ValueError("refused")
    return champions[:-1]


@right("move_back", "both reasons to refuse in one question")
def one_question(champions, revision, expected_revision):
    if revision != expected_revision or len(champions) <= 1:
        raise ValueError("refused")
    return champions[0:-1]


@right("move_back", "goes back first and looks what is left")
def looks_what_is_left(champions, revision, expected_revision):
    before = champions[: len(champions) - 1]
    if not before:
        raise ValueError(f"{champions} holds nothing to go back to")
    if expected_revision == revision:
        return before
    raise ValueError(f"expected {expected_revision}, at {revision}")


@right("move_back", "through a list and pop")
def through_pop(champions, revision, expected_revision):
    if expected_revision != revision:
        raise ValueError("outdated")
    earlier = list(champions)
    if len(earlier) < 2:
        raise ValueError("no champion before")
    earlier.pop()
    return tuple(earlier)


@right("move_back", "unpacks; Python itself raises the ValueError for an empty list")
def unpacks_earlier(champions, revision, expected_revision):
    if not (expected_revision == revision):
        raise ValueError("outdated")
    *earlier, _ = champions
    if len(earlier) == 0:
        raise ValueError("no champion before")
    return tuple(earlier)


@right("move_back", "a loop over all but the last")
def loops_to_the_last(champions, revision, expected_revision):
    if abs(expected_revision - revision) > 0:
        raise ValueError("outdated")
    if len(champions) in (0, 1):
        raise ValueError("no champion before")
    earlier = ()
    for i in range(len(champions) - 1):
        earlier = earlier + (champions[i],)
    return earlier


# route ---------------------------------------------------------------------------------------------------------------


@wrong("route", "even ids go to the challenger, whatever the share")
def parity(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return request_ids % 2 == 0


@wrong("route", "the first of the batch go to the challenger")
def first_of_the_batch(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.arange(len(request_ids)) < challenger_weight * len(request_ids)


@wrong("route", "draws at random: the same id meets another version at the next click")
def draws(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.random.default_rng().random(len(request_ids)) < challenger_weight


@wrong("route", "draws at random with a fixed seed: depends on the place in the batch, not on the id")
def draws_seeded(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.random.default_rng(0).random(len(request_ids)) < challenger_weight


@wrong("route", "the last two digits of the id in place of a hash")
def last_digits(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return request_ids % 100 < challenger_weight * 100


@wrong("route", "Python's own hash: integers hash to themselves, texts differ from run to run")
def python_hash(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array(
        [hash((salt, request_id)) % 1000 < challenger_weight * 1000 for request_id in request_ids], dtype=bool
    )


@wrong("route", "above the weight in place of below")
def above(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    shares = np.array([hash_share(salt, request_id) for request_id in request_ids], dtype=float)
    return shares > challenger_weight


@wrong("route", "one minus the weight: who met the challenger at 0.25 leaves it at 0.75")
def upper_end(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    shares = np.array([hash_share(salt, request_id) for request_id in request_ids], dtype=float)
    return shares >= 1 - challenger_weight


@wrong("route", "forgets the salt")
def no_salt(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share("", request_id) for request_id in request_ids], dtype=float) < challenger_weight


@wrong("route", "the word salt in place of its value")
def word_salt(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share("salt", request_id) for request_id in request_ids], dtype=float) < challenger_weight


@wrong("route", "salt and id in the wrong order")
def swapped_arguments(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share(request_id, salt) for request_id in request_ids], dtype=float) < challenger_weight


@wrong("route", "hashes all ids at once: one number for the whole batch")
def one_hash(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array(hash_share(salt, request_ids)) < challenger_weight


@wrong("route", "hashes the place in the batch in place of the id")
def hashes_positions(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share(salt, i) for i in range(len(request_ids))], dtype=float) < challenger_weight


@wrong("route", "the lowest hashes of this batch: who meets the challenger depends on the company")
def lowest_of_the_batch(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    shares = np.array([hash_share(salt, request_id) for request_id in request_ids], dtype=float)
    chosen = np.zeros(len(request_ids), dtype=bool)
    chosen[np.argsort(shares)[: int(challenger_weight * len(request_ids))]] = True
    return chosen


@wrong("route", "returns the hashes themselves")
def hashes_themselves(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share(salt, request_id) for request_id in request_ids], dtype=float)


@wrong("route", "returns the ids that go to the challenger")
def chosen_ids(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    shares = np.array([hash_share(salt, request_id) for request_id in request_ids], dtype=float)
    return request_ids[shares < challenger_weight]


@wrong("route", "returns zeros and ones: ~ of them picks other rows")
def zeros_and_ones(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([1 if hash_share(salt, request_id) < challenger_weight else 0 for request_id in request_ids])


@wrong("route", "compares a list with a number")
def list_with_number(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return [hash_share(salt, request_id) for request_id in request_ids] < challenger_weight


@wrong("route", "a list of booleans: ~ of a list is an error for whoever splits by it")
def list_of_booleans(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return [hash_share(salt, request_id) < challenger_weight for request_id in request_ids]


@wrong("route", "no dtype: without requests the empty array is one of floats, which picks no rows")
def empty_of_floats(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share(salt, request_id) < challenger_weight for request_id in request_ids])


@wrong("route", "np.vectorize without otypes does not know what to do with no requests")
def vectorized_without_types(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.vectorize(hash_share)(salt, request_ids) < challenger_weight


@wrong("route", "int(request_id): ids may be texts")
def ids_as_numbers(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share(salt, int(request_id)) for request_id in request_ids], dtype=float) < challenger_weight


@wrong("route", "sorts the ids first: the answers stand in another order")
def sorts_ids(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return (
        np.array([hash_share(salt, request_id) for request_id in sorted(request_ids)], dtype=float) < challenger_weight
    )


@wrong("route", "return stands inside the loop: the first request only")
def first_request_only(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    shares = []
    for request_id in request_ids:
        shares.append(hash_share(salt, request_id))
        return np.array(shares, dtype=float) < challenger_weight
    return np.zeros(0, dtype=bool)


@wrong("route", "the weight of the story is written into the code")
def hard_coded_weight(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.array([hash_share(salt, request_id) for request_id in request_ids], dtype=float) < 0.25


@right("route", "a loop with append and asarray")
def route_loop(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    shares = []
    for request_id in request_ids:
        shares.append(hash_share(salt, request_id))
    return np.asarray(shares, dtype=np.float64) < challenger_weight


@right("route", "compares one by one into an array of booleans")
def fills_booleans(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    chosen = np.zeros(len(request_ids), dtype=bool)
    for i in range(len(request_ids)):
        if hash_share(salt, request_ids[i]) < challenger_weight:
            chosen[i] = True
    return chosen


@right("route", "np.vectorize with the kind of its answer")
def vectorized(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.less(np.vectorize(hash_share, otypes=[float])(salt, request_ids), challenger_weight)


@right("route", "fromiter over Python's own numbers and texts")
def from_iterator(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    return np.fromiter((hash_share(salt, one) for one in request_ids.tolist()), dtype=float) < challenger_weight


@right("route", "turned round and negated; booleans by dtype")
def negated(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    stays = np.array([hash_share(salt, request_id) >= challenger_weight for request_id in request_ids], dtype=bool)
    return ~stays


@right("route", "sha256 by hand, as hash_share does it")
def by_hand(request_ids, challenger_weight, salt=""):
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    request_ids = as_request_ids(request_ids)
    digests = [hashlib.sha256(f"{salt}|{request_id}".encode()).digest() for request_id in request_ids]
    return np.array([int.from_bytes(digest[:8], "big") / 2**64 for digest in digests], dtype=float) < challenger_weight


# judge_canary --------------------------------------------------------------------------------------------------------


@wrong("judge_canary", "ignores how many labels there are: any difference above a tenth")
def fixed_difference(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > 0.1:
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "compares counts in place of rates")
def counts(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] - errors[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "champion minus challenger")
def champion_minus_challenger(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[0] / labelled[0] - errors[1] / labelled[1]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "more errors? Roll back: no third answer")
def no_hold(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    return "roll_back" if errors[1] / labelled[1] > errors[0] / labelled[0] else "advance"


@wrong("judge_canary", "advances whenever chance explains the difference")
def chance_advances(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    return "roll_back" if difference > standard_errors * standard_error(errors, labelled) else "advance"


@wrong("judge_canary", "advances only if it is better beyond chance")
def better_beyond_chance(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    bar = standard_errors * standard_error(errors, labelled)
    if difference > bar:
        return "roll_back"
    return "advance" if difference < -bar else "hold"


@wrong("judge_canary", "does not ask for the minimum of labels")
def no_minimum(errors, labelled, minimum_labels, standard_errors):
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "looks at the challenger's labels only")
def challengers_minimum(errors, labelled, minimum_labels, standard_errors):
    if labelled[1] < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "looks at the champion's labels only")
def champions_minimum(errors, labelled, minimum_labels, standard_errors):
    if labelled[0] < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "holds only if both have too few labels: max, or 'and' in place of 'or'")
def both_too_few(errors, labelled, minimum_labels, standard_errors):
    if labelled[0] < minimum_labels and labelled[1] < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "adds the labels of both")
def summed_labels(errors, labelled, minimum_labels, standard_errors):
    if sum(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "<= in place of <: exactly the minimum is too few")
def minimum_not_enough(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) <= minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "asks for a minimum of errors")
def minimum_of_errors(errors, labelled, minimum_labels, standard_errors):
    if min(errors) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", ">= in place of >: without any error it rolls back")
def at_the_bar(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference >= standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "holds at equal rates: >= 0 in place of > 0")
def equal_holds(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference >= 0 else "advance"


@wrong("judge_canary", "a difference in either direction rolls back: abs")
def either_direction(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = abs(errors[1] / labelled[1] - errors[0] / labelled[0])
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "one standard error, however many were asked for")
def one_standard_error(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "compares the difference with the number of standard errors")
def without_the_standard_error(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors:
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "the three standard errors of the example are written into the code")
def hard_coded_three(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > 3 * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "the 20 labels of the example are written into the code")
def hard_coded_twenty(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < 20:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "divides by a standard error that can be 0")
def divides_by_zero(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference / standard_error(errors, labelled) > standard_errors:
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "the standard error of the challenger's own rate")
def challengers_standard_error(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    rate = errors[1] / labelled[1]
    difference = rate - errors[0] / labelled[0]
    if difference > standard_errors * np.sqrt(rate * (1 - rate) / labelled[1]):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "asks whether it is worse before asking by how much: never rolls back")
def never_rolls_back(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > 0:
        return "hold"
    elif difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "advance"


@wrong("judge_canary", "misspells the action")
def rollback_in_one_word(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "rollback"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "labelled over errors: the fraction is upside down")
def upside_down(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = labelled[1] / max(errors[1], 1) - labelled[0] / max(errors[0], 1)
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    return "hold" if difference > 0 else "advance"


@wrong("judge_canary", "no return for a challenger that is not worse")
def no_advance(errors, labelled, minimum_labels, standard_errors):
    if min(labelled) < minimum_labels:
        return "hold"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    if difference > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    if difference > 0:
        return "hold"


@right("judge_canary", "rates by name, if and elif, the champion's rate on the other side")
def rates_by_name(errors, labelled, minimum_labels, standard_errors):
    if labelled[0] < minimum_labels or labelled[1] < minimum_labels:
        return "hold"
    champion_rate = errors[0] / labelled[0]
    challenger_rate = errors[1] / labelled[1]
    if challenger_rate <= champion_rate:
        return "advance"
    elif challenger_rate > champion_rate + standard_errors * standard_error(errors, labelled):
        return "roll_back"
    else:
        return "hold"


@right("judge_canary", "numpy arrays; the rate of right answers")
def right_answers_in_arrays(errors, labelled, minimum_labels, standard_errors):
    if not np.all(np.array(labelled) >= minimum_labels):
        return "hold"
    rates = 1 - np.array(errors) / np.array(labelled)
    worse_by = rates[0] - rates[1]
    if worse_by > standard_errors * standard_error(errors, labelled):
        return "roll_back"
    if worse_by > 0:
        return "hold"
    return "advance"


@right("judge_canary", "products in place of rates for the question who is worse")
def products(errors, labelled, minimum_labels, standard_errors):
    if any(count < minimum_labels for count in labelled):
        return "hold"
    if errors[1] * labelled[0] <= errors[0] * labelled[1]:
        return "advance"
    difference = errors[1] / labelled[1] - errors[0] / labelled[0]
    return "roll_back" if difference > standard_errors * standard_error(errors, labelled) else "hold"


@right("judge_canary", "divides by the standard error, where it is not 0")
def how_many_standard_errors(errors, labelled, minimum_labels, standard_errors):
    (champion_errors, challenger_errors), (champion_labels, challenger_labels) = errors, labelled
    if champion_labels < minimum_labels or challenger_labels < minimum_labels:
        return "hold"
    difference = challenger_errors / challenger_labels - champion_errors / champion_labels
    if difference <= 0:
        return "advance"
    if difference / standard_error(errors, labelled) > standard_errors:
        return "roll_back"
    return "hold"


@right("judge_canary", "the pooled standard error by hand")
def standard_error_by_hand(errors, labelled, minimum_labels, standard_errors):
    action = "advance"
    if min(labelled[0], labelled[1]) < minimum_labels:
        action = "hold"
    else:
        difference = errors[1] / labelled[1] - errors[0] / labelled[0]
        rate = (errors[0] + errors[1]) / (labelled[0] + labelled[1])
        error = (rate * (1 - rate) / labelled[0] + rate * (1 - rate) / labelled[1]) ** 0.5
        if difference > standard_errors * error:
            action = "roll_back"
        elif difference > 0:
            action = "hold"
    return action


# next_weight ---------------------------------------------------------------------------------------------------------


@wrong("next_weight", "a rollback goes one rung down")
def one_rung_down(weights, weight, action):
    if action == "roll_back":
        return max([rung for rung in weights if rung < weight], default=0.0)
    if action == "hold":
        return weight
    return min([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", "a rollback goes to the lowest rung")
def to_the_lowest(weights, weight, action):
    if action == "roll_back":
        return weights[0]
    if action == "hold":
        return weight
    return min([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", "a rollback stays where it is")
def rollback_stays(weights, weight, action):
    if action != "advance":
        return weight
    return min([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", "a hold takes the traffic away")
def hold_is_zero(weights, weight, action):
    if action != "advance":
        return 0.0
    return min([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", "a hold climbs as well")
def hold_climbs(weights, weight, action):
    if action == "roll_back":
        return 0.0
    return min([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", "a hold goes to the lowest rung")
def hold_to_the_lowest(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weights[0]
    return min([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", "doubles the weight")
def doubles(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return min(1.0, 2 * weight)


@wrong("next_weight", "adds a quarter")
def adds_a_quarter(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return min(1.0, weight + 0.25)


@wrong("next_weight", "the highest rung above: to the top at once")
def to_the_top(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return max([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", ">= in place of >: stays on the same rung")
def same_rung(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return min([rung for rung in weights if rung >= weight], default=weight)


@wrong("next_weight", "the lowest rung of the ladder, not of those above")
def lowest_of_all(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return min(weights)


@wrong("next_weight", "an index beyond the top of the ladder")
def beyond_the_top(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return weights[weights.index(weight) + 1]


@wrong("next_weight", "the lowest of no rungs: min of an empty list")
def lowest_of_none(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return min([rung for rung in weights if rung > weight])


@wrong("next_weight", "from the top it begins again")
def round_and_round(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return weights[(weights.index(weight) + 1) % len(weights)]


@wrong("next_weight", "returns the rungs above, not the lowest of them")
def rungs_above(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return [rung for rung in weights if rung > weight]


@wrong("next_weight", "returns the number of the rung")
def number_of_the_rung(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return min(weights.index(weight) + 1, len(weights) - 1)


@wrong("next_weight", "none where there is no rung above")
def none_at_the_top(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    for rung in weights:
        if rung > weight:
            return rung


@wrong("next_weight", "0 where there is no rung above: takes the winner out of traffic")
def zero_at_the_top(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return min([rung for rung in weights if rung > weight], default=0.0)


@wrong("next_weight", "the ladder of the example is written into the code")
def hard_coded_ladder(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return {0.25: 0.5, 0.5: 1.0}.get(weight, 1.0)


@wrong("next_weight", "misspells the action: a rollback advances")
def misspelled_action(weights, weight, action):
    if action == "rollback":
        return 0.0
    if action == "hold":
        return weight
    return min([rung for rung in weights if rung > weight], default=weight)


@wrong("next_weight", "steps down the ladder from the top: the rung below")
def wrong_way(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "hold":
        return weight
    return max([rung for rung in weights if rung < weight], default=weight)


@right("next_weight", "the place on the ladder, no further than the top")
def place_on_the_ladder(weights, weight, action):
    if action == "advance":
        return weights[min(weights.index(weight) + 1, len(weights) - 1)]
    elif action == "hold":
        return weight
    else:
        return 0


@right("next_weight", "the first higher rung in a loop")
def first_higher(weights, weight, action):
    if action == "hold":
        return weight
    if action == "roll_back":
        return 0.0
    for rung in weights:
        if rung > weight:
            return rung
    return weight


@right("next_weight", "next with a default")
def next_with_default(weights, weight, action):
    if action == "roll_back":
        return 0.0
    if action == "advance":
        return next((rung for rung in weights if rung > weight), weight)
    return weight


@right("next_weight", "bisection")
def by_bisection(weights, weight, action):
    above = list(weights[bisect.bisect_right(weights, weight) :])
    answers = {"roll_back": 0.0, "hold": weight, "advance": above[0] if above else weight}
    return answers[action]


@right("next_weight", "numpy: the smallest of what is above")
def smallest_in_numpy(weights, weight, action):
    if action == "roll_back":
        return np.float64(0.0)
    ladder = np.array(weights)
    above = ladder[ladder > weight]
    if action == "hold" or above.size == 0:
        return weight
    return above.min()
