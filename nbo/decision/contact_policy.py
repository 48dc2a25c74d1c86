"""Contact policy: what was said before limits what is said now.

Four limits, computed once per request from the history as of the instant asked:

- **silence**: an explicit answer in this interaction silences that offer for the rest of it;
- **deferral**: who asked to hear of an offer later is left alone with it until then; of several
  such wishes about one offer the last one counts;
- **suppression**: at each outcome, if at least `count` of its kind fall in the `window`
  ending there, the scope pauses for `pause` from then on;
- **frequency**: no more than `limit` exposures in a `period`.

Edges are exact: an outcome counts from its instant on, and until its window or pause has
fully passed; exactly `window` later it no longer counts, exactly `pause` later all is free. A
deferred offer is free at the very instant it was deferred to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from operator import attrgetter

from nbo.decision.catalog import Offer
from nbo.decision.consent import Objection
from nbo.decision.history import Contact, Outcome, exposure_key
from nbo.decision.policies import Frequency, Policies, Suppression

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
        past = sorted((contact for contact in history if contact.at <= at), key=attrgetter("at"))
        self._offers = _deferred(past, at) | _silenced(past, interaction_id)
        self._groups: dict[str, Objection] = {}
        self._all: Objection | None = None
        self._everything_but_service: Objection | None = None
        for suppression in policies.suppression:
            self._suppress(suppression, past, at)
        for frequency in policies.frequency:
            if frequency.channel in ("", channel_id) and not self._everything_but_service:
                self._everything_but_service = frequency_objection(frequency, past, at)

    def objection(self, offer: Offer) -> Objection | None:
        """Find the first limit that silences an offer, in the order they are listed above."""
        return (
            self._offers.get(offer.offer_id)
            or self._groups.get(offer.group_id)
            or self._all
            or (None if offer.service else self._everything_but_service)
        )

    def _suppress(self, suppression: Suppression, past: Sequence[Contact], at: datetime) -> None:
        for key, contacts in _by_scope(suppression, past).items():
            until = paused_until(suppression, contacts)
            if until is None or at >= until:
                continue
            detail = f"{_occurrences(suppression, contacts)}, paused until {_minute(until)}"
            objection = Objection(suppression.name, detail)
            if suppression.scope == "offer":
                self._offers.setdefault(key, objection)
            elif suppression.scope == "group":
                self._groups.setdefault(key, objection)
            elif self._all is None:
                self._all = objection


def paused_until(suppression: Suppression, contacts: Sequence[Contact]) -> datetime | None:
    """Find when the latest pause is over.

    Args:
        suppression: The policy.
        contacts: Those with its outcome in one scope, oldest first. Several of one exposure
            count once, but each begins the pause anew.

    Returns:
        First instant at which the scope is free again; None if it was never paused.
    """
    for end in range(len(contacts) - 1, -1, -1):
        last = contacts[end].at
        within: set[tuple[str, str]] = set()
        for contact in islice(reversed(contacts), len(contacts) - 1 - end, None):
            if contact.at <= last - suppression.window:
                break
            within.add(exposure_key(contact))
            if len(within) >= suppression.count:
                return last + suppression.pause
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


def _deferred(past: Iterable[Contact], at: datetime) -> dict[str, Objection]:
    wishes: dict[str, tuple[datetime, datetime]] = {}
    for contact in past:
        if contact.defer_until is not None:
            wish = (contact.at, contact.defer_until)
            wishes[contact.offer_id] = max(wish, wishes.get(contact.offer_id, wish))
    return {
        offer_id: Objection(
            "deferred by the customer",
            f"{Outcome.DEFERRED} at {_minute(said)}, not again before {_minute(until)}",
        )
        for offer_id, (said, until) in wishes.items()
        if at < until
    }


def _by_scope(suppression: Suppression, past: Sequence[Contact]) -> dict[str, list[Contact]]:
    """List the contacts with a suppression's outcome, per offer, group or all."""
    found: dict[str, list[Contact]] = {}
    for contact in past:
        counts = suppression.channel in ("", contact.channel)
        if counts and contact.outcome is suppression.outcome:
            key = {"offer": contact.offer_id, "group": contact.group_id}.get(suppression.scope, "")
            found.setdefault(key, []).append(contact)
    return found


def _occurrences(suppression: Suppression, contacts: Sequence[Contact]) -> str:
    times = len({exposure_key(contact) for contact in contacts})
    return f"{times} × {suppression.outcome}, last {_minute(contacts[-1].at)}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
