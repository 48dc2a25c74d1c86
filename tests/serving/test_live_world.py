"""What a server decides with: champions from a real registry, weights from a real Redis."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import lightgbm
import numpy as np
import pytest
import redis.asyncio

from models.batch import BatchPropensity
from models.calibration import Calibration
from models.encoding import Encoding
from models.registry import Registry
from models.weights import OnlineWeights
from nbo.decision.catalog import NO_INCENTIVE, Treatment
from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import FactSchema, FactType
from nbo.errors import UnavailableError
from serving import live_world
from serving.embedded_redis import EmbeddedRedis
from serving.keys import CHAMPION_BASE, WEIGHTS, WEIGHTS_VERSION
from serving.live_world import LiveWorld
from serving.model_shelf import ModelShelf

SCHEMA = FactSchema({"customer.years": FactType.NUMBER})
CATALOG = """
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: g}]
offers:
  - {id: o, group: g, name: {en: O}, channels: [voice], value: 10, prior: 0.2}
"""


@pytest.fixture(scope="module")
def compiled():
    return load_catalog(CATALOG, "catalog.yaml", SCHEMA)


@pytest.fixture(scope="module")
def model(compiled):
    """A real model, however little it knows."""
    rng = np.random.default_rng(1)
    encoding = Encoding.fit(SCHEMA, compiled.catalog)
    rows = rng.random((200, len(encoding.inputs)))
    data = lightgbm.Dataset(rows, rng.random(200) < rows[:, 0])
    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, data, 3)
    raw = np.asarray(booster.predict(rows, raw_score=True))
    return BatchPropensity(booster, encoding, Calibration.fit(raw, rng.random(200) < 0.5), {})


@pytest.fixture(scope="module")
def redis_url(short_dir):
    store = EmbeddedRedis(short_dir / "world")
    yield store.start()
    store.stop()


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    state = tmp_path_factory.mktemp("world-registry")
    return Registry(f"sqlite:///{state}/mlflow.db", state / "artifacts")


@pytest.fixture
def corner(registry, model, compiled, tmp_path, redis_url, threads, request):
    """A name of its own in the registry, and worlds that follow it."""
    name = request.node.name.replace("[", "-").replace("]", "")

    def register():
        model.save(tmp_path / "model")
        return registry.register(tmp_path / "model", name, {}, {}, alias="champion")

    def world(shelf="shelf", open_registry=lambda: registry):
        kept = ModelShelf(tmp_path / shelf)
        return LiveWorld(compiled, {}, open_registry, name, kept, "0")

    async def within(story):
        async with redis.asyncio.Redis.from_url(redis_url) as live:
            await live.flushdb()
            await story(live)

    return SimpleNamespace(
        register=register,
        promote=lambda version: registry.promote(name, version),
        world=world,
        threads=threads,
        play=lambda story: asyncio.run(within(story)),
    )


async def poll(world, corner, live):
    await world.refresh_champion(corner.threads)
    await world.announce(live)


async def publish(live, base, learnt):
    weights = OnlineWeights(
        base=base, learnt=learnt, weights={("offer", "o"): 1.0}, counts={"o": 9}
    )
    await live.set(WEIGHTS, weights.to_json())
    await live.set(WEIGHTS_VERSION, f"{base}+online/{learnt}")


def test_the_priors_are_corrected_once_something_was_learnt(corner, compiled):
    async def story(live):
        world = corner.world()
        assert world.current.propensity.version == "prior"
        await publish(live, "champion/1", 3)
        await world.refresh_weights(live)
        assert world.current.propensity.version == "prior"
        await publish(live, "prior", 2)
        assert await world.refresh_weights(live)
        corrected = world.current.propensity
        assert corrected.version == "prior+online/2"
        offer = compiled.catalog.offers["o"]
        request = SimpleNamespace(facts={}, channel="voice")
        scores = corrected.score(request, [Treatment(offer, NO_INCENTIVE)])
        assert scores.batch.tolist() == [0.2]
        assert scores.probability[0] > 0.2

    corner.play(story)


def test_a_champion_replaces_what_was_learnt_on_the_priors(corner):
    async def story(live):
        world = corner.world()
        await publish(live, "prior", 2)
        await world.refresh_weights(live)
        corner.register()
        assert await world.refresh_champion(corner.threads)
        assert world.current.propensity.version == "champion/1+online/0"
        assert not await world.refresh_champion(corner.threads)

    corner.play(story)


def test_what_is_served_changes_on_the_event_loop_alone(corner):
    """A world built on a thread would overwrite weights taken meanwhile."""
    builders = []

    class Watched(LiveWorld):
        def _build(self):
            builders.append(threading.get_ident())
            return super()._build()

    async def story(live):
        world = corner.world()
        world.__class__ = Watched
        corner.register()
        assert await world.refresh_champion(corner.threads)
        assert builders == [threading.get_ident()]

    corner.play(story)


def test_weights_taken_while_a_champion_loads_are_kept(corner, registry):
    async def story(live):
        loading, go_on = threading.Event(), threading.Event()

        def open_slowly():
            loading.set()
            assert go_on.wait(10)
            return registry

        corner.register()
        world = corner.world(open_registry=open_slowly)
        task = asyncio.create_task(world.refresh_champion(corner.threads))
        assert await asyncio.to_thread(loading.wait, 10)
        await publish(live, "champion/1", 7)
        await world.refresh_weights(live)
        go_on.set()
        assert await task
        assert world.current.propensity.version == "champion/1+online/7"

    corner.play(story)


def test_an_old_shelf_does_not_make_the_learner_forget(corner):
    async def story(live):
        corner.register()
        await poll(corner.world(shelf="old"), corner, live)
        corner.register()
        ahead = corner.world(shelf="new")
        await poll(ahead, corner, live)
        assert await live.get(CHAMPION_BASE) == b"champion/2"

        late = corner.world(shelf="old")
        assert late.current.propensity.version == "champion/1+online/0"
        await late.announce(live)
        assert await live.get(CHAMPION_BASE) == b"champion/2"
        await poll(late, corner, live)
        assert late.current.propensity.version == "champion/2+online/0"
        assert await live.get(CHAMPION_BASE) == b"champion/2"

    corner.play(story)


def test_without_the_registry_the_shelf_serves_and_announces_nothing(corner):
    def away():
        raise UnavailableError("registry", "away")

    async def story(live):
        corner.register()
        await poll(corner.world(), corner, live)
        await live.delete(CHAMPION_BASE)
        world = corner.world(open_registry=away)
        for _ in range(3):
            await poll(world, corner, live)
        assert world.current.propensity.version == "champion/1+online/0"
        assert await live.get(CHAMPION_BASE) is None

    corner.play(story)


def test_the_base_is_announced_again_when_redis_lost_it(corner):
    async def story(live):
        corner.register()
        world = corner.world()
        await poll(world, corner, live)
        await live.flushdb()
        await poll(world, corner, live)
        assert await live.get(CHAMPION_BASE) == b"champion/1"

    corner.play(story)


def test_going_back_to_an_older_champion_takes_two_answers_of_the_registry(corner):
    async def story(live):
        corner.register()
        corner.register()
        world = corner.world()
        await poll(world, corner, live)
        assert await live.get(CHAMPION_BASE) == b"champion/2"
        corner.promote("1")
        await poll(world, corner, live)
        assert world.current.propensity.version == "champion/1+online/0"
        assert await live.get(CHAMPION_BASE) == b"champion/2"
        await poll(world, corner, live)
        assert await live.get(CHAMPION_BASE) == b"champion/1"

    corner.play(story)


def test_whoever_stops_does_not_wait_for_an_import(compiled, tmp_path, monkeypatch, redis_url):
    """But for what is being set up in the registry, which must not be left half done."""
    importing, imported = threading.Event(), threading.Event()

    def import_slowly():
        importing.set()
        imported.wait()

    monkeypatch.setattr(live_world, "preload", import_slowly)
    opened = []
    pool = ThreadPoolExecutor(2)

    async def follow_and_stop():
        shelf = ModelShelf(tmp_path / "shelf")
        world = LiveWorld(compiled, {}, lambda: opened.append(1), "n", shelf, "test")
        live = redis.asyncio.from_url(redis_url)
        following = asyncio.create_task(world.follow(live, pool))
        await asyncio.to_thread(importing.wait)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await live.aclose()
        try:
            await asyncio.wait_for(asyncio.to_thread(pool.shutdown), 20)
        finally:
            imported.set()

    asyncio.run(follow_and_stop())
    assert not opened
