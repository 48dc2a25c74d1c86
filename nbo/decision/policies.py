"""What applies to every decision: contact policy, context, consent, smoothing, floors.

Contact policies and context weights attach to everything, an issue, a group or an offer, and
add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from nbo.decision.arms import GREEDY, Selection
from nbo.decision.history import Outcome
from nbo.decision.rule_text import RuleText


@dataclass(frozen=True, slots=True)
class Target:
    """What a policy attaches to: whatever fits all that is given; everything if nothing is.

    Attributes:
        issue: Offers of the groups of this issue.
        group_id: Offers of this group.
        offer_id: This offer.
    """

    issue: str = ""
    group_id: str = ""
    offer_id: str = ""


EVERYTHING = Target()


@dataclass(frozen=True, slots=True)
class Suppression:
    """At least `count` of `outcome` within `window` pause the scope for `pause` after the last.

    Attributes:
        scope: ``"offer"``, ``"group"`` or ``"all"``: what is counted together and paused
            together, within the target.
        channel: Only contacts on this channel count; empty for all.
        target: Only outcomes of these offers count, and only these are paused.
    """

    name: str
    outcome: Outcome
    scope: str
    window: timedelta
    count: int
    pause: timedelta
    channel: str = ""
    target: Target = EVERYTHING


@dataclass(frozen=True, slots=True)
class Frequency:
    """At most `limit` exposures per customer within `period`; blocks at count >= limit.

    Attributes:
        channel: Only exposures on this channel count and are blocked; empty for all.
        target: Only exposures of these offers count, and only these are blocked.
    """

    name: str
    limit: int
    period: timedelta
    channel: str = ""
    target: Target = EVERYTHING


@dataclass(frozen=True, slots=True)
class ContextWeight:
    """Adds `weight` percent to the context factor of the targeted offers while `rule` holds."""

    rule: RuleText
    weight: float
    target: Target


@dataclass(frozen=True, slots=True)
class Policies:
    """Settings of the catalogue that apply to every decision.

    Attributes:
        do_not_contact: FLAG fact that silences everything unless it is known to be false; empty for
            none.
        service_first: CEL conditions that must hold for anything to be sold; service messages
            are no sale and need none of them.
        smoothing_evidence: S in the smoothing formula, outcomes, >= 0.
        per_group: At most so many offers of one group in a reply. A bundle is one offer of its
            own group; its members' groups do not count.
        propensity_floor: Treatments below it are refused, in [0, 1).
    """

    do_not_contact: str = ""
    service_first: tuple[RuleText, ...] = ()
    suppression: tuple[Suppression, ...] = ()
    frequency: tuple[Frequency, ...] = ()
    context: tuple[ContextWeight, ...] = ()
    selection: Selection = GREEDY
    smoothing_evidence: float = 50.0
    per_group: int = 1
    propensity_floor: float = 0.0


DEFAULT_POLICIES = Policies()
