"""Floor 2, deploy: which requests the challenger answers, the same ones every time. May import `validate`."""

from __future__ import annotations

import hashlib

import numpy as np

from tinytorch._arguments import check_in_range
from tinytorch.mlops.validate import as_request_ids, check_text

_HASH_BYTES = 8
# A float holds 53 bits exactly. With all 64 bits of the hash the largest shares would round up to 1, and such a
# request would not go to the challenger even at a weight of 1.
_SHARE_BITS = 53


def split_traffic(request_ids: np.ndarray, challenger_weight: float, salt: str = "") -> np.ndarray:
    """Return which requests go to the challenger, as booleans of shape (n,).

    The same id with the same salt always gets the same answer, and a request that goes to the challenger at 10%
    still goes there at 50%: the split is sticky. Another salt gives another split, so that the same users do not
    meet every experiment first.

    Parameters
    ----------
    request_ids : array_like of shape (n,)
        Integers or strings.
    challenger_weight : float
        Share of requests for the challenger, in [0, 1].
    salt : str
        Names the experiment.

    Raises
    ------
    ValueError
        If the weight is outside [0, 1], the ids are not distinct integers or strings, or the salt is no text.

    Examples
    --------
    >>> mask = split_traffic(np.arange(10_000), 0.2, salt="canary-1")
    >>> bool(0.18 < mask.mean() < 0.22)
    True
    >>> wider = split_traffic(np.arange(10_000), 0.5, salt="canary-1")
    >>> bool((wider | ~mask).all())
    True
    """
    check_in_range(challenger_weight, "challenger_weight", 0.0, 1.0)
    check_text(salt, "salt", allow_empty=True)
    shares = [_share(f"{salt}|{key}") for key in as_request_ids(request_ids).tolist()]
    return np.array(shares, dtype=np.float64) < challenger_weight


def _share(key: str) -> float:
    """Return a number in [0, 1) that depends on `key` alone. Python's own `hash` changes from run to run."""
    digest = hashlib.blake2b(key.encode(), digest_size=_HASH_BYTES).digest()
    return _to_share(digest)


def _to_share(digest: bytes) -> float:
    """Return the leading bits of a hash as a number in [0, 1)."""
    number = int.from_bytes(digest, "big") >> (8 * len(digest) - _SHARE_BITS)
    return float(number / 2.0**_SHARE_BITS)
