"""What was last known of customers, kept in this process for when Redis cannot be asked."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from features.reader import CustomerFacts


class _Remembered(NamedTuple):
    at: datetime
    kept_at: float
    customer: CustomerFacts


class KnownCustomers:
    """The latest facts of the customers asked about last, without their history.

    A history is not kept: one that lacks the latest contact would break the contact policy.
    Consent may have been withdrawn since, so it has an age of its own.

    Args:
        most: So many customers at most; 0 keeps none. About 4 kB each with 40 facts.
        age: Facts older than this are no longer used, and forgotten.
        consent_age: Facts about consent older than this are left out; zero leaves all out.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        most: int,
        age: timedelta,
        consent_age: timedelta = timedelta(0),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._age = age
        self._consent_age = consent_age
        self._clock = clock
        self._customers: OrderedDict[str, _Remembered] = OrderedDict()

    def __len__(self) -> int:
        return len(self._customers)

    def remember(self, customer_id: str, at: datetime, customer: CustomerFacts) -> None:
        """Keep what was known of a customer at an instant."""
        now = self._clock()
        self._customers[customer_id] = _Remembered(at, now, customer._replace(history=()))
        self._customers.move_to_end(customer_id)
        while self._customers and self._is_over(now):
            self._customers.popitem(last=False)

    def forget(self, customer_id: str) -> None:
        """Forget a customer whom Redis does not know, e.g. one who was erased."""
        self._customers.pop(customer_id, None)

    def last(self, customer_id: str, at: datetime, consent: frozenset[str]) -> CustomerFacts | None:
        """What was known before an instant and is not too old for it; windows are as of then.

        Args:
            customer_id: Whose.
            at: The instant.
            consent: Names of the facts about consent; absent from what is too old for them.
        """
        found = self._customers.get(customer_id)
        if found is None or not found.at <= at:
            return None
        old = max(timedelta(seconds=self._clock() - found.kept_at), at - found.at)
        if old > self._age:
            return None
        if old < self._consent_age:
            return found.customer
        facts = {name: fact for name, fact in found.customer.facts.items() if name not in consent}
        return found.customer._replace(facts=facts)

    def _is_over(self, now: float) -> bool:
        """Whether the one kept longest must go."""
        longest = next(iter(self._customers.values()))
        too_old = now - longest.kept_at > self._age.total_seconds()
        return too_old or len(self._customers) > self._most
