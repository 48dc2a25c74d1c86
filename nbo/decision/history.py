"""What was offered to a customer before and what came of it, as facts and counts.

The history is given, never fetched: a tuple of `Contact`, oldest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from nbo.decision.facts import Fact, FactType


class Outcome(StrEnum):
    """What came of one slot; see the glossary."""

    PRESENTED = "PRESENTED"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    DEFERRED = "DEFERRED"
    NO_RESPONSE = "NO_RESPONSE"
    SKIPPED = "SKIPPED"
    FULFILLED = "FULFILLED"
    CANCELLED = "CANCELLED"

    @property
    def is_exposure(self) -> bool:
        """Whether it proves that the slot was really presented."""
        return self in _EXPOSURES

    @property
    def is_answer(self) -> bool:
        """Whether it is the customer's answer, explicit or by silence."""
        return self in _ANSWERS


_ANSWERS = frozenset({Outcome.ACCEPTED, Outcome.DECLINED, Outcome.DEFERRED, Outcome.NO_RESPONSE})
_EXPOSURES = _ANSWERS | {Outcome.PRESENTED}


class Contact(NamedTuple):
    """One exposure or answer in a customer's interaction history.

    Attributes:
        at: When, UTC.
        channel: Where, e.g. ``"voice"``.
        interaction_id: The contact it belongs to.
        decision_id: The decision it followed from, empty when imported without one.
        offer_id: What was offered.
        group_id: The offer's group at that time.
        outcome: What came of it.
        defer_until: For DEFERRED, when the customer wants to hear of the offer again, UTC; None
            when not told.
    """

    at: datetime
    channel: str
    interaction_id: str
    decision_id: str
    offer_id: str
    group_id: str
    outcome: Outcome
    defer_until: datetime | None = None


HISTORY_FACTS = {
    "history.exposures_7d": FactType.NUMBER,
    "history.exposures_30d": FactType.NUMBER,
    "history.exposures_90d": FactType.NUMBER,
    "history.accepted_365d": FactType.NUMBER,
    "history.declined_90d": FactType.NUMBER,
    "history.days_since_exposure": FactType.NUMBER,
}
"""Facts derived from the history; `days_since_exposure` is unknown without an exposure."""


def exposure_key(contact: Contact) -> tuple[str, str]:
    """Name the exposure a contact belongs to: (decision, else interaction, else instant; offer).

    Contacts imported without either id cannot be linked and count one by one.
    """
    occasion = contact.decision_id or contact.interaction_id or contact.at.isoformat()
    return occasion, contact.offer_id


def exposures(history: Sequence[Contact]) -> dict[tuple[str, str], datetime]:
    """List each exposure by its key, with its first instant.

    PRESENTED followed by ACCEPTED is one exposure, counted once.
    """
    seen: dict[tuple[str, str], datetime] = {}
    for contact in history:
        if contact.outcome.is_exposure:
            key = exposure_key(contact)
            seen[key] = min(contact.at, seen.get(key, contact.at))
    return seen


def history_facts(history: Sequence[Contact], at: datetime) -> dict[str, Fact]:
    """Compute the `history.*` facts as of `at`; contacts after `at` are ignored."""
    past = [contact for contact in history if contact.at <= at]
    shown = exposures(past).values()

    def within(times: Sequence[datetime], days: int) -> float:
        return float(sum(at - timedelta(days=days) < t for t in times))

    shown_times = list(shown)
    accepted = [c.at for c in past if c.outcome is Outcome.ACCEPTED]
    declined = [c.at for c in past if c.outcome is Outcome.DECLINED]
    facts: dict[str, Fact] = {
        "history.exposures_7d": within(shown_times, 7),
        "history.exposures_30d": within(shown_times, 30),
        "history.exposures_90d": within(shown_times, 90),
        "history.accepted_365d": within(accepted, 365),
        "history.declined_90d": within(declined, 90),
    }
    if shown_times:
        facts["history.days_since_exposure"] = (at - max(shown_times)).total_seconds() / 86_400
    return facts


class OfferHistory(NamedTuple):
    """What one customer's history says about one offer; inputs of the models.

    Attributes:
        exposures_90d: Times this offer was presented in the last 90 days.
        declines_90d: Times this offer was declined in the last 90 days.
        group_exposures_90d: Times any offer of its group was presented in the last 90 days.
    """

    exposures_90d: float
    declines_90d: float
    group_exposures_90d: float


def offer_histories(history: Sequence[Contact], at: datetime) -> dict[str, OfferHistory]:
    """`OfferHistory` per offer id seen in the last 90 days, and per ``"group:<id>"``.

    A group's entry carries only `group_exposures_90d`; look an offer up first, its group second.
    """
    since = at - timedelta(days=90)
    recent = [c for c in history if since < c.at <= at]
    group_of = {c.offer_id: c.group_id for c in recent}
    shown: dict[str, int] = {}
    group_shown: dict[str, int] = {}
    for _, offer_id in exposures(recent):
        shown[offer_id] = shown.get(offer_id, 0) + 1
        group_shown[group_of[offer_id]] = group_shown.get(group_of[offer_id], 0) + 1
    declined: dict[str, int] = {}
    for contact in recent:
        if contact.outcome is Outcome.DECLINED:
            declined[contact.offer_id] = declined.get(contact.offer_id, 0) + 1
    result = {
        f"group:{group}": OfferHistory(0.0, 0.0, float(count))
        for group, count in group_shown.items()
    }
    for offer_id, group in group_of.items():
        result[offer_id] = OfferHistory(
            float(shown.get(offer_id, 0)),
            float(declined.get(offer_id, 0)),
            float(group_shown.get(group, 0)),
        )
    return result
