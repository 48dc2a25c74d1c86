"""One call through the real server: identify, event, offers, answer, and what it changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from features.stream import Event


def test_a_shared_phone_finds_both_customers(client):
    found = {match.customer_id: match.likelihood for match in client.identify("030 5550001")}
    assert found == {"c-0": 0.5, "c-1": 0.5}


def test_a_customers_own_phone_is_certain(client):
    assert [match.likelihood for match in client.identify("030 5550002")] == [1.0]


def test_an_unknown_phone_finds_nobody(client):
    assert client.identify("+49 89 99999999") == []


def test_events_reach_the_windows_and_the_offer(client, now, eventually):
    before = client.offers("c-10", interaction_id="i-1", at=now, refusals=True)
    assert [slot.offer_id for slot in before.slots] == ["shop-card"]
    refused = {refusal.offer_id: refusal for refusal in before.refusals}
    assert refused["bread-box"].stage == "suitability"
    assert refused["bread-box"].rule == "comes often enough"

    visits = [_visit("c-10", n, now - timedelta(days=n), 4.5) for n in (1, 2, 3)]
    reply = client.publish([*visits, visits[0]])
    assert (reply.accepted, reply.duplicates) == (3, 1)
    customer = eventually(
        lambda: client.customer("c-10", at=now),
        lambda c: c.facts["customer.visits_30d"].number == 3.0,
    )
    assert customer.facts["customer.spent_30d"].number == 13.5

    after = client.offers("c-10", interaction_id="i-1", at=now)
    assert {slot.offer_id for slot in after.slots} == {"bread-box", "shop-card"}
    bread = next(slot for slot in after.slots if slot.offer_id == "bread-box")
    assert "10 years" in bread.script
    assert 0 < bread.probability <= 1
    assert abs(bread.expected_value - bread.propensity * bread.value) < 1e-9


def test_the_published_event_triggers_and_weighs(client, now, eventually):
    client.publish([_visit("c-12", n, now - timedelta(days=n), 1.0) for n in (1, 2)])
    eventually(
        lambda: client.customer("c-12", at=now),
        lambda c: c.facts["customer.visits_30d"].number == 2.0,
    )
    plain = _priority(client.offers("c-12", interaction_id="i-2", at=now), "bread-box")
    click = Event("e-click", "c-12", "web.clicked", now, {"topic": "bread"})
    client.publish([click])
    eventually(
        lambda: client.customer("c-12", at=now),
        lambda c: c.latest_event.type == "web.clicked",
    )
    triggered = _priority(client.offers("c-12", interaction_id="i-2", at=now), "bread-box")
    assert abs(triggered / plain - 1.5) < 1e-9
    later = client.offers("c-12", interaction_id="i-2", at=now + timedelta(hours=2))
    assert abs(_priority(later, "bread-box") / plain - 1.0) < 1e-9


def test_an_answer_changes_the_next_request_at_once(client, now):
    first = client.offers("c-20", interaction_id="i-3", at=now)
    assert first.slots[0].offer_id == "shop-card"
    client.outcome(first.decision_id, 1, "DECLINED", reason="NOT_NEEDED", at=now)
    again = client.offers(
        "c-20", interaction_id="i-3", at=now + timedelta(minutes=1), refusals=True
    )
    assert not again.slots
    refusal = next(r for r in again.refusals if r.offer_id == "shop-card")
    assert refusal.stage == "contact policy"
    other_channel_later = client.offers(
        "c-20", interaction_id="i-4", at=now + timedelta(days=59), channel="voice"
    )
    assert not other_channel_later.slots
    after_the_pause = client.offers("c-20", interaction_id="i-5", at=now + timedelta(days=61))
    assert after_the_pause.slots[0].offer_id == "shop-card"


def test_a_deferred_offer_waits_for_its_time(client, now):
    first = client.offers("c-26", interaction_id="i-9", at=now)
    assert first.slots[0].offer_id == "shop-card"
    until = now + timedelta(days=9)
    client.outcome(first.decision_id, 1, "DEFERRED", at=now, defer_until=until)
    too_early = client.offers(
        "c-26", interaction_id="i-10", at=until - timedelta(seconds=1), refusals=True
    )
    assert not too_early.slots
    refusal = next(r for r in too_early.refusals if r.offer_id == "shop-card")
    assert (refusal.stage, refusal.rule) == ("contact policy", "deferred by the customer")
    assert refusal.detail.endswith("not again before 2026-03-19 12:00")
    in_time = client.offers("c-26", interaction_id="i-11", at=until)
    assert in_time.slots[0].offer_id == "shop-card"


def test_without_consent_nothing_is_offered(client, now):
    reply = client.offers("c-2", interaction_id="i-6", at=now, refusals=True)
    assert not reply.slots
    assert {refusal.stage for refusal in reply.refusals} == {"consent"}


def test_the_reply_speaks_the_asked_language(client, now):
    reply = client.offers("c-22", interaction_id="i-7", at=now, language="de")
    assert reply.slots[0].offer_name == "Kundenkarte"
    assert reply.slots[0].script == "Die Karte ist kostenlos."


def _visit(customer_id: str, number: int, at: datetime, spent: float) -> Event:
    return Event(f"{customer_id}-v{number}", customer_id, "shop.visited", at, {"spent": spent})


def _priority(reply, offer_id):
    """Expected value per unit of propensity, which answers of other tests may move."""
    slot = next(slot for slot in reply.slots if slot.offer_id == offer_id)
    return slot.expected_value / slot.propensity
