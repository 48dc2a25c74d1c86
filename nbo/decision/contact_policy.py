"""Contact policy: what was said before limits what is said now.

Four limits, computed once per request from the history as of the instant asked:

- **silence**: an explicit answer in this interaction silences that offer for the rest of it;
- **deferral**: who asked to hear of an offer later is left alone with it until then; of several
  such wishes about one offer the last one counts;
- **suppression**: at each outcome, if at least `count` of its kind fall in the `window`
  ending there, the scope pauses for `pause` from then on;
- **frequency**: no more than `limit` exposures in a `period`.

A suppression or frequency that attaches to an issue, a group or an offer counts only what was
said of those offers, and silences only them.

Who accepted a bundle accepted each of its members, as the catalogue has them now: silence and
suppressions take that one answer as one to each. Any other answer is about the bundle alone, and
an exposure of it is one exposure.

Edges are exact: an outcome counts from its instant on, and until its window or pause has
fully passed; exactly `window` later it no longer counts, exactly `pause` later all is free. A
deferred offer is free at the very instant it was deferred to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from nbo.decision.catalog import Group, Offer
from nbo.decision.consent import Objection
from nbo.decision.failure import Lacking
from nbo.decision.history import Contact, Outcome, exposure_key
from nbo.decision.policies import EVERYTHING, Frequency, Policies, Suppression, Target
from nbo.decision.screen_columns import fits

ANSWERED = "answered in this interaction"
DEFERRED = "deferred by the customer"
"""The two limits that need no policy: they concern every offer."""

_EXPLICIT = frozenset({Outcome.ACCEPTED, Outcome.DECLINED, Outcome.DEFERRED})
_NO_GROUPS: Mapping[str, Group] = MappingProxyType({})
_NO_OFFERS: Mapping[str, Offer] = MappingProxyType({})


class Limit(NamedTuple):
    """A limit in force on the offers of a group, on all, or on the one it is listed for.

    Attributes:
        group_id: Only offers of this group; empty for all.
        target: Only offers it fits.
        spares_service: Service messages are free of it.
    """

    objection: Objection
    group_id: str = ""
    target: Target = EVERYTHING
    spares_service: bool = False


class Pause(NamedTuple):
    """What the outcomes of one scope began.

    Attributes:
        until: First instant at which the scope is free again, UTC.
        times: So many exposures with the outcome fell in the window that decided, >= 1.
        last: When the last of them was, UTC.
    """

    until: datetime
    times: int
    last: datetime


class ContactPolicy:
    """The limits in force for one customer at one instant, by what they silence.

    Args:
        policies: What limits what.
        history: The customer's; what is after `at` is not looked at.
        at: The instant.
        channel_id: Where something may be said.
        interaction_id: The contact during which it may be said.
        groups: Of the catalogue, for policies that attach to an issue.
        offers: Of the catalogue, for the members of bundles.

    Attributes:
        on_offers: Offer id to what silences it alone.
        on_many: What silences groups, then everything, then everything but service messages.
    """

    __slots__ = ("_groups", "_offers", "on_many", "on_offers")

    def __init__(
        self,
        policies: Policies,
        history: Sequence[Contact],
        at: datetime,
        channel_id: str,
        interaction_id: str,
        groups: Mapping[str, Group] = _NO_GROUPS,
        offers: Mapping[str, Offer] = _NO_OFFERS,
    ) -> None:
        past = sorted((contact for contact in history if contact.at <= at), key=attrgetter("at"))
        self._groups = groups
        self._offers = offers
        self.on_offers: dict[str, list[Limit]] = {}
        for silence in (_silenced(past, interaction_id, offers), _deferred(past, at)):
            for offer_id, objection in silence.items():
                self.on_offers.setdefault(offer_id, []).append(Limit(objection))
        self.on_many: list[Limit] = []
        for suppression in policies.suppression:
            self._suppress(suppression, past, at)
        self.on_many.sort(key=lambda limit: not limit.group_id)
        for frequency in policies.frequency:
            if frequency.channel in ("", channel_id):
                found = frequency_objection(frequency, past, at, groups)
                if found:
                    limit = Limit(found, target=frequency.target, spares_service=True)
                    self.on_many.append(limit)

    def objection(self, offer: Offer) -> Objection | None:
        """Find the first limit that silences an offer, in the order they are listed above."""
        return next(self.objections(offer), None)

    def objections(self, offer: Offer) -> Iterator[Objection]:
        """List all limits that silence an offer, in the order they are listed above."""
        for limit in (*self.on_offers.get(offer.offer_id, ()), *self.on_many):
            in_scope = limit.group_id in ("", offer.group_id)
            spared = limit.spares_service and offer.service
            if not in_scope or spared:
                continue
            if fits(limit.target, offer.offer_id, offer.group_id, self._groups):
                yield limit.objection

    def _suppress(self, suppression: Suppression, past: Sequence[Contact], at: datetime) -> None:
        for key, contacts in self._by_scope(suppression, past).items():
            pause = paused_until(suppression, contacts)
            if pause is None or at >= pause.until:
                continue
            times = f"{pause.times} × {suppression.outcome}, last {_minute(pause.last)}"
            detail = f"{times}, paused until {_minute(pause.until)}"
            objection = Objection(suppression.name, detail, pause.until)
            if suppression.scope == "offer":
                limit = Limit(objection, target=suppression.target)
                self.on_offers.setdefault(key, []).append(limit)
            elif key or suppression.scope == "all":
                self.on_many.append(Limit(objection, key, suppression.target))

    def _by_scope(
        self, suppression: Suppression, past: Sequence[Contact]
    ) -> dict[str, list[Contact]]:
        """List the contacts with a suppression's outcome, per offer, group or all."""
        found: dict[str, list[Contact]] = {}
        for contact in past:
            counts = suppression.channel in ("", contact.channel)
            if not counts or contact.outcome is not suppression.outcome:
                continue
            keys: dict[str, None] = {}  # a bundle's members may share one
            for offer_id, group_id in _concerned(contact, self._offers):
                if fits(suppression.target, offer_id, group_id, self._groups):
                    keys[{"offer": offer_id, "group": group_id}.get(suppression.scope, "")] = None
            for key in keys:
                found.setdefault(key, []).append(contact)
        return found


def paused_until(suppression: Suppression, contacts: Sequence[Contact]) -> Pause | None:
    """Find the latest pause.

    Args:
        suppression: The policy.
        contacts: Those with its outcome in one scope, oldest first. Several of one exposure
            count once, but each begins the pause anew.

    Returns:
        None if it was never paused.
    """
    for end in range(len(contacts) - 1, -1, -1):
        last = contacts[end].at
        within: set[tuple[str, str]] = set()
        for contact in islice(reversed(contacts), len(contacts) - 1 - end, None):
            if contact.at <= last - suppression.window:
                break
            within.add(exposure_key(contact))
        if len(within) >= suppression.count:
            return Pause(last + suppression.pause, len(within), last)
    return None


def frequency_objection(
    frequency: Frequency,
    past: Sequence[Contact],
    at: datetime,
    groups: Mapping[str, Group] = _NO_GROUPS,
) -> Objection | None:
    """Find a frequency limit's objection; None while fewer than `limit` exposures count.

    It ends when so many of the oldest have left the period that fewer than `limit` remain.
    """
    counted = counted_exposures(frequency, past, at, groups)
    count = len(counted)
    if count < frequency.limit:
        return None
    until = counted[-frequency.limit] + frequency.period if frequency.limit else None
    where = f" on {frequency.channel}" if frequency.channel else ""
    since = _minute(at - frequency.period)
    detail = f"{count} exposures{where} since {since}, limit {frequency.limit}"
    return Objection(frequency.name, detail, until)


def counted_exposures(
    frequency: Frequency, past: Sequence[Contact], at: datetime, groups: Mapping[str, Group]
) -> list[datetime]:
    """List when the exposures were that count under a frequency limit, oldest first.

    Args:
        frequency: The limit.
        past: The history up to `at`, oldest first.
        at: The instant.
        groups: Of the catalogue.
    """
    since = at - frequency.period
    first_seen: dict[tuple[str, str], Contact] = {}
    for contact in past:
        if contact.outcome.is_exposure:
            first_seen.setdefault(exposure_key(contact), contact)
    return sorted(
        contact.at
        for contact in _of_target(frequency.target, list(first_seen.values()), groups)
        if since < contact.at and frequency.channel in ("", contact.channel)
    )


def _concerned(contact: Contact, offers: Mapping[str, Offer]) -> Iterator[tuple[str, str]]:
    """List what a contact is about, as offer and group; an accepted bundle's members as well."""
    yield contact.offer_id, contact.group_id
    offer = offers.get(contact.offer_id)
    if offer is not None and contact.outcome is Outcome.ACCEPTED:
        for member in offer.bundle:
            yield member, offers[member].group_id


def _silenced(
    past: Iterable[Contact], interaction_id: str, offers: Mapping[str, Offer]
) -> dict[str, Objection]:
    if not interaction_id:
        return {}
    found: dict[str, Objection] = {}
    for contact in past:
        if contact.interaction_id == interaction_id and contact.outcome in _EXPLICIT:
            for offer_id, _ in _concerned(contact, offers):
                part = "" if offer_id == contact.offer_id else f" as part of {contact.offer_id}"
                detail = f"{contact.outcome}{part} at {_minute(contact.at)} on {contact.channel}"
                found[offer_id] = Objection(ANSWERED, detail, lacking=Lacking.INTERACTION)
    return found


def _deferred(past: Iterable[Contact], at: datetime) -> dict[str, Objection]:
    wishes: dict[str, tuple[datetime, datetime]] = {}
    for contact in past:
        if contact.defer_until is not None:
            wish = (contact.at, contact.defer_until)
            wishes[contact.offer_id] = max(wish, wishes.get(contact.offer_id, wish))
    return {
        offer_id: Objection(
            DEFERRED,
            f"{Outcome.DEFERRED} at {_minute(said)}, not again before {_minute(until)}",
            until,
        )
        for offer_id, (said, until) in wishes.items()
        if at < until
    }


def _of_target(
    target: Target, past: Sequence[Contact], groups: Mapping[str, Group]
) -> Sequence[Contact]:
    """List the contacts about offers a policy attaches to."""
    if target == EVERYTHING:
        return past
    return [c for c in past if fits(target, c.offer_id, c.group_id, groups)]


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
