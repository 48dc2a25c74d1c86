"""Who is calling: from a phone number, e-mail, account number or id to customers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from features.keys import (
    ID,
    PREFIX,
    check_customer_id,
    features_key,
    identities_key,
    identity_key,
)
from nbo.errors import BadInputError

if TYPE_CHECKING:
    import redis
    import redis.asyncio

KINDS = ("id", "account", "phone", "email")
"""Most telling first; decides between customers of equal score."""

MAX_LENGTH = 254
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
_ACCOUNT = re.compile(r"[A-Z0-9](?:[A-Z0-9._/-]{0,62}[A-Z0-9])?")
_PHONE = re.compile(r"[+0-9 ()./\u00a0\u2011-]{3,40}")
_BATCH = 1000


class Identity(NamedTuple):
    """One identity of a customer, as loaded.

    Attributes:
        customer_id: Whose it is.
        kind: ``"phone"``, ``"email"`` or ``"account"``.
        value: As known to the source; normalised when loaded.
        score: How likely this customer is meant by it, above 0; counts against the others'.
    """

    customer_id: str
    kind: str
    value: str
    score: float = 1.0


class Match(NamedTuple):
    """A customer who may be meant.

    Attributes:
        customer_id: The customer.
        kind: What matched, one of `KINDS`.
        score: Above 0; higher is more likely.
    """

    customer_id: str
    kind: str
    score: float


def normalise(kind: str, value: str, country: str) -> str:
    """Bring an identity to the one form under which it is kept.

    >>> normalise("phone", "0151 2345 6789", "DE")
    '+4915123456789'

    Args:
        kind: One of `KINDS`.
        value: As typed or transmitted.
        country: Two letters, for phone numbers without country code, e.g. ``"DE"``.

    Raises:
        BadInputError: It is no such identity.
    """
    text = value.strip()
    if not text or len(text) > MAX_LENGTH:
        raise BadInputError("value", f"must be 1 to {MAX_LENGTH} characters, was {len(text)}")
    if kind == "phone":
        return _phone(text, country)
    patterns = {"email": _EMAIL, "account": _ACCOUNT, "id": ID}
    if kind not in patterns:
        raise BadInputError("kind", f"must be one of {', '.join(KINDS)}, was {kind!r}")
    if kind == "account":
        text = re.sub(r"\s+", "", text).upper()
    elif kind == "email":
        text = text.lower()
    if not patterns[kind].fullmatch(text):
        raise BadInputError("value", f"must be an {kind}, was {value[:60]!r}")
    return text


def _phone(text: str, country: str) -> str:
    import phonenumbers

    wrong = BadInputError("value", f"must be a phone number ({country}), was {text[:60]!r}")
    if not _PHONE.fullmatch(text):
        raise wrong
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise wrong from error
    # Possible, not valid: numbering plans grow faster than their published lists.
    if not phonenumbers.is_possible_number(number):
        raise wrong
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def candidates(value: str, country: str) -> list[tuple[str, str]]:
    """List every (kind, normalised value) that a typed value may be.

    Raises:
        BadInputError: It can be none.
    """
    found = []
    for kind in KINDS:
        try:
            found.append((kind, normalise(kind, value, country)))
        except BadInputError:
            continue
    if not found:
        raise BadInputError(
            "value", f"must be a phone number, e-mail, account number or id, was {value[:60]!r}"
        )
    return found


def load(redis: redis.Redis, rows: Iterable[Identity], country: str, prefix: str = PREFIX) -> int:
    """Replace the identities of every customer in `rows` by those in `rows`.

    Returns:
        How many identities were loaded.

    Raises:
        BadInputError: Names the row; nothing was loaded.
    """
    wanted: dict[str, dict[tuple[str, str], float]] = {}
    for number, row in enumerate(rows, 1):
        try:
            check_customer_id(row.customer_id)
            value = normalise(row.kind, row.value, country)
            _check_score(row.score)
        except BadInputError as error:
            raise BadInputError(
                f"identities row {number}, {error.field}", error.constraint
            ) from error
        wanted.setdefault(row.customer_id, {})[row.kind, value] = row.score
    customers = iter(wanted.items())
    while batch := list(islice(customers, _BATCH)):
        _load_batch(redis, batch, prefix)
    return sum(map(len, wanted.values()))


def _check_score(score: float) -> None:
    if not (score and 0 < score < math.inf):  # a table may hold nulls
        raise BadInputError("score", f"must be a number above 0, was {score}")


def _load_batch(
    redis: redis.Redis, batch: list[tuple[str, dict[tuple[str, str], float]]], prefix: str
) -> None:
    pipe = redis.pipeline(transaction=False)
    for customer_id, _ in batch:
        pipe.smembers(identities_key(customer_id, prefix))
    before = cast("list[set[bytes]]", pipe.execute())
    for (customer_id, identities), old in zip(batch, before, strict=True):
        fresh = {f"{kind}:{value}".encode() for kind, value in identities}
        for gone in old - fresh:
            kind, _, value = gone.decode().partition(":")
            pipe.zrem(identity_key(kind, value, prefix), customer_id)
        for (kind, value), score in identities.items():
            pipe.zadd(identity_key(kind, value, prefix), {customer_id: score})
        if gone_all := old - fresh:
            pipe.srem(identities_key(customer_id, prefix), *gone_all)
        pipe.sadd(identities_key(customer_id, prefix), *fresh)
    pipe.execute()


class IdentityIndex:
    """Finds customers by identity; `redis` is asynchronous and returns bytes."""

    def __init__(self, redis: redis.asyncio.Redis, prefix: str = PREFIX) -> None:
        self._redis = redis
        self._prefix = prefix

    async def find(self, value: str, country: str) -> list[Match]:
        """Find the customers who may be meant, most likely first; none is a normal answer.

        Raises:
            BadInputError: The value can be no identity.
        """
        kinds = candidates(value, country)
        pipe: Any = self._redis.pipeline(transaction=False)
        for kind, normal in kinds:
            if kind == "id":
                pipe.exists(features_key(normal, self._prefix))
            else:
                pipe.zrevrange(identity_key(kind, normal, self._prefix), 0, 99, withscores=True)
        best: dict[str, Match] = {}
        for (kind, normal), reply in zip(kinds, await pipe.execute(), strict=True):
            found = ([(normal.encode(), 1.0)] if reply else []) if kind == "id" else reply
            for customer, score in found:
                match = Match(customer.decode(), kind, float(score))
                if match.customer_id not in best or score > best[match.customer_id].score:
                    best[match.customer_id] = match
        return sorted(best.values(), key=_likelihood)


def _likelihood(match: Match) -> tuple[float, int, str]:
    return -match.score, KINDS.index(match.kind), match.customer_id
