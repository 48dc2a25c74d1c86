"""The channel's fallback: the one offer considered when nothing is known of the customer."""

from __future__ import annotations

from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Refusal


def keep_only(
    eligible: list[int], compiled: CompiledCatalog, only: str
) -> tuple[list[int], list[Refusal]]:
    """Set aside whatever passed the screen but is not the one offer asked for.

    The offer itself has passed every stage like any other; the rest are refused, one by one,
    because what speaks against them cannot be known.

    Args:
        eligible: Positions in `CompiledCatalog.treatments`.
        compiled: The catalogue.
        only: Offer id; empty where the channel has no fallback.

    Returns:
        The positions of that offer's treatments, and a refusal per offer set aside.
    """
    kept: list[int] = []
    aside: dict[str, None] = {}
    for row in eligible:
        offer_id = compiled.treatments[row].offer.offer_id
        if offer_id == only:
            kept.append(row)
        else:
            aside[offer_id] = None
    instead = f"only {only!r} is considered" if only else "the channel has no fallback"
    detail = f"nothing is known of the customer: {instead}"
    return kept, [Refusal(offer_id, "eligibility", "fallback only", detail) for offer_id in aside]
