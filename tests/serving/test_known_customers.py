"""What was last known: bounded in number and age, never of the future, never a history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from features.reader import CustomerFacts
from nbo.decision.history import Contact, Outcome
from serving.known_customers import KnownCustomers

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CONSENT = frozenset({"customer.may_call"})
CONTACT = Contact(NOW, "voice", "i", "d", "o", "g", Outcome.DECLINED)


def facts(years=1.0):
    return CustomerFacts(True, {"customer.years": years}, (CONTACT,), None)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_latest_is_told_without_its_history():
    known = KnownCustomers(10, HOUR)
    known.remember("c", NOW, facts(1.0))
    known.remember("c", NOW, facts(2.0))
    assert known.last("c", NOW, CONSENT) == facts(2.0)._replace(history=())
    assert known.last("other", NOW, CONSENT) is None


def test_so_many_customers_those_asked_about_last():
    known = KnownCustomers(2, HOUR)
    for customer in ("a", "b", "a", "c"):
        known.remember(customer, NOW, facts())
    assert [c for c in "abc" if known.last(c, NOW, CONSENT)] == ["a", "c"]
    assert len(known) == 2
    none = KnownCustomers(0, HOUR)
    none.remember("a", NOW, facts())
    assert len(none) == 0


def test_facts_are_neither_too_old_nor_of_the_future():
    known = KnownCustomers(10, HOUR)
    known.remember("c", NOW, facts())
    assert known.last("c", NOW + HOUR, CONSENT)
    assert known.last("c", NOW + HOUR + timedelta(seconds=1), CONSENT) is None
    assert known.last("c", NOW - timedelta(seconds=1), CONSENT) is None


def test_what_is_kept_too_long_is_forgotten():
    clock = Clock()
    known = KnownCustomers(10, HOUR, clock=clock)
    known.remember("a", NOW, facts())
    clock.now = 3601.0
    assert known.last("a", NOW, CONSENT) is None
    known.remember("b", NOW, facts())
    assert len(known) == 1


def test_who_was_erased_is_forgotten():
    known = KnownCustomers(10, HOUR)
    known.remember("a", NOW, facts())
    known.forget("a")
    known.forget("never seen")
    assert known.last("a", NOW, CONSENT) is None


def test_consent_is_not_taken_from_memory_unless_told_for_how_long():
    said = facts()._replace(facts={"customer.years": 1.0, "customer.may_call": True})
    clock = Clock()
    never = KnownCustomers(10, HOUR, clock=clock)
    awhile = KnownCustomers(10, HOUR, MINUTE, clock)
    for known in (never, awhile):
        known.remember("c", NOW, said)
    assert never.last("c", NOW, CONSENT).facts == {"customer.years": 1.0}
    assert awhile.last("c", NOW, CONSENT).facts == said.facts
    assert awhile.last("c", NOW + MINUTE, CONSENT).facts == {"customer.years": 1.0}
    clock.now = 61.0
    assert awhile.last("c", NOW, CONSENT).facts == {"customer.years": 1.0}
    assert awhile.last("c", NOW, frozenset()).facts == said.facts
