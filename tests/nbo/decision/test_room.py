"""Room: the slots of one answer fit together into what limits them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.catalog import Treatment
from nbo.decision.catalog_text import load_catalog
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision
from nbo.decision.facts import FactSchema
from nbo.decision.limits import (
    NOTHING_USED,
    UNITS,
    Budget,
    CapUse,
    Period,
    Usage,
    affordable,
    amount_units,
    cost_units,
)
from nbo.decision.propensity import Scores
from nbo.decision.record import to_record
from nbo.decision.replay import replay
from nbo.decision.request import Request

HEAD = """\
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: a}, {id: b}, {id: c}, {id: d}]
incentives:
  - {id: gift, name: {en: Gift}, kind: gift, cost: 10, budget: {amount: 100, period: month}}
policies: {selection: %s, frequency: %s}
offers:
"""
OFFER = "  - {id: %s, group: %s, name: {en: X}, channels: [voice], value: 100, prior: 0.2%s}\n"
SELECTIONS = (
    "{policy: greedy}",
    "{policy: epsilon, epsilon: 0.5}",
    "{policy: softmax, temperature: 20}",
    "{policy: thompson, draws: 20}",
)


def catalog(offers: str, selection: str = SELECTIONS[0], frequency: str = "[]") -> CompiledCatalog:
    return load_catalog(HEAD % (selection, frequency) + offers, "catalog.yaml", FactSchema({}))


class Gifts:
    """A model that thinks highly of gifts."""

    version = "gifts"

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        p = np.array([0.2 if one.incentive.incentive_id == "none" else 0.5 for one in treatments])
        return Scores(p, np.full(len(p), 1e12), p)


def answer(
    compiled: CompiledCatalog, seed: int = 1, slots: int = 3, usage: Usage = NOTHING_USED
) -> Decision:
    at = datetime(2026, 3, 31, 23, tzinfo=UTC)  # late in the month: nothing is scarce yet
    request = Request("d", "c", "i", at, "voice", "en", slots, {}, (), seed, usage=usage)
    return decide(request, World(compiled, Gifts()))


def offered(decision: Decision) -> list[tuple[str, str]]:
    return [(slot.offer_id, slot.incentive_id) for slot in decision.slots]


def spent(times: float) -> Usage:
    return Usage(budgets={"gift": 10.0 * times})


RANDOM = "experiments: [{id: e, salt: s, arms: [{id: r, share: 1, random: true}]}]\n"
ONLY_GIFT = "".join(OFFER % (name, name, ", incentives: [gift]") for name in "abcd")
GIFT_OR_NONE = "".join(OFFER % (name, name, ", incentives: [gift, none]") for name in "abcd")


def test_one_answer_spends_the_last_part_of_a_budget_and_no_more() -> None:
    compiled = catalog(ONLY_GIFT)
    for left, expected in ((0, 0), (1, 1), (2, 2), (3, 3), (9, 3)):
        assert len(answer(compiled, usage=spent(10 - left)).slots) == expected


def test_an_offer_that_is_paid_for_no_more_comes_without_and_is_ranked_so() -> None:
    compiled = catalog(GIFT_OR_NONE + OFFER.replace("100", "150") % ("z", "d", ""))
    made = answer(compiled, slots=4, usage=spent(9))
    assert offered(made) == [("a", "gift"), ("z", "none"), ("b", "none"), ("c", "none")]
    priorities = [slot.priority for slot in made.slots]
    assert priorities == sorted(priorities, reverse=True)
    plenty = answer(compiled, slots=4)
    assert offered(plenty) == [("a", "gift"), ("b", "gift"), ("c", "gift"), ("d", "gift")]


@pytest.mark.parametrize("selection", SELECTIONS)
def test_no_seed_spends_more_than_there_is(selection: str) -> None:
    compiled = catalog(GIFT_OR_NONE, selection)
    gifts = Counter()
    for seed in range(100):
        made = answer(compiled, seed, 4, spent(8))
        assert len(made.slots) == 4
        gifts[[slot.incentive_id for slot in made.slots].count("gift")] += 1
        assert replay(to_record(made), compiled, "") == ()
    assert max(gifts) == 2


def test_probabilities_are_real_frequencies_where_room_ends() -> None:
    """Slot 2 given slot 1, when one gift is left: weights 1/p average 1 for every treatment.

    Within 4 standard errors, over 4,000 seeds.
    """
    compiled = catalog(GIFT_OR_NONE + RANDOM)
    firsts: Counter[tuple[str, str]] = Counter()
    weight: dict[tuple[str, ...], float] = defaultdict(float)
    variance: dict[tuple[str, ...], float] = defaultdict(float)
    for seed in range(4_000):
        one, two = answer(compiled, seed, 2, spent(9)).slots
        first = (one.offer_id, one.incentive_id)
        firsts[first] += 1
        key = (*first, two.offer_id, two.incentive_id)
        weight[key] += 1.0 / two.probability
        variance[key] = 1.0 / two.probability - 1.0
    assert len(firsts) == 8
    assert len(weight) == 4 * 3 + 4 * 6, "after a gift only those without, else any"
    for key, total in weight.items():
        n = firsts[key[0], key[1]]
        assert abs(total - n) <= 4.0 * (n * variance[key]) ** 0.5


def test_a_cap_is_not_passed_by_a_bundle_beside_its_member() -> None:
    """An offer stands once in an answer, so caps need no room of their own."""
    offers = OFFER % ("a", "a", ", caps: {total: 5}") + OFFER % ("b", "b", "")
    for name in "cd":
        offers += OFFER % (name, name, ", bundle: [a, b]")
    usage = Usage(offers={"a": CapUse(4, 0)})
    for seed in range(50):
        made = answer(catalog(offers + RANDOM), seed, 4, usage)
        sold = [part for slot in made.slots for part in (slot.offer_id, *slot.bundle)]
        assert sold.count("a") <= 1
        assert len(made.slots) == (1 if made.slots[0].bundle else 2)


@given(
    amount=st.floats(0.0001, 1e6),
    cost=st.floats(1e-5, 1e3),
    already=st.integers(0, 20),
)
def test_what_is_affordable_is_what_the_counters_take(
    amount: float, cost: float, already: int
) -> None:
    """Whoever decides and whoever counts agree, also on costs finer than the unit."""
    budget = Budget(amount, Period.MONTH)
    units = already * cost_units(cost)
    times = affordable(budget, units / UNITS, cost)
    assert times is not None
    left = amount_units(budget) - units
    assert times == max(0, left // cost_units(cost))


def test_money_is_rounded_to_the_safe_side() -> None:
    assert cost_units(0.1) == UNITS // 10
    assert cost_units(12.99) == 129_900
    assert cost_units(0.00001) == 1
    assert amount_units(Budget(0.3, Period.DAY)) == 3_000
    assert amount_units(Budget(0.00009, Period.DAY)) == 0
    assert affordable(Budget(0.3, Period.DAY), 0.1 + 0.2, 0.1) == 0
    assert affordable(Budget(0.3, Period.DAY), 0.1 + 0.1, 0.1) == 1
    assert affordable(Budget(0.3, Period.DAY), 0.4, 0.1) == 0
    assert affordable(Budget(0.3, Period.DAY), 0.3, 0.0) is None
