"""The catalogue in columns: what is compared or reckoned, one array over all offers or treatments.

Offers stand in the order of their ids, treatments in the order of offer id, then incentive id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from nbo.decision.catalog import Catalog, Offer, Treatment

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]


class OfferColumns(TypedDict):
    """Columns over offers; see `CompiledCatalog` for what each means."""

    starts: Array
    ends: Array
    on_channel: Mapping[str, Flags]
    in_language: Mapping[str, Flags]


class TreatmentColumns(TypedDict):
    """Columns over treatments; see `CompiledCatalog` for what each means."""

    offer_of: Rows
    incentive_of: Rows
    value: Array
    cost: Array
    prior: Array
    lever: Array


def offer_columns(catalog: Catalog, offers: Sequence[Offer]) -> OfferColumns:
    """Lay out when, where and in which language offers may be made."""
    return OfferColumns(
        starts=np.array([o.starts.timestamp() if o.starts else -np.inf for o in offers], float),
        ends=np.array([o.ends.timestamp() if o.ends else np.inf for o in offers], float),
        on_channel={
            channel: np.array([channel in offer.channels for offer in offers], bool)
            for channel in catalog.channels
        },
        in_language={
            spoken: np.array([_speaks(offer, spoken) for offer in offers], bool)
            for spoken in catalog.languages
        },
    )


def treatment_columns(
    catalog: Catalog, offers: Sequence[Offer], treatments: Sequence[Treatment]
) -> TreatmentColumns:
    """Lay out what treatments are made of and what they are worth."""
    position = {offer.offer_id: index for index, offer in enumerate(offers)}
    incentives = {incentive_id: number for number, incentive_id in enumerate(catalog.incentives)}
    return TreatmentColumns(
        offer_of=np.array([position[t.offer.offer_id] for t in treatments], np.intp),
        incentive_of=np.array([incentives[t.incentive.incentive_id] for t in treatments], np.intp),
        value=np.array([t.offer.value for t in treatments], float),
        cost=np.array([t.incentive.cost for t in treatments], float),
        prior=np.array([t.offer.prior for t in treatments], float),
        lever=np.array([_lever(t.offer, catalog) for t in treatments], float),
    )


def _speaks(offer: Offer, language: str) -> bool:
    return language in offer.name and (not offer.script or language in offer.script)


def _lever(offer: Offer, catalog: Catalog) -> float:
    """L = 1 + the percents of the offer, its group and the group's issue, never below 0."""
    group = catalog.groups[offer.group_id]
    issue = catalog.issues.get(group.issue)
    percent = offer.lever + group.lever + (issue.lever if issue else 0.0)
    return max(0.0, 1.0 + percent / 100.0)
