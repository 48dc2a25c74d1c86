"""Caps and budgets while answers are given: read, reserve, settle; all of it in Redis.

An answer takes what it returns before it is logged and told, all of it or nothing, so a cap or
a budget is never exceeded by answers that do not know of each other. What is taken is given
back by every answer but an acceptance, and by time. An acceptance is a fact: it counts even if
its reservation lapsed meanwhile.

Until a counter is known to be whole (see `serving.caps_rebuild`) it is read as unknown, and
nothing with its cap or budget is offered. A Redis that was just started knows none of them, as
it may lack its last second: the scripts answers need are not loaded there yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from nbo.decision.catalog import Catalog
from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision
from nbo.decision.history import Outcome
from nbo.decision.limits import NOTHING_USED, UNITS, CapUse, Usage
from nbo.decision.request import Request
from serving import cap_scripts
from serving.cap_scripts import call, call_loaded
from serving.cap_units import (
    Counted,
    Take,
    budget_counter,
    counted,
    day_counter,
    slot_name,
    takes,
    takes_of_outcome,
    total_counter,
)
from serving.keys import CAPS_READY, CAPS_USED

log = structlog.get_logger()

Used = Mapping[str, int]
"""How much is used, by counter: pieces or `UNITS` of money."""

UNREADABLE = Usage(known=False)

TRIES = 5
"""Decisions made before everything with a cap or budget is left out of the answer."""

LAPSES_PER_READ = 20

_RELEASING = frozenset({Outcome.DECLINED, Outcome.SKIPPED, Outcome.NO_RESPONSE, Outcome.DEFERRED})


class UsageQuestion:
    """One question for what is used, to be put with others in one round trip.

    Attributes:
        usage: Unknown until the replies are taken.
    """

    def __init__(self, counted: Counted, at: datetime) -> None:
        self._counted = counted
        self._at = at
        self.usage = UNREADABLE if counted.scopes else NOTHING_USED

    def queue(self, pipe: Any) -> None:
        """Queue its commands; none when the catalogue has no caps and no budgets."""
        wanted = self._counted.scopes
        if not wanted:
            return
        pipe.evalsha(*call_loaded(cap_scripts.LAPSE, LAPSES_PER_READ))
        pipe.hmget(CAPS_READY, wanted)
        pipe.mget([CAPS_USED + counter for counter in self._counted.counters(self._at)])

    def take(self, replies: Sequence[Any]) -> None:
        """Read the replies to its commands, in order; an error among them leaves it unknown."""
        if not replies or any(isinstance(reply, Exception) for reply in replies):
            return
        _, ready, counts = replies
        known = [
            int(count or 0) if flag == b"1" else None
            for flag, count in zip(ready, counts, strict=True)
        ]
        self.usage = _usage(self._counted, known)


def _usage(counted: Counted, used: Sequence[int | None]) -> Usage:
    """What is used, by what each scope's counter says: None where it is not counted yet."""
    first, second = len(counted.totals), len(counted.totals) + len(counted.dailies)
    totals = dict(zip(counted.totals, used[:first], strict=True))
    dailies = dict(zip(counted.dailies, used[first:second], strict=True))
    spent = dict(zip((one for one, _ in counted.budgets), used[second:], strict=True))
    offers = totals | dailies
    uses = {
        offer: CapUse(totals.get(offer, 0) or 0, dailies.get(offer, 0) or 0) for offer in offers
    }
    return Usage(
        offers={offer: use for offer, use in uses.items() if any(use)},
        budgets={incentive: units / UNITS for incentive, units in spent.items() if units},
        unknown_offers=frozenset(
            offer
            for counts in (totals, dailies)
            for offer, count in counts.items()
            if count is None
        ),
        unknown_budgets=frozenset(one for one, units in spent.items() if units is None),
    )


class CapCounters:
    """Reads and reserves; one per process.

    Args:
        live: Redis; must return bytes.
        reservation: How long a returned slot is kept for its customer.
    """

    def __init__(self, live: redis.asyncio.Redis, reservation: timedelta) -> None:
        self._live = live
        self._milliseconds = max(1, int(reservation.total_seconds() * 1000))
        self._latest: tuple[Catalog, Counted] | None = None

    def ask(self, catalog: Catalog, at: datetime) -> UsageQuestion:
        """A question for what is used at an instant, to be put in another's round trip."""
        if self._latest is None or self._latest[0] is not catalog:
            self._latest = catalog, counted(catalog)
        return UsageQuestion(self._latest[1], at)

    async def read(self, catalog: Catalog, at: datetime) -> Usage:
        """What is used up at an instant; unknown when Redis does not answer."""
        question = self.ask(catalog, at)
        if question.usage.known:
            return question.usage
        try:
            async with self._live.pipeline(transaction=False) as pipe:
                question.queue(pipe)
                question.take(await pipe.execute(raise_on_error=False))
        except (RedisError, OSError) as error:
            log.warning("usage of caps not read", reason=str(error))
        return question.usage

    async def reserve(self, decision: Decision, catalog: Catalog) -> Used | None:
        """Take what an answer returns, all or nothing.

        Returns:
            Empty when everything was taken; where not enough is left of something, how much is
            used of all that was asked for. None when the counters are not whole or Redis does
            not answer; what was taken then lapses.
        """
        wanted = takes(decision, catalog)
        if not wanted:
            return {}
        slots = [part for slot, items in wanted.items() for part in (slot, _json(items))]
        try:
            asked = call_loaded(cap_scripts.RESERVE, self._milliseconds, *slots)
            known, *used = await self._live.evalsha(*asked)  # type: ignore[misc]
        except (RedisError, OSError) as error:
            log.warning("nothing reserved", reason=str(error))
            return None
        counters = map(bytes.decode, used[::2])
        return dict(zip(counters, used[1::2], strict=True)) if known else None

    async def release(self, slots: Sequence[str]) -> None:
        """Give back what slots took and nobody accepted; twice is once.

        Raises:
            RedisError, OSError: Redis does not answer.
        """
        async with self._live.pipeline(transaction=False) as pipe:
            for slot in slots:
                pipe.eval(*call(cap_scripts.SETTLE, "release", slot, "[]"))
            await pipe.execute()


class Reserves(Protocol):
    """Takes what an answer returns; see `CapCounters.reserve`."""

    async def reserve(self, decision: Decision, catalog: Catalog) -> Used | None:
        """Take all or nothing."""


async def decide_within(
    caps: Reserves,
    request: Request,
    world: World,
    decide: Callable[[Request, World], Decision] = decide,
) -> Decision:
    """Decide, and take what the answer returns; decide again while others were faster.

    An answer never wants more than its request's usage leaves, so what is refused was taken by
    others meanwhile, and is told by the refusal.

    After `TRIES` nothing with a cap or budget is offered, which needs no reservation.
    """
    catalog = world.compiled.catalog
    for _ in range(TRIES):
        decision = decide(request, world)
        used = await caps.reserve(decision, catalog)
        if used is None:
            break
        if not used:
            return decision
        request = replace(request, usage=updated(request, used, catalog))
    return decide(replace(request, usage=UNREADABLE), world)


def updated(request: Request, used: Used, catalog: Catalog) -> Usage:
    """The usage of a request with what is known better now of some counters."""
    at, usage = request.at, request.usage
    offers, budgets = dict(usage.offers), dict(usage.budgets)
    known = counted(catalog)
    for offer_id in dict.fromkeys((*known.totals, *known.dailies)):
        total, daily = offers.get(offer_id, CapUse())
        now = CapUse(
            used.get(total_counter(offer_id), total), used.get(day_counter(offer_id, at), daily)
        )
        if any(now):
            offers[offer_id] = now
        else:
            offers.pop(offer_id, None)
    for incentive_id, period in known.budgets:
        units = used.get(budget_counter(incentive_id, period, at))
        if units is not None:
            budgets[incentive_id] = units / UNITS
    return replace(usage, offers=offers, budgets=budgets)


def settle(pipe: Any, payload: Mapping[str, Any]) -> bool:
    """Queue what an outcome does to caps and budgets on a Redis pipeline, sync or async.

    An acceptance commits what was reserved. A decline, a skip, a deferral or no response gives
    it back. Repeating it changes nothing, and neither does the order: a slot that was accepted
    stays so. A cancellation gives nothing back: what was promised once was promised. What another
    system offered takes nothing: it is not counted from the ledger either.

    Args:
        pipe: A pipeline or client.
        payload: What the relay carries; see `nbo.ledger.outbox.Waiting`.

    Returns:
        Whether a command was queued; give its reply to `report_late`.
    """
    if payload.get("imported", False):  # payloads of an older server do not say
        return False
    kind = Outcome(payload["kind"])
    slot = slot_name(payload["decision_id"], payload["rank"])
    if kind is Outcome.ACCEPTED:
        items = _json(takes_of_outcome(payload))
        pipe.eval(*call(cap_scripts.SETTLE, "commit", slot, items))
    elif kind in _RELEASING:
        pipe.eval(*call(cap_scripts.SETTLE, "release", slot, "[]"))
    else:
        return False
    return True


def report_late(payload: Mapping[str, Any], reply: Any) -> None:
    """Log an acceptance whose reservation had ended, which may have passed a cap."""
    if reply == 1:
        log.warning(
            "accepted without a reservation, counted all the same",
            decision_id=payload["decision_id"],
            rank=payload["rank"],
            offer=payload["offer_id"],
            incentive=payload["incentive_id"],
        )


def _json(items: Sequence[Take]) -> str:
    return json.dumps(items, separators=(",", ":"))
