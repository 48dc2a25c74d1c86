"""What holds between the things of one catalogue, checked once all of it was read."""

from __future__ import annotations

from nbo.decision.catalog import Catalog, Offer
from nbo.decision.catalog_bundles import check_bundle
from nbo.decision.catalog_fallbacks import check_fallback
from nbo.decision.catalog_known import Places
from nbo.decision.catalog_rounds import check_rounds
from nbo.decision.catalog_scalars import listed, remedy
from nbo.decision.rules import RuleLanguage


def check_catalog(catalog: Catalog, places: Places, rules: RuleLanguage) -> None:
    """Note everything in which a catalogue contradicts itself.

    Args:
        catalog: As far as it could be read; may name things that do not exist.
        places: Where its things stand.
        rules: Compiles its rules, to learn which facts they read.
    """
    for offer in catalog.offers.values():
        _check_script(offer, places)
        _check_products(offer, places)
        if offer.bundle:
            check_bundle(offer, catalog, places)
    check_rounds(catalog, places)
    _check_variants(catalog, places)
    _check_temperatures(catalog, places)
    for channel in catalog.channels.values():
        if channel.fallback:
            check_fallback(channel, catalog, places, rules)


def _check_script(offer: Offer, places: Places) -> None:
    """An offer with a script has one in every language it has a name in."""
    missing = [language for language in offer.name if offer.script and language not in offer.script]
    if missing:
        message = f"is missing in {listed(missing)}, which the name has"
        places.problem("offer", offer.offer_id, "script", message)


def _check_products(offer: Offer, places: Places) -> None:
    for product in offer.requires:
        if product in offer.excludes:
            message = f"{product!r} is required as well: nobody holds it and lacks it"
            places.problem("offer", offer.offer_id, "excludes", message)
        if product == offer.sells:
            message = f"{product!r} is required as well, and who holds it is refused"
            places.problem("offer", offer.offer_id, "sells", message)


def _check_variants(catalog: Catalog, places: Places) -> None:
    """Every variant is of some arm and of some offer."""
    offered = {variant for offer in catalog.offers.values() for variant in offer.variants}
    of_arms: set[str] = set()
    for experiment in catalog.experiments:
        for arm in experiment.arms:
            if arm.variant and arm.variant not in offered:
                message = f"arm {arm.arm_id!r}: no offer has the variant {arm.variant!r}"
                message += f"; {remedy(arm.variant, offered)}"
                places.problem("experiment", experiment.experiment_id, "arms", message)
            of_arms.add(arm.variant)
    of_arms.discard("")
    for offer in catalog.offers.values():
        for variant in offer.variants:
            if variant not in of_arms:
                message = f"no arm has the variant {variant!r}, so nobody sees it"
                message += f"; {remedy(variant, of_arms)}"
                places.problem("offer", offer.offer_id, "variants", message)


def _check_temperatures(catalog: Catalog, places: Places) -> None:
    """An arm without value has priorities between 0 and 1: money is no temperature for them."""
    selection = catalog.policies.selection
    if selection.policy != "softmax":
        return
    for experiment in catalog.experiments:
        for arm in experiment.arms:
            if arm.value or arm.selection or arm.random or arm.holdout:
                continue
            message = f"arm {arm.arm_id!r} ranks without value, so its priorities are no money and "
            message += f"the catalogue's temperature ({selection.temperature:g} "
            message += f"{catalog.currency}) would make them all alike; give the arm its own, "
            message += "e.g. selection: {policy: greedy}"
            places.problem("experiment", experiment.experiment_id, "arms", message)
