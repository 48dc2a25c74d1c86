"""Caps and budgets: how much of an offer or incentive there is, and how much is used up.

What is used counts both what was accepted and what is reserved: returned in an answer and not
yet decided by the customer. The counts are given with the request, never fetched.

Money is counted in whole `UNITS`, so that sums have no drift and whoever decides and whoever
counts agree to the last of them. A cost is rounded up to them and a budget down, so that no
rounding ever overspends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

UNITS = 10_000
"""Per unit of the currency: they hold the minor unit of every currency of ISO 4217."""

_END = datetime.max.replace(tzinfo=UTC)


class Period(StrEnum):
    """Calendar period of a budget, in UTC; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Span(NamedTuple):
    """One period of the calendar.

    Attributes:
        start: Its first instant, UTC.
        end: The first instant after it, UTC.
    """

    start: datetime
    end: datetime

    def elapsed(self, at: datetime) -> float:
        """Part of the span that has passed at an instant, in [0, 1]."""
        return min(1.0, max(0.0, (at - self.start) / (self.end - self.start)))


@dataclass(frozen=True, slots=True)
class Caps:
    """How often an offer may be taken.

    Attributes:
        total: Acceptances ever, reservations included, >= 0; None for no limit.
        daily: The same per calendar day in UTC, by the day of the decision.
    """

    total: int | None = None
    daily: int | None = None


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent on an incentive.

    Attributes:
        amount: Per period, in the catalogue's currency, > 0.
        period: After which the whole amount is there again.
    """

    amount: float
    period: Period


class CapUse(NamedTuple):
    """How much of an offer's caps is used up.

    Attributes:
        total: Ever.
        daily: On the day of the request.
    """

    total: int = 0
    daily: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What is used up of caps and budgets at the instant asked.

    Attributes:
        offers: By offer id, of offers with caps; one that is absent has used nothing.
        budgets: By incentive id, spent in the current period, in the catalogue's currency.
        known: False when it could not be read: then nothing with a cap or budget is offered.
        unknown_offers: Ids of offers of which the use is not known: they are not offered.
        unknown_budgets: The same of incentives.
    """

    offers: Mapping[str, CapUse] = field(default_factory=dict)
    budgets: Mapping[str, float] = field(default_factory=dict)
    known: bool = True
    unknown_offers: frozenset[str] = frozenset()
    unknown_budgets: frozenset[str] = frozenset()

    def knows_offer(self, offer_id: str) -> bool:
        """Whether it is known how much of an offer's caps is used up."""
        return self.known and offer_id not in self.unknown_offers

    def knows_budget(self, incentive_id: str) -> bool:
        """Whether it is known how much of an incentive's budget is spent."""
        return self.known and incentive_id not in self.unknown_budgets


NOTHING_USED = Usage()


def span_of(period: Period, at: datetime) -> Span:
    """The calendar period an instant falls into; the last ends where the calendar does."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.DAY:
        return Span(day, _days_after(day, 1))
    if period is Period.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Span(monday, _days_after(monday, 7))
    months = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}[period]
    first = (day.month - 1) // months * months + 1
    start = day.replace(month=first, day=1)
    after = first - 1 + months
    year = start.year + after // 12
    if year > MAXYEAR:
        return Span(start, _END)
    return Span(start, start.replace(year=year, month=after % 12 + 1))


def _days_after(start: datetime, days: int) -> datetime:
    return start + timedelta(days=days) if _END - start > timedelta(days=days) else _END


def cost_units(cost: float) -> int:
    """Money spent, rounded up."""
    return math.ceil(Decimal(repr(cost)) * UNITS)


def amount_units(budget: Budget) -> int:
    """Money there is, rounded down."""
    return math.floor(Decimal(repr(budget.amount)) * UNITS)


def affordable(budget: Budget, spent: float, cost: float) -> int | None:
    """How often a budget still pays for a cost.

    Args:
        budget: The amount.
        spent: Of it in its current period, in the same currency.
        cost: Of one time, in the same currency, >= 0.

    Returns:
        0 or more; None for any number, as it costs nothing.
    """
    each = cost_units(cost)
    if each == 0:
        return None
    return max(0, amount_units(budget) - round(spent * UNITS)) // each
