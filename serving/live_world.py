"""What decisions are made with, kept current while requests are in flight.

A request takes `current` once and keeps it: catalogue and model are swapped as one object, so
no request sees a mixture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from models.batch import BatchPropensity
from models.blend import BlendedPropensity
from models.registry import CHAMPION, Registry
from models.weights import OnlineWeights
from nbo.decision.catalog_text import CompiledCatalog
from nbo.decision.decide import World
from nbo.decision.prior import PriorPropensity
from nbo.decision.propensity import Propensity
from nbo.errors import NboError
from serving.keys import CHAMPION_BASE, WEIGHTS, WEIGHTS_VERSION
from serving.model_shelf import ModelShelf

log = structlog.get_logger()

WEIGHTS_EVERY = 0.2
CHAMPION_EVERY = 2.0


class LiveWorld:
    """The world in force; refreshed by two loops, replaced whole.

    Args:
        compiled: The catalogue.
        plugins: Models of the workspace, by name.
        open_registry: Connects to the registry; called when first needed, which takes seconds.
        name: The model's name in the registry.
        shelf: The champion last served.
        engine_version: Logged with every decision.
    """

    def __init__(
        self,
        compiled: CompiledCatalog,
        plugins: Mapping[str, Propensity],
        open_registry: Callable[[], Registry],
        name: str,
        shelf: ModelShelf,
        engine_version: str,
    ) -> None:
        self._compiled = compiled
        self._plugins = dict(plugins)
        self._open_registry = open_registry
        self._registry: Registry | None = None
        self._name = name
        self._shelf = shelf
        self._engine_version = engine_version
        self._batch: BatchPropensity | None = shelf.take()
        self._weights: OnlineWeights | None = None
        self._announced = ""
        self._weights_seen: bytes | None = None
        self.current = self._build()

    @property
    def has_model(self) -> bool:
        """Whether a champion is loaded; without one the declared priors decide."""
        return self._batch is not None

    def refresh_champion(self) -> bool:
        """Load the champion if another one is in force; a broken one leaves the old serving."""
        try:
            if self._registry is None:
                BatchPropensity.warm_up()
                self._registry = self._open_registry()
            version = self._registry.champion_version(self._name)
            served = self._batch.version if self._batch else ""
            if version is None or served == f"{CHAMPION}/{version}":
                return False
            self._batch = self._registry.load(self._name)
        except NboError as error:
            log.warning("champion not loaded, the former model stays", reason=str(error))
            return False
        self.current = self._build()
        log.info("champion loaded", version=self._batch.version)
        self._shelf.keep(self._batch)
        return True

    async def refresh_weights(self, live: redis.asyncio.Redis) -> bool:
        """Take the learner's newest weights if there are any."""
        newest = await live.get(WEIGHTS_VERSION)
        if newest is None or newest == self._weights_seen:
            return False
        text = await live.get(WEIGHTS)
        if text is None:
            return False
        self._weights = OnlineWeights.from_json(text.decode())
        self._weights_seen = newest
        self.current = self._build()
        return True

    async def announce(self, live: redis.asyncio.Redis) -> None:
        """Tell the learner which base model decisions are made with now."""
        if self._batch is not None and self._announced != self._batch.version:
            await live.set(CHAMPION_BASE, self._batch.version)
            self._announced = self._batch.version

    async def follow(self, live: redis.asyncio.Redis, threads: Executor) -> None:
        """Refresh for ever: weights every 200 ms, the champion every 2 s."""
        await asyncio.gather(
            _for_ever(WEIGHTS_EVERY, lambda: self.refresh_weights(live)),
            _for_ever(CHAMPION_EVERY, lambda: self._refresh_champion_on(threads, live)),
        )

    async def _refresh_champion_on(self, threads: Executor, live: redis.asyncio.Redis) -> None:
        await asyncio.get_running_loop().run_in_executor(threads, self.refresh_champion)
        await self.announce(live)

    def _build(self) -> World:
        return World(
            compiled=self._compiled,
            propensity=self._propensity(),
            models=self._plugins,
            engine_version=self._engine_version,
        )

    def _propensity(self) -> Propensity:
        if self._batch is None:
            return PriorPropensity()
        weights = self._weights
        if weights is None or weights.base != self._batch.version:
            weights = OnlineWeights(base=self._batch.version)  # nothing learnt beside this one yet
        return BlendedPropensity(self._batch, weights)


async def _for_ever(seconds: float, refresh: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await refresh()
        except (RedisError, OSError) as error:
            log.warning("models not refreshed", reason=str(error))
        except Exception:
            log.exception("models not refreshed")
        await asyncio.sleep(seconds)
