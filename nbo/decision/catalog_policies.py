"""Reading what applies to every decision: contact policy, context, selection, experiments."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nbo.decision.arms import Arm, Experiment, Selection
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_rules import read_flag_fact, read_rule, read_rules
from nbo.decision.history import Outcome
from nbo.decision.policies import ContextWeight, Frequency, Policies, Suppression, Target
from nbo.decision.rules import RuleLanguage

_SCOPES = ("offer", "group", "all")
_SELECTIONS = ("greedy", "epsilon")
_SMALLEST_SHARE = 1e-6


def read_policies(
    section: Section, language: RuleLanguage, known: Mapping[str, Collection[str]]
) -> Policies:
    """Read the section ``policies``.

    Args:
        section: Where it stands; may be empty.
        language: What its rules may say.
        known: Ids it may refer to: of ``channels``, ``groups`` and ``offers``.
    """
    channels = known["channels"]
    policies = Policies(
        do_not_contact=read_flag_fact(section, "do_not_contact", language),
        service_first=read_rules(section, "service_first", language),
        suppression=tuple(
            _read_suppression(own, channels)
            for own in section.sections("suppression", "suppression")
        ),
        frequency=tuple(
            _read_frequency(own, channels) for own in section.sections("frequency", "frequency")
        ),
        context=tuple(
            _read_context(own, language, known) for own in section.sections("context", "context")
        ),
        selection=_read_selection(section.section("selection")),
        smoothing_evidence=section.number("smoothing_evidence", 50.0, low=0.0),
        per_group=section.count("per_group", 1, low=1),
        propensity_floor=section.number("propensity_floor", 0.0, low=0.0, high=0.999999),
    )
    section.done()
    return policies


def read_experiments(section: Section) -> tuple[Experiment, ...]:
    """Read the list ``experiments`` of the whole file."""
    found: dict[str, Experiment] = {}
    for own in section.sections("experiments", "experiment", id_field="id"):
        experiment = _read_experiment(own)
        if experiment.experiment_id in found:
            own.problem("id", f"{experiment.experiment_id!r} is used twice")
        found[experiment.experiment_id] = experiment
    return tuple(found.values())


def _read_suppression(section: Section, channels: Collection[str]) -> Suppression:
    outcome = section.choice("outcome", [outcome.value for outcome in Outcome])
    suppression = Suppression(
        name=section.text("name"),
        outcome=Outcome(outcome) if outcome in Outcome.__members__ else Outcome.DECLINED,
        scope=section.choice("scope", _SCOPES),
        window=section.duration("window"),
        count=section.count("count", 1, low=1),
        pause=section.duration("pause"),
        channel=section.choice("channel", channels, ""),
    )
    section.done()
    return suppression


def _read_frequency(section: Section, channels: Collection[str]) -> Frequency:
    frequency = Frequency(
        name=section.text("name"),
        limit=section.count("limit", low=0),
        period=section.duration("period"),
        channel=section.choice("channel", channels, ""),
    )
    section.done()
    return frequency


def _read_context(
    section: Section, language: RuleLanguage, known: Mapping[str, Collection[str]]
) -> ContextWeight:
    weight = ContextWeight(
        rule=read_rule(section, section.text("name"), language, called=section.name),
        weight=section.number("weight", low=-100.0),
        target=Target(
            group_id=section.choice("group", known["groups"], ""),
            offer_id=section.choice("offer", known["offers"], ""),
        ),
    )
    if not section.has("group") and not section.has("offer"):
        section.problem("", "names neither a group nor an offer it is for")
    section.done()
    return weight


def _read_selection(section: Section) -> Selection:
    policy = section.choice("policy", _SELECTIONS, "greedy")
    epsilon = section.number("epsilon", 0.0, low=0.0, high=1.0)
    if policy == "epsilon" and not section.has("epsilon"):
        section.problem("epsilon", "is missing; e.g. epsilon: 0.05 explores in 5 % of the slots")
    section.done()
    return Selection(policy, epsilon)


def _read_experiment(section: Section) -> Experiment:
    arms: dict[str, Arm] = {}
    total = 0.0
    already = len(section.notes.problems)
    for own in section.sections("arms", f"{section.name}: arm", id_field="id"):
        arm = _read_arm(own)
        if arm.arm_id in arms:
            own.problem("id", f"{arm.arm_id!r} is used twice")
        arms[arm.arm_id] = arm
        total += arm.share
    if not arms:
        section.problem("arms", "must list at least one arm")
    elif abs(total - 1.0) > 1e-9 and len(section.notes.problems) == already:
        section.problem("arms", f"shares add up to {total:g}, must be 1")
    experiment = Experiment(
        experiment_id=section.key("id"), salt=section.text("salt"), arms=tuple(arms.values())
    )
    section.done()
    return experiment


def _read_arm(section: Section) -> Arm:
    arm = Arm(
        arm_id=section.key("id"),
        share=section.number("share", low=_SMALLEST_SHARE, high=1.0),
        holdout=section.flag("holdout", default=False),
        random=section.flag("random", default=False),
        propensity=section.flag("propensity", default=True),
        value=section.flag("value", default=True),
        levers=section.flag("levers", default=True),
        context=section.flag("context", default=True),
        incentives=section.flag("incentives", default=True),
        model=section.text("model", ""),
    )
    section.done()
    return arm
