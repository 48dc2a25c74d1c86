"""From a question about a customer to a logged decision: what is known, decide, log.

The way through: one Redis round trip for everything known, `decide()` on plain values, one
round trip to log the decision before the reply. All of it within the caller's deadline: what
does not answer in time is replaced by the next step of the ladder, which the decision names.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from features.reader import CustomerFacts
from nbo.decision.catalog import Catalog
from nbo.decision.decide import World
from nbo.decision.decision import Decision
from nbo.decision.limits import Usage
from nbo.decision.request import Request
from nbo.errors import UnavailableError
from serving.caps import CapCounters, decide_within
from serving.consent_facts import consent_facts
from serving.deadline import PATIENCE_SECONDS, Deadline
from serving.decision_log import KEPT_AFTER_LOG, DecisionLog
from serving.ladder import Known, Ladder
from serving.live_world import LiveWorld
from serving.pace import Pace
from serving.question import Question, answer_language, facts_of
from serving.reservations import Reservations
from serving.store_health import StoreHealth

log = structlog.get_logger()

FALLBACK = "fallback offer"
NO_FALLBACK = "empty"
NOT_LOGGED = "not logged"

_STEPS_REMEMBERED = 256


class OfferEngine:
    """Answers questions; one per process.

    Args:
        ladder: Everything known about a customer, from whatever answers.
        world: Catalogue and models in force.
        caps: Takes what an answer returns.
        log: Where decisions are logged before they are told.
        health: Whether the stores answer.
        trigger: How long a published event stays the triggering one.
        patience: How long an answer may take when the caller sets no deadline.
    """

    def __init__(
        self,
        ladder: Ladder,
        world: LiveWorld,
        caps: CapCounters,
        log: DecisionLog,
        health: StoreHealth,
        trigger: timedelta,
        patience: timedelta,
    ) -> None:
        self._ladder = ladder
        self._world = world
        self._caps = caps
        self._log = log
        self._reservations = Reservations(caps, health.redis)
        self._trigger = trigger
        self._patience = patience.total_seconds()
        self._pace = Pace()
        # Thousands of answers may take the same step down: each is told once.
        self._consent: tuple[Catalog, frozenset[str]] | None = None
        self._warn = lru_cache(maxsize=_STEPS_REMEMBERED)(_warn)

    @property
    def world(self) -> World:
        """What decisions are made with now."""
        return self._world.current

    async def known(self, customer_id: str, at: datetime) -> CustomerFacts:
        """Everything known about a customer now.

        Raises:
            NotFoundError: The customer was never loaded.
            UnavailableError: Redis does not answer.
        """
        return await self._ladder.fresh(customer_id, at, PATIENCE_SECONDS)

    async def decide(
        self, question: Question, seconds: float | None = None
    ) -> tuple[Decision, World]:
        """Decide and log.

        Args:
            question: What is asked.
            seconds: Until the caller's deadline; None when there is none.

        Returns:
            The decision and the world it was made with. A decision that could not be logged has
            no slots: what nobody could account for is not told.
        """
        deadline = Deadline(self._patience if seconds is None else seconds)
        world = self._world.current
        catalog = world.compiled.catalog
        language = answer_language(question, catalog)
        usage = self._caps.ask(catalog, question.at)
        consent = self._consent_facts(catalog)
        known = await self._ladder.known(
            question.customer_id, question.at, deadline, consent, usage
        )
        request = self._request(question, language, known, usage.usage, catalog)
        request, chosen = self._pace.fit(request, world, deadline.keeping(KEPT_AFTER_LOG))
        reservation = self._reservations.for_answer(deadline)
        try:
            decision = await decide_within(reservation, request, chosen, self._pace.decide)
            await self._log.append(decision, deadline)
            reservation.keep()
        except UnavailableError:
            decision = replace(decision, slots=(), degraded=(*decision.degraded, NOT_LOGGED))
        finally:
            reservation.end()  # also when the caller hangs up
        for step in decision.degraded:
            self._warn(step)
        return decision, world

    def _consent_facts(self, catalog: Catalog) -> frozenset[str]:
        """The facts about consent, looked for once per catalogue."""
        if self._consent is None or self._consent[0] is not catalog:
            self._consent = catalog, consent_facts(catalog)
        return self._consent[1]

    def _request(
        self, question: Question, language: str, known: Known, usage: Usage, catalog: Catalog
    ) -> Request:
        decision_id = new_decision_id(question.at)
        only: str | None = None
        steps = known.steps
        if not known.facts_known:
            only = catalog.channels[question.channel].fallback
            steps = (*steps, FALLBACK if only else NO_FALLBACK)
        return Request(
            decision_id=decision_id,
            customer_id=question.customer_id,
            interaction_id=question.interaction_id,
            at=question.at,
            channel=question.channel,
            language=language,
            slots=question.slots,
            facts=facts_of(question, known, self._trigger),
            history=known.customer.history,
            seed=seed_of(decision_id),
            agent_id=question.agent_id,
            usage=usage,
            history_known=known.history_known,
            degraded=steps,
            only=only,
        )


def _warn(step: str) -> None:
    log.warning("answers are degraded", step=step)


def new_decision_id(at: datetime) -> str:
    """A fresh id that sorts by time: milliseconds since 1970, then 80 random bits, in hex."""
    return f"{int(at.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def seed_of(decision_id: str) -> int:
    """The seed of a decision's draws: 63 bits of a hash of its id."""
    digest = hashlib.blake2b(decision_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
