"""What a catalogue may say and its author probably did not mean."""

from __future__ import annotations

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Offer
from nbo.decision.catalog_known import Places
from nbo.decision.catalog_offers import UNSEEN_RATE
from nbo.decision.catalog_scalars import listed


def warn_of(catalog: Catalog, places: Places) -> None:
    """Note what is allowed in a catalogue without mistakes and worth a second look."""
    for offer in catalog.offers.values():
        _warn_of_worth(offer, catalog, places)
        if offer.sells and offer.sells in offer.excludes:
            message = f"{offer.sells!r} says nothing new: who holds what it sells is refused anyway"
            places.warn("offer", offer.offer_id, "excludes", message)
        if 0 in (offer.caps.total, offer.caps.daily):
            places.warn("offer", offer.offer_id, "caps", "a cap of 0 is never offered")
    _warn_of_idle(catalog, places)
    _warn_of_priors(catalog, places)
    _warn_of_no_consent(catalog, places)
    for incentive in catalog.incentives.values():
        if incentive.budget is not None and incentive.budget.amount < incentive.cost:
            message = f"does not pay for one {incentive.incentive_id!r}, which costs "
            message += f"{incentive.cost:g}; it is never given"
            places.warn("incentive", incentive.incentive_id, "budget", message)
    for experiment in catalog.experiments:
        for arm in experiment.arms:
            if arm.holdout and (arm.random or arm.variant or arm.selection or arm.model):
                message = f"arm {arm.arm_id!r} is a holdout: whatever else it says has no effect"
                places.warn("experiment", experiment.experiment_id, "arms", message)


def _warn_of_worth(offer: Offer, catalog: Catalog, places: Places) -> None:
    if offer.mandatory:
        return
    if offer.value <= 0:
        message = f"{offer.value:g} is not above zero: it is never offered"
        places.warn("offer", offer.offer_id, "value" if _has_value(offer) else "", message)
        return
    dear = [one for one in offer.incentives if catalog.incentives[one].cost >= offer.value]
    if dear:
        message = f"{listed(dear)} costs as much as the offer is worth ({offer.value:g}) or more"
        places.warn("offer", offer.offer_id, "incentives", message)


def _has_value(offer: Offer) -> bool:
    return offer.margin is None


def _warn_of_idle(catalog: Catalog, places: Places) -> None:
    """Things that nothing refers to."""
    offers = catalog.offers.values()
    asked = {
        product for offer in offers for product in (*offer.requires, *offer.excludes, offer.sells)
    }
    used = {
        "group": {offer.group_id for offer in offers},
        "incentive": {one for offer in offers for one in offer.incentives},
        "purpose": {offer.purpose for offer in offers},
        "issue": {group.issue for group in catalog.groups.values()},
        "channel": {channel for offer in offers for channel in offer.channels},
    }
    of_kind = {
        "group": catalog.groups,
        "incentive": catalog.incentives.keys() - {NO_INCENTIVE.incentive_id},
        "purpose": catalog.purposes,
        "issue": catalog.issues,
        "channel": catalog.channels,
    }
    by_whom = {"issue": "group"}
    for kind, names in of_kind.items():
        for name in names:
            if name not in used[kind]:
                places.warn(kind, name, "", f"no {by_whom.get(kind, 'offer')} refers to it")
    for product in catalog.products:
        if product not in asked:
            message = f"product {product!r}: no offer requires, excludes or sells it"
            places.warn_of_product(product, message)


def _warn_of_priors(catalog: Catalog, places: Places) -> None:
    unseen: dict[str, list[str]] = {}
    for offer in catalog.offers.values():
        if not offer.prior_declared and offer.group_id not in catalog.rates:
            unseen.setdefault(offer.group_id, []).append(offer.offer_id)
    for group_id, names in unseen.items():
        message = f"nothing was observed yet, so that {listed(names)} without a prior "
        message += f"{'starts' if len(names) == 1 else 'start'} at {UNSEEN_RATE:g}"
        places.warn("group", group_id, "", message)


def _warn_of_no_consent(catalog: Catalog, places: Places) -> None:
    """Purposes that ask for consent on one channel, and are used on another that asks for none."""
    silent: dict[str, dict[str, list[str]]] = {}
    for offer in catalog.offers.values():
        purpose = catalog.purposes.get(offer.purpose)
        if purpose is None or not purpose.opt_in:
            continue
        for channel_id in offer.channels:
            asked = channel_id in purpose.opt_in or channel_id in purpose.opt_out
            if not asked and not catalog.channels[channel_id].consent:
                by_channel = silent.setdefault(purpose.purpose_id, {})
                by_channel.setdefault(channel_id, []).append(offer.offer_id)
    for purpose_id, by_channel in silent.items():
        for channel_id, names in sorted(by_channel.items()):
            message = f"says nothing of {channel_id}, which asks for no consent either, so that "
            message += f"{listed(names)} needs none there; name a fact for {channel_id}"
            places.warn("purpose", purpose_id, "opt_in", message)
