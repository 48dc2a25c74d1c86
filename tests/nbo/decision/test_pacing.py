"""Pacing: a budget that is spent with foresight lasts longer and buys more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.arbitration import arbitrate
from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.catalog import NO_INCENTIVE, Incentive
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.limits import NOTHING_USED, Budget, Period, Usage
from nbo.decision.pacing import MOST, shadow_price, shadow_prices
from nbo.decision.propensity import Scores

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
MONTHLY = Budget(1000.0, Period.MONTH)


def test_shadow_price_by_hand() -> None:
    day_10 = JUNE + timedelta(days=9)
    assert shadow_price(MONTHLY, 0.0, day_10) == 0.0
    assert shadow_price(MONTHLY, 300.0, day_10) == 0.0, "30 % spent after 30 % of the month"
    assert shadow_price(MONTHLY, 650.0, day_10) == pytest.approx(0.35 / 0.35)
    assert shadow_price(MONTHLY, 900.0, day_10) == pytest.approx(0.6 / 0.1)
    assert shadow_price(MONTHLY, 650.0, JUNE + timedelta(days=20)) == 0.0


@pytest.mark.parametrize("spent", [999.9999, 1000.0, 1200.0])
def test_an_empty_budget_has_the_highest_price(spent: float) -> None:
    assert shadow_price(MONTHLY, spent, JUNE) == MOST


@given(
    spent=st.floats(0.0, 1500.0),
    more=st.floats(0.0, 500.0),
    hours=st.floats(0.0, 719.0),
    later=st.floats(0.0, 100.0),
)
def test_it_rises_with_spending_and_falls_with_time(
    spent: float, more: float, hours: float, later: float
) -> None:
    at = JUNE + timedelta(hours=hours)
    price = shadow_price(MONTHLY, spent, at)
    assert 0.0 <= price <= MOST
    assert shadow_price(MONTHLY, spent + more, at) >= price
    within = min(at + timedelta(hours=later), JUNE + timedelta(hours=719.9))
    assert shadow_price(MONTHLY, spent, within) <= price


def test_what_has_no_budget_has_no_price() -> None:
    sweet = Incentive("sweet", {}, "discount", 10.0, budget=MONTHLY)
    usage = Usage(budgets={"sweet": 650.0, "none": 5.0})
    prices = shadow_prices([NO_INCENTIVE, sweet], usage, JUNE + timedelta(days=9))
    assert prices.tolist() == [0.0, pytest.approx(1.0)]


class Month(NamedTuple):
    """What became of one month's budget.

    Attributes:
        last: Day on which it was spent from for the last time.
        gain: Expected margin over never giving it, in the catalogue's currency.
        spent: Of the budget.
    """

    last: float
    gain: float
    spent: float


def live_through(compiled: CompiledCatalog, seed: int, paced: bool, calls: int = 1_500) -> Month:
    """Calls at even intervals; what the incentive adds to acceptance differs from call to call."""
    draw = np.random.RandomState(seed)
    rows = [row for row, one in enumerate(compiled.treatments) if one.offer.offer_id == "red-1"]
    discount, plain = (compiled.treatments[row].incentive for row in rows)
    assert (discount.incentive_id, plain.incentive_id) == ("discount", "none")
    assert discount.budget is not None
    activation = compiled.language.activate({})
    spent = gain = last = 0.0
    for call in range(calls):
        at = JUNE + timedelta(days=30.0 * call / calls)
        without, lift, luck = draw.uniform(size=3) * (0.5, 0.5, 1.0)
        if spent + discount.cost > discount.budget.amount:
            break
        usage = Usage(budgets={"discount": spent}) if paced else NOTHING_USED
        prices = shadow_prices(compiled.catalog.incentives.values(), usage, at)
        p = np.array([without + lift, without])
        scores = Scores(p, np.full(2, 1e12), p)
        ranked = arbitrate(rows, scores, compiled, activation, DEFAULT_ARM, prices)
        if ranked.rows[0] == rows[0]:
            gain += 100.0 * lift - discount.cost * (without + lift)
            accepted = luck < without + lift
            spent += discount.cost * accepted
            last = 30.0 * call / calls if accepted else last
    return Month(last, gain, spent)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_paced_budget_lasts_longer_and_buys_more(
    changed: Callable[..., CompiledCatalog], seed: int
) -> None:
    """A budget for about a quarter of what would be worth an incentive if money were no object.

    Tolerance: unpaced, it is gone within 10 of the 30 days; paced, it is still there on day 27,
    and buys at least 1.3 times the margin with no more money.
    """
    compiled = changed(("cost: 30", "cost: 30\n    budget: {amount: 5000, period: month}"))
    unpaced = live_through(compiled, seed, paced=False)
    paced = live_through(compiled, seed, paced=True)
    assert unpaced.last < 10.0
    assert paced.last > 27.0
    assert paced.spent <= unpaced.spent <= 5000.0
    assert paced.gain > 1.3 * unpaced.gain
