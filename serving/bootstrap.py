"""The composition root: the one place that builds clients from settings and wires the rooms."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import redis
import redis.asyncio
from sqlalchemy import Engine

from features.identity import IdentityIndex
from features.reader import CustomerReader
from features.schema import FeatureSchema
from features.stream import AsyncEventStream
from features.worker import WindowWorker
from models.registry import Registry
from nbo import __version__
from nbo.decision.catalog import Catalog
from nbo.ledger.engine import open_ledger
from nbo.settings import Settings
from serving.caps import CapCounters
from serving.caps_rebuild import CapKeeper
from serving.catalog_service import CatalogService
from serving.clock import Clock
from serving.customer_service import CustomerService
from serving.decision_log import DecisionLog
from serving.event_service import EventDoor, EventService
from serving.explainer import Explainer
from serving.known_customers import KnownCustomers
from serving.ladder import Ladder
from serving.learner import Learner
from serving.live_world import LiveWorld
from serving.model_shelf import ModelShelf
from serving.offer_engine import OfferEngine
from serving.offer_service import OfferService
from serving.outcome_recorder import OutcomeRecorder
from serving.past_catalogs import PastCatalogs
from serving.plugins import load_models
from serving.published_catalogs import CatalogCompiler, PublishedCatalogs
from serving.recorder import Recorder
from serving.redis_clients import open_for_requests, open_for_work
from serving.relay import Relay
from serving.store_health import StoreHealth, watch_stores
from serving.stores import Stores
from serving.workspace_state import stated_currency

LEDGER_THREADS = 8


@dataclass(frozen=True, slots=True)
class Application:
    """Everything the gRPC server serves, built and connected."""

    engine: OfferEngine
    offers: OfferService
    events: EventService
    customers: CustomerService
    catalogs: CatalogService
    world: LiveWorld
    live: redis.asyncio.Redis
    threads: ThreadPoolExecutor
    ledger: Engine
    health: StoreHealth

    async def follow(self) -> None:
        """Keep catalogue and models current until cancelled."""
        await self.world.follow(self.live, self.threads)

    async def close(self) -> None:
        """Close every connection; what was acknowledged is durable already."""
        await self.health.close()
        await self.live.aclose()
        self.threads.shutdown(wait=True)
        self.ledger.dispose()


async def build_application(settings: Settings, stores: Stores) -> Application:
    """Build the server's services, with the champion last served; `follow` finds a newer one."""
    schema = FeatureSchema.load(settings.schema_file)
    ledger = open_ledger(stores.ledger_url)
    live = open_for_requests(stores.redis_url)
    threads = ThreadPoolExecutor(LEDGER_THREADS, thread_name_prefix="blocking")
    clock = Clock(settings.serving.accept_request_time)
    compiler = _compiler(settings, schema, ledger)
    published = PublishedCatalogs(compiler)
    world = _world(settings, stores, published)
    health = watch_stores(live, ledger, threads)
    log = DecisionLog(live, ledger, threads, health)
    remembered = KnownCustomers(
        settings.serving.last_known_customers, settings.last_known, settings.last_known_consent
    )
    ladder = Ladder(CustomerReader(live, schema), ledger, threads, remembered, health)
    caps = CapCounters(live, settings.reservation)
    engine = OfferEngine(ladder, world, caps, log, health, settings.trigger, settings.deadline)
    recorder = OutcomeRecorder(live, ledger, log, world, threads, clock, health)
    past = PastCatalogs(ledger, schema.fact_schema())
    explainer = Explainer(log, world, past, threads)
    identities = IdentityIndex(live)
    door = EventDoor(schema, settings.serving.unknown_event_types == "ignore")
    return Application(
        engine=engine,
        offers=OfferService(engine, recorder, explainer, door, clock),
        events=EventService(AsyncEventStream(live), door, clock),
        customers=CustomerService(engine, identities, settings.workspace.country, clock),
        catalogs=CatalogService(compiler, published, world, threads, caps),
        world=world,
        live=live,
        threads=threads,
        ledger=ledger,
        health=health,
    )


def worker_roles(settings: Settings, stores: Stores) -> Mapping[str, Callable[[], int]]:
    """The steps of the background worker, by role; each role has its own connections."""
    schema = FeatureSchema.load(settings.schema_file)
    ledger = open_ledger(stores.ledger_url)
    published = PublishedCatalogs(_compiler(settings, schema, ledger))

    def live() -> redis.Redis:
        return open_for_work(stores.redis_url)

    def newer_catalog() -> Catalog | None:
        newer = published.newer()
        return newer.catalog if newer else None

    roles = {
        "windows": WindowWorker(live(), schema).step,
        "recorder": Recorder(live(), ledger).step,
        "relay": Relay(live(), ledger).step,
        "caps": CapKeeper(
            live(),
            ledger,
            newer_catalog,
            settings.reservation,
            settings.serving.accept_request_time,
        ).step,
    }
    if settings.learning.online:
        roles["learner"] = Learner(live(), ledger).step
    return roles


def _compiler(settings: Settings, schema: FeatureSchema, ledger: Engine) -> CatalogCompiler:
    return CatalogCompiler(
        ledger, schema.fact_schema(), stated_currency(settings), settings.attribution
    )


def open_registry(stores: Stores) -> Registry:
    """The model registry of a workspace; takes seconds when it is first set up."""
    folder = stores.artifact_root.parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Two processes that set up one SQLite registry at once would trip over each other.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Registry(stores.tracking_uri, stores.artifact_root)


def _world(settings: Settings, stores: Stores, published: PublishedCatalogs) -> LiveWorld:
    return LiveWorld(
        compiled=published.first(),
        plugins=load_models(settings.directory, settings.models.plugins),
        open_registry=lambda: open_registry(stores),
        name=settings.workspace.name,
        shelf=ModelShelf(settings.state_dir / "served"),
        engine_version=__version__,
        newer_catalog=published.newer,
    )
