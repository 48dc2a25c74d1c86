"""Room: the slots of one answer fit together into what limits them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

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
from nbo.decision.history import Contact, Outcome
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

NOW = datetime(2026, 3, 31, 23, tzinfo=UTC)
"""Late in the month, so that money is not scarce while some is left."""

HEAD = """\
currency: EUR
languages: [en]
channels: {voice: {fallback: none}, chat: {fallback: none}}
issues: [{id: grow}]
groups: [{id: a, issue: grow}, {id: b, issue: grow}, {id: c}, {id: d}]
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


Treated = tuple[str, str]
Pair = tuple[Treated, Treated]


class Gifts:
    """A model that thinks highly of gifts."""

    version = "gifts"

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        p = np.array([0.2 if one.incentive.incentive_id == "none" else 0.5 for one in treatments])
        return Scores(p, np.full(len(p), 1e12), p)


def answer(
    compiled: CompiledCatalog,
    seed: int = 1,
    slots: int = 3,
    usage: Usage = NOTHING_USED,
    history: tuple[Contact, ...] = (),
) -> Decision:
    request = Request("d", "c", "i", NOW, "voice", "en", slots, {}, history, seed, usage=usage)
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
    gifts: Counter[int] = Counter()
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
    firsts: Counter[Treated] = Counter()
    weight: dict[Pair, float] = defaultdict(float)
    variance: dict[Pair, float] = defaultdict(float)
    for seed in range(4_000):
        one, two = answer(compiled, seed, 2, spent(9)).slots
        first = (one.offer_id, one.incentive_id)
        firsts[first] += 1
        pair = (first, (two.offer_id, two.incentive_id))
        weight[pair] += 1.0 / two.probability
        variance[pair] = 1.0 / two.probability - 1.0
    assert len(firsts) == 8
    assert len(weight) == 4 * 3 + 4 * 6, "after a gift only those without, else any"
    for pair, total in weight.items():
        n = firsts[pair[0]]
        assert abs(total - n) <= 4.0 * (n * variance[pair]) ** 0.5


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


def seen(days: float, offer: str = "a", channel: str = "voice") -> Contact:
    at = NOW - timedelta(days=days)
    return Contact(at, channel, "i-0", f"d-{days}", offer, offer, Outcome.PRESENTED)


FREE = "".join(OFFER % (name, name, "") for name in "abcd")


def test_an_answer_holds_no_more_than_may_still_be_said() -> None:
    compiled = catalog(FREE, frequency="[{name: month, limit: 3, period: 30d}]")
    for history, expected in (
        ((), 3),
        ((seen(1),), 2),
        ((seen(1), seen(40), seen(2, channel="chat")), 1),
        ((seen(1), seen(2), seen(3)), 0),
    ):
        assert len(answer(compiled, slots=4, history=history).slots) == expected


def test_a_frequency_limit_bounds_its_channel_and_its_target_alone() -> None:
    for frequency, expected in (
        ("[{name: f, limit: 1, period: 30d, channel: chat}]", "abcd"),
        ("[{name: f, limit: 1, period: 30d, channel: voice}]", "a"),
        ("[{name: f, limit: 1, period: 30d, issue: grow}]", "acd"),
        ("[{name: f, limit: 2, period: 30d, issue: grow}]", "abcd"),
        ("[{name: f, limit: 1, period: 30d, issue: grow},"
         " {name: f, limit: 1, period: 30d, group: c}]", "acd"),
        ("[{name: f, limit: 1, period: 30d, issue: grow},"
         " {name: f, limit: 2, period: 30d}]", "ac"),
    ):  # fmt: skip
        compiled = catalog(FREE, frequency=frequency)
        assert "".join(slot.offer_id for slot in answer(compiled, slots=4).slots) == expected


def test_mandatory_offers_count_and_service_messages_do_not() -> None:
    offers = (
        FREE + OFFER % ("m", "a", ", mandatory: true") + OFFER % ("n", "b", ", mandatory: true")
    )
    offers += OFFER % ("s", "d", ", service: true")
    compiled = catalog(offers, frequency="[{name: f, limit: 1, period: 30d}]")
    assert "".join(slot.offer_id for slot in answer(compiled, slots=4).slots) == "ms"


def test_a_bundle_draws_on_what_its_members_draw_on() -> None:
    offers = FREE + OFFER.replace("100", "300") % ("z", "d", ", bundle: [a, b]")
    frequency = "[{name: f, limit: 1, period: 30d, group: a}]"
    for seed in range(20):
        made = answer(catalog(offers + RANDOM, frequency=frequency), seed, 4)
        names = {slot.offer_id for slot in made.slots}
        assert not {"a", "z"} <= names
    c_in_a = offers.replace("{id: c, group: c", "{id: c, group: a")
    compiled = catalog(c_in_a, frequency=frequency)
    assert "".join(slot.offer_id for slot in answer(compiled, slots=4).slots) == "z"


@pytest.mark.parametrize("selection", SELECTIONS)
def test_no_seed_says_more_than_may_be_said(selection: str) -> None:
    compiled = catalog(FREE, selection, "[{name: f, limit: 3, period: 30d}]")
    for seed in range(50):
        made = answer(compiled, seed, 4, history=(seen(1),))
        assert len(made.slots) == 2
        assert replay(to_record(made), compiled, "") == ()


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
