"""Names of our keys in Redis.

All keys of one customer carry the hash tag ``{customer_id}``, those of the event stream
``{events}``, so that each lies on one node of a cluster.
"""

from __future__ import annotations

import re

from nbo.errors import BadInputError

PREFIX = "nbo"
ID = re.compile(r"[A-Za-z0-9._:@+-]{1,128}")
"""What an id may be, of whatever: it may stand in a key, a URL and a log line."""


def check_customer_id(customer_id: str, field: str = "customer_id") -> str:
    """Return the id when it may stand in a key.

    Raises:
        BadInputError: Empty, longer than 128 characters, or with others than letters, digits
            and ``._:@+-``; braces would break the hash tag.
    """
    if not ID.fullmatch(customer_id):
        raise BadInputError(
            field,
            "must be 1 to 128 letters, digits or ._:@+-, "
            f"was {customer_id[:140]!r}" + (" (too long)" if len(customer_id) > 128 else ""),
        )
    return customer_id


def features_key(customer_id: str, prefix: str = PREFIX) -> str:
    """HASH of packed rows (``v:<view>``), window states (``w:<name>``), latest event (``e``)."""
    return f"{prefix}:{{{customer_id}}}:f"


def history_key(customer_id: str, prefix: str = PREFIX) -> str:
    """ZSET of contacts by epoch seconds."""
    return f"{prefix}:{{{customer_id}}}:h"


def identities_key(customer_id: str, prefix: str = PREFIX) -> str:
    """SET of the identities of one customer, as ``kind:value``."""
    return f"{prefix}:{{{customer_id}}}:i"


def identity_key(kind: str, value: str, prefix: str = PREFIX) -> str:
    """ZSET of the customers who have one identity, by score."""
    return f"{prefix}:identity:{kind}:{value}"


def stream_key(prefix: str = PREFIX) -> str:
    """STREAM of events not yet in the windows."""
    return f"{prefix}:{{events}}:s"


def poison_key(prefix: str = PREFIX) -> str:
    """STREAM of events that could not be worked, with the reason."""
    return f"{prefix}:{{events}}:poison"


def seen_key(event_id: str, prefix: str = PREFIX) -> str:
    """Mark of an event id as published, a STRING."""
    return f"{prefix}:{{events}}:d:{event_id}"
