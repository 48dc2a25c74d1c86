"""What a slot takes of caps and budgets: which counters, by how much, up to what.

Every amount is an integer: pieces of an offer, and money in the `UNITS` of `nbo.decision.limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from nbo.decision.catalog import Catalog
from nbo.decision.decision import Decision
from nbo.decision.limits import Period, amount_units, cost_units, span_of

NO_LIMIT = -1

Scope = str
"""What is counted: ``t|<offer>`` for ever, ``d|<offer>`` by day or ``b|<period>|<incentive>``."""


class Take(NamedTuple):
    """What one slot takes of one counter.

    Attributes:
        scope: What the counter belongs to.
        counter: Name: all there is, one day or one period of the scope.
        amount: Pieces or `UNITS` of money, > 0.
        limit: The most the counter may reach; `NO_LIMIT` for any.
    """

    scope: Scope
    counter: str
    amount: int
    limit: int = NO_LIMIT


def total_scope(offer_id: str) -> Scope:
    """The scope of an offer's total cap."""
    return f"t|{offer_id}"


def day_scope(offer_id: str) -> Scope:
    """The scope of an offer's daily cap."""
    return f"d|{offer_id}"


def budget_scope(incentive_id: str, period: Period) -> Scope:
    """The scope of an incentive's budget; another period is another budget."""
    return f"b|{period}|{incentive_id}"


def total_counter(offer_id: str) -> str:
    """Counts an offer for ever; the one counter that never expires."""
    return f"t|{offer_id}"


def day_counter(offer_id: str, at: datetime) -> str:
    """Counts an offer on the day of a decision, UTC."""
    return f"d|{_day(at)}|{offer_id}"


def budget_counter(incentive_id: str, period: Period, at: datetime) -> str:
    """Counts what an incentive cost in the period of a decision."""
    return f"b|{period}|{_day(span_of(period, at).start)}|{incentive_id}"


class Counted(NamedTuple):
    """Everything a catalogue wants counted.

    Attributes:
        totals: Ids of the offers with a total cap.
        dailies: Ids of those with a daily cap.
        budgets: Incentive and period.
    """

    totals: tuple[str, ...]
    dailies: tuple[str, ...]
    budgets: tuple[tuple[str, Period], ...]

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Of the totals, then of the dailies, then of the budgets."""
        return (
            *map(total_scope, self.totals),
            *map(day_scope, self.dailies),
            *(budget_scope(*budget) for budget in self.budgets),
        )

    def counters(self, at: datetime) -> tuple[str, ...]:
        """The counter of each scope at an instant, in the order of `scopes`."""
        return (
            *map(total_counter, self.totals),
            *(day_counter(offer_id, at) for offer_id in self.dailies),
            *(budget_counter(*budget, at) for budget in self.budgets),
        )


def counted(catalog: Catalog) -> Counted:
    """Go through a catalogue for what it wants counted."""
    offers = catalog.offers.values()
    totals = tuple(one.offer_id for one in offers if one.caps.total is not None)
    dailies = tuple(one.offer_id for one in offers if one.caps.daily is not None)
    budgets = tuple(
        (one.incentive_id, one.budget.period)
        for one in catalog.incentives.values()
        if one.budget is not None
    )
    return Counted(totals, dailies, budgets)


def scopes(catalog: Catalog) -> frozenset[Scope]:
    """The scopes of everything a catalogue wants counted."""
    return frozenset(counted(catalog).scopes)


def takes(decision: Decision, catalog: Catalog) -> dict[str, list[Take]]:
    """What each slot of an answer takes, with its limits; slots that take nothing are absent."""
    at = decision.request.at
    wanted: dict[str, list[Take]] = {}
    for slot in decision.slots:
        found = [
            *_offer_takes((slot.offer_id, *slot.bundle), at, catalog),
            *_budget_takes(slot.incentive_id, slot.incentive_cost, at, catalog),
        ]
        if found:
            wanted[slot_name(decision.request.decision_id, slot.rank)] = found
    return wanted


def takes_of_outcome(payload: Mapping[str, Any]) -> list[Take]:
    """What an accepted slot may take, of whatever is counted; limits play no part any more.

    Args:
        payload: `decided_at`, `offer_id`, `bundle`, `incentive_id`, `incentive_cost` of the
            slot. Payloads of an older server lack the first and take nothing.
    """
    if "decided_at" not in payload:
        return []
    offers = (payload["offer_id"], *payload["bundle"])
    at = datetime.fromisoformat(payload["decided_at"])
    return takes_of(offers, payload["incentive_id"], payload["incentive_cost"], at)


def takes_of(offers: Iterable[str], incentive_id: str, cost: float, at: datetime) -> list[Take]:
    """What a slot may take of whatever is counted, whether or not it has limits now.

    Args:
        offers: What was offered, a bundle with its parts.
        incentive_id: With which incentive.
        cost: Of the incentive when it was decided, in the catalogue's currency.
        at: When it was decided.
    """
    found: list[Take] = []
    for offer_id in offers:
        found.append(Take(total_scope(offer_id), total_counter(offer_id), 1))
        found.append(Take(day_scope(offer_id), day_counter(offer_id, at), 1))
    units = cost_units(cost)
    if units > 0:
        for period in Period:
            counter = budget_counter(incentive_id, period, at)
            found.append(Take(budget_scope(incentive_id, period), counter, units))
    return found


def slot_name(decision_id: str, rank: int) -> str:
    """A slot's name among all."""
    return f"{decision_id}/{rank}"


def _offer_takes(offers: Iterable[str], at: datetime, catalog: Catalog) -> Iterable[Take]:
    for offer_id in offers:
        total, daily = catalog.offers[offer_id].caps.total, catalog.offers[offer_id].caps.daily
        if total is not None:
            yield Take(total_scope(offer_id), total_counter(offer_id), 1, total)
        if daily is not None:
            yield Take(day_scope(offer_id), day_counter(offer_id, at), 1, daily)


def _budget_takes(incentive_id: str, cost: float, at: datetime, catalog: Catalog) -> Iterable[Take]:
    budget = catalog.incentives[incentive_id].budget
    units = cost_units(cost)
    if budget is not None and units > 0:
        counter = budget_counter(incentive_id, budget.period, at)
        yield Take(budget_scope(incentive_id, budget.period), counter, units, amount_units(budget))


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
