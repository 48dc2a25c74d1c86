"""The catalogue in force: offers, incentives, groups and policies, frozen and checked.

Built from text by `nbo.decision.catalog_text`; immutable afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from nbo.decision.history import Outcome


@dataclass(frozen=True, slots=True)
class RuleText:
    """One condition as marketing wrote it.

    Attributes:
        name: What a refusal calls it, e.g. ``"minimum tenure"``.
        when: CEL expression over facts; true passes, false and unknown refuse.
        line: 1-based line in the catalogue file, for errors.
    """

    name: str
    when: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Incentive:
    """What sweetens an offer. `none` always exists, costs nothing and has no rules.

    Attributes:
        incentive_id: Stable key.
        name: Per language.
        kind: e.g. ``"discount"``, ``"free_months"``, ``"none"``.
        cost: Charged on every acceptance, in the catalogue's currency, >= 0.
        monthly_cost: Part of the offer's monthly revenue given up, per month, >= 0.
        rules: Who may get it.
        attributes: Numbers models may use, e.g. ``{"discount_percent": 10.0}``.
        script: Said after the offer's script, per language; may hold ``{fact}`` placeholders.
    """

    incentive_id: str
    name: Mapping[str, str]
    kind: str
    cost: float
    monthly_cost: float = 0.0
    rules: tuple[RuleText, ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
    script: Mapping[str, str] = field(default_factory=dict)


NO_INCENTIVE = Incentive(incentive_id="none", name={}, kind="none", cost=0.0)


@dataclass(frozen=True, slots=True)
class Issue:
    """What the business is after, e.g. to grow or to retain; groups serve it.

    Attributes:
        issue_id: Stable key.
        lever: Percent added to the lever of the offers of its groups; 0 means "no opinion".
    """

    issue_id: str
    lever: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Offers of one kind; at most `Policies.per_group` of them are returned together.

    Attributes:
        group_id: Stable key.
        issue: Business issue the group serves, e.g. ``"grow"``, ``"retain"``; one of
            `Catalog.issues` if there are any.
        lever: Percent added to the lever of its offers; 0 means "no opinion".
    """

    group_id: str
    issue: str = ""
    lever: float = 0.0


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposition that can be made to a customer.

    Attributes:
        offer_id: Stable key, unique in the catalogue.
        group_id: Group it belongs to.
        name: Per language.
        script: What the agent says, per language; may hold ``{fact}`` placeholders.
        value: Expected margin if accepted, in the catalogue's currency, over the term, after
            expected cancellations.
        monthly_revenue: What it adds to the customer's bill, per month; 0 for one-off offers.
        prior: Declared acceptance rate before anything was seen, in (0, 1).
        starts: First instant it may be offered, inclusive; None for always.
        ends: First instant it may no longer be offered; None for never.
        channels: Where it may be offered.
        eligibility: May they?
        applicability: Now?
        suitability: Good for them?
        incentives: Ids of the incentives it may come with; contains ``"none"`` unless the
            catalogue says otherwise.
        lever: Percent added to its priority multiplier.
        service: A service message: skips frequency, never suppression.
        attributes: Numbers models may use, e.g. ``{"price": 39.9}``.
    """

    offer_id: str
    group_id: str
    name: Mapping[str, str]
    script: Mapping[str, str]
    value: float
    prior: float
    channels: frozenset[str]
    monthly_revenue: float = 0.0
    starts: datetime | None = None
    ends: datetime | None = None
    eligibility: tuple[RuleText, ...] = ()
    applicability: tuple[RuleText, ...] = ()
    suitability: tuple[RuleText, ...] = ()
    incentives: tuple[str, ...] = ("none",)
    lever: float = 0.0
    service: bool = False
    attributes: Mapping[str, float] = field(default_factory=dict)


class Treatment(NamedTuple):
    """Offer × incentive: what is actually said."""

    offer: Offer
    incentive: Incentive


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach a customer.

    Attributes:
        channel_id: e.g. ``"voice"``.
        consent: FLAG fact that must be true to offer anything here; empty for none needed.
    """

    channel_id: str
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """At least `count` of `outcome` within `window` pause the scope for `pause` after the last.

    Attributes:
        scope: ``"offer"``, ``"group"`` or ``"all"``.
        channel: Only contacts on this channel count; empty for all.
    """

    name: str
    outcome: Outcome
    scope: str
    window: timedelta
    count: int
    pause: timedelta
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Frequency:
    """At most `limit` exposures per customer within `period`; blocks at count >= limit.

    Attributes:
        channel: Only exposures on this channel count and are blocked; empty for all.
    """

    name: str
    limit: int
    period: timedelta
    channel: str = ""


@dataclass(frozen=True, slots=True)
class ContextWeight:
    """Adds `weight` percent to the context factor of offers of `group_id` while `rule` holds."""

    rule: RuleText
    weight: float
    group_id: str = ""
    offer_id: str = ""


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant of an experiment: what it overrides in the decision.

    Attributes:
        arm_id: e.g. ``"holdout"``.
        share: Part of the units, > 0; shares of one experiment add up to 1.
        holdout: Nothing is offered; the decision is still logged.
        random: Uniform among eligible treatments' offers.
        propensity: False switches P off (a factor that is switched off is 1).
        value: False switches V and the incentive's cost off.
        levers: False switches levers off.
        context: False switches context weights off.
        incentives: False leaves only `none`.
        model: Name of a model other than the champion; empty for the champion.
    """

    arm_id: str
    share: float
    holdout: bool = False
    random: bool = False
    propensity: bool = True
    value: bool = True
    levers: bool = True
    context: bool = True
    incentives: bool = True
    model: str = ""


DEFAULT_ARM = Arm(arm_id="", share=1.0)


@dataclass(frozen=True, slots=True)
class Experiment:
    """Arms among which customers are divided by a salted hash, stable for ever."""

    experiment_id: str
    salt: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """How slots are chosen from the ranking: ``"greedy"``, or ``"epsilon"`` with its share."""

    policy: str = "greedy"
    epsilon: float = 0.0


@dataclass(frozen=True, slots=True)
class Policies:
    """Settings of the catalogue that apply to every decision.

    Attributes:
        do_not_contact: FLAG fact that silences everything while true; empty for none.
        service_first: CEL conditions under which nothing is sold.
        smoothing_evidence: S in the smoothing formula, outcomes, >= 0.
        per_group: At most so many offers of one group in a reply.
        propensity_floor: Treatments below it are refused, in [0, 1).
    """

    do_not_contact: str = ""
    service_first: tuple[RuleText, ...] = ()
    suppression: tuple[Suppression, ...] = ()
    frequency: tuple[Frequency, ...] = ()
    context: tuple[ContextWeight, ...] = ()
    selection: Selection = Selection()
    smoothing_evidence: float = 50.0
    per_group: int = 1
    propensity_floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that marketing may say, at one version.

    Attributes:
        version: Content hash of the text it was read from, 12 hex digits.
        currency: ISO 4217, of every amount.
        languages: The first is the default.
        issues: By id; empty when the catalogue has no opinion on them.
    """

    version: str
    currency: str
    languages: tuple[str, ...]
    channels: Mapping[str, Channel]
    groups: Mapping[str, Group]
    incentives: Mapping[str, Incentive]
    offers: Mapping[str, Offer]
    policies: Policies = Policies()
    experiments: tuple[Experiment, ...] = ()
    issues: Mapping[str, Issue] = field(default_factory=dict)
