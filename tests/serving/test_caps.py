"""Caps and budgets under any interleaving of clients, beside a model of their own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
import redis
import redis.asyncio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from structlog.testing import capture_logs

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Group, Incentive, Offer
from nbo.decision.catalog_text import load_catalog
from nbo.decision.decide import World
from nbo.decision.decision import Decision, Slot
from nbo.decision.facts import FactSchema
from nbo.decision.limits import NOTHING_USED, UNITS, Budget, Caps, CapUse, Period, Usage
from nbo.decision.prior import PriorPropensity
from nbo.decision.request import Request
from serving.cap_scripts import ANSWERING, LAPSE, call
from serving.cap_units import scopes
from serving.caps import CapCounters, decide_within, report_late, settle
from serving.embedded_redis import EmbeddedRedis
from serving.keys import CAPS_HELD, CAPS_OPEN, CAPS_READY, CAPS_USED

MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC)
BEFORE, AFTER = MIDNIGHT - timedelta(seconds=1), MIDNIGHT
COSTS = {"none": 0.0, "gift": 0.1, "month": 12.99}


def offer(offer_id: str, caps: Caps, bundle: tuple[str, ...] = ()) -> Offer:
    return Offer(offer_id, "g", {}, {}, 1.0, 0.1, frozenset({"web"}), caps=caps, bundle=bundle)


CATALOG = Catalog(
    version="v",
    currency="EUR",
    languages=("en",),
    channels={},
    groups={"g": Group("g")},
    incentives={
        "none": NO_INCENTIVE,
        "gift": Incentive("gift", {}, "gift", COSTS["gift"], budget=Budget(0.7, Period.DAY)),
        "month": Incentive("month", {}, "free", COSTS["month"], budget=Budget(70.0, Period.MONTH)),
    },
    offers={
        one.offer_id: one
        for one in (
            offer("total", Caps(total=5)),
            offer("daily", Caps(daily=2)),
            offer("both", Caps(total=4, daily=3)),
            offer("plain", Caps()),
            offer("pack", Caps(total=3), bundle=("total", "daily")),
            offer("loose", Caps(), bundle=("both", "plain")),
        )
    },
)


def decision(number: int, at: datetime, *slots: tuple[str, str]) -> Decision:
    request = Request(f"d-{number}", "c", "i", at, "web", "en", 3, {}, (), 1)
    made = tuple(
        Slot(
            rank, offer_id, "g", incentive_id, 1.0, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, (),
            bundle=CATALOG.offers[offer_id].bundle, incentive_cost=COSTS[incentive_id],
        )
        for rank, (offer_id, incentive_id) in enumerate(slots, start=1)
    )  # fmt: skip
    return Decision(request, {}, made, (), {})


def outcome(made: Decision, rank: int, kind: str) -> dict[str, Any]:
    slot = made.slots[rank - 1]
    return {
        "kind": kind,
        "decision_id": made.request.decision_id,
        "rank": rank,
        "offer_id": slot.offer_id,
        "bundle": list(slot.bundle),
        "incentive_id": slot.incentive_id,
        "incentive_cost": slot.incentive_cost,
        "decided_at": made.request.at.isoformat(),
    }


@pytest.fixture(scope="module")
def redis_url(short_dir) -> Iterator[str]:
    server = EmbeddedRedis(short_dir)
    yield server.start()
    server.stop()


@pytest.fixture
def live(redis_url) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    ready(client)
    yield client
    client.close()


def ready(client: redis.Redis) -> None:
    client.hset(CAPS_READY, mapping=dict.fromkeys(scopes(CATALOG), "1"))
    for script in ANSWERING:
        client.script_load(script)


class Desk:
    """The counters, called from synchronous code."""

    def __init__(self, url: str, reservation: timedelta = timedelta(minutes=30)) -> None:
        self._loop = asyncio.new_event_loop()
        self._live = redis.asyncio.Redis.from_url(url)
        self._caps = CapCounters(self._live, reservation)

    def reserve(self, made: Decision) -> dict[str, int] | None:
        return self._loop.run_until_complete(self._caps.reserve(made, CATALOG))

    def used(self, at: datetime):
        return self._loop.run_until_complete(self._caps.read(CATALOG, at))

    def close(self) -> None:
        self._loop.run_until_complete(self._live.aclose())
        self._loop.close()


@pytest.fixture
def desk(redis_url, live) -> Iterator[Desk]:
    opened = Desk(redis_url)
    yield opened
    opened.close()


def report(live: redis.Redis, payload: dict[str, Any]) -> None:
    """Settle as the recorder does, and again as the relay does."""
    for _ in range(2):
        pipe = live.pipeline(transaction=False)
        if settle(pipe, payload):
            report_late(payload, pipe.execute()[-1])


def pass_time(live: redis.Redis, slot: str) -> None:
    """As if the reservation had been made long ago."""
    live.zadd(CAPS_OPEN, {slot: 1}, xx=True)


# ---- the model: what is held by whom, in exact fractions


class Model:
    def __init__(self) -> None:
        self.state: dict[tuple[int, int], str] = {}
        self.decisions: dict[int, Decision] = {}
        self.late: Counter[tuple[str, ...]] = Counter()

    def used(self, *, accepted_only: bool = False) -> Counter[tuple[str, ...]]:
        total: Counter[tuple[str, ...]] = Counter()
        for (number, rank), state in self.state.items():
            if state == "accepted" or (state == "reserved" and not accepted_only):
                total.update(self.weight(self.decisions[number], rank))
        return total

    @staticmethod
    def weight(made: Decision, rank: int) -> dict[tuple[str, ...], Any]:
        slot, day = made.slots[rank - 1], made.request.at.strftime("%d")
        found: dict[tuple[str, ...], Any] = {}
        for part in {slot.offer_id, *slot.bundle}:
            caps = CATALOG.offers[part].caps
            if caps.total is not None:
                found["total", part] = 1
            if caps.daily is not None:
                found["daily", part, day] = 1
        if slot.incentive_id == "gift":
            found["gift", day] = Fraction(1, 10)
        if slot.incentive_id == "month":
            found["month",] = Fraction(1299, 100)
        return found

    @staticmethod
    def limit(counter: tuple[str, ...]) -> Fraction | float:
        if counter[0] == "gift":
            return Fraction(7, 10)
        if counter[0] == "month":
            return Fraction(70)
        caps = CATALOG.offers[counter[1]].caps
        found = caps.total if counter[0] == "total" else caps.daily
        return float("inf") if found is None else found

    def fits(self, made: Decision) -> bool:
        used = self.used()
        for slot in made.slots:
            used.update(self.weight(made, slot.rank))
        touched = {key for slot in made.slots for key in self.weight(made, slot.rank)}
        return all(used[key] <= self.limit(key) for key in touched)


class Interleavings(RuleBasedStateMachine):
    """Reserve, crash before logging, answer in any order, lapse; after each step compare."""

    live: redis.Redis
    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.live.flushall()
        ready(self.live)
        self.model = Model()

    @rule(
        picks=st.lists(
            st.tuples(st.sampled_from(sorted(CATALOG.offers)), st.sampled_from(sorted(COSTS))),
            min_size=1, max_size=3, unique_by=lambda pick: pick[0],
        ),
        late=st.booleans(),
        retried=st.booleans(),
    )  # fmt: skip
    def answer(self, picks, late, retried):
        number = len(self.model.decisions)
        made = decision(number, AFTER if late else BEFORE, *picks)
        self.model.decisions[number] = made
        fits = self.model.fits(made)
        for _ in range(1 + retried):  # the reply to the first call was lost
            assert (self.desk.reserve(made) == {}) == fits
        for slot in made.slots if fits else ():
            self.model.state[number, slot.rank] = "reserved"

    @rule(data=st.data(), kind=st.sampled_from(
        ["ACCEPTED", "DECLINED", "SKIPPED", "NO_RESPONSE", "DEFERRED", "PRESENTED", "CANCELLED"]
    ))  # fmt: skip
    def told(self, data, kind):
        if not self.model.state:
            return
        number, rank = data.draw(st.sampled_from(sorted(self.model.state)))
        state = self.model.state[number, rank]
        made = self.model.decisions[number]
        report(self.live, outcome(made, rank, kind))
        if kind == "ACCEPTED":
            if state == "gone":
                self.model.late.update(self.model.weight(made, rank))
            self.model.state[number, rank] = "accepted"
        elif kind not in ("PRESENTED", "CANCELLED") and state == "reserved":
            self.model.state[number, rank] = "gone"

    @rule(data=st.data())
    def lapse(self, data):
        if not self.model.state:
            return
        number, rank = data.draw(st.sampled_from(sorted(self.model.state)))
        pass_time(self.live, f"d-{number}/{rank}")
        self.live.eval(*call(LAPSE, 100))
        if self.model.state[number, rank] == "reserved":
            self.model.state[number, rank] = "gone"

    @invariant()
    def counted_as_in_the_model(self):
        used = self.model.used()
        for counter, amount in used.items():
            assert amount <= self.model.limit(counter) + self.model.late[counter], counter
        for at in (BEFORE, AFTER):
            seen, day = self.desk.used(at), at.strftime("%d")
            assert seen.known
            for name in ("total", "daily", "both", "pack"):
                expected = CapUse(used["total", name], used["daily", name, day])
                assert seen.offers.get(name, CapUse()) == expected
            assert seen.budgets.get("gift", 0.0) == float(used["gift", day])
            assert seen.budgets.get("month", 0.0) == float(used["month",])

    def teardown(self):
        for slot in self.live.zrange(CAPS_OPEN, 0, -1):
            pass_time(self.live, slot.decode())
        self.live.eval(*call(LAPSE, 10_000))
        for key, state in self.model.state.items():
            self.model.state[key] = "gone" if state == "reserved" else state
        self.counted_as_in_the_model()
        assert self.model.used() == self.model.used(accepted_only=True)
        assert self.live.exists(CAPS_OPEN, CAPS_HELD) == 0


def test_no_interleaving_exceeds_or_leaks(live, desk):
    class Here(Interleavings):
        pass

    Here.live, Here.desk = live, desk
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=120,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# ---- single rules


def unreachable() -> CapCounters:
    no_server = redis.asyncio.Redis(port=1, retry=Retry(NoBackoff(), 0))
    return CapCounters(no_server, timedelta(minutes=30))


def test_nothing_is_asked_of_redis_without_caps():
    nowhere = unreachable()
    catalog = Catalog("v", "EUR", ("en",), {}, {}, {"none": NO_INCENTIVE}, {})
    assert asyncio.run(nowhere.read(catalog, BEFORE)) == NOTHING_USED


def test_unread_and_uncounted_is_unknown(live, desk):
    nowhere = unreachable()
    assert not asyncio.run(nowhere.read(CATALOG, BEFORE)).known
    assert asyncio.run(nowhere.reserve(decision(1, BEFORE, ("total", "none")), CATALOG)) is None
    for flag in ("being rebuilt", None):
        live.hset(CAPS_READY, "t|total", flag) if flag else live.hdel(CAPS_READY, "t|total")
        assert desk.used(BEFORE).unknown_offers == {"total"}
        assert desk.reserve(decision(1, BEFORE, ("total", "none"))) is None
    live.hset(CAPS_READY, "b|day|gift", "being rebuilt")
    assert desk.used(BEFORE).unknown_budgets == {"gift"}


def test_what_is_counted_is_told_and_taken_while_others_are_not(live, desk):
    assert desk.reserve(decision(1, BEFORE, ("both", "month"))) == {}
    live.hdel(CAPS_READY, "t|total", "b|day|gift")
    seen = desk.used(BEFORE)
    assert seen.knows_offer("both")
    assert not seen.knows_offer("total")
    assert seen.offers["both"] == (1, 1)
    assert seen.budgets == {"month": 12.99}
    assert desk.reserve(decision(2, BEFORE, ("both", "month"))) == {}


def test_all_slots_are_taken_or_none(desk):
    for number in range(2):
        assert desk.reserve(decision(number, BEFORE, ("daily", "none"))) == {}
    both = decision(2, BEFORE, ("total", "gift"), ("daily", "none"))
    assert desk.reserve(both) == {
        "t|total": 0,
        "b|day|2026-03-10|gift": 0,
        "d|2026-03-10|daily": 2,
    }
    assert "total" not in desk.used(BEFORE).offers
    assert desk.used(BEFORE).budgets == {}


def test_one_answer_may_not_take_the_last_of_a_budget_twice(desk):
    six = [decision(n, BEFORE, ("plain", "gift")) for n in range(6)]
    assert [desk.reserve(one) for one in six] == [{}] * 6
    twice = decision(6, BEFORE, ("total", "gift"), ("both", "gift"))
    assert desk.reserve(twice)["b|day|2026-03-10|gift"] == 6_000
    assert desk.reserve(decision(7, BEFORE, ("plain", "gift"))) == {}
    assert desk.used(BEFORE).budgets["gift"] == 0.7


SCARCE = """\
currency: EUR
languages: [en]
channels: {web: {fallback: none}}
groups: [{id: g}, {id: h}]
incentives:
  - {id: gift, name: {en: G}, kind: gift, cost: 10, budget: {amount: 100, period: day}}
offers:
  - {id: x, group: g, name: {en: X}, channels: [web], value: 100, prior: 0.9, incentives: [gift]}
  - {id: y, group: h, name: {en: Y}, channels: [web], value: 100, prior: 0.9, incentives: [gift]}
"""


@pytest.mark.parametrize("seen", [90.0, 80.0])
def test_the_last_part_of_a_budget_is_spent_and_the_log_says_what_was(redis_url, live, seen):
    """90 of 100 are spent; the request knows it, or what was true a moment before."""
    compiled = load_catalog(SCARCE, "catalog.yaml", FactSchema({}))
    live.hset(CAPS_READY, "b|day|gift", "1")
    live.set(f"{CAPS_USED}b|day|2026-03-10|gift", 90 * UNITS)
    usage = Usage(budgets={"gift": seen})
    request = Request("d", "c", "i", BEFORE, "web", "en", 2, {}, (), 1, usage=usage)

    async def answered() -> tuple[Decision, Usage]:
        async with redis.asyncio.Redis.from_url(redis_url) as connection:
            caps = CapCounters(connection, timedelta(minutes=30))
            made = await decide_within(caps, request, World(compiled, PriorPropensity()))
            return made, await caps.read(compiled.catalog, BEFORE)

    made, after = asyncio.run(answered())
    assert [slot.offer_id for slot in made.slots] == ["x"]
    assert made.request.usage.budgets == {"gift": 90.0}
    assert after.budgets == {"gift": 100.0}


def test_a_decision_before_midnight_is_counted_on_its_day(live, desk):
    made = decision(1, BEFORE, ("daily", "gift"))
    desk.reserve(made)
    report(live, outcome(made, 1, "ACCEPTED"))
    assert desk.used(BEFORE).offers["daily"] == (0, 1)
    assert "daily" not in desk.used(AFTER).offers
    assert "gift" not in desk.used(AFTER).budgets


def test_time_releases_a_reservation_by_the_clock_of_redis(redis_url, live):
    brief = Desk(redis_url, timedelta(milliseconds=80))
    for number in range(5):
        brief.reserve(decision(number, BEFORE, ("total", "none")))
    assert brief.reserve(decision(5, BEFORE, ("total", "none")))["t|total"] == 5
    asyncio.run(asyncio.sleep(0.1))
    assert brief.used(BEFORE).offers == {}
    assert brief.reserve(decision(6, BEFORE, ("total", "none"))) == {}
    brief.close()


def test_a_late_acceptance_counts_past_the_cap_and_is_told(live, desk):
    first = decision(0, BEFORE, ("total", "none"))
    desk.reserve(first)
    pass_time(live, "d-0/1")
    for number in range(1, 6):
        assert desk.reserve(decision(number, BEFORE, ("total", "none"))) == {}
    with capture_logs() as told:
        report(live, outcome(first, 1, "ACCEPTED"))
    assert desk.used(BEFORE).offers["total"].total == 6
    (entry,) = told
    assert (entry["decision_id"], entry["offer"]) == ("d-0", "total")
    with capture_logs() as told:
        in_time = decision(1, BEFORE, ("total", "none"))
        report(live, outcome(in_time, 1, "ACCEPTED"))
    assert told == []


def test_money_has_no_drift(live, desk):
    for number in range(7):
        made = decision(number, BEFORE, ("plain", "gift"))
        assert desk.reserve(made) == {}
        report(live, outcome(made, 1, "ACCEPTED"))
    assert desk.used(BEFORE).budgets["gift"] == 0.7
    assert live.get(f"{CAPS_USED}b|day|2026-03-10|gift") == b"7000"


def test_an_outcome_of_an_older_server_takes_nothing(live, desk):
    old = {"kind": "ACCEPTED", "decision_id": "d", "rank": 1, "offer_id": "total"}
    report(live, old | {"incentive_id": "none"})
    assert desk.used(BEFORE).offers == {}
