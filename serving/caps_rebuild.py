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
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import redis
import structlog
from sqlalchemy import Engine

from nbo.decision.catalog import Catalog
from nbo.ledger import redemptions
from nbo.ledger.redemptions import Redemption
from serving import cap_scripts
from serving.cap_scripts import call
from serving.cap_units import Scope, offer_scope, scopes, slot_name, takes_of
from serving.keys import CAPS_READY, CAPS_RUN

log = structlog.get_logger()

LOOK_EVERY = 0.25
"""Seconds between two looks at the catalogue in force and at what Redis knows."""

LAPSES = 500
BATCH = 500


class CapKeeper:
    """Keeps the counters; one runs per deployment, and a second one does no harm.

    Args:
        live: Redis; must return bytes.
        ledger: What was accepted, and what waits for an answer.
        newer: The catalogue in force if it changed since the last call, else None.
        reservation: How long a returned slot is kept for its customer.
    """

    def __init__(
        self,
        live: redis.Redis,
        ledger: Engine,
        newer: Callable[[], Catalog | None],
        reservation: timedelta,
    ) -> None:
        self._live = live
        self._ledger = ledger
        self._newer = newer
        self._reservation = reservation
        self._catalog: Catalog | None = None
        self._looked = -LOOK_EVERY

    def step(self) -> int:
        """Release some lapsed reservations, and look now and then; returns how many lapsed."""
        lapsed: Any = self._live.eval(*call(cap_scripts.LAPSE, LAPSES))
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self.look()
            self._looked = time.monotonic()
        return int(lapsed)

    def look(self) -> bool:
        """Count anew what is not known to be whole; returns whether anything was."""
        self._catalog = self._newer() or self._catalog
        if self._catalog is None:
            return False
        wanted = scopes(self._catalog)
        flags: Any = self._live.hgetall(CAPS_READY)
        known = {scope.decode(): flag == b"1" for scope, flag in flags.items()}
        run = self._run()
        # A server that was started again may lack its last second.
        whole: Any = self._live.get(CAPS_RUN)
        forgetful = whole is None or whole.decode() != run
        missing = {scope for scope in wanted if forgetful or not known.get(scope)}
        dropped = known.keys() - wanted
        if dropped:
            self._live.hdel(CAPS_READY, *dropped)
        if missing and not self._rebuild(self._catalog, missing):
            return True  # Redis was emptied meanwhile: next time
        if forgetful:
            self._live.set(CAPS_RUN, run)
        return bool(missing)

    def _rebuild(self, catalog: Catalog, missing: Collection[Scope]) -> bool:
        """Count the ledger's slots; returns whether it holds."""
        token = uuid.uuid4().hex
        self._live.hset(CAPS_READY, mapping=dict.fromkeys(missing, token))
        budgeted = [i.incentive_id for i in catalog.incentives.values() if i.budget is not None]
        plain = _plain(catalog)
        accepted = self._count(redemptions.accepted(self._ledger, plain, budgeted), self._commit)
        since = datetime.now(UTC) - self._reservation
        waiting = redemptions.waiting(self._ledger, plain, budgeted, since)
        reserved = self._count(waiting, self._restore)
        ready: Any = self._live.eval(*call(cap_scripts.READY, token, *missing))
        log.info(
            "caps and budgets counted from the ledger",
            counted=len(missing),
            accepted=accepted,
            reserved=reserved,
        )
        return bool(ready == len(missing))

    def _count(self, slots: Iterable[Redemption], queue: Callable[[Any, Redemption], None]) -> int:
        total, slots = 0, iter(slots)
        while batch := list(islice(slots, BATCH)):
            pipe = self._live.pipeline(transaction=False)
            for slot in batch:
                queue(pipe, slot)
            pipe.execute()
            total += len(batch)
        return total

    def _commit(self, pipe: Any, slot: Redemption) -> None:
        name = slot_name(slot.decision_id, slot.rank)
        pipe.eval(*call(cap_scripts.SETTLE, "commit", name, _takes(slot)))

    def _restore(self, pipe: Any, slot: Redemption) -> None:
        name = slot_name(slot.decision_id, slot.rank)
        till = int((slot.decided_at + self._reservation).timestamp() * 1000)
        pipe.eval(*call(cap_scripts.RESTORE, till, name, _takes(slot)))

    def _run(self) -> str:
        info: Any = self._live.info("server")
        return str(info["run_id"])


def _plain(catalog: Catalog) -> list[str]:
    """Offers of which nothing is counted, under their own id or another's."""
    wanted = scopes(catalog)
    return [
        offer_id
        for offer_id, offer in catalog.offers.items()
        if not any(offer_scope(part) in wanted for part in (offer_id, *offer.bundle))
    ]


def _takes(slot: Redemption) -> str:
    offers = (slot.offer_id, *slot.bundle)
    return json.dumps(takes_of(offers, slot.incentive_id, slot.incentive_cost, slot.decided_at))
