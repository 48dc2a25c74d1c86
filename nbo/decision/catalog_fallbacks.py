"""Fallbacks in a catalogue: each must pass when nothing can be known of the customer.

Without facts, history and counts no consent, rule, policy or cap can be judged, and what
cannot be judged refuses. Only an offer that needs none of it can be made then.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Channel, Offer
from nbo.decision.catalog_known import Places
from nbo.decision.catalog_scalars import listed, remedy
from nbo.decision.limits import NO_CAPS
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleError, RuleLanguage
from nbo.decision.screen_columns import fits

_ALWAYS_KNOWN = frozenset({"interaction.channel", "interaction.hour", "interaction.weekday"})


def check_fallback(channel: Channel, catalog: Catalog, places: Places, rules: RuleLanguage) -> None:
    """Note why a channel's fallback could not be made when it is needed."""
    offer = catalog.offers.get(channel.fallback)
    if offer is None:
        meant = remedy(channel.fallback, catalog.offers)
        message = f"unknown offer {channel.fallback!r}; {meant}, or write none"
        places.problem("channel", channel.channel_id, "fallback", message)
        return
    reasons = [
        *_of_offer(offer, channel),
        *_of_consent(offer, channel, catalog),
        *_of_rules(offer, rules),
    ]
    for reason in reasons:
        message = f"{offer.offer_id!r} cannot be made when nothing is known: {reason}"
        places.problem("channel", channel.channel_id, "fallback", message)
    for doubt in _doubts(offer, catalog):
        message = f"{offer.offer_id!r} may not be made when nothing is known: {doubt}"
        places.warn("channel", channel.channel_id, "fallback", message)


def _of_offer(offer: Offer, channel: Channel) -> Iterator[str]:
    if channel.channel_id not in offer.channels:
        yield f"it is not made on {channel.channel_id!r}, only on {listed(offer.channels)}"
    if not offer.service:
        yield "it is no service message; write service: true"
    if offer.incentives != (NO_INCENTIVE.incentive_id,):
        yield "it has incentives, which cost money; leave only none"
    if offer.caps != NO_CAPS:
        yield "it has caps, and what is used of them cannot be read then"
    if offer.bundle:
        yield "it is a bundle"
    if offer.variants:
        yield "it is made only in an experiment's variant"
    if offer.triggers:
        yield "it waits for an event"
    products = {*offer.requires, *offer.excludes, *([offer.sells] if offer.sells else [])}
    if products:
        yield f"whether the customer holds {listed(products)} cannot be known then"


def _of_consent(offer: Offer, channel: Channel, catalog: Catalog) -> Iterator[str]:
    needed = ""
    purpose = catalog.purposes.get(offer.purpose)
    if purpose is not None:
        own = channel.channel_id
        needed = purpose.opt_in.get(own, "") or purpose.opt_out.get(own, "")
    if not needed and (purpose is None or purpose.opt_in or purpose.opt_out):
        needed = channel.consent
    if needed:
        yield f"it needs the consent {needed}; give it a purpose that needs none"


def _of_rules(offer: Offer, rules: RuleLanguage) -> Iterator[str]:
    for rule in (*offer.eligibility, *offer.applicability, *offer.suitability):
        if needed := _facts_needed(rule, rules):
            yield f"its rule {rule.name!r} reads {listed(needed)}"


def _doubts(offer: Offer, catalog: Catalog) -> Iterator[str]:
    policies = catalog.policies
    if policies.do_not_contact:
        yield f"do_not_contact refuses everything while {policies.do_not_contact} is unknown"
    for suppression in policies.suppression:
        if fits(suppression.target, offer.offer_id, offer.group_id, catalog.groups):
            yield f"the suppression {suppression.name!r} concerns it"
    silent = [language for language in catalog.languages if language not in offer.name]
    if silent:
        yield f"it has no name in {listed(silent)}"
    if offer.starts or offer.ends:
        yield "it has dates"


def _facts_needed(rule: RuleText, rules: RuleLanguage) -> frozenset[str]:
    try:
        return frozenset(rules.compile(rule).reads) - _ALWAYS_KNOWN
    except RuleError:  # told where the rule was read
        return frozenset()
