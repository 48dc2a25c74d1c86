"""Bundles: several offers as one, made only where each of them passes the screen of offers.

Incentives are the bundle's own: that a member may come with none of its own does not matter.
"""

from __future__ import annotations

from collections.abc import MutableMapping

from nbo.decision.columns import Flags
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.failure import Failure


def drop_bundles(
    left: Flags, falls: MutableMapping[int, Failure], compiled: CompiledCatalog
) -> None:
    """Let each bundle fall that has a member which fell.

    Args:
        left: (n_offers,) offers still in; changed.
        falls: Why the others fell, by position; added to.
        compiled: The catalogue.
    """
    broken: dict[int, Failure] = {}
    for bundle, members in compiled.screen.bundles.items():
        fallen = next((member for member in members if member in falls), None)
        if left[bundle] and fallen is not None:
            member_id = compiled.offers[fallen].offer.offer_id
            broken[bundle] = of_member(member_id, falls[fallen])
    left[list(broken)] = False
    falls.update(broken)


def of_member(offer_id: str, failure: Failure) -> Failure:
    """A member's failure as the bundle tells it: ``"fibre: no fibre yet"``."""
    return failure._replace(rule=f"{offer_id}: {failure.rule}", member=offer_id)
