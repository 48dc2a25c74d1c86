"""What the screen compares, in columns over all offers, in the order of their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nbo.decision.catalog import Catalog, Group, Offer
from nbo.decision.columns import Array, Flags, Rows
from nbo.decision.policies import EVERYTHING, Target


@dataclass(frozen=True, slots=True)
class ScreenColumns:
    """Flags are (n_offers,) each; positions are those of `CompiledCatalog.offers`.

    Attributes:
        offer_ids: By position. position_of: The other way round.
        by_group: Group id to the offers of it.
        by_purpose: Purpose id to the offers made for it; empty id for those without a purpose.
        in_variant: Variant to the offers available in it; empty for no variant.
        service: Service messages.
        requiring: Product to the offers that need it held.
        excluding: Product to the offers that need it not held.
        selling: Product to the offers that bring it.
        waiting: Offers that need a trigger.
        triggered_by: Event type pattern to the offers that one such event triggers.
        total_cap: (n_offers,) acceptances ever, inf for no limit. daily_cap: The same per day.
        capped: Positions of the offers with either.
        bundles: Position of each bundle to those of its members.
        reach: What each policy attaches to.
    """

    offer_ids: tuple[str, ...]
    position_of: Mapping[str, int]
    by_group: Mapping[str, Flags]
    by_purpose: Mapping[str, Flags]
    in_variant: Mapping[str, Flags]
    service: Flags
    requiring: Mapping[str, Flags]
    excluding: Mapping[str, Flags]
    selling: Mapping[str, Flags]
    waiting: Flags
    triggered_by: Mapping[str, Flags]
    total_cap: Array
    daily_cap: Array
    capped: Rows
    bundles: Mapping[int, tuple[int, ...]]
    reach: Mapping[Target, Flags]


def screen_columns(catalog: Catalog, offers: Sequence[Offer]) -> ScreenColumns:
    """Lay out what the screen compares.

    Args:
        catalog: All of it.
        offers: Its offers, in the order of their ids.
    """
    position_of = {offer.offer_id: position for position, offer in enumerate(offers)}
    total_cap = np.array([_limit(offer.caps.total) for offer in offers], float)
    daily_cap = np.array([_limit(offer.caps.daily) for offer in offers], float)
    return ScreenColumns(
        offer_ids=tuple(position_of),
        position_of=position_of,
        by_group=_by_key(offers, lambda offer: [offer.group_id]),
        by_purpose=_by_key(offers, lambda offer: [offer.purpose]),
        in_variant=_in_variant(offers),
        service=_flags(offers, lambda offer: offer.service),
        requiring=_by_key(offers, lambda offer: offer.requires),
        excluding=_by_key(offers, lambda offer: offer.excludes),
        selling=_by_key(offers, lambda offer: [offer.sells] if offer.sells else []),
        waiting=_flags(offers, lambda offer: bool(offer.triggers)),
        triggered_by=_by_key(offers, lambda offer: offer.triggers),
        total_cap=total_cap,
        daily_cap=daily_cap,
        capped=np.flatnonzero(np.isfinite(total_cap) | np.isfinite(daily_cap)),
        bundles={
            position_of[offer.offer_id]: tuple(position_of[member] for member in offer.bundle)
            for offer in offers
            if offer.bundle
        },
        reach=_reach(catalog, offers),
    )


def fits(target: Target, offer_id: str, group_id: str, groups: Mapping[str, Group]) -> bool:
    """Whether a policy with this target concerns an offer of this group."""
    if target == EVERYTHING:
        return True
    if target.issue:
        group = groups.get(group_id)
        if group is None or group.issue != target.issue:
            return False
    return target.group_id in ("", group_id) and target.offer_id in ("", offer_id)


def _reach(catalog: Catalog, offers: Sequence[Offer]) -> dict[Target, Flags]:
    policies = catalog.policies
    targets = {EVERYTHING}
    targets.update(policy.target for policy in policies.suppression)
    targets.update(policy.target for policy in policies.frequency)
    targets.update(weight.target for weight in policies.context)
    return {
        target: np.array(
            [fits(target, offer.offer_id, offer.group_id, catalog.groups) for offer in offers],
            bool,
        )
        for target in targets
    }


def _flags(offers: Sequence[Offer], holds: Callable[[Offer], bool]) -> Flags:
    return np.array([holds(offer) for offer in offers], bool)


def _by_key(offers: Sequence[Offer], keys_of: Callable[[Offer], Iterable[str]]) -> dict[str, Flags]:
    found: dict[str, Flags] = {}
    for position, offer in enumerate(offers):
        for key in keys_of(offer):
            found.setdefault(key, np.zeros(len(offers), dtype=bool))[position] = True
    return dict(sorted(found.items()))


def _in_variant(offers: Sequence[Offer]) -> dict[str, Flags]:
    always = _flags(offers, lambda offer: not offer.variants)
    marked = _by_key(offers, lambda offer: offer.variants)
    return {"": always, **{variant: always | flags for variant, flags in marked.items()}}


def _limit(cap: int | None) -> float:
    return np.inf if cap is None else float(cap)
