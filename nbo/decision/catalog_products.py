"""Reading what offers are ordered by: channels, products, purposes, issues and groups."""

from __future__ import annotations

from nbo.decision.catalog import Channel, Group, Issue, Purpose
from nbo.decision.catalog_known import Known, Places
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_rules import read_fact, read_rule
from nbo.decision.catalog_scalars import remedy
from nbo.decision.facts import FactType
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import RuleLanguage

NO_FALLBACK = "none"
_NO_FALLBACK_SAID = (
    "is missing; name the offer made when nothing can be known of the customer, "
    "or write `fallback: none`"
)


def read_channel(section: Section, channel_id: str, rules: RuleLanguage) -> Channel:
    """Read one channel; which offers there are is known later, so its fallback is not checked."""
    consent = read_fact(section, "consent", FactType.FLAG, rules)
    fallback = section.text("fallback", missing=_NO_FALLBACK_SAID)
    return Channel(channel_id, consent, "" if fallback == NO_FALLBACK else fallback)


def read_products(root: Section, rules: RuleLanguage, places: Places) -> dict[str, RuleText]:
    """Read the mapping ``products``: id to the rule that is true for who holds it."""
    ids, section = root.named_texts("products")
    places.products = section
    return {
        product: read_rule(section, product, product, rules, called=f"product {product!r}")
        for product in ids
    }


def read_purpose(section: Section, known: Known) -> Purpose:
    """Read one purpose of contact and the consent it needs."""
    return Purpose(
        purpose_id=section.key("id"),
        opt_in=_read_consents(section, "opt_in", known),
        opt_out=_read_consents(section, "opt_out", known),
    )


def read_issue(section: Section) -> Issue:
    """Read one business issue."""
    return Issue(issue_id=section.key("id"), lever=section.number("lever", 0.0, low=-100.0))


def read_group(section: Section, known: Known) -> Group:
    """Read one group; its issue must be one of those the catalogue lists, if any."""
    group_id = section.key("id")
    issue = section.text("issue", "")
    if issue and known.issues and issue not in known.issues:
        section.problem("issue", f"unknown {issue!r}; {remedy(issue, known.issues)}")
    return Group(group_id, issue, section.number("lever", 0.0, low=-100.0))


def _read_consents(section: Section, field: str, known: Known) -> dict[str, str]:
    channels, own = section.named_texts(field)
    found = {}
    for channel in channels:
        if channel not in known.channels:
            message = f"unknown channel {channel!r}; {remedy(channel, known.channels)}"
            own.problem(channel, message)
        if own.has(channel):
            found[channel] = read_fact(own, channel, FactType.FLAG, known.rules)
        else:
            own.problem(channel, "names no fact")
    return found
