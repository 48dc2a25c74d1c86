"""CustomerService: who is calling, and what is known about them."""

from __future__ import annotations

from typing import Any

import grpc
from redis.exceptions import RedisError

from features.identity import IdentityIndex
from nbo.decision.history import Contact, history_facts
from nbo.errors import BadInputError, UnavailableError
from nbo.v1 import customers_pb2, customers_pb2_grpc
from serving import request_checks as check
from serving.clock import Clock
from serving.offer_engine import OfferEngine
from serving.wire import fill, from_event, from_time, to_time

DEFAULT_CONTACTS = 10


class CustomerService(customers_pb2_grpc.CustomerServiceServicer):
    """Finds customers by identity and shows what the engine knows.

    Args:
        identities: The index of phone numbers, e-mails and account numbers.
        country: Region of phone numbers without a country code.
    """

    def __init__(
        self,
        engine: OfferEngine,
        identities: IdentityIndex,
        country: str,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._identities = identities
        self._country = country
        self._clock = clock

    async def IdentifyCustomer(  # noqa: N802
        self,
        request: customers_pb2.IdentifyCustomerRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> customers_pb2.IdentifyCustomerResponse:
        """See proto/nbo/v1/customers.proto."""
        identity = check.at_most("identity", request.identity.strip(), check.MAX_IDENTITY)
        if not identity:
            raise BadInputError("identity", "is required")
        try:
            matches = await self._identities.find(identity, self._country)
        except BadInputError as error:
            raise BadInputError("identity", error.constraint) from error
        except RedisError as error:
            raise UnavailableError("redis", str(error)) from error
        total = sum(match.score for match in matches)
        return customers_pb2.IdentifyCustomerResponse(
            matches=[
                customers_pb2.CustomerMatch(
                    customer_id=match.customer_id,
                    kind=match.kind,
                    likelihood=match.score / total,
                )
                for match in matches
            ]
        )

    async def GetCustomer(  # noqa: N802
        self, request: customers_pb2.GetCustomerRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> customers_pb2.GetCustomerResponse:
        """See proto/nbo/v1/customers.proto."""
        customer_id = check.identifier("customer_id", request.customer_id)
        at = self._clock.asked(to_time("at", request.at) if request.HasField("at") else None)
        wanted = request.contacts if request.HasField("contacts") else DEFAULT_CONTACTS
        limit = check.between("contacts", wanted, 0, check.MAX_CONTACTS)
        known = await self._engine.known(customer_id, at)
        recent = sorted(known.history, key=lambda contact: contact.at, reverse=True)[:limit]
        reply = customers_pb2.GetCustomerResponse(
            customer_id=customer_id,
            contacts=[_contact(contact) for contact in recent],
            latest_event=from_event(known.last_event) if known.last_event else None,
        )
        fill(reply.facts, {**known.facts, **history_facts(known.history, at)})
        return reply


def _contact(contact: Contact) -> customers_pb2.Contact:
    return customers_pb2.Contact(
        at=from_time(contact.at),
        channel=contact.channel,
        interaction_id=contact.interaction_id,
        decision_id=contact.decision_id,
        offer_id=contact.offer_id,
        outcome=contact.outcome.value,
    )
