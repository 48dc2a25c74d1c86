"""Events at the door: types nobody declared, and batches that must not hold up the calls."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import grpc
import pytest
import redis.asyncio

from features.definitions import EventType
from features.schema import FeatureSchema
from features.stream import AsyncEventStream, Event
from nbo.cli.demo import free_address
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.errors import BadInputError
from nbo.settings import Settings
from nbo.v1 import common_pb2, events_pb2, events_pb2_grpc
from serving.clock import Clock
from serving.event_service import BREATH, EventDoor, EventService
from serving.request_checks import MAX_EVENTS
from serving.supervisor import Deployment
from serving.wire import from_time

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SCHEMA = FeatureSchema(views={}, events={"shop.visited": EventType("shop.visited", {})})


def event(number=0, kind="shop.visited", **attributes):
    return Event(f"e-{number}", "c-30", kind, NOW, attributes)


def test_ignored_types_are_dropped_and_the_rest_of_the_event_still_checked():
    door = EventDoor(SCHEMA, ignore_unknown=True)
    assert door.admit("event", event(), NOW) == event()
    assert door.admit("event", event(kind="shop.robbed", loot=3.0), NOW) is None
    with pytest.raises(BadInputError, match=r"event.attributes\['loot'\]: must be finite"):
        door.admit("event", event(kind="shop.robbed", loot=float("inf")), NOW)
    with pytest.raises(BadInputError, match=r"event\.type"):
        EventDoor(SCHEMA, ignore_unknown=False).admit("event", event(kind="shop.robbed"), NOW)


def test_a_full_batch_lets_others_have_their_turn():
    """All events are refused, so that nothing but checking them takes the loop's time."""
    when = from_time(NOW)
    request = events_pb2.PublishEventsRequest(
        events=[
            common_pb2.Event(event_id=f"e-{n}", customer_id="c-1", type="no.such", at=when)
            for n in range(MAX_EVENTS)
        ]
    )
    stream = AsyncEventStream(redis.asyncio.Redis())  # never asked
    service = EventService(stream, EventDoor(SCHEMA, False), Clock(True))

    async def turns_of_others():
        publishing = asyncio.ensure_future(service.PublishEvents(request, None))
        turns = 0
        while not publishing.done():
            await asyncio.sleep(0)
            turns += 1
        assert len(publishing.result().errors) == MAX_EVENTS
        return turns

    assert asyncio.run(turns_of_others()) >= MAX_EVENTS // BREATH


@pytest.fixture(scope="module")
def ignoring(make_corner):
    workspace = make_corner()
    settings = workspace / "nbo.toml"
    settings.write_text(settings.read_text() + 'unknown_event_types = "ignore"\n')
    with Deployment(Settings.load(workspace), free_address(), quiet=True) as running:
        load_features(running.settings, running.stores, datetime(2026, 3, 1, tzinfo=UTC))
        yield running


def test_a_workspace_may_ignore_events_it_did_not_declare(ignoring, eventually):
    with Client(ignoring.target) as client:
        reply = client.publish([event(2, "shop.robbed", loot=3.0), event(1, spent=2.0)])
        assert (reply.accepted, reply.duplicates, list(reply.errors)) == (1, 0, [])
        known = eventually(
            lambda: client.customer("c-30", at=NOW),
            lambda c: c.facts["customer.visits_30d"].number == 1.0,
        )
        assert known.latest_event.type == "shop.visited"
        inline = event(3, "shop.robbed", loot=3.0)
        assert client.offers("c-30", interaction_id="i-1", at=NOW, event=inline).decision_id


def test_a_workspace_that_does_not_say_so_refuses_them(deployment):
    with grpc.insecure_channel(deployment.target) as channel:
        stub = events_pb2_grpc.EventServiceStub(channel)
        strange = common_pb2.Event(
            event_id="e-9", customer_id="c-30", type="shop.robbed", at=from_time(NOW)
        )
        reply = stub.PublishEvents(events_pb2.PublishEventsRequest(events=[strange]), timeout=5)
    assert [error.field for error in reply.errors] == ["events[0].type"]
