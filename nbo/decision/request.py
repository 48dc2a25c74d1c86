"""The question put to `decide()`: everything about one customer at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nbo.decision.facts import Facts
from nbo.decision.history import Contact
from nbo.decision.limits import NOTHING_USED, Usage
from nbo.errors import BadInputError

MAX_SLOTS = 50


@dataclass(frozen=True, slots=True)
class Request:
    """One request for offers, with all that is known; nothing is fetched later.

    Attributes:
        decision_id: Id the decision will carry.
        customer_id: Whom it is for; also the unit of experiments.
        interaction_id: The contact during which it is asked.
        at: The instant decided for, UTC.
        channel: Where the answer will be voiced or shown, e.g. ``"voice"``.
        language: Language of names and scripts, e.g. ``"en"``.
        slots: At most so many offers, 1 to 50.
        facts: Known facts by dotted name, including `interaction.*`, `event.*`, `history.*`.
        history: The customer's contacts up to `at`, oldest first.
        seed: Seed of every draw in this decision; same request and seed, same answer.
        agent_id: Who asks; logged, never a model input.
        usage: What is used up of caps and budgets.
        history_known: False when the history could not be read: then only service
            messages that no suppression concerns remain.
        degraded: Steps of the ladder taken before the decision, e.g. ``"last known customer
            vector"``.
        only: The one offer considered, the channel's fallback, when nothing is known of the
            customer; None for the whole catalogue, empty for no offer at all.

    Raises:
        BadInputError: `at` has no time zone or `slots` is out of range.
    """

    decision_id: str
    customer_id: str
    interaction_id: str
    at: datetime
    channel: str
    language: str
    slots: int
    facts: Facts
    history: tuple[Contact, ...]
    seed: int
    agent_id: str = ""
    usage: Usage = NOTHING_USED
    history_known: bool = True
    degraded: tuple[str, ...] = ()
    only: str | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise BadInputError("at", f"must carry a time zone, was {self.at.isoformat()}")
        if not 1 <= self.slots <= MAX_SLOTS:
            raise BadInputError("slots", f"must be between 1 and {MAX_SLOTS}, was {self.slots}")
