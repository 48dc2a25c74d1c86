"""Contact policy with targets, with a history nobody could read, and when it lets go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.catalog import Group, Offer
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.contact_policy import ContactPolicy, frequency_objection
from nbo.decision.history import Contact, Outcome
from nbo.decision.policies import Frequency, Policies, Suppression, Target
from nbo.decision.request import Request
from nbo.decision.screen import screen

Ask = Callable[..., Request]
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
GROUPS = {"g1": Group("g1", "grow"), "g2": Group("g2", "grow"), "g3": Group("g3", "retain")}
OFFERS = {
    offer_id: Offer(offer_id, group_id, {}, {}, 1.0, 0.5, frozenset())
    for offer_id, group_id in [("o1", "g1"), ("o2", "g1"), ("o3", "g2"), ("o4", "g3")]
}
EVERYTHING_ONCE = Suppression("s", Outcome.DECLINED, "all", 30 * DAY, 1, 60 * DAY)


def contact(offer_id: str, ago: timedelta, outcome: Outcome = Outcome.DECLINED) -> Contact:
    at = NOW - ago
    group_id = OFFERS[offer_id].group_id
    return Contact(at, "voice", f"i{at}", f"d{at}", offer_id, group_id, outcome)


def silenced(policies: Policies, *history: Contact) -> set[str]:
    policy = ContactPolicy(policies, history, NOW, "voice", "now", GROUPS)
    return {offer_id for offer_id, offer in OFFERS.items() if policy.objection(offer)}


@pytest.mark.parametrize(
    ("target", "reach"),
    [
        (Target(), {"o1", "o2", "o3", "o4"}),
        (Target(issue="grow"), {"o1", "o2", "o3"}),
        (Target(group_id="g1"), {"o1", "o2"}),
        (Target(offer_id="o1"), {"o1"}),
        (Target(issue="retain", group_id="g1"), set()),
    ],
)
def test_a_policy_counts_and_silences_what_it_attaches_to(target: Target, reach: set[str]) -> None:
    once = Policies(suppression=(replace(EVERYTHING_ONCE, target=target),))
    daily = Policies(frequency=(Frequency("f", 1, DAY, target=target),))
    for offer_id in OFFERS:
        expected = reach if offer_id in reach else set()
        assert silenced(once, contact(offer_id, DAY / 2)) == expected
        assert silenced(daily, contact(offer_id, DAY / 2, Outcome.PRESENTED)) == expected


def test_a_scope_narrows_its_target_further() -> None:
    grow = Target(issue="grow")
    group = Policies(suppression=(replace(EVERYTHING_ONCE, scope="group", target=grow),))
    assert silenced(group, contact("o1", DAY)) == {"o1", "o2"}
    offer = Policies(suppression=(replace(EVERYTHING_ONCE, scope="offer", target=grow),))
    assert silenced(offer, contact("o1", DAY)) == {"o1"}
    assert silenced(offer, contact("o4", DAY)) == set()


def test_a_contact_without_a_group_silences_no_group() -> None:
    bare = contact("o1", DAY)._replace(group_id="")
    assert silenced(Policies(suppression=(replace(EVERYTHING_ONCE, scope="group"),)), bare) == set()


def until(policies: Policies, history: Sequence[Contact], at: datetime = NOW) -> datetime | None:
    found = ContactPolicy(policies, history, at, "voice", "now", GROUPS).objection(OFFERS["o1"])
    assert found is not None
    return found.until


def test_every_limit_says_when_it_ends() -> None:
    suppression = Policies(suppression=(EVERYTHING_ONCE,))
    assert until(suppression, [contact("o1", DAY)]) == NOW + 59 * DAY
    wish = contact("o1", DAY, Outcome.DEFERRED)._replace(defer_until=NOW + 3 * DAY)
    assert until(Policies(), [wish]) == NOW + 3 * DAY
    answered = contact("o1", DAY)._replace(interaction_id="now")
    assert until(Policies(), [answered]) is None, "not before the interaction ends"
    never = Policies(frequency=(Frequency("f", 0, DAY),))
    assert until(never, []) is None


@given(
    days=st.lists(st.integers(0, 20), min_size=1, max_size=8, unique=True),
    limit=st.integers(1, 4),
    period=st.integers(1, 20).map(lambda n: n * DAY),
)
def test_frequency_lets_go_at_the_very_instant_it_says(
    days: list[int], limit: int, period: timedelta
) -> None:
    frequency = Frequency("f", limit, period)
    past = [contact("o1", n * DAY, Outcome.PRESENTED) for n in sorted(days, reverse=True)]
    found = frequency_objection(frequency, past, NOW)
    if found is None:
        return
    assert found.until is not None
    assert found.until > NOW
    assert frequency_objection(frequency, past, found.until) is None
    assert frequency_objection(frequency, past, found.until - timedelta(microseconds=1))


def unread(compiled: CompiledCatalog, request: Request, **policies: Any) -> dict[str, str]:
    catalog = compiled.catalog
    changed = compile_catalog(
        replace(catalog, policies=replace(catalog.policies, **policies)), compiled.language
    )
    activation = changed.language.activate(request.facts)
    refusals = screen(request, changed, activation, DEFAULT_ARM).refusals
    assert {(r.stage, r.detail) for r in refusals} <= {("contact policy", "history cannot be read")}
    return {r.offer_id: r.rule for r in refusals}


def test_what_depends_on_a_history_nobody_could_read_is_not_said(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    request = ask(history_known=False)
    limit = compiled.catalog.policies.suppression[0]
    sold = dict.fromkeys(compiled.catalog.offers, "answered in this interaction")
    del sold["blue-note"]
    assert unread(compiled, request) == {**sold, "blue-note": limit.name}
    # Any offer may have been answered or put off: without any policy nothing is sold either.
    for frequency in ((), compiled.catalog.policies.frequency):
        assert unread(compiled, request, suppression=(), frequency=frequency) == sold
    on_red = (replace(limit, target=Target(group_id="red")),)
    assert unread(compiled, request, suppression=on_red) == sold
    on_note = (replace(limit, target=Target(offer_id="blue-note")),)
    found = unread(compiled, request, suppression=on_note)
    assert found == {**sold, "blue-note": limit.name}, "a suppression is never skipped"
    assert unread(compiled, ask(), suppression=on_red, frequency=()) == {}


def test_an_offer_that_left_the_targets_group_is_no_longer_silenced() -> None:
    in_g3 = Policies(
        suppression=(replace(EVERYTHING_ONCE, scope="offer", target=Target(group_id="g3")),)
    )
    then = contact("o1", DAY)._replace(group_id="g3")
    assert silenced(in_g3, then) == set()
    assert silenced(Policies(suppression=(replace(EVERYTHING_ONCE, scope="offer"),)), then) == {
        "o1"
    }
