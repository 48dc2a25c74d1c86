"""Caps: nothing is offered of which all is taken or promised, nor paid from an empty budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from nbo.decision.catalog import Incentive
from nbo.decision.columns import Array, Flags
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.failure import Asked, Failure, Finding, Lacking, shared
from nbo.decision.limits import CapUse, Period, affordable, span_of
from nbo.decision.request import Request

UNREADABLE = "usage cannot be read"
_UNUSED = CapUse()


def cap_findings(asked: Asked) -> Iterator[Finding]:
    """Find the offers whose caps are used up, or are not known to be free."""
    columns, usage = asked.compiled.screen, asked.request.usage
    if not len(columns.capped):
        return
    used_total, used_daily = _used(asked.compiled, asked.request)
    unread = _unread(asked.compiled, asked.request)
    tomorrow = span_of(Period.DAY, asked.request.at).end
    for rule, caps, used, until in (
        ("total cap", columns.total_cap, used_total, None),
        ("daily cap", columns.daily_cap, used_daily, tomorrow),
    ):
        if unread.any():
            yield shared(np.isfinite(caps) & unread, _unknown(rule))
        if usage.known:
            yield _used_up(rule, caps, np.where(unread, -1.0, used), until)


def budget_failure(incentive: Incentive, request: Request) -> Failure | None:
    """Find whether an incentive's budget no longer pays for one more of it."""
    budget = incentive.budget
    if budget is None:
        return None
    if not request.usage.knows_budget(incentive.incentive_id):
        return _unknown("budget")
    spent = request.usage.budgets.get(incentive.incentive_id, 0.0)
    if affordable(budget, spent, incentive.cost) != 0:
        return None
    detail = f"{spent:.10g} of {budget.amount:.10g} spent this {budget.period}"
    detail += f", costs {incentive.cost:.10g}"
    return Failure("caps", "budget", detail, until=span_of(budget.period, request.at).end)


def _unknown(rule: str) -> Failure:
    return Failure("caps", rule, UNREADABLE, lacking=Lacking.KNOWLEDGE)


def _used_up(rule: str, caps: Array, used: Array, until: datetime | None) -> Finding:
    def why(position: int) -> Failure:
        detail = f"{used[position]:.0f} taken or reserved, limit {caps[position]:.0f}"
        lacking = Lacking.UNTOLD if until else Lacking.CAP
        return Failure("caps", rule, detail, until=until, lacking=lacking)

    return Finding(used >= caps, why)


def _unread(compiled: CompiledCatalog, request: Request) -> Flags:
    """Where the use of caps is not known, (n_offers,) bool."""
    usage = request.usage
    unread = np.full(len(compiled.offers), not usage.known)
    if usage.known and usage.unknown_offers:
        for position in compiled.screen.capped.tolist():
            unread[position] = not usage.knows_offer(compiled.offers[position].offer.offer_id)
    return unread


def _used(compiled: CompiledCatalog, request: Request) -> tuple[Array, Array]:
    """What is used up of the total and of the daily caps, (n_offers,) each."""
    total, daily = np.zeros(len(compiled.offers)), np.zeros(len(compiled.offers))
    used = request.usage.offers
    if used:
        for position in compiled.screen.capped.tolist():
            use = used.get(compiled.offers[position].offer.offer_id, _UNUSED)
            total[position], daily[position] = use
    return total, daily
