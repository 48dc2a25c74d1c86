"""Contact policy as a stage of the screen: the limits in force, over all offers at once.

While the history cannot be read, every offer may have been answered in this interaction or put
off by the customer, so none is made. One exception: a service message that no suppression reaches
stays, though the customer may have answered it a minute ago or asked to hear it later. It is what
a channel falls back to, and nothing is sold with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from nbo.decision.consent import Objection
from nbo.decision.contact_policy import ANSWERED, DEFERRED, ContactPolicy
from nbo.decision.failure import Asked, Failure, Finding, Lacking, shared

UNREADABLE = "history cannot be read"
_STAGE = "contact policy"


def contact_findings(asked: Asked) -> Iterator[Finding]:
    """Find the offers about which the customer was told enough, or may have been."""
    if not asked.request.history_known:
        yield from _unreadable(asked)
    request, catalog = asked.request, asked.compiled.catalog
    policy = ContactPolicy(
        catalog.policies,
        request.history,
        request.at,
        request.channel,
        request.interaction_id,
        catalog.groups,
        catalog.offers,
    )
    yield from _on_offers(asked, policy)
    columns = asked.compiled.screen
    nowhere = np.zeros_like(asked.left)
    for objection, group_id, target, spares_service in policy.on_many:
        failing = columns.reach[target]
        if group_id:
            failing = failing & columns.by_group.get(group_id, nowhere)
        if spares_service:
            failing = failing & ~columns.service
        yield shared(failing, objection.in_stage(_STAGE))


def _unreadable(asked: Asked) -> Iterator[Finding]:
    """Offers that a limit concerns, while nobody knows what was said."""
    policies, columns = asked.compiled.catalog.policies, asked.compiled.screen
    for rule in (ANSWERED, DEFERRED):
        yield shared(~columns.service, _unknown(rule))
    for suppression in policies.suppression:
        reach = columns.reach[suppression.target]
        yield shared(reach, _unknown(suppression.name))
    for frequency in policies.frequency:
        if frequency.channel in ("", asked.request.channel):
            reach = columns.reach[frequency.target] & ~columns.service
            yield shared(reach, _unknown(frequency.name))


def _on_offers(asked: Asked, policy: ContactPolicy) -> Iterator[Finding]:
    """What silences single offers: the first objection to each in one finding, then the second."""
    columns = asked.compiled.screen
    objections: dict[int, list[Objection]] = {}
    for offer_id, limits in policy.on_offers.items():
        position = columns.position_of.get(offer_id)
        if position is not None:
            # The offer may have left the target's group since the contact that began the limit.
            held = [one.objection for one in limits if columns.reach[one.target][position]]
            objections[position] = held
    for depth in range(max(map(len, objections.values()), default=0)):
        failing = np.zeros_like(asked.left)
        failing[[position for position, found in objections.items() if len(found) > depth]] = True
        yield Finding(failing, partial(_objects, objections, depth))


def _objects(objections: Mapping[int, Sequence[Objection]], depth: int, position: int) -> Failure:
    return objections[position][depth].in_stage(_STAGE)


def _unknown(rule: str) -> Failure:
    return Failure(_STAGE, rule, UNREADABLE, lacking=Lacking.KNOWLEDGE)
