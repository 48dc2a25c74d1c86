"""Counters that Redis lost, or never had, are the ledger's again."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
import redis.asyncio

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Group, Incentive, Offer
from nbo.decision.decision import Decision, Slot
from nbo.decision.history import Outcome
from nbo.decision.limits import NO_CAPS, Budget, Caps, CapUse, Period, Usage
from nbo.decision.record import IMPORTED, to_record
from nbo.decision.request import Request
from nbo.ledger import catalogs, decisions, outcomes, redemptions
from nbo.ledger.outcomes import OutcomeInput
from serving.caps import CapCounters, settle
from serving.caps_rebuild import CapKeeper
from serving.embedded_redis import EmbeddedRedis
from serving.keys import CAPS_OPEN, CAPS_READY, CAPS_RUN
from serving.relay import Relay

TTL = timedelta(minutes=30)
VERSION = "packs"
"""Of the published catalogue all decisions are made with."""
COST = 12.99


def catalog(caps: Caps = NO_CAPS, budget: Budget | None = None, pack: bool = True) -> Catalog:
    def offer(offer_id: str, caps: Caps, bundle: tuple[str, ...] = ()) -> Offer:
        return Offer(offer_id, "g", {}, {}, 1.0, 0.1, frozenset(), caps=caps, bundle=bundle)

    offers = [offer("one", caps), offer("two", NO_CAPS)]
    offers += [offer("pack", NO_CAPS, ("one", "two"))] if pack else []
    gift = Incentive("gift", {}, "gift", COST, budget=budget)
    incentives = {"none": NO_INCENTIVE, "gift": gift}
    groups = {"g": Group("g")}
    by_id = {one.offer_id: one for one in offers}
    return Catalog("v", "EUR", ("en",), {}, groups, incentives, by_id)


FULL = catalog(Caps(total=1_000, daily=900), Budget(50_000.0, Period.YEAR))


class Corner:
    """Decisions, outcomes, counters and their keeper, on real stores."""

    def __init__(self, url: str, ledger) -> None:
        self.live = redis.Redis.from_url(url)
        self.ledger = ledger
        self.in_force: Catalog | None = FULL
        self.keeper = CapKeeper(self.live, ledger, lambda: self.in_force, TTL)
        self._loop = asyncio.new_event_loop()
        self._async = redis.asyncio.Redis.from_url(url)
        self._caps = CapCounters(self._async, TTL)
        self._number = 0

    def close(self) -> None:
        self._loop.run_until_complete(self._async.aclose())
        self._loop.close()
        self.live.close()

    def usage(self, known_to: Catalog = FULL, at: datetime | None = None) -> Usage:
        at = at or datetime.now(UTC)
        return self._loop.run_until_complete(self._caps.read(known_to, at))

    def answer(self, offer_id: str, incentive: str, at: datetime, *, reserve: bool = True):
        self._number += 1
        made = decision(f"d-{self._number}", offer_id, incentive, at)
        if reserve:
            taken = self._loop.run_until_complete(self._caps.reserve(made, FULL))
            assert taken == {}
        decisions.append(self.ledger, [to_record(made)])
        return to_record(made)

    def tell(self, record, kind: Outcome, *, settled: bool = True) -> None:
        given = report(record, kind)
        payload = outcomes.record(self.ledger, given, record).payload
        if settled:
            pipe = self.live.pipeline(transaction=False)
            settle(pipe, payload)
            pipe.execute()

    def some_business(self, n: int, seed: int) -> None:
        rng = random.Random(seed)
        kinds = [Outcome.ACCEPTED] * 2 + [Outcome.DECLINED, Outcome.PRESENTED, None, None]
        for _ in range(n):
            offer_id = rng.choice(["one", "two", "pack"])
            record = self.answer(offer_id, rng.choice(["none", "gift"]), datetime.now(UTC))
            for kind in rng.sample(kinds, 2):
                if kind is not None:
                    self.tell(record, kind)


def decision(decision_id: str, offer_id: str, incentive: str, at: datetime) -> Decision:
    request = Request(decision_id, "c", "i", at, "web", "en", 1, {}, (), 1)
    slot = Slot(
        1, offer_id, "g", incentive, 1.0, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, (),
        bundle=("one", "two") if offer_id == "pack" else (),
        incentive_cost=COST if incentive == "gift" else 0.0,
    )  # fmt: skip
    return Decision(request, {}, (slot,), (), {"catalog": VERSION})


def report(record, kind: Outcome) -> OutcomeInput:
    decided = datetime.fromisoformat(record["request"]["at"])
    key = f"{record['request']['decision_id']} {kind}"
    return OutcomeInput(key, record["request"]["decision_id"], 1, kind, "", decided)


@pytest.fixture(scope="module")
def redis_url(short_dir) -> Iterator[str]:
    server = EmbeddedRedis(short_dir)
    yield server.start()
    server.stop()


@pytest.fixture
def corner(redis_url, engine) -> Iterator[Corner]:
    with redis.Redis.from_url(redis_url) as live:
        live.flushall()
        live.script_flush()
    catalogs.publish(engine, VERSION, "{id: pack, bundle: [one, two]}", "a", "", "")
    opened = Corner(redis_url, engine)
    yield opened
    opened.close()


def test_counters_are_unknown_until_the_keeper_looked(corner):
    assert not corner.usage().known
    assert corner.keeper.look()
    assert corner.usage() == Usage()
    assert not corner.keeper.look()


def test_what_redis_lost_is_rebuilt_equal(corner):
    corner.keeper.look()
    corner.some_business(60, seed=5)
    before = corner.usage()
    waiting = corner.live.zrange(CAPS_OPEN, 0, -1, withscores=True)
    assert before.offers["one"].total > 20
    assert before.budgets["gift"] > 10 * COST
    assert len(waiting) >= 5

    corner.live.flushall()
    assert corner.usage().unknown_offers == {"one"}
    corner.keeper.look()
    assert corner.usage() == before
    again = corner.live.zrange(CAPS_OPEN, 0, -1, withscores=True)
    # What waits lapses when it would have: counted from the decision, which came just before.
    assert [slot for slot, _ in sorted(again)] == [slot for slot, _ in sorted(waiting)]
    gaps = [was - now for (_, was), (_, now) in zip(sorted(waiting), sorted(again), strict=True)]
    assert all(0 <= gap < 2_000 for gap in gaps)


def test_redis_emptied_during_a_rebuild_is_rebuilt_again(corner, monkeypatch):
    record = corner.answer("one", "none", datetime.now(UTC), reserve=False)
    corner.tell(record, Outcome.ACCEPTED)
    waiting = redemptions.waiting

    def emptied_before(*arguments):
        corner.live.flushall()
        return waiting(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(redemptions, "waiting", emptied_before)
        corner.keeper.look()
    assert not corner.usage().known
    corner.keeper.look()
    assert corner.usage().offers["one"].total == 1


def test_old_decisions_count_when_accepted_and_only_then(corner):
    long_ago = datetime.now(UTC) - timedelta(days=500)
    lapsed = datetime.now(UTC) - TTL - timedelta(seconds=1)
    corner.keeper.look()
    corner.tell(corner.answer("one", "none", long_ago), Outcome.ACCEPTED)
    corner.live.flushall()
    corner.answer("one", "none", lapsed, reserve=False)
    corner.keeper.look()
    assert corner.usage().offers == {"one": CapUse(1, 0)}
    assert corner.usage(at=long_ago).offers == {"one": CapUse(1, 0)}


@pytest.mark.parametrize("any_day", [False, True])
def test_days_and_periods_long_over_are_counted_anew_for_simulations_only(corner, any_day):
    now = datetime.now(UTC)
    for days in (0, 30, 2 * 366):
        made = corner.answer("one", "gift", now - timedelta(days=days), reserve=False)
        corner.tell(made, Outcome.ACCEPTED, settled=False)
    CapKeeper(corner.live, corner.ledger, lambda: FULL, TTL, any_day).look()
    keys = [key.decode().rpartition("used:")[2] for key in corner.live.scan_iter("*used:*")]
    kept = [now, now - timedelta(days=30)] + [now - timedelta(days=2 * 366)] * any_day
    days = {f"d|{day:%Y-%m-%d}|one" for day in kept}
    years = {f"b|year|{day:%Y}-01-01|gift" for day in kept}
    assert set(keys) == {"t|one", *days, *years}
    assert corner.usage().offers == {"one": CapUse(3, 1)}


def test_a_cap_that_is_published_later_counts_what_was_before_it(corner):
    corner.in_force = catalog()
    corner.keeper.look()
    for kind in (Outcome.ACCEPTED, Outcome.DECLINED, Outcome.PRESENTED):
        record = corner.answer("pack", "gift", datetime.now(UTC), reserve=False)
        corner.tell(record, kind)
    assert corner.usage().unknown_offers == {"one"}
    corner.in_force = FULL
    corner.keeper.look()
    usage = corner.usage()
    assert usage.offers["one"] == (2, 2)
    assert usage.budgets["gift"] == 2 * COST
    corner.in_force = catalog(pack=False)
    corner.keeper.look()
    assert corner.live.hgetall(CAPS_READY) == {}
    record = corner.answer("one", "none", datetime.now(UTC), reserve=False)
    corner.tell(record, Outcome.ACCEPTED)
    corner.in_force = catalog(Caps(total=5), pack=False)  # the bundle exists no more
    corner.keeper.look()
    assert corner.usage(corner.in_force).offers["one"].total == 3


def test_a_cap_that_is_published_blanks_no_other(corner, monkeypatch):
    corner.in_force = catalog(budget=Budget(50_000.0, Period.YEAR))
    corner.keeper.look()
    for offer_id, incentive in (("one", "none"), ("two", "gift"), ("two", "none")):
        record = corner.answer(offer_id, incentive, datetime.now(UTC), reserve=False)
        corner.tell(record, Outcome.ACCEPTED)
    seen, read = [], []
    accepted = redemptions.accepted

    def watched(*arguments):
        seen.append(corner.usage())
        for slot in accepted(*arguments):
            read.append(slot)
            yield slot

    monkeypatch.setattr(redemptions, "accepted", watched)
    corner.in_force = FULL
    corner.keeper.look()
    (meanwhile,) = seen
    assert meanwhile.unknown_offers == {"one"}
    assert meanwhile.knows_budget("gift")
    assert meanwhile.budgets == {"gift": COST}
    assert [slot.offer_id for slot in read] == ["one"], "only what is missing is read"
    assert corner.usage() == Usage({"one": CapUse(1, 1)}, {"gift": COST})


def test_what_another_system_offered_is_counted_by_nobody(corner):
    corner.keeper.look()
    record = to_record(decision("d-theirs", "one", "gift", datetime.now(UTC)))
    record["versions"]["engine"] = IMPORTED
    with corner.ledger.begin() as connection:
        decisions.insert(connection, [record], imported=True)
    corner.tell(record, Outcome.ACCEPTED, settled=False)
    assert Relay(corner.live, corner.ledger).step() == 1
    assert corner.usage() == Usage()
    corner.live.flushall()
    corner.keeper.look()
    assert corner.usage() == Usage()


def test_the_incentive_costs_what_it_cost_when_it_was_decided(corner):
    corner.keeper.look()
    corner.tell(corner.answer("two", "gift", datetime.now(UTC)), Outcome.ACCEPTED)
    gift = FULL.incentives["gift"]
    dearer = Incentive("gift", {}, "gift", 99.0, budget=gift.budget)
    corner.in_force = Catalog(
        "w", "EUR", ("en",), {}, FULL.groups, {"none": NO_INCENTIVE, "gift": dearer}, FULL.offers
    )
    corner.live.flushall()
    corner.keeper.look()
    assert corner.usage().budgets == {"gift": COST}


def test_a_server_started_again_is_compared_with_the_ledger(corner):
    corner.keeper.look()
    record = corner.answer("one", "none", datetime.now(UTC))
    corner.tell(record, Outcome.ACCEPTED, settled=False)  # Redis lost its last second
    corner.live.delete(CAPS_OPEN)
    for key in corner.live.scan_iter("nbo:{caps}:*|one"):
        corner.live.delete(key)
    assert corner.usage().offers == {}
    corner.live.set(CAPS_RUN, "an earlier run")
    assert corner.keeper.look()
    assert corner.usage().offers["one"].total == 1


def test_the_relay_settles_what_the_server_could_not(corner):
    corner.keeper.look()
    accepted, declined = (corner.answer("one", "gift", datetime.now(UTC)) for _ in range(2))
    corner.tell(accepted, Outcome.ACCEPTED, settled=False)
    corner.tell(declined, Outcome.DECLINED, settled=False)
    assert corner.usage().offers["one"].total == 2
    assert Relay(corner.live, corner.ledger).step() == 2
    assert corner.usage().offers["one"].total == 1
    assert corner.live.zcard(CAPS_OPEN) == 0


def test_business_goes_on_while_counters_are_rebuilt(corner):
    """Outcomes are told, and Redis is emptied, at any point of a rebuild; nothing is lost."""
    records = [corner.answer("one", "gift", datetime.now(UTC), reserve=False) for _ in range(150)]
    stop = threading.Event()

    def keep() -> None:
        while not stop.is_set():
            corner.keeper.look()
            time.sleep(0.002)

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        for number, record in enumerate(records):
            kind = (Outcome.ACCEPTED, Outcome.DECLINED, Outcome.ACCEPTED)[number % 3]
            corner.tell(record, kind)
            if number % 40 == 39:
                corner.live.flushall()
    finally:
        stop.set()
        keeper.join()
    corner.keeper.look()
    # Declines that were told between the keeper's reading and its writing wait for their time.
    for slot in corner.live.zrange(CAPS_OPEN, 0, -1):
        corner.live.zadd(CAPS_OPEN, {slot: 1})
    corner.keeper.step()
    assert corner.usage().offers["one"].total == 100
    assert corner.usage().budgets["gift"] == pytest.approx(100 * COST, abs=1e-9)
