"""How much of caps and budgets is used up, for those who plan them."""

from __future__ import annotations

from datetime import datetime

from nbo.decision.catalog import Catalog, Incentive, Offer
from nbo.decision.limits import NO_CAPS, Budget, CapUse, Usage, span_of
from nbo.decision.pacing import shadow_price
from nbo.v1 import catalog_pb2
from serving.wire import from_time

_UNUSED = CapUse()


def usage_report(catalog: Catalog, usage: Usage, at: datetime) -> catalog_pb2.GetUsageResponse:
    """Put what is used beside what there is; amounts are left out when they are not known."""
    return catalog_pb2.GetUsageResponse(
        at=from_time(at),
        known=usage.known and not usage.unknown_offers and not usage.unknown_budgets,
        caps=[
            _cap(offer, usage)
            for _, offer in sorted(catalog.offers.items())
            if offer.caps != NO_CAPS
        ],
        budgets=[
            _budget(incentive, incentive.budget, usage, at)
            for _, incentive in sorted(catalog.incentives.items())
            if incentive.budget is not None
        ],
        currency=catalog.currency,
    )


def _cap(offer: Offer, usage: Usage) -> catalog_pb2.CapUsage:
    total, daily = offer.caps.total, offer.caps.daily
    known = usage.knows_offer(offer.offer_id)
    used = usage.offers.get(offer.offer_id, _UNUSED)
    return catalog_pb2.CapUsage(
        offer_id=offer.offer_id,
        total_used=used.total if known and total is not None else None,
        total=total,
        daily_used=used.daily if known and daily is not None else None,
        daily=daily,
    )


def _budget(
    incentive: Incentive, budget: Budget, usage: Usage, at: datetime
) -> catalog_pb2.BudgetUsage:
    known = usage.knows_budget(incentive.incentive_id)
    spent = usage.budgets.get(incentive.incentive_id, 0.0) if known else None
    span = span_of(budget.period, at)
    return catalog_pb2.BudgetUsage(
        incentive_id=incentive.incentive_id,
        spent=spent,
        amount=budget.amount,
        period=budget.period.value,
        starts=from_time(span.start),
        ends=from_time(span.end),
        elapsed=span.elapsed(at),
        shadow_price=None if spent is None else shadow_price(budget, spent, at),
    )
