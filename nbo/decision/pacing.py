"""Pacing: what a unit of budget is worth beyond its face value, so that it lasts its period.

A budget that runs ahead of its period leaves nothing for the better customers still to come.
Its shadow price raises the cost an incentive is charged with in arbitration: those it gains
least from fall away first. The price follows what was spent and nothing else, so it corrects
itself and needs no forecast.

References:
    Balseiro & Gur (2019), Learning in Repeated Auctions with Budgets: Regret Minimization and
    Equilibrium. Costs are charged (1 + multiplier)-fold, and the multiplier rises while
    spending is ahead of the rate that would exhaust the budget exactly at the end. Theirs
    learns step by step; ours is read off the two shares, so that it can be replayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from nbo.decision.catalog import Incentive
from nbo.decision.limits import Budget, Usage, span_of
from nbo.decision.propensity import Array

MOST = 1_000.0
"""Highest shadow price: at a thousandfold cost nothing is worth its incentive."""


def shadow_price(budget: Budget, spent: float, at: datetime) -> float:
    """Price a budget by how far spending is ahead of time.

    ``λ = max(0, s - f) / (1 - s)`` with s the spent share of the amount and f the elapsed
    share of the calendar period.

    Args:
        budget: The amount per period.
        spent: In the period `at` falls into, reservations included, in the same currency.
        at: The instant asked, UTC.

    Returns:
        λ, dimensionless, 0 while spending is not ahead of time, at most `MOST`.
    """
    share = spent / budget.amount
    ahead = max(0.0, share - span_of(budget.period, at).elapsed(at))
    left = 1.0 - share
    return min(MOST, ahead / left) if left > 0.0 else MOST


def shadow_prices(incentives: Iterable[Incentive], usage: Usage, at: datetime) -> Array:
    """Price every incentive's budget; 0 for those without one.

    Returns:
        (n_incentives,) λ, in the order given.
    """
    return np.array(
        [
            shadow_price(one.budget, usage.budgets.get(one.incentive_id, 0.0), at)
            if one.budget
            else 0.0
            for one in incentives
        ],
        dtype=np.float64,
    )
