"""The keeper of caps and budgets: releases what lapsed, and counts anew what Redis does not know.

What Redis does not know, or may have forgotten, is marked as being rebuilt first: from then on
nothing of it is offered, and every acceptance is counted. Then all the ledger knows is counted
too. Both may count the same slot, which is counted once, so that what is ready is exact
whenever it becomes so, and whatever happened meanwhile.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any

import redis
import structlog
from redis.exceptions import NoScriptError, WatchError
from sqlalchemy import Engine

from features.windows import EPOCH
from nbo.decision.catalog import Catalog
from nbo.decision.limits import Period, span_of
from nbo.ledger import redemptions
from nbo.ledger.redemptions import Redemption, Sought
from serving import cap_scripts
from serving.cap_scripts import answering, call, call_loaded
from serving.cap_units import (
    Counted,
    Scope,
    Take,
    budget_scope,
    counted,
    day_scope,
    slot_name,
    takes_of,
    total_scope,
)
from serving.keys import CAPS_READY, CAPS_RUN

log = structlog.get_logger()

LOOK_EVERY = 0.25
"""Seconds between two looks at the catalogue in force and at what Redis knows."""

LAPSES = 500
OVER_KEPT = timedelta(days=35)
"""Days and budget periods that ended earlier are not counted anew: nothing is decided by them."""
BATCH = 100
"""Slots per script: one takes about a millisecond, in which Redis answers nobody else."""


Arguments = tuple[str | int, ...]
"""What a script is told of one slot."""


class CapKeeper:
    """Keeps the counters; one runs per deployment, and a second one does no harm.

    Args:
        live: Redis; must return bytes.
        ledger: What was accepted, and what waits for an answer.
        newer: The catalogue in force if it changed since the last call, else None.
        reservation: How long a returned slot is kept for its customer.
        any_day: Whether decisions may be made for days long over (replays, simulations).
    """

    def __init__(
        self,
        live: redis.Redis,
        ledger: Engine,
        newer: Callable[[], Catalog | None],
        reservation: timedelta,
        any_day: bool = False,
    ) -> None:
        self._live = live
        self._ledger = ledger
        self._newer = newer
        self._reservation = reservation
        self._any_day = any_day
        self._catalog: Catalog | None = None
        self._looked = -LOOK_EVERY

    def step(self) -> int:
        """Release some lapsed reservations, and look now and then; returns how many lapsed."""
        try:
            asked = call_loaded(cap_scripts.LAPSE, LAPSES)
            lapsed: Any = self._live.evalsha(*asked)
        except NoScriptError:  # Redis was started anew
            self._looked, lapsed = -LOOK_EVERY, 0
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self.look()
            self._looked = time.monotonic()
        return int(lapsed)

    def look(self) -> bool:
        """Count anew what is not known to be whole; returns whether anything was."""
        self._catalog = self._newer() or self._catalog
        if self._catalog is None:
            return False
        wanted = counted(self._catalog).scopes
        flags: Any = self._live.hgetall(CAPS_READY)
        known = {scope.decode(): flag == b"1" for scope, flag in flags.items()}
        run = self._run()
        # A server that was started again may lack its last second.
        whole: Any = self._live.get(CAPS_RUN)
        forgetful = whole is None or whole.decode() != run
        missing = {scope for scope in wanted if forgetful or not known.get(scope)}
        dropped = known.keys() - set(wanted)
        if dropped:
            self._live.hdel(CAPS_READY, *dropped)
        if missing and not self._rebuild(counted(self._catalog), missing):
            return True  # Redis was emptied meanwhile: next time
        if forgetful:
            self._live.set(CAPS_RUN, run)
        if not answering(self._live):
            self._let_answer()
        return bool(missing)

    def _let_answer(self) -> None:
        """Load the scripts answers need, unless this is not the server that was compared.

        What is watched ties all of it to one connection, and so to one run of the server.
        """
        with self._live.pipeline() as pipe:
            try:
                pipe.watch(CAPS_RUN)  # type: ignore[no-untyped-call]
                whole: Any = pipe.get(CAPS_RUN)
                run: Any = pipe.info("server")
                if whole is None or whole.decode() != str(run["run_id"]):
                    return
                pipe.multi()
                for script in cap_scripts.ANSWERING:
                    pipe.script_load(script)
                pipe.execute()
            except WatchError:
                log.info("redis was started anew meanwhile: counters are compared again")

    def _rebuild(self, counted: Counted, missing: Collection[Scope]) -> bool:
        """Count the ledger's slots in what is missing; returns whether it holds."""
        token = uuid.uuid4().hex
        self._live.hset(CAPS_READY, mapping=dict.fromkeys(missing, token))
        now = datetime.now(UTC)
        starts = _starts(counted, missing, None if self._any_day else now - OVER_KEPT)
        sought = _sought(counted, starts)
        accepted = redemptions.accepted(self._ledger, sought)
        n_accepted = self._count(cap_scripts.COMMIT, accepted, partial(_commit, starts))
        sought = sought._replace(since=now - self._reservation)
        waiting = redemptions.waiting(self._ledger, sought)
        n_reserved = self._count(cap_scripts.RESTORE, waiting, self._restore)
        ready: Any = self._live.eval(*call(cap_scripts.READY, token, *missing))
        log.info(
            "caps and budgets counted from the ledger",
            counted=len(missing),
            accepted=n_accepted,
            reserved=n_reserved,
        )
        return bool(ready == len(missing))

    def _count(
        self, script: str, slots: Iterable[Redemption], arguments: Callable[[Redemption], Arguments]
    ) -> int:
        total, slots = 0, iter(slots)
        while batch := list(islice(slots, BATCH)):
            self._live.eval(*call(script, *chain.from_iterable(map(arguments, batch))))
            total += len(batch)
        return total

    def _restore(self, slot: Redemption) -> Arguments:
        till = int((slot.decided_at + self._reservation).timestamp() * 1000)
        return till, slot_name(slot.decision_id, slot.rank), json.dumps(_takes(slot))

    def _run(self) -> str:
        info: Any = self._live.info("server")
        return str(info["run_id"])


def _starts(
    counted: Counted, missing: Collection[Scope], over: datetime | None
) -> Mapping[Scope, datetime]:
    """From when on what is missing is counted: of days and periods, those that end after `over`."""
    starts = dict.fromkeys(missing, EPOCH)
    if over is not None:
        periods = {day_scope(one): Period.DAY for one in counted.dailies}
        periods |= {budget_scope(*budget): budget[1] for budget in counted.budgets}
        for scope in starts.keys() & periods.keys():
            starts[scope] = span_of(periods[scope], over).start
    return starts


def _sought(counted: Counted, missing: Mapping[Scope, datetime]) -> Sought:
    """The slots that take something of what is missing."""
    return Sought(
        offers=[
            *(one for one in counted.totals if total_scope(one) in missing),
            *(one for one in counted.dailies if day_scope(one) in missing),
        ],
        incentives=[one for one, period in counted.budgets if budget_scope(one, period) in missing],
        since=min(missing.values()),
    )


def _commit(starts: Mapping[Scope, datetime], slot: Redemption) -> Arguments:
    items = [
        take
        for take in _takes(slot)
        if take.scope in starts and starts[take.scope] <= slot.decided_at
    ]
    return slot_name(slot.decision_id, slot.rank), json.dumps(items)


def _takes(slot: Redemption) -> list[Take]:
    offers = (slot.offer_id, *slot.bundle)
    return takes_of(offers, slot.incentive_id, slot.incentive_cost, slot.decided_at)
