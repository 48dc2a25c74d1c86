"""Reading what applies to every decision: contact policy, context, selection."""

from __future__ import annotations

from nbo.decision.arms import Selection
from nbo.decision.catalog_known import Known
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_rules import read_fact, read_rule, read_rules
from nbo.decision.facts import FactType
from nbo.decision.history import Outcome
from nbo.decision.policies import ContextWeight, Frequency, Policies, Suppression, Target
from nbo.decision.screen_columns import fits

_SCOPES = ("offer", "group", "all")
_SELECTIONS = ("greedy", "epsilon", "softmax", "thompson")
_MOST_DRAWS = 2_000
"""Of every treatment in every decision: with 400 treatments a tenth of a second."""
_COLDEST = 1e-6
_SETTINGS = {"epsilon": "epsilon", "softmax": "temperature", "thompson": "draws"}
"""Selection policy to the one setting it has."""


def read_policies(section: Section, known: Known) -> Policies:
    """Read the section ``policies``.

    Args:
        section: Where it stands; may be empty.
        known: What policies may refer to.
    """
    policies = Policies(
        do_not_contact=read_fact(section, "do_not_contact", FactType.FLAG, known.rules),
        service_first=read_rules(section, "service_first", known.rules),
        suppression=tuple(
            _read_suppression(own, known) for own in section.sections("suppression", "suppression")
        ),
        frequency=tuple(
            _read_frequency(own, known) for own in section.sections("frequency", "frequency")
        ),
        context=tuple(_read_context(own, known) for own in section.sections("context", "context")),
        selection=read_selection(section.section("selection")),
        smoothing_evidence=section.number("smoothing_evidence", 50.0, low=0.0),
        per_group=section.count("per_group", 1, low=1),
        propensity_floor=section.number("propensity_floor", 0.0, low=0.0, high=0.999999),
    )
    section.done()
    return policies


def read_selection(section: Section) -> Selection:
    """Read how slots are chosen from the ranking."""
    policy = section.choice("policy", _SELECTIONS, "greedy")
    selection = Selection(
        policy,
        epsilon=section.number("epsilon", 0.0, low=0.0, high=1.0),
        temperature=section.number("temperature", 1.0, low=_COLDEST),
        draws=section.count("draws", 200, low=1, high=_MOST_DRAWS),
    )
    if policy == "epsilon" and not section.has("epsilon"):
        section.problem("epsilon", "is missing; e.g. epsilon: 0.05 explores in 5 % of the slots")
    if policy == "softmax" and not section.has("temperature"):
        section.problem(
            "temperature", "is missing; e.g. 2.5: offers whose priorities differ by it are e : 1"
        )
    for belongs, setting in _SETTINGS.items():
        if belongs != policy and section.has(setting) and policy in _SELECTIONS:
            section.problem(setting, f"is a setting of {belongs}, not of {policy}")
    section.done()
    return selection


def _read_suppression(section: Section, known: Known) -> Suppression:
    outcome = section.choice("outcome", [outcome.value for outcome in Outcome])
    suppression = Suppression(
        name=section.text("name"),
        outcome=Outcome(outcome) if outcome in Outcome.__members__ else Outcome.DECLINED,
        scope=section.choice("scope", _SCOPES),
        window=section.duration("window"),
        count=section.count("count", 1, low=1),
        pause=section.duration("pause"),
        channel=section.reference("channel", known.channels, ""),
        target=_read_target(section, known),
    )
    section.done()
    return suppression


def _read_frequency(section: Section, known: Known) -> Frequency:
    frequency = Frequency(
        name=section.text("name"),
        limit=section.count("limit", low=0),
        period=section.duration("period"),
        channel=section.reference("channel", known.channels, ""),
        target=_read_target(section, known),
    )
    section.done()
    return frequency


def _read_context(section: Section, known: Known) -> ContextWeight:
    name = section.text("name")
    weight = ContextWeight(
        rule=read_rule(section, "when", name, known.rules, called=section.name),
        weight=section.number("weight", low=-100.0),
        target=_read_target(section, known),
    )
    if not any(section.has(field) for field in ("issue", "group", "offer")):
        section.problem("", "names no issue, group or offer it is for")
    section.done()
    return weight


def _read_target(section: Section, known: Known) -> Target:
    """What a policy attaches to; everything if it names nothing."""
    already = len(section.notes.problems)
    target = Target(
        issue=section.reference("issue", known.issues, ""),
        group_id=section.reference("group", known.groups, ""),
        offer_id=section.reference("offer", known.offers, ""),
    )
    groups = known.groups
    concerns = (
        fits(target, offer.offer_id, offer.group_id, groups) for offer in known.offers.values()
    )
    if len(section.notes.problems) == already and not any(concerns):
        section.warn("", "concerns no offer")
    return target
