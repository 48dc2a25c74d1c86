"""Contact policy: exact at the edges, and equal to the plainest reading of its definition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.catalog import Offer
from nbo.decision.contact_policy import ContactPolicy
from nbo.decision.history import Contact, Outcome
from nbo.decision.policies import Frequency, Policies, Suppression

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
OFFER = Offer("o1", "g1", {}, {}, value=1.0, prior=0.5, channels=frozenset())
OTHER = replace(OFFER, offer_id="o2")
STRANGER = replace(OFFER, offer_id="o3", group_id="g2")
NOTE = replace(OFFER, service=True)

DECLINED_OFFER = Suppression("declined", Outcome.DECLINED, "offer", 30 * DAY, 1, 60 * DAY)
DECLINED_GROUP = Suppression("declined group", Outcome.DECLINED, "group", 90 * DAY, 3, 90 * DAY)
MONTHLY = Frequency("monthly", 2, 30 * DAY)


def contact(ago: timedelta, outcome: Outcome = Outcome.DECLINED, offer: Offer = OFFER) -> Contact:
    at = NOW - ago
    return Contact(at, "voice", f"i{at}", f"d{at}", offer.offer_id, offer.group_id, outcome)


def objection(
    policies: Policies,
    *history: Contact,
    offer: Offer = OFFER,
    channel: str = "voice",
    interaction: str = "now",
) -> str:
    found = ContactPolicy(policies, history, NOW, channel, interaction).objection(offer)
    return found.rule if found else ""


def suppressed(suppression: Suppression, *history: Contact, offer: Offer = OFFER) -> bool:
    return bool(objection(Policies(suppression=(suppression,)), *history, offer=offer))


def test_a_decline_pauses_its_offer_until_the_pause_has_fully_passed() -> None:
    assert suppressed(DECLINED_OFFER, contact(timedelta(0)))
    assert suppressed(DECLINED_OFFER, contact(60 * DAY - MICROSECOND))
    assert not suppressed(DECLINED_OFFER, contact(60 * DAY))
    assert not suppressed(DECLINED_OFFER, contact(-MICROSECOND)), "the future does not count"


def test_a_decline_pauses_only_what_is_in_scope() -> None:
    assert not suppressed(DECLINED_OFFER, contact(DAY), offer=OTHER)
    thrice = [contact(n * DAY) for n in (1, 2, 3)]
    assert suppressed(DECLINED_GROUP, *thrice, offer=OTHER)
    assert not suppressed(DECLINED_GROUP, *thrice, offer=STRANGER)
    everything = replace(DECLINED_GROUP, scope="all")
    assert suppressed(everything, *thrice, offer=STRANGER)


def test_the_window_ends_at_the_outcome_that_fills_it() -> None:
    within = [contact(80 * DAY), contact(120 * DAY), contact(170 * DAY - MICROSECOND)]
    assert suppressed(DECLINED_GROUP, *within)
    assert not suppressed(DECLINED_GROUP, *within[:2], contact(170 * DAY))


def test_the_same_exposure_declined_twice_is_one_decline() -> None:
    twice = contact(DAY)._replace(at=NOW - 2 * DAY)
    assert not suppressed(replace(DECLINED_OFFER, count=2), contact(DAY), twice)


def test_the_pause_runs_from_the_last_time_it_was_said() -> None:
    again = contact(DAY)._replace(at=NOW - 61 * DAY)
    assert suppressed(DECLINED_OFFER, again, contact(DAY))


def test_a_refusal_counts_what_fell_in_the_window_that_decided() -> None:
    """Neither what was said long before it, nor what was said since and filled no window."""

    def detail(suppression: Suppression, *ago: int) -> str:
        policies = Policies(suppression=(suppression,))
        history = [contact(n * DAY) for n in ago]
        found = ContactPolicy(policies, history, NOW, "voice", "now").objection(OFFER)
        return found.detail if found else ""

    paused = "last 2026-03-09 12:00, paused until 2026-05-08 12:00"
    assert detail(DECLINED_OFFER, 900, 800, 700, 1) == f"1 × DECLINED, {paused}"
    assert detail(replace(DECLINED_OFFER, count=2), 700, 3, 2, 1) == f"3 × DECLINED, {paused}"
    twice = replace(DECLINED_OFFER, count=2, window=5 * DAY)
    before = "last 2026-02-28 12:00, paused until 2026-04-29 12:00"
    assert detail(twice, 12, 10, 1) == f"2 × DECLINED, {before}"


def test_imported_contacts_without_ids_count_one_by_one() -> None:
    bare = [contact(n * DAY)._replace(decision_id="", interaction_id="") for n in (1, 2)]
    assert suppressed(replace(DECLINED_OFFER, count=2), *bare)


def test_a_suppression_for_one_channel_counts_only_there_and_pauses_everywhere() -> None:
    by_voice = Policies(suppression=(replace(DECLINED_OFFER, channel="voice"),))
    assert objection(by_voice, contact(DAY), channel="web")
    assert not objection(by_voice, contact(DAY)._replace(channel="web"))


def test_frequency_blocks_at_its_limit_and_frees_after_its_period() -> None:
    policies = Policies(frequency=(MONTHLY,))
    shown = [contact(n * DAY, Outcome.PRESENTED) for n in (1, 5)]
    assert objection(policies, *shown, offer=STRANGER) == "monthly"
    assert not objection(policies, shown[0])
    edge = contact(30 * DAY, Outcome.PRESENTED)
    assert not objection(policies, shown[0], edge)
    assert objection(policies, shown[0], edge._replace(at=edge.at + MICROSECOND))
    assert objection(Policies(frequency=(replace(MONTHLY, limit=0),)))


def test_presented_then_answered_is_one_exposure_and_skipped_is_none() -> None:
    policies = Policies(frequency=(MONTHLY,))
    shown = contact(DAY, Outcome.PRESENTED)
    answered = shown._replace(outcome=Outcome.NO_RESPONSE, at=NOW)
    skipped = contact(2 * DAY, Outcome.SKIPPED)
    assert not objection(policies, shown, answered, skipped)


def test_frequency_of_a_channel_counts_and_blocks_only_there() -> None:
    policies = Policies(frequency=(replace(MONTHLY, channel="voice"),))
    shown = [contact(n * DAY, Outcome.PRESENTED) for n in (1, 5)]
    assert objection(policies, *shown)
    assert not objection(policies, *shown, channel="web")
    assert not objection(policies, shown[0], shown[1]._replace(channel="web"))


def test_service_messages_skip_frequency_never_suppression() -> None:
    often = [contact(n * DAY, Outcome.PRESENTED) for n in (1, 2, 3)]
    assert not objection(Policies(frequency=(MONTHLY,)), *often, offer=NOTE)
    assert suppressed(DECLINED_OFFER, contact(DAY), offer=NOTE)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_explicit_answer_silences_the_offer_for_this_interaction(outcome: Outcome) -> None:
    answered = contact(timedelta(minutes=1), outcome)._replace(interaction_id="now")
    explicit = outcome in {Outcome.ACCEPTED, Outcome.DECLINED, Outcome.DEFERRED}
    assert bool(objection(Policies(), answered)) is explicit
    assert not objection(Policies(), answered, offer=OTHER)
    assert not objection(Policies(), answered, interaction="another")


def deferred(ago: timedelta, until: timedelta, offer: Offer = OFFER) -> Contact:
    return contact(ago, Outcome.DEFERRED, offer)._replace(defer_until=NOW + until)


def test_a_deferral_pauses_its_offer_until_the_very_instant_it_names() -> None:
    assert objection(Policies(), deferred(DAY, MICROSECOND)) == "deferred by the customer"
    assert not objection(Policies(), deferred(DAY, timedelta(0)))
    assert not objection(Policies(), deferred(DAY, DAY), offer=OTHER)
    assert not objection(Policies(), deferred(-MICROSECOND, DAY)), "the future does not count"
    assert objection(Policies(), deferred(DAY, DAY), offer=NOTE), "a service message waits too"
    assert not objection(Policies(), contact(DAY, Outcome.DEFERRED)), "no time, no pause"


def test_the_refusal_says_until_when_the_customer_deferred() -> None:
    policy = ContactPolicy(Policies(), [deferred(DAY, 5 * DAY)], NOW, "voice", "now")
    found = policy.objection(OFFER)
    assert found is not None
    assert found.detail == "DEFERRED at 2026-03-09 12:00, not again before 2026-03-15 12:00"


def test_the_last_deferral_of_an_offer_counts() -> None:
    sooner = [deferred(3 * DAY, 30 * DAY), deferred(DAY, -DAY / 2)]
    for history in (sooner, sooner[::-1]):
        assert not objection(Policies(), *history)
    at_once = [deferred(DAY, DAY), deferred(DAY, -DAY / 2)]
    for history in (at_once, at_once[::-1]):
        assert objection(Policies(), *history), "of two at one instant the longer"


moments = st.integers(0, 40).map(lambda days: NOW - days * DAY)
contacts = st.builds(
    Contact,
    at=moments,
    channel=st.sampled_from(["voice", "web"]),
    interaction_id=st.sampled_from(["", "i1", "i2", "i3"]),
    decision_id=st.sampled_from(["", "d1", "d2", "d3", "d4"]),
    offer_id=st.sampled_from(["o1", "o2", "o3"]),
    group_id=st.just("g1"),
    outcome=st.sampled_from([Outcome.PRESENTED, Outcome.DECLINED, Outcome.ACCEPTED]),
    defer_until=st.none(),
).map(lambda c: c._replace(group_id="g2" if c.offer_id == "o3" else "g1"))
histories = st.lists(contacts, max_size=12)
days = st.integers(1, 20).map(lambda n: n * DAY)
channels = st.sampled_from(["", "voice", "web"])


@given(
    history=histories,
    suppression=st.builds(
        Suppression,
        name=st.just("s"),
        outcome=st.sampled_from([Outcome.DECLINED, Outcome.PRESENTED]),
        scope=st.sampled_from(["offer", "group", "all"]),
        window=days,
        count=st.integers(1, 3),
        pause=days,
        channel=channels,
    ),
    offer=st.sampled_from([OFFER, OTHER, STRANGER]),
)
def test_suppression_is_what_its_definition_says(
    history: list[Contact], suppression: Suppression, offer: Offer
) -> None:
    relevant: list[tuple[datetime, tuple[str, str]]] = []
    for c in history:
        in_scope = {
            "offer": c.offer_id == offer.offer_id,
            "group": c.group_id == offer.group_id,
            "all": True,
        }[suppression.scope]
        counts = c.outcome is suppression.outcome and suppression.channel in ("", c.channel)
        if in_scope and counts:
            exposure = (c.decision_id or c.interaction_id or str(c.at), c.offer_id)
            relevant.append((c.at, exposure))
    expected = any(
        len({exposure for t, exposure in relevant if last - suppression.window < t <= last})
        >= suppression.count
        and last <= NOW < last + suppression.pause
        for last, _ in relevant
    )
    assert suppressed(suppression, *history, offer=offer) is expected


@given(
    history=histories,
    frequency=st.builds(
        Frequency, name=st.just("f"), limit=st.integers(0, 4), period=days, channel=channels
    ),
)
def test_frequency_is_what_its_definition_says(
    history: list[Contact], frequency: Frequency
) -> None:
    first: dict[tuple[str, str], Contact] = {}
    for c in sorted(history, key=lambda c: c.at):
        if c.outcome.is_exposure:
            first.setdefault((c.decision_id or c.interaction_id or str(c.at), c.offer_id), c)
    count = sum(
        c.at > NOW - frequency.period and frequency.channel in ("", c.channel)
        for c in first.values()
    )
    expected = count >= frequency.limit and frequency.channel in ("", "voice")
    assert bool(objection(Policies(frequency=(frequency,)), *history)) is expected
