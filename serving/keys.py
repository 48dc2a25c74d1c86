"""Names of the Redis keys that serving owns; what belongs to customers is named in `features`.

Hash tags keep together what one transaction or script touches, so that Redis Cluster works.
"""

DECISION_STREAM = "nbo:{decisions}:s"
OUTCOME_STREAM = "nbo:{outcomes}:s"
CHAMPION_BASE = "nbo:{outcomes}:base"
WEIGHTS = "nbo:{outcomes}:weights"
WEIGHTS_VERSION = "nbo:{outcomes}:weights:version"


def decision_key(decision_id: str) -> str:
    """Where a decision waits until the ledger has it."""
    return f"nbo:d:{{{decision_id}}}"


def outcome_seen_key(outcome_id: str) -> str:
    """Marks an outcome as handed to the learner."""
    return f"nbo:{{outcomes}}:seen:{outcome_id}"


def learnt_key(decision_id: str, rank: int) -> str:
    """Marks a slot whose answer the online model has learnt."""
    return f"nbo:{{outcomes}}:learnt:{decision_id}:{rank}"


HISTORIES_BEHIND = "nbo:{histories}:behind"
"""There while a server knows that histories here lack outcomes; lapses by itself."""

BEATS = "nbo:{workers}:beats"
"""HASH of worker role to the epoch seconds of its last step."""

CAPS_READY = "nbo:{caps}:ready"
"""HASH of what is counted (`serving.cap_units.Scope`) to ``1``, or ``0`` while being rebuilt."""
CAPS_OPEN = "nbo:{caps}:open"
"""ZSET of reserved slots by the epoch milliseconds at which they lapse."""
CAPS_HELD = "nbo:{caps}:held"
"""HASH of reserved slots to what they take, as JSON."""
CAPS_USED = "nbo:{caps}:used:"
"""Prefix of a counter: STRING, how much is taken and reserved."""
CAPS_TAKEN = "nbo:{caps}:taken:"
"""Prefix of a counter's slots: HASH of slot to what it takes; their sum is the counter."""
CAPS_RUN = "nbo:{caps}:run"
"""STRING, the run of the Redis server in which the counters were last compared to the ledger."""
