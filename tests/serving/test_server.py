"""What every gRPC tool expects of a server: health, reflection, its own clock."""

from __future__ import annotations

from datetime import UTC, datetime

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from nbo.errors import BadInputError
from serving.clock import Clock

SERVICES = {"nbo.v1.OfferService", "nbo.v1.EventService", "nbo.v1.CustomerService"}


def test_health_answers_for_every_service(deployment):
    with grpc.insecure_channel(deployment.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", *SERVICES):
            reply = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert reply.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_services(deployment):
    with grpc.insecure_channel(deployment.target) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        reply = next(stub.ServerReflectionInfo(iter([question]), timeout=5))
        listed = {service.name for service in reply.list_services_response.service}
    assert listed >= SERVICES


def test_a_production_clock_refuses_the_clients_instant():
    now = datetime(2026, 3, 1, tzinfo=UTC)
    clock = Clock(accept_request_time=False, now=lambda: now)
    assert clock.asked(None) == now
    with pytest.raises(BadInputError, match="accept_request_time"):
        clock.asked(now)


def test_a_replay_clock_refuses_the_future():
    now = datetime(2026, 3, 1, tzinfo=UTC)
    clock = Clock(accept_request_time=True, now=lambda: now)
    past = datetime(2017, 8, 1, tzinfo=UTC)
    assert clock.asked(past) == past
    with pytest.raises(BadInputError, match="future"):
        clock.asked(datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(BadInputError, match="before 1970"):
        clock.asked(datetime(1, 6, 1, tzinfo=UTC))
