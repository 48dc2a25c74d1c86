"""What holds between the things of one catalogue, checked once all of it was read."""

from __future__ import annotations

from nbo.decision.catalog import Catalog, Offer
from nbo.decision.catalog_known import Places
from nbo.decision.catalog_scalars import remedy


def check_catalog(catalog: Catalog, places: Places) -> None:
    """Note everything in a catalogue that contradicts itself."""
    for offer in catalog.offers.values():
        _check_bundle(offer, catalog, places)
    for channel_id, channel in catalog.channels.items():
        if channel.fallback:
            _check_fallback(channel_id, channel.fallback, catalog, places)


def _check_bundle(offer: Offer, catalog: Catalog, places: Places) -> None:
    for member in offer.bundle:
        if member not in catalog.offers:
            message = f"unknown {member!r}; {remedy(member, catalog.offers)}"
            places.problem("offer", offer.offer_id, "bundle", message)


def _check_fallback(channel_id: str, fallback: str, catalog: Catalog, places: Places) -> None:
    if fallback not in catalog.offers:
        message = f"unknown offer {fallback!r}; {remedy(fallback, catalog.offers)}, or write none"
        places.problem("channel", channel_id, "fallback", message)
