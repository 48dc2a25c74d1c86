"""Forget one customer in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from features.keys import (
    PREFIX,
    check_customer_id,
    features_key,
    history_key,
    identities_key,
    identity_key,
)

if TYPE_CHECKING:
    import redis


def delete_customer(redis: redis.Redis, customer_id: str, prefix: str = PREFIX) -> bool:
    """Delete profile, windows, history and identities of one customer.

    Events of the customer still on the stream would bring its windows back: delete after the
    backlog is worked, and remove the customer from the batch tables.

    Returns:
        Whether there was anything to delete.
    """
    check_customer_id(customer_id)
    own = identities_key(customer_id, prefix)
    identities = cast("set[bytes]", redis.smembers(own))
    pipe = redis.pipeline(transaction=False)
    for identity in identities:
        kind, _, value = identity.decode().partition(":")
        pipe.zrem(identity_key(kind, value, prefix), customer_id)
    pipe.delete(features_key(customer_id, prefix), history_key(customer_id, prefix), own)
    return bool(pipe.execute()[-1])
