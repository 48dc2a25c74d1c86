"""Explains logged decisions: the record, the catalogue that decided, the model if it is at hand."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World
from nbo.decision.decision import Decision
from nbo.decision.explain import explain
from nbo.decision.explanation import Explanation
from nbo.decision.record import IMPORTED, from_record
from nbo.errors import NotEnoughDataError
from serving.decision_log import DecisionLog
from serving.live_world import LiveWorld
from serving.past_catalogs import PastCatalogs
from serving.propensity_reasons import propensity_reasons


class Explainer:
    """Decides again from what was logged; reads the stores and writes to none.

    Args:
        log: Finds records, also those on their way to the ledger.
        world: The catalogue and models served now.
        past: Catalogues that are no longer in force.
        threads: Where explanations are made: they take too long for the event loop.
    """

    def __init__(
        self, log: DecisionLog, world: LiveWorld, past: PastCatalogs, threads: Executor
    ) -> None:
        self._log = log
        self._world = world
        self._past = past
        self._threads = threads
        # Offers are asked for while someone is on the line; explanations wait for each other.
        self._one = asyncio.Semaphore(1)

    async def explain(self, decision_id: str, near_misses: int) -> Explanation:
        """Explain a decision.

        Args:
            decision_id: Of a logged decision.
            near_misses: At most so many.

        Raises:
            NotFoundError: no such decision, or its catalogue version was never published here.
            NotEnoughDataError: it was imported, or its catalogue no longer fits the facts.
            UnavailableError: the ledger does not answer.
        """
        record = await self._log.find(decision_id)
        if record["versions"].get("engine") == IMPORTED:
            raise NotEnoughDataError(
                f"decision {decision_id!r} was imported from another system's log, which does not "
                "tell how it came about; explained are decisions of this engine"
            )
        decision, world = from_record(record), self._world.current
        loop = asyncio.get_running_loop()
        async with self._one:
            return await loop.run_in_executor(
                self._threads, self._explain, decision, world, near_misses
            )

    def _explain(self, decision: Decision, world: World, near_misses: int) -> Explanation:
        compiled = self._catalog(decision, world)
        reasons = propensity_reasons(decision, compiled, world)
        return explain(
            decision,
            compiled,
            reasons.by_rank,
            most_near_misses=near_misses,
            without_reasons=reasons.without,
        )

    def _catalog(self, decision: Decision, world: World) -> CompiledCatalog:
        in_force = world.compiled
        version = decision.versions.get("catalog", "")
        if (version, dict(decision.rates)) == (
            in_force.catalog.version,
            dict(in_force.catalog.rates),
        ):
            return in_force
        return self._past.get(version, decision.rates)
