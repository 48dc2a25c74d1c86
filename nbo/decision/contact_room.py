"""Room under the contact policy: an answer holds no more than may still be said."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from nbo.decision.columns import Flags
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.contact_policy import counted_exposures
from nbo.decision.policies import Target
from nbo.decision.request import Request
from nbo.decision.room import Bound


class Reach(NamedTuple):
    """A bound, and the (n_offers,) offers that draw on it."""

    bound: Bound
    offers: Flags


def frequency_bounds(request: Request, compiled: CompiledCatalog) -> list[Reach]:
    """Find the frequency limits that would not bear every slot presented.

    Every offer within the target draws on one but service messages; a bundle draws on what its
    members draw on, as it falls with them. What passed the screen has room for one slot.
    """
    if request.slots == 1:
        return []
    catalog = compiled.catalog
    past = sorted((one for one in request.history if one.at <= request.at), key=attrgetter("at"))
    found = []
    for number, frequency in enumerate(catalog.policies.frequency):
        here = frequency.channel in ("", request.channel)
        if not here or frequency.limit >= len(past) + request.slots:
            continue
        counted = counted_exposures(frequency, past, request.at, catalog.groups)
        left = max(0, frequency.limit - len(counted))
        if left < request.slots:
            bound = Bound("frequency", str(number), left)
            found.append(Reach(bound, _drawing(frequency.target, compiled)))
    return found


def _drawing(target: Target, compiled: CompiledCatalog) -> Flags:
    columns = compiled.screen
    drawing: Flags = columns.reach[target] & ~columns.service
    for bundle, members in columns.bundles.items():
        drawing[bundle] |= drawing[list(members)].any()
    return drawing
