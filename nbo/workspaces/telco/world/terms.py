"""The catalogue as the simulation needs it: who sells what for how much, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray


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


@lru_cache(maxsize=4)
def read_terms(workspace: Path) -> Terms:
    """The terms in `catalog.yaml` of a workspace."""
    text = (workspace / "catalog.yaml").read_text(encoding="utf-8")
    catalog: dict[str, Any] = yaml.safe_load(text)
    offers = catalog["offers"]
    incentives = ["none", *(i["id"] for i in catalog["incentives"])]
    cost = [0.0, *(float(i["cost"]) for i in catalog["incentives"])]
    return Terms(
        offers=tuple(o["id"] for o in offers),
        groups=tuple(o["group"] for o in offers),
        incentives=tuple(incentives),
        value=np.array([_value(o) for o in offers]),
        monthly=np.array([float(o["monthly_revenue"]) for o in offers]),
        cost=np.array(cost),
        allowed=np.array([[i in o["incentives"] for i in incentives] for o in offers]),
    )


def _value(offer: Mapping[str, Any]) -> float:
    if "value" in offer:
        return float(offer["value"])
    kept = 1.0 - float(offer["cancellation"])
    return float(offer["monthly_revenue"] * offer["term_months"] * offer["margin"] * kept)
