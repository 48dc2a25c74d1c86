"""What an answer takes of caps and budgets, given back when nobody was told the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from redis.exceptions import RedisError

from nbo.decision.catalog import Catalog
from nbo.decision.decision import Decision
from serving.cap_units import takes
from serving.caps import CapCounters, Used
from serving.deadline import Deadline, within
from serving.decision_log import KEPT_AFTER_LOG
from serving.store_watch import StoreWatch

log = structlog.get_logger()

ROOM_SECONDS = 0.005
"""For reserving and logging together; who has less is offered nothing that is counted."""
RELEASE_AFTER_SECONDS = 0.25
"""A reservation that was given up may still be on its way to Redis, and must not come last."""
TRIES = 5


class Reservations:
    """Makes reservations, and takes back those that were in vain; one per process.

    Args:
        caps: The counters.
        redis: Whether they answer.
    """

    def __init__(self, caps: CapCounters, redis: StoreWatch) -> None:
        self.caps = caps
        self.redis = redis
        self._releasing: set[asyncio.Task[None]] = set()  # the loop itself keeps none

    def for_answer(self, deadline: Deadline) -> Reservation:
        """What one answer will take."""
        return Reservation(self, deadline)

    def release(self, slots: Iterable[str]) -> None:
        """Give back soon what slots took, or may have taken; nobody waits for it."""
        task = asyncio.get_running_loop().create_task(self._release(tuple(slots)))
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)

    async def _release(self, slots: tuple[str, ...]) -> None:
        for _ in range(TRIES):
            await asyncio.sleep(RELEASE_AFTER_SECONDS)
            while not self.redis.usable:
                await asyncio.sleep(RELEASE_AFTER_SECONDS)
            try:
                await self.caps.release(slots)
            except (RedisError, OSError) as error:
                self.redis.failed(error)
            else:
                return
        log.warning("reservations not given back, they will lapse", slots=slots)


class Reservation:
    """What one answer takes; unless kept, it is given back when the answer ends."""

    def __init__(self, all_of_them: Reservations, deadline: Deadline) -> None:
        self._all = all_of_them
        self._deadline = deadline
        self._slots: tuple[str, ...] = ()

    async def reserve(self, decision: Decision, catalog: Catalog) -> Used | None:
        """Take all or nothing; see `CapCounters.reserve`.

        Returns:
            None also when there is too little time to take it and log the decision.
        """
        wanted = takes(decision, catalog)
        if not wanted:
            return {}
        seconds = self._deadline.keeping(KEPT_AFTER_LOG)
        if seconds < ROOM_SECONDS or not self._all.redis.usable:
            return None
        self._slots = tuple(wanted)
        used: Used | None = None
        try:
            used = await within(seconds / 2, self._all.caps.reserve(decision, catalog))
        except TimeoutError as error:
            self._all.redis.failed(error)
        if used is None:
            self.end()
        elif used:
            self._slots = ()
        return used

    def keep(self) -> None:
        """The answer is logged, and will be told."""
        self._slots = ()

    def end(self) -> None:
        """Give back what is not kept."""
        if self._slots:
            self._all.release(self._slots)
            self._slots = ()
