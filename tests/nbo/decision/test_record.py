"""The record: through JSON and back without loss."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision, Refusal, Slot
from nbo.decision.history import Contact, Outcome
from nbo.decision.limits import CapUse, Usage
from nbo.decision.record import (
    from_record,
    request_from_record,
    request_to_record,
    to_record,
)
from nbo.decision.request import Request
from nbo.errors import BadInputError

Ask = Callable[..., Request]

texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
instants = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001
contacts = st.builds(
    Contact,
    instants,
    texts,
    texts,
    texts,
    texts,
    texts,
    st.sampled_from(list(Outcome)),
    st.none() | instants,
)
counts = st.integers(0, 10**6)
usages = st.builds(
    Usage,
    offers=st.dictionaries(texts, st.builds(CapUse, counts, counts), max_size=3),
    budgets=st.dictionaries(texts, st.floats(0, 1e6), max_size=3),
    known=st.booleans(),
    unknown_offers=st.frozensets(texts, max_size=3),
    unknown_budgets=st.frozensets(texts, max_size=3),
)
requests = st.builds(
    Request,
    decision_id=texts,
    customer_id=texts,
    interaction_id=texts,
    at=instants,
    channel=texts,
    language=texts,
    slots=st.integers(1, 50),
    facts=st.dictionaries(texts, st.one_of(numbers, texts, st.booleans()), max_size=4),
    history=st.lists(contacts, max_size=3).map(tuple),
    seed=st.integers(0, 2**64),
    agent_id=texts,
    usage=usages,
)
slots = st.builds(
    Slot,
    rank=st.integers(1, 50),
    offer_id=texts,
    group_id=texts,
    incentive_id=texts,
    probability=st.floats(0, 1, exclude_min=True),
    propensity=numbers,
    batch=numbers,
    value=numbers,
    priority=numbers,
    context=numbers,
    lever=numbers,
    reasons=st.lists(texts, max_size=3).map(tuple),
)
decisions = st.builds(
    Decision,
    request=requests,
    arms=st.dictionaries(texts, texts, max_size=2),
    slots=st.lists(slots, max_size=3).map(tuple),
    refusals=st.lists(st.builds(Refusal, texts, texts, texts, texts, texts), max_size=3).map(tuple),
    versions=st.dictionaries(texts, texts, max_size=3),
    degraded=st.lists(texts, max_size=2).map(tuple),
)


@given(decisions)
def test_a_decision_survives_its_record(decision: Decision) -> None:
    through_json = json.loads(json.dumps(to_record(decision), allow_nan=False))
    assert from_record(through_json) == decision


def test_a_real_decision_survives_and_decides_the_same_again(ask: Ask, world: World) -> None:
    decision = decide(ask(), world)
    again = from_record(json.loads(json.dumps(to_record(decision))))
    assert again == decision
    assert decide(again.request, world) == decision


def test_instants_are_written_in_utc(ask: Ask) -> None:
    local = datetime(2026, 3, 10, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    assert request_to_record(ask(at=local))["at"] == "2026-03-10T12:30:00+00:00"
    back = request_from_record(request_to_record(ask(at=local)))
    assert back.at.tzinfo is UTC


def test_a_history_written_before_deferrals_had_a_time_is_still_read(ask: Ask) -> None:
    contact = Contact(ask().at, "voice", "i", "d", "o", "g", Outcome.DEFERRED)
    record = request_to_record(ask(history=(contact,)))
    assert record["history"] == [
        ["2026-03-10T12:00:00+00:00", "voice", "i", "d", "o", "g", "DEFERRED"]
    ]
    assert request_from_record(record).history == (contact,)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_facts_that_json_cannot_say_are_left_out(ask: Ask, value: float) -> None:
    record = request_to_record(ask(facts={"customer.tenure_months": value}))
    assert "customer.tenure_months" not in record["facts"]


def test_what_is_no_record_is_refused(ask: Ask, world: World) -> None:
    record = to_record(decide(ask(), world))
    for broken in (
        {},
        {**record, "slots": [{"rank": 1}]},
        {**record, "refusals": [["only"]]},
        {**record, "request": {**record["request"], "at": "yesterday"}},
        {**record, "request": {**record["request"], "history": [["2026-01-01"]]}},
        {**record, "slots": [{**record["slots"][0], "probability": 0.0}]},
    ):
        with pytest.raises(BadInputError, match="is not a decision record"):
            from_record(broken)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.0000001, math.nan])
def test_no_slot_without_a_probability(probability: float) -> None:
    with pytest.raises(ValueError, match="must be in"):
        Slot(1, "o", "g", "none", probability, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, ())


def test_a_request_has_a_zone_and_a_sensible_number_of_slots(ask: Ask) -> None:
    with pytest.raises(BadInputError, match="must carry a time zone"):
        ask(at=datetime(2026, 3, 10, 12, 0))  # noqa: DTZ001
    for count in (0, -1, 51):
        with pytest.raises(BadInputError, match=f"must be between 1 and 50, was {count}"):
            ask(slots=count)
