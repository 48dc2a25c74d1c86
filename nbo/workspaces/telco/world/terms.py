"""The catalogue as the simulation needs it: who sells what for how much, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.schema import FeatureSchema
from nbo.decision.catalog import Catalog
from nbo.decision.catalog_text import load_catalog


@dataclass(frozen=True)
class Terms:
    """Offers and incentives in the order of every array of the world.

    Attributes:
        offers: Offer ids; column o of every (n, offers) array.
        groups: Group id per offer.
        incentives: Incentive ids, `none` first.
        value: (offers,) V in EUR.
        monthly: (offers,) what it adds to the bill, EUR a month.
        cost: (incentives,) EUR charged on every acceptance.
        allowed: (offers, incentives) which may go together.
    """

    offers: tuple[str, ...]
    groups: tuple[str, ...]
    incentives: tuple[str, ...]
    value: NDArray[np.float64]
    monthly: NDArray[np.float64]
    cost: NDArray[np.float64]
    allowed: NDArray[np.bool_]

    @property
    def margin(self) -> NDArray[np.float64]:
        """(offers, incentives) V - cost, EUR if accepted."""
        return self.value[:, None] - self.cost[None, :]

    @property
    def same_group(self) -> NDArray[np.bool_]:
        """(offers, offers) whether two offers share a group."""
        groups = np.array(self.groups)
        return groups[:, None] == groups[None, :]


def read_catalog(workspace: Path, schema: FeatureSchema) -> Catalog:
    """`catalog.yaml` of a workspace, read as the engine reads it."""
    file = workspace / "catalog.yaml"
    return load_catalog(file.read_text(encoding="utf-8"), file.name, schema.fact_schema()).catalog


def terms_of(catalog: Catalog) -> Terms:
    """The catalogue's offers and incentives as arrays, in its own order."""
    offers, incentives = catalog.offers.values(), tuple(catalog.incentives)
    return Terms(
        offers=tuple(offer.offer_id for offer in offers),
        groups=tuple(offer.group_id for offer in offers),
        incentives=incentives,
        value=np.array([offer.value for offer in offers]),
        monthly=np.array([offer.monthly_revenue for offer in offers]),
        cost=np.array([catalog.incentives[name].cost for name in incentives]),
        allowed=np.array([[name in offer.incentives for name in incentives] for offer in offers]),
    )
