"""What is known of a customer, from the best source that answers in time.

    full → last known customer vector → nothing known (the channel's fallback offer)

The history is asked of Redis, then of the ledger; where neither answers it is unknown, and only
service messages that no suppression concerns remain. Each step down has a name, which the reply
bears.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from features import history
from features.reader import Beside, CustomerFacts, CustomerReader
from nbo.decision.history import Contact
from nbo.errors import NotFoundError, UnavailableError
from nbo.ledger import contacts
from serving.deadline import Deadline, within
from serving.keys import HISTORIES_BEHIND
from serving.known_customers import KnownCustomers
from serving.store_health import StoreHealth

LAST_KNOWN = "last known customer vector"
NOTHING_KNOWN = "customer unknown"
HISTORY_FROM_LEDGER = "history from the ledger"
HISTORY_UNKNOWN = "history unknown"

KEPT_AFTER_FACTS = 0.7
"""Share of the time that is left, at least, when the facts must have been read."""
KEPT_AFTER_HISTORY = 0.5
"""The same for a history from the ledger."""

_NOBODY = CustomerFacts(known=False, facts={}, history=(), last_event=None)


class Known(NamedTuple):
    """What a decision may rest on.

    Attributes:
        customer: Facts, history and latest event; empty where unknown.
        facts_known: Whether there is a customer vector, fresh or not.
        history_known: Whether the history is complete.
        steps: Down the ladder, in the order taken.
    """

    customer: CustomerFacts
    facts_known: bool
    history_known: bool
    steps: tuple[str, ...]


class _Marked:
    """Reads whether another server marked the histories as behind, beside everything else."""

    def __init__(self, beside: Beside | None) -> None:
        self._beside = beside
        self.behind = False

    def queue(self, pipe: Any) -> None:
        pipe.get(HISTORIES_BEHIND)
        if self._beside is not None:
            self._beside.queue(pipe)

    def take(self, replies: Sequence[Any]) -> None:
        mark, *others = replies
        self.behind = mark is not None
        if self._beside is not None:
            self._beside.take(others)


class Ladder:
    """Finds out what is known; one per process.

    Args:
        reader: Redis: everything in one round trip.
        ledger: PostgreSQL: the history when Redis cannot tell it.
        threads: Where blocking ledger calls run.
        remembered: What was last known of customers.
        health: Whether the stores answer, and whether the history in Redis is complete.
    """

    def __init__(
        self,
        reader: CustomerReader,
        ledger: Engine,
        threads: Executor,
        remembered: KnownCustomers,
        health: StoreHealth,
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._threads = threads
        self._remembered = remembered
        self._redis = health.redis
        self._postgres = health.ledger
        self._lag = health.lag

    async def known(
        self,
        customer_id: str,
        at: datetime,
        deadline: Deadline,
        consent: frozenset[str],
        beside: Beside | None = None,
    ) -> Known:
        """What is known of a customer at an instant, within the deadline.

        Args:
            customer_id: Whose.
            at: The instant.
            deadline: Of the whole answer.
            consent: Names of the facts about consent, which are not taken from memory for long.
            beside: Read from Redis in the same round trip, or not at all.

        Raises:
            NotFoundError: Redis answers, and the customer was never loaded.
        """
        try:
            seconds = deadline.keeping(KEPT_AFTER_FACTS)
            customer = await self.fresh(customer_id, at, seconds, beside)
        except UnavailableError:
            last = self._remembered.last(customer_id, at, consent)
            steps = [LAST_KNOWN if last else NOTHING_KNOWN]
            customer = last or _NOBODY
        else:
            if not self._lag.behind:
                return Known(customer, facts_known=True, history_known=True, steps=())
            steps = []
        told = await self._history(customer_id, at, deadline.keeping(KEPT_AFTER_HISTORY))
        steps.append(HISTORY_UNKNOWN if told is None else HISTORY_FROM_LEDGER)
        return Known(
            customer=customer._replace(history=told or ()),
            facts_known=customer.known,
            history_known=told is not None,
            steps=tuple(steps),
        )

    async def fresh(
        self, customer_id: str, at: datetime, seconds: float, beside: Beside | None = None
    ) -> CustomerFacts:
        """What Redis knows of a customer.

        Raises:
            NotFoundError: The customer was never loaded.
            UnavailableError: Redis did not answer in so many seconds, or does not at all.
        """
        if not self._redis.usable:
            raise UnavailableError("redis", "it did not answer before; it is asked again soon")
        try:
            marked = _Marked(beside)
            customer = await within(seconds, self._reader.read(customer_id, at, marked))
        except (UnavailableError, TimeoutError) as error:
            self._redis.failed(error)
            raise UnavailableError("redis", str(error)) from error
        if marked.behind:
            self._lag.told()
        if not customer.known:
            self._remembered.forget(customer_id)
            raise NotFoundError(
                "customer", customer_id, "load customers with: nbo features materialize"
            )
        self._remembered.remember(customer_id, at, customer)
        return customer

    async def _history(
        self, customer_id: str, at: datetime, seconds: float
    ) -> tuple[Contact, ...] | None:
        """The contacts up to an instant, from the ledger; None when it does not answer."""
        if not self._postgres.usable:
            return None
        since = at - history.KEPT
        read = asyncio.get_running_loop().run_in_executor(
            self._threads, contacts.history_of, self._ledger, customer_id, since, at
        )
        try:
            return await within(seconds, read)
        except (UnavailableError, TimeoutError) as error:
            self._postgres.failed(error)
            return None
