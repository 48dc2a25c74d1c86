"""Whatever a client sends: a named field, a constraint, nothing changed, never INTERNAL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from features.stream import Event
from nbo.errors import BadInputError, ConflictError, NotFoundError
from nbo.v1 import common_pb2, events_pb2, events_pb2_grpc, offers_pb2, offers_pb2_grpc

ASK = {"customer_id": "c-30", "interaction_id": "i-1", "channel": "voice"}


@pytest.fixture
def stub(deployment):
    with grpc.insecure_channel(deployment.target) as channel:
        yield offers_pb2_grpc.OfferServiceStub(channel)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer_id": ""}, "customer_id"),
        ({"customer_id": "c 30"}, "customer_id"),
        ({"customer_id": "c{30}"}, "customer_id"),
        ({"customer_id": "x" * 5000}, "customer_id"),
        ({"interaction_id": ""}, "interaction_id"),
        ({"channel": ""}, "channel"),
        ({"channel": "pigeon"}, "channel"),
        ({"slots": -1}, "slots"),
        ({"slots": 0}, "slots"),
        ({"slots": 51}, "slots"),
        ({"language": "tlh"}, "language"),
        ({"language": "x" * 100}, "language"),
        ({"intent": "x" * 201}, "intent"),
        ({"agent_id": "a b"}, "agent_id"),
        ({"at": Timestamp(seconds=10**15)}, "at"),
        ({"at": Timestamp(seconds=1, nanos=-7)}, "at"),
        ({"at": Timestamp(seconds=4 * 10**9)}, "at"),
        ({"at": Timestamp(seconds=-62_135_596_800)}, "at"),
        ({"at": Timestamp(seconds=-1)}, "at"),
        ({"facts": {"customer.has_card": common_pb2.Value(flag=False)}}, "customer.has_card"),
        ({"facts": {"event.topic": common_pb2.Value(number=1)}}, "event.topic"),
        ({"facts": {"event.nope": common_pb2.Value(number=1)}}, "event.nope"),
        ({"facts": {"event.spent": common_pb2.Value(number=float("nan"))}}, "event.spent"),
        ({"facts": {"event.topic": common_pb2.Value()}}, "event.topic"),
        ({"facts": {"event.type": common_pb2.Value(text="shop.visited")}}, "event.type"),
        ({"facts": {"interaction.channel": common_pb2.Value(text="web")}}, "interaction.channel"),
        ({"facts": {"interaction.hour": common_pb2.Value(number=3)}}, "interaction.hour"),
        ({"facts": {"interaction.weekday": common_pb2.Value(number=3)}}, "interaction.weekday"),
        ({"facts": {f"event.f{i}": common_pb2.Value(number=1) for i in range(101)}}, "facts"),
        ({"event": common_pb2.Event(type="shop.visited")}, "event.at"),
        ({"event": common_pb2.Event(type="nope", at=Timestamp(seconds=1))}, "event.type"),
    ],
)
def test_a_wrong_request_names_its_field(stub, change, field):
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetOffers(offers_pb2.GetOffersRequest(**{**ASK, **change}), timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in caught.value.details()


def test_the_status_carries_a_bad_request_detail(client):
    with pytest.raises(BadInputError) as caught:
        client.offers("c-30", interaction_id="i-1", slots=-1)
    assert caught.value.field == "slots"
    assert "between 1 and 50, was -1" in caught.value.constraint


def test_a_customer_is_not_asked_about_before_1970(client):
    with pytest.raises(BadInputError, match="before 1970"):
        client.customer("c-30", at=datetime(1, 1, 2, tzinfo=UTC))


def test_facts_only_the_desktop_knows_are_taken(client, now):
    facts = {"interaction.intent": "complaint", "event.topic": "bread"}
    assert client.offers("c-30", interaction_id="i-1", at=now, facts=facts).decision_id


def test_an_unknown_customer_is_not_found(client):
    with pytest.raises(NotFoundError) as caught:
        client.offers("nobody", interaction_id="i-1")
    assert (caught.value.kind, caught.value.key) == ("customer", "nobody")
    with pytest.raises(NotFoundError):
        client.customer("nobody")


def test_malformed_bytes_are_the_clients_fault(deployment):
    with grpc.insecure_channel(deployment.target) as channel:
        for service, method in (("OfferService", "GetOffers"), ("EventService", "PublishEvents")):
            call = channel.unary_unary(f"/nbo.v1.{service}/{method}")
            with pytest.raises(grpc.RpcError) as caught:
                call(b"\xff\xff\xff\xff not a message", timeout=5)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_an_empty_request_is_refused(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetOffers(offers_pb2.GetOffersRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as caught:
        stub.RecordOutcome(offers_pb2.RecordOutcomeRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_huge_request_is_refused(deployment):
    with grpc.insecure_channel(
        deployment.target, options=[("grpc.max_send_message_length", 64 << 20)]
    ) as channel:
        stub = offers_pb2_grpc.OfferServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetOffers(offers_pb2.GetOffersRequest(**{**ASK, "intent": "x" * (20 << 20)}))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_wrong_outcomes_change_nothing(client, now):
    decision = client.offers("c-31", interaction_id="i-1", at=now)
    known = decision.decision_id
    with pytest.raises(NotFoundError):
        client.outcome("no-such-decision", 1, "ACCEPTED")
    for rank in (0, -1, 7, 51):
        with pytest.raises(BadInputError, match="rank"):
            client.outcome(known, rank, "ACCEPTED", at=now)
    with pytest.raises(BadInputError, match="outcome"):
        client.outcome(known, 1, "OUTCOME_UNSPECIFIED", at=now)
    with pytest.raises(BadInputError, match="at"):
        client.outcome(known, 1, "ACCEPTED", at=now - timedelta(hours=1))
    with pytest.raises(BadInputError, match="at"):
        client.outcome(known, 1, "ACCEPTED", at=datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(BadInputError, match="defer_until"):
        client.outcome(known, 1, "DEFERRED", at=now)
    with pytest.raises(BadInputError, match="reason"):
        client.outcome(known, 1, "ACCEPTED", reason="PRICE", at=now)
    assert not client.customer("c-31", at=now + timedelta(hours=1)).contacts


def test_a_number_of_a_newer_api_is_refused(stub, client, now):
    decision = client.offers("c-32", interaction_id="i-1", at=now)
    request = offers_pb2.RecordOutcomeRequest(
        decision_id=decision.decision_id, rank=1, outcome=77, idempotency_key="k-77"
    )
    with pytest.raises(grpc.RpcError) as caught:
        stub.RecordOutcome(request, timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_same_key_and_body_is_one_outcome_and_another_body_is_refused(client, now):
    decision = client.offers("c-35", interaction_id="i-1", at=now)
    first = client.outcome(decision.decision_id, 1, "ACCEPTED", at=now, idempotency_key="k-1")
    again = client.outcome(decision.decision_id, 1, "ACCEPTED", at=now, idempotency_key="k-1")
    assert first == again
    with pytest.raises(ConflictError):
        client.outcome(decision.decision_id, 1, "DECLINED", at=now, idempotency_key="k-1")
    contacts = client.customer("c-35", at=now + timedelta(hours=1)).contacts
    assert [contact.outcome for contact in contacts] == [common_pb2.ACCEPTED]


def test_wrong_events_are_named_and_the_good_ones_kept(client, deployment, now):
    good = Event("b-1", "c-34", "shop.visited", now, {"spent": 1.0})
    wrong = {
        "events[1].type": Event("b-2", "c-34", "shop.robbed", now, {}),
        "events[2].attributes['spent']": Event("b-3", "c-34", "shop.visited", now, {"spent": "x"}),
        "events[3].at": Event("b-4", "c-34", "shop.visited", datetime.now(UTC) + timedelta(1)),
        "events[4].customer_id": Event("b-5", "", "shop.visited", now, {}),
        "events[5].event_id": Event("", "c-34", "shop.visited", now, {}),
        "events[6].attributes['colour']": Event(
            "b-6", "c-34", "shop.visited", now, {"colour": "red"}
        ),
        "events[7].attributes['spent']": Event(
            "b-7", "c-34", "shop.visited", now, {"spent": float("inf")}
        ),
    }
    reply = client.publish([good, *wrong.values()])
    assert reply.accepted == 1
    assert [error.field for error in reply.errors] == list(wrong)
    with grpc.insecure_channel(deployment.target) as channel:
        stub = events_pb2_grpc.EventServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.PublishEvents(events_pb2.PublishEventsRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("identity", ["", "   ", "x" * 300, "<script>", "\x00"])
def test_garbage_is_no_identity(client, identity):
    with pytest.raises(BadInputError, match="identity"):
        client.identify(identity)
