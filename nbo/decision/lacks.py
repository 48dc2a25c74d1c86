"""What one failure of the screen lacks: in words, and as questions with which it would not fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from nbo.decision.catalog import Offer
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.facts import Fact
from nbo.decision.failure import Failure, Lacking
from nbo.decision.limits import CapUse, Period, span_of
from nbo.decision.remedies import need
from nbo.decision.request import Request
from nbo.decision.rules import Activation
from nbo.decision.triggers import EVENT_TYPE, what_happened


class Lack(NamedTuple):
    """What would have had to differ.

    Attributes:
        needed: What was, and what would have had to be.
        ways: The same question with that one thing changed, one per way to change it; empty
            when none can be made up.
    """

    needed: str
    ways: tuple[Request, ...] = ()


def lack(  # noqa: PLR0911  # one per thing that can be lacking
    failure: Failure,
    offer: Offer,
    request: Request,
    compiled: CompiledCatalog,
    activation: Activation,
) -> Lack | None:
    """Find what a failure that time does not heal lacks; None when that cannot be told.

    Args:
        failure: Of the offer, or of a member if it is a bundle.
        offer: Which fell.
        request: As asked.
        compiled: The catalogue.
        activation: The request's facts.
    """
    speaks = compiled.catalog.offers[failure.member] if failure.member else offer
    match failure.lacking:
        case Lacking.KNOWLEDGE:
            return None
        case Lacking.RULE | Lacking.NO_RULE:
            return _lacking_rule(failure, request, activation)
        case Lacking.YES | Lacking.NO:
            return _lacking_flag(failure, request)
        case Lacking.INTERACTION:
            needed = f"{failure.detail}, needs another interaction"
            return Lack(needed, (replace(request, interaction_id=""),))
        case Lacking.EVENT:
            return _lacking_event(speaks, request, activation)
        case Lacking.CHANNEL:
            return _lacking_channel(speaks, request)
        case Lacking.LANGUAGE:
            return _lacking_language(failure, speaks, request, compiled)
        case Lacking.CAP:
            return _lacking_cap(failure, speaks, request)
        case Lacking.UNTOLD:
            return Lack(failure.detail)


def asked_later(
    request: Request, compiled: CompiledCatalog, at: datetime, *, anew: bool
) -> Request:
    """Ask the same later, of counts that begin anew with their day or period.

    Args:
        request: As asked.
        compiled: The catalogue.
        at: When instead, later.
        anew: In another interaction.
    """
    usage = request.usage
    same_day = span_of(Period.DAY, request.at) == span_of(Period.DAY, at)
    incentives = compiled.catalog.incentives
    budgets = {
        incentive_id: spent
        for incentive_id, spent in usage.budgets.items()
        if incentive_id in incentives
        and (budget := incentives[incentive_id].budget)
        and at < span_of(budget.period, request.at).end
    }
    offers = {
        offer_id: use if same_day else CapUse(use.total) for offer_id, use in usage.offers.items()
    }
    return replace(
        request,
        at=at,
        interaction_id="" if anew else request.interaction_id,
        usage=replace(usage, offers=offers, budgets=budgets),
    )


def _with_facts(request: Request, changes: Mapping[str, Fact]) -> Request:
    return replace(request, facts={**request.facts, **changes})


def _lacking_rule(failure: Failure, request: Request, activation: Activation) -> Lack:
    wanted = failure.lacking is Lacking.RULE
    found = need(failure.expression, activation.facts, wanted=wanted)
    if found is None:
        said = failure.expression if wanted else f"!({failure.expression})"
        return Lack(f"{failure.detail}, needs {said}")
    ways = tuple(_with_facts(request, changes) for changes in found.remedies)
    return Lack(f"{found.was}, needs {found.needed}", ways)


def _lacking_flag(failure: Failure, request: Request) -> Lack:
    wanted = failure.lacking is Lacking.YES
    needed = f"{failure.detail}, needs {str(wanted).lower()}"
    return Lack(needed, (_with_facts(request, {failure.fact: wanted}),))


def _lacking_event(offer: Offer, request: Request, activation: Activation) -> Lack:
    listed = ", ".join(offer.triggers)
    needed = listed if len(offer.triggers) == 1 else f"one of {listed}"
    # A star stands for any text.
    events = (pattern.replace("*", "any") for pattern in offer.triggers)
    ways = tuple(_with_facts(request, {EVENT_TYPE: event}) for event in events)
    return Lack(f"{what_happened(activation.facts)}, needs {needed}", ways)


def _lacking_channel(offer: Offer, request: Request) -> Lack:
    channels = sorted(offer.channels)
    ways = (
        replace(_with_facts(request, {"interaction.channel": channel}), channel=channel)
        for channel in channels
    )
    return Lack(f"asked on {request.channel}, needs {' or '.join(channels)}", tuple(ways))


def _lacking_language(
    failure: Failure, offer: Offer, request: Request, compiled: CompiledCatalog
) -> Lack:
    spoken = [language for language in compiled.catalog.languages if language in offer.name]
    ways = tuple(replace(request, language=language) for language in spoken)
    return Lack(f"{failure.detail}, needs one or to be asked in {' or '.join(spoken)}", ways)


def _lacking_cap(failure: Failure, offer: Offer, request: Request) -> Lack:
    """Ask as if nothing had ever been taken of the offer."""
    used = request.usage.offers
    free = CapUse(0, used.get(offer.offer_id, CapUse()).daily)
    freed = replace(request.usage, offers={**used, offer.offer_id: free})
    return Lack(f"{failure.detail}, needs a higher cap", (replace(request, usage=freed),))
