"""Products that nobody could ever come to hold, because each needs another first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from nbo.decision.catalog import Catalog, Offer
from nbo.decision.catalog_known import Places

_MOST_CIRCLES = 10
"""Circles told in one reading; each takes a look at all that is stuck."""


def check_rounds(catalog: Catalog, places: Places) -> None:
    """Note where a product may be had only by holding another that is had only by holding it.

    What no offer sells is held by other means.
    """
    sellers: dict[str, list[Offer]] = {}
    for offer in catalog.offers.values():
        if offer.sells and offer.sells not in offer.requires:
            sellers.setdefault(offer.sells, []).append(offer)
    stuck = _out_of_reach(sellers)
    needs = {
        product: dict.fromkeys(
            need for offer in sellers[product] for need in offer.requires if need in stuck
        )
        for product in stuck
    }
    for _ in range(_MOST_CIRCLES):
        circle = _circle(needs)
        if not circle:
            return
        first = next(offer for offer in sellers[circle[0]] if circle[1] in offer.requires)
        around = zip(circle, [*circle[1:], circle[0]], strict=True)
        steps = ", ".join(f"{one} needs {next_one}" for one, next_one in around)
        message = f"goes round in a circle ({steps}), so nobody could ever begin"
        places.problem("offer", first.offer_id, "requires", message)
        for product in circle:
            del needs[product]


def _out_of_reach(sellers: Mapping[str, Sequence[Offer]]) -> dict[str, None]:
    """Products that nobody who holds none of them can come to hold, in order."""
    stuck = dict.fromkeys(sellers)
    waiting: dict[str, list[str]] = {}
    lacking: dict[str, int] = {}
    for offers in sellers.values():
        for offer in offers:
            needed = {need for need in offer.requires if need in sellers}
            lacking[offer.offer_id] = len(needed)
            for need in needed:
                waiting.setdefault(need, []).append(offer.offer_id)
    sold = {offer.offer_id: product for product, offers in sellers.items() for offer in offers}
    free = [sold[offer_id] for offer_id, count in lacking.items() if not count]
    for product in free:  # grows meanwhile
        if product not in stuck:
            continue
        del stuck[product]
        for offer_id in waiting.get(product, ()):
            lacking[offer_id] -= 1
            if not lacking[offer_id]:
                free.append(sold[offer_id])
    return stuck


def _circle(needs: Mapping[str, Mapping[str, None]]) -> list[str]:
    """Products each of which needs the next, the last the first; empty if there is no circle."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        around: list[str] = error.args[1][:0:-1]  # each was needed by the next
        order = {product: place for place, product in enumerate(needs)}
        start = min(range(len(around)), key=lambda place: order[around[place]])
        return around[start:] + around[:start]
    return []
