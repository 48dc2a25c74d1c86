"""Bundles in a catalogue: each must be one that some customer could be offered.

A bundle is made only where each of its members could be made alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nbo.decision.catalog import Catalog, Offer
from nbo.decision.catalog_known import Places
from nbo.decision.catalog_scalars import listed, remedy

_FEWEST, _MOST = 2, 20
_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def check_bundle(bundle: Offer, catalog: Catalog, places: Places) -> None:
    """Note what keeps a bundle from ever being offered."""

    def problem(field: str, message: str) -> None:
        places.problem("offer", bundle.offer_id, field, message)

    if len(bundle.bundle) > _MOST:
        problem("bundle", f"names {len(bundle.bundle)} offers, must be at most {_MOST}")
        return
    members: list[Offer] = []
    for name in dict.fromkeys(bundle.bundle):
        member = catalog.offers.get(name)
        if name == bundle.offer_id:
            problem("bundle", f"{name!r} is this offer itself")
        elif member is None:
            problem("bundle", f"unknown {name!r}; {remedy(name, catalog.offers)}")
        elif member.bundle:
            problem("bundle", f"{name!r} is a bundle itself; name its offers")
        else:
            members.append(member)
        if bundle.bundle.count(name) > 1:
            problem("bundle", f"{name!r} stands here twice")
    if len(bundle.bundle) < _FEWEST:
        problem("bundle", "must name at least two offers")
    for field, message in (*_meetings(bundle, members), *_products(members)):
        problem(field, message)
    _warn(bundle, members, places)


def _meetings(bundle: Offer, members: Sequence[Offer]) -> list[tuple[str, str]]:
    """Where and when a bundle and its members meet."""
    found = []
    all_of = [bundle, *members]
    if not frozenset.intersection(*(offer.channels for offer in all_of)):
        found.append(("channels", "there is none on which every offer of the bundle is made"))
    starts = max(all_of, key=lambda offer: offer.starts or _EVER[0])
    ends = min(all_of, key=lambda offer: offer.ends or _EVER[1])
    if starts.starts and ends.ends and starts.starts >= ends.ends:
        message = f"{ends.offer_id!r} ends before {starts.offer_id!r} starts"
        found.append(("bundle", f"its offers never meet: {message}"))
    return found


def _products(members: Sequence[Offer]) -> list[tuple[str, str]]:
    """Nobody may have to hold a product for one member and to lack it for another."""
    lacked_for: dict[str, list[Offer]] = {}
    for member in members:
        for product in {*member.excludes, member.sells} - {""}:
            lacked_for.setdefault(product, []).append(member)
    lacking: dict[tuple[str, str], list[str]] = {}
    for one in members:
        for product in dict.fromkeys(one.requires):
            for other in lacked_for.get(product, ()):
                if other is not one:
                    lacking.setdefault((one.offer_id, other.offer_id), []).append(product)
    return [
        (
            "bundle",
            f"{one!r} requires {listed(products)}, which who is offered {other!r} must lack: "
            "nobody is offered both",
        )
        for (one, other), products in lacking.items()
    ]


def _warn(bundle: Offer, members: Sequence[Offer], places: Places) -> None:
    for member in members:
        elsewhere = bundle.channels - member.channels
        if elsewhere and bundle.channels & member.channels:
            message = f"never made on {listed(elsewhere)}: {member.offer_id!r} is not made there"
            places.warn("offer", bundle.offer_id, "channels", message)
        if member.mandatory:
            message = f"{member.offer_id!r} is mandatory, and never stands beside its bundle"
            places.warn("offer", bundle.offer_id, "bundle", message)
