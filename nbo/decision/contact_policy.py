"""Contact policy: what was said before limits what is said now.

Three limits, computed once per request from the history as of the instant asked:

- **silence**: an explicit answer in this interaction silences that offer for the rest of it;
- **suppression**: at each outcome, if at least `count` of its kind fall in the `window`
  ending there, the scope pauses for `pause` from then on;
- **frequency**: no more than `limit` exposures in a `period`.

Edges are exact: an outcome counts from its instant on, and until its window or pause has
fully passed; exactly `window` later it no longer counts, exactly `pause` later all is free.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from nbo.decision.catalog import Frequency, Offer, Policies, Suppression
from nbo.decision.consent import Objection
from nbo.decision.history import Contact, Outcome, exposure_key

_EXPLICIT = frozenset({Outcome.ACCEPTED, Outcome.DECLINED, Outcome.DEFERRED})


class ContactPolicy:
    """The limits in force for one customer at one instant, by what they silence."""

    __slots__ = ("_all", "_everything_but_service", "_groups", "_offers")

    def __init__(
        self,
        policies: Policies,
        history: Sequence[Contact],
        at: datetime,
        channel_id: str,
        interaction_id: str,
    ) -> None:
        past = sorted((contact for contact in history if contact.at <= at), key=_instant)
        self._offers = _silenced(past, interaction_id)
        self._groups: dict[str, Objection] = {}
        self._all: Objection | None = None
        self._everything_but_service: Objection | None = None
        for suppression in policies.suppression:
            self._suppress(suppression, past, at)
        for frequency in policies.frequency:
            if frequency.channel in ("", channel_id) and not self._everything_but_service:
                self._everything_but_service = frequency_objection(frequency, past, at)

    def objection(self, offer: Offer) -> Objection | None:
        """Find the first limit that silences an offer: silence, suppression, then frequency."""
        return (
            self._offers.get(offer.offer_id)
            or self._groups.get(offer.group_id)
            or self._all
            or (None if offer.service else self._everything_but_service)
        )

    def _suppress(self, suppression: Suppression, past: Sequence[Contact], at: datetime) -> None:
        for key, times in _outcomes_by_scope(suppression, past).items():
            until = paused_until(suppression, times)
            if until is None or at >= until:
                continue
            detail = f"{_occurrences(suppression, len(times))}, paused until {_minute(until)}"
            objection = Objection(suppression.name, detail)
            if suppression.scope == "offer":
                self._offers.setdefault(key, objection)
            elif suppression.scope == "group":
                self._groups.setdefault(key, objection)
            elif self._all is None:
                self._all = objection


def paused_until(suppression: Suppression, times: Sequence[datetime]) -> datetime | None:
    """When the pause that the latest qualifying outcome began is over.

    Args:
        suppression: The policy.
        times: Instants of its outcomes in one scope, ascending.

    Returns:
        First instant at which the scope is free again; None if it was never paused.
    """
    for last in range(len(times) - 1, suppression.count - 2, -1):
        first = times[last - suppression.count + 1]
        if times[last] - first < suppression.window:
            return times[last] + suppression.pause
    return None


def frequency_objection(
    frequency: Frequency, past: Sequence[Contact], at: datetime
) -> Objection | None:
    """Find a frequency limit's objection; None while fewer than `limit` exposures count."""
    since = at - frequency.period
    first_seen: dict[tuple[str, str], Contact] = {}
    for contact in past:
        if contact.outcome.is_exposure:
            first_seen.setdefault(exposure_key(contact), contact)
    count = sum(
        since < contact.at and frequency.channel in ("", contact.channel)
        for contact in first_seen.values()
    )
    if count < frequency.limit:
        return None
    where = f" on {frequency.channel}" if frequency.channel else ""
    return Objection(
        frequency.name, f"{count} exposures{where} since {_minute(since)}, limit {frequency.limit}"
    )


def _silenced(past: Iterable[Contact], interaction_id: str) -> dict[str, Objection]:
    if not interaction_id:
        return {}
    return {
        contact.offer_id: Objection(
            "answered in this interaction",
            f"{contact.outcome} at {_minute(contact.at)} on {contact.channel}",
        )
        for contact in past
        if contact.interaction_id == interaction_id and contact.outcome in _EXPLICIT
    }


def _outcomes_by_scope(
    suppression: Suppression, past: Sequence[Contact]
) -> dict[str, list[datetime]]:
    """Instants of a suppression's outcomes per offer, group or all; one exposure counts once."""
    found: dict[str, list[datetime]] = {}
    counted: set[tuple[str, str]] = set()
    for contact in past:
        exposure = exposure_key(contact)
        if contact.outcome is not suppression.outcome or exposure in counted:
            continue
        if suppression.channel in ("", contact.channel):
            counted.add(exposure)
            key = {"offer": contact.offer_id, "group": contact.group_id}.get(suppression.scope, "")
            found.setdefault(key, []).append(contact.at)
    return found


def _instant(contact: Contact) -> datetime:
    return contact.at


def _occurrences(suppression: Suppression, count: int) -> str:
    return f"{count} × {suppression.outcome}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
