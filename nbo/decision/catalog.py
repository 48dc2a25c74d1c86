"""The catalogue in force: offers, incentives, groups and policies, frozen and checked.

Built from text by `nbo.decision.catalog_text`; immutable afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from nbo.decision.arms import Experiment
from nbo.decision.limits import NO_CAPS, Budget, Caps
from nbo.decision.policies import DEFAULT_POLICIES, Policies
from nbo.decision.rule_text import RuleText


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
        budget: What may be spent on it per period; None for no limit.
        immediate_use: Whether the customer can use it at once, e.g. on this very call.
    """

    incentive_id: str
    name: Mapping[str, str]
    kind: str
    cost: float
    monthly_cost: float = 0.0
    rules: tuple[RuleText, ...] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
    script: Mapping[str, str] = field(default_factory=dict)
    budget: Budget | None = None
    immediate_use: bool = False


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
        prior: Acceptance rate before anything was seen, in (0, 1): declared, else the observed
            rate of its group.
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
        prior_declared: Whether the catalogue states the prior.
        term_months: How long it binds; 0 when not told.
        margin: Part of the revenue that stays, in [-1, 1]; None when `value` was given instead.
        cancellation: Expected part of the acceptances that are cancelled, in [0, 1].
        requires: Products the customer must hold.
        excludes: Products the customer must not hold.
        sells: Product an acceptance brings; who holds it is not offered it. Empty for none.
        purpose: Of `Catalog.purposes`, what consent is asked for; empty: the channel's own.
        triggers: Event types one of which must have triggered the contact, wildcards allowed
            (``"claim.*"``); empty for no need of a trigger.
        caps: How often it may be taken.
        mandatory: Must be said: ranks first, whatever it is worth.
        bundle: Offers sold as one under this id; empty for an ordinary offer.
        variants: Of the catalogue, in which alone it is available; empty for always.
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
    prior_declared: bool = True
    term_months: float = 0.0
    margin: float | None = None
    cancellation: float = 0.0
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    sells: str = ""
    purpose: str = ""
    triggers: tuple[str, ...] = ()
    caps: Caps = NO_CAPS
    mandatory: bool = False
    bundle: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


class Treatment(NamedTuple):
    """Offer × incentive: what is actually said."""

    offer: Offer
    incentive: Incentive


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach a customer.

    Attributes:
        channel_id: e.g. ``"voice"``.
        consent: FLAG fact that must be true to offer anything here for which no purpose has a
            consent of its own; empty for none needed.
        fallback: Offer made when nothing can be known of the customer; empty for none.
    """

    channel_id: str
    consent: str = ""
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What customers are contacted for, e.g. marketing or service, and what consent it needs.

    Attributes:
        purpose_id: Stable key.
        opt_in: Channel id to the FLAG fact that must be true.
        opt_out: Channel id to the FLAG fact that must be false.
    """

    purpose_id: str
    opt_in: Mapping[str, str] = field(default_factory=dict)
    opt_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that marketing may say, at one version.

    Attributes:
        version: Content hash of the text it was read from, 12 hex digits.
        currency: ISO 4217, of every amount.
        languages: The first is the default.
        issues: By id; empty when the catalogue has no opinion on them.
        products: What customers may hold, by id: the rule that is true for who holds it.
        purposes: By id; empty when each channel has one consent for everything.
        rates: Observed acceptance rate by group id, as far as an undeclared prior came of it.
    """

    version: str
    currency: str
    languages: tuple[str, ...]
    channels: Mapping[str, Channel]
    groups: Mapping[str, Group]
    incentives: Mapping[str, Incentive]
    offers: Mapping[str, Offer]
    policies: Policies = DEFAULT_POLICIES
    experiments: tuple[Experiment, ...] = ()
    issues: Mapping[str, Issue] = field(default_factory=dict)
    products: Mapping[str, RuleText] = field(default_factory=dict)
    purposes: Mapping[str, Purpose] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
