"""What one failure of the screen lacks: in words, and as questions with which it would not fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from nbo.decision.catalog import Offer
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.facts import Fact
from nbo.decision.failure import Failure
from nbo.decision.limits import CapUse, Period, Usage, span_of
from nbo.decision.remedies import need
from nbo.decision.request import Request
from nbo.decision.rules import Activation

_SILENCE = "answered in this interaction"


class Lack(NamedTuple):
    """What would have had to differ.

    Attributes:
        needed: What was, and what would have had to be.
        ways: The same question with that one thing changed, one per way to change it; empty
            when none can be made up.
    """

    needed: str
    ways: tuple[Request, ...] = ()


def lack(
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
    if failure.detail.endswith("cannot be read"):
        return None  # what could not be read may speak against the offer as well
    if failure.expression:
        wanted = failure.expression not in _unwanted(failure, offer, compiled)
        return _lacking_rule(failure, request, activation, wanted=wanted)
    if failure.stage == "consent":
        return _lacking_consent(failure, request)
    if is_silence(failure):
        needed = f"{failure.detail}, needs another interaction"
        return Lack(needed, (replace(request, interaction_id=""),))
    find = _BY_RULE.get(rule_of(failure, offer))
    return find(failure, offer, request, compiled) if find else Lack(failure.detail)


def rule_of(failure: Failure, offer: Offer) -> str:
    """Name the rule, without the member's id where the offer is a bundle."""
    member, colon, rule = failure.rule.partition(": ")
    return rule if colon and member in offer.bundle else failure.rule


def is_silence(failure: Failure) -> bool:
    """Whether it ends with the interaction."""
    return failure.stage == "contact policy" and failure.rule.endswith(_SILENCE)


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
        usage=Usage(offers, budgets, usage.known),
    )


def _with_facts(request: Request, changes: Mapping[str, Fact]) -> Request:
    return replace(request, facts={**request.facts, **changes})


def _lacking_rule(
    failure: Failure, request: Request, activation: Activation, *, wanted: bool
) -> Lack:
    found = need(failure.expression, activation.facts, wanted=wanted)
    if found is None:
        said = failure.expression if wanted else f"!({failure.expression})"
        return Lack(f"{failure.detail}, needs {said}")
    ways = tuple(_with_facts(request, changes) for changes in found.remedies)
    return Lack(f"{found.was}, needs {found.needed}", ways)


def _unwanted(failure: Failure, offer: Offer, compiled: CompiledCatalog) -> Iterator[str]:
    """List the rules of products that must not be held, if that is what fails."""
    if failure.stage != "eligibility":
        return
    rule, products = rule_of(failure, offer), compiled.catalog.products
    for one in (offer, *(compiled.catalog.offers[member] for member in offer.bundle)):
        for product in one.excludes:
            if rule == f"excludes {product}":
                yield products[product].when.strip()
        if one.sells and rule == f"holds {one.sells} already":
            yield products[one.sells].when.strip()


def _lacking_consent(failure: Failure, request: Request) -> Lack:
    fact = failure.detail.partition(" is ")[0]
    wanted = not (failure.rule.endswith("do not contact") or " opt-out for " in failure.rule)
    needed = f"{failure.detail}, needs {str(wanted).lower()}"
    return Lack(needed, (_with_facts(request, {fact: wanted}),))


def _lacking_trigger(
    failure: Failure, offer: Offer, request: Request, compiled: CompiledCatalog
) -> Lack:
    del offer, compiled
    told, _, listed = failure.detail.rpartition(", waits for ")
    patterns = listed.split(", ")
    needed = listed if len(patterns) == 1 else f"one of {listed}"
    # A star stands for any text.
    ways = (_with_facts(request, {"event.type": one.replace("*", "any")}) for one in patterns)
    return Lack(f"{told}, needs {needed}", tuple(ways))


def _lacking_channel(
    failure: Failure, offer: Offer, request: Request, compiled: CompiledCatalog
) -> Lack:
    del failure, compiled
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


def _lacking_cap(
    failure: Failure, offer: Offer, request: Request, compiled: CompiledCatalog
) -> Lack:
    """Ask as if nothing had ever been taken of the offer, or of what it is a bundle of."""
    del compiled
    used = request.usage.offers
    free = {
        one: CapUse(0, used[one].daily) for one in (offer.offer_id, *offer.bundle) if one in used
    }
    freed = replace(request, usage=replace(request.usage, offers={**used, **free}))
    return Lack(f"{failure.detail}, needs a higher cap", (freed,))


_BY_RULE = {
    "trigger": _lacking_trigger,
    "channel": _lacking_channel,
    "language": _lacking_language,
    "total cap": _lacking_cap,
}
