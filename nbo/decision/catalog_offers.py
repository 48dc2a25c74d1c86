"""Reading what may be said: incentives and offers."""

from __future__ import annotations

from collections.abc import Mapping

from nbo.decision.catalog import NO_INCENTIVE, Incentive, Offer
from nbo.decision.catalog_known import Known, check_currency
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_rules import read_rules, read_script
from nbo.decision.catalog_scalars import remedy
from nbo.decision.limits import NO_CAPS, Budget, Caps, Period
from nbo.decision.triggers import MOST_STARS, matches

UNSEEN_RATE = 0.1
"""Acceptance rate where neither the catalogue states one nor the group was ever offered."""

_SMALLEST = 1e-6
_VALUE_PARTS = ("term_months", "margin", "cancellation")
_NONE = NO_INCENTIVE.incentive_id


def read_incentive(section: Section, known: Known) -> Incentive:
    """Read one incentive; `none` exists by itself and cannot be redefined."""
    incentive_id = section.key("id")
    if incentive_id == _NONE:
        section.problem("id", "'none' is reserved for no incentive, which always exists")
    check_currency(section, known)
    return Incentive(
        incentive_id=incentive_id,
        name=section.wording("name", known.languages),
        kind=section.text("kind"),
        cost=section.number("cost", low=0.0),
        monthly_cost=section.number("monthly_cost", 0.0, low=0.0),
        rules=read_rules(section, "rules", known.rules),
        attributes=section.numbers("attributes"),
        script=read_script(section, known.languages, known.rules),
        budget=_read_budget(section),
        immediate_use=section.flag("immediate_use", default=False),
    )


def read_offer(section: Section, known: Known, rates: Mapping[str, float]) -> Offer:
    """Read one offer.

    Args:
        section: Where it stands.
        known: What it may refer to; offers are not known yet, so a bundle is not checked.
        rates: Observed acceptance rate by group id, where no prior is declared.
    """
    offer_id = section.key("id")
    if offer_id == _NONE:
        section.problem("id", "'none' is reserved: it says that a channel has no fallback")
    starts, ends = section.instant("starts"), section.instant("ends")
    if starts and ends and ends <= starts:
        section.problem("ends", f"must be after starts ({starts:%Y-%m-%d %H:%M} UTC)")
    check_currency(section, known)
    group_id = section.reference("group", known.groups)
    prior = section.optional_number("prior", low=_SMALLEST, high=1 - _SMALLEST)
    value, revenue, term, margin, cancellation = _read_value(section)
    return Offer(
        offer_id=offer_id,
        group_id=group_id,
        name=section.wording("name", known.languages),
        script=read_script(section, known.languages, known.rules),
        value=value,
        monthly_revenue=revenue,
        term_months=term,
        margin=margin,
        cancellation=cancellation,
        prior=_observed(rates, group_id) if prior is None else prior,
        prior_declared=prior is not None,
        channels=frozenset(section.references("channels", known.channels, required=True)),
        starts=starts,
        ends=ends,
        requires=section.references("requires", known.products),
        excludes=section.references("excludes", known.products),
        sells=section.reference("sells", known.products, ""),
        purpose=section.reference("purpose", known.purposes, ""),
        eligibility=read_rules(section, "eligibility", known.rules),
        triggers=_read_triggers(section, known.rules.schema.events),
        applicability=read_rules(section, "applicability", known.rules),
        suitability=read_rules(section, "suitability", known.rules),
        incentives=section.references("incentives", known.incentives) or (_NONE,),
        lever=section.number("lever", 0.0, low=-100.0),
        service=section.flag("service", default=False),
        attributes=section.numbers("attributes"),
        caps=_read_caps(section),
        mandatory=section.flag("mandatory", default=False),
        bundle=tuple(name for name, _ in section.texts("bundle")),
        variants=_read_variants(section),
    )


def _observed(rates: Mapping[str, float], group_id: str) -> float:
    return min(max(rates.get(group_id, UNSEEN_RATE), _SMALLEST), 1 - _SMALLEST)


def _read_value(section: Section) -> tuple[float, float, float, float | None, float]:
    """Value, monthly revenue, term in months, margin and cancellation.

    The value is given, or worked out of the others.
    """
    revenue = section.number("monthly_revenue", 0.0)
    value = section.optional_number("value")
    term = section.number("term_months", 0.0, low=0.0, high=1_200.0)
    margin = section.optional_number("margin", low=-1.0, high=1.0)
    cancellation = section.number("cancellation", 0.0, low=0.0, high=1.0)
    given = [part for part in _VALUE_PARTS if section.has(part)]
    if value is not None:
        if given:
            section.problem(given[0], "stands beside value; give one or the other")
        return value, revenue, 0.0, None, 0.0
    if not given and not section.has("monthly_revenue"):
        needed = "or monthly_revenue, term_months, margin and cancellation"
        section.problem("value", f"is missing; write value, {needed}")
    else:
        for part in ("monthly_revenue", "term_months", "margin"):
            if not section.has(part):
                section.problem(part, "is missing; the value is worked out of it")
    worth = revenue * term * (margin or 0.0) * (1.0 - cancellation)
    return worth, revenue, term, margin, cancellation


def _read_budget(section: Section) -> Budget | None:
    if not section.has("budget"):
        return None
    own = section.section("budget")
    amount = own.number("amount", low=0.01)
    period = own.choice("period", [period.value for period in Period])
    own.done()
    return Budget(amount, Period(period)) if period in set(Period) else None


def _read_caps(section: Section) -> Caps:
    if not section.has("caps"):
        return NO_CAPS
    own = section.section("caps")
    caps = Caps(total=own.optional_count("total"), daily=own.optional_count("daily"))
    own.done()
    if caps == NO_CAPS:
        section.problem("caps", "names neither total nor daily")
    if caps.total is not None and caps.daily is not None and caps.daily > caps.total:
        own.problem("daily", f"must be at most total ({caps.total}), was {caps.daily}")
    return caps


def _read_triggers(section: Section, events: frozenset[str]) -> tuple[str, ...]:
    """Event types; each must fit one that exists, where these are known."""
    found = section.texts("triggers")
    for pattern, node in found:
        if pattern.count("*") > MOST_STARS:
            message = f"must have at most {MOST_STARS} stars, has {pattern.count('*')}"
            section.problem("triggers", message, node)
        elif events and not any(matches(pattern, event) for event in events):
            message = f"no event type fits {pattern!r}; {remedy(pattern, events)}"
            section.problem("triggers", message, node)
    if section.has("triggers") and not found:
        section.problem("triggers", "must name at least one event type")
    return tuple(pattern for pattern, _ in found)


def _read_variants(section: Section) -> tuple[str, ...]:
    found = section.texts("variants")
    if section.has("variants") and not found:
        section.problem("variants", "must name at least one")
    return tuple(variant for variant, _ in found)
