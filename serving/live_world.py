"""What decisions are made with, kept current while requests are in flight.

A request takes `current` once and keeps it: catalogue and model are swapped as one object, so
no request sees a mixture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from models.batch import BatchPropensity
from models.blend import BlendedPropensity
from models.registry import CHAMPION, Registry, preload
from models.weights import OnlineWeights
from nbo.decision.catalog_text import CompiledCatalog
from nbo.decision.decide import World
from nbo.decision.prior import PriorPropensity
from nbo.decision.propensity import Propensity
from nbo.errors import NboError, UnavailableError
from serving.keys import CHAMPION_BASE, WEIGHTS, WEIGHTS_VERSION
from serving.model_shelf import ModelShelf

log = structlog.get_logger()

CATALOG_EVERY = 0.25
WEIGHTS_EVERY = 0.2
CHAMPION_EVERY = 2.0


class LiveWorld:
    """The world in force; refreshed by three loops, replaced whole.

    Args:
        compiled: The catalogue.
        plugins: Models of the workspace, by name.
        open_registry: Connects to the registry; called when first needed, which takes seconds.
        name: The model's name in the registry.
        shelf: The champion last served.
        engine_version: Logged with every decision.
        newer_catalog: Blocks; the catalogue in force if it was published since the last call,
            compiled. By default the first one stays.
    """

    def __init__(
        self,
        compiled: CompiledCatalog,
        plugins: Mapping[str, Propensity],
        open_registry: Callable[[], Registry],
        name: str,
        shelf: ModelShelf,
        engine_version: str,
        newer_catalog: Callable[[], CompiledCatalog | None] = lambda: None,
    ) -> None:
        self._compiled = compiled
        self._newer_catalog = newer_catalog
        self._refreshing_catalog = asyncio.Lock()
        self._plugins = dict(plugins)
        self._open_registry = open_registry
        self._registry: Registry | None = None
        self._imported = False
        self._name = name
        self._shelf = shelf
        self._engine_version = engine_version
        self._batch: BatchPropensity | None = shelf.take()
        self._weights: OnlineWeights | None = None
        self._agreed = 0  # latest answers of the registry, in a row, that named the one served
        self._weights_seen: bytes | None = None
        self.current = self._build()

    async def refresh_catalog(self, threads: Executor) -> bool:
        """Take the catalogue in force if it was published since the last look.

        It is read and compiled on a thread; requests in flight keep the world they took. The
        swap happens here, on the event loop alone.
        """
        loop = asyncio.get_running_loop()
        async with self._refreshing_catalog:  # else a slow look could put an older one back
            found = await loop.run_in_executor(threads, self._newer_catalog)
            if found is None:
                return False
            self._compiled = found
            self.current = self._build()
        log.info("catalogue in force", version=found.catalog.version)
        return True

    async def refresh_champion(self, threads: Executor) -> bool:
        """Load the champion if another one is in force; a broken one leaves the old serving.

        The registry is asked on a thread. What is served changes here, on the event loop alone,
        so that weights which arrive meanwhile are not overwritten.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(threads, self._champion_in_force)
        except NboError as error:
            self._agreed = 0
            log.warning("champion not loaded, the former model stays", reason=str(error))
            return False
        if found is None or found is self._batch:
            self._agreed = self._agreed + 1 if found else 0
            return False
        self._batch = found
        self._agreed = 1
        self.current = self._build()
        log.info("champion loaded", version=found.version)
        await loop.run_in_executor(threads, self._shelf.keep, found)
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
        """Tell the learner which champion decisions are made with, whenever it knows another.

        Another base makes the learner forget, so only what the registry has just named is
        told: never the model on the shelf. A server that is behind the others must not win
        over them either: going back to an older champion needs the registry to name it twice.
        """
        if self._batch is None or not self._agreed:
            return
        served = self._batch.version
        told = await live.get(CHAMPION_BASE)
        if told is None:  # at first, and after Redis lost it
            await live.set(CHAMPION_BASE, served, nx=True)
        elif told.decode() != served and (self._agreed > 1 or _is_later(served, told.decode())):
            await live.set(CHAMPION_BASE, served)

    async def follow(self, live: redis.asyncio.Redis, threads: Executor) -> None:
        """Refresh for ever: the catalogue every 250 ms, weights 200 ms, the champion 2 s."""
        await asyncio.gather(
            _for_ever(CATALOG_EVERY, lambda: self.refresh_catalog(threads)),
            _for_ever(WEIGHTS_EVERY, lambda: self.refresh_weights(live)),
            _for_ever(CHAMPION_EVERY, lambda: self._refresh_champion_on(threads, live)),
        )

    async def _refresh_champion_on(self, threads: Executor, live: redis.asyncio.Redis) -> None:
        if not self._imported:
            # Apart from the threads that a stop waits for: an import takes seconds, cannot be
            # interrupted and leaves nothing behind. The registry is set up on one of those.
            apart = ThreadPoolExecutor(1, thread_name_prefix="imports")
            await asyncio.get_running_loop().run_in_executor(apart, preload)
            apart.shutdown(wait=False)
            self._imported = True
        await self.refresh_champion(threads)
        await self.announce(live)

    def _champion_in_force(self) -> BatchPropensity | None:
        """The model the registry names: the one served if it is that; None when it names none."""
        if self._registry is None:
            preload()
            self._registry = self._open_registry()
        version = self._registry.champion_version(self._name)
        if version is None:
            return None
        if self._batch is not None and self._batch.version == f"{CHAMPION}/{version}":
            return self._batch
        return self._registry.load(self._name)

    def _build(self) -> World:
        return World(
            compiled=self._compiled,
            propensity=self._propensity(),
            models=self._plugins,
            engine_version=self._engine_version,
        )

    def _propensity(self) -> Propensity:
        base = self._batch or PriorPropensity()
        weights = self._weights
        if weights is None or weights.base != base.version:
            weights = OnlineWeights(base=base.version)  # nothing learnt beside this one yet
        if self._batch is None and not weights.learnt:
            return PriorPropensity()  # which decisions name as a step down
        return BlendedPropensity(base, weights)


def _is_later(version: str, other: str) -> bool:
    """Whether one champion was registered after another; the registry counts its versions."""
    return int(version.rpartition("/")[2]) > int(other.rpartition("/")[2])


async def _for_ever(seconds: float, refresh: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await refresh()
        except (RedisError, OSError, UnavailableError) as error:
            log.warning("catalogue or models not refreshed", reason=str(error))
        except Exception:
            log.exception("catalogue or models not refreshed")
        await asyncio.sleep(seconds)
