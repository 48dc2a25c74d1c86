from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from nbo.ledger import catalogs


def test_nothing_is_in_force_at_first(engine: Engine) -> None:
    assert catalogs.current(engine) is None
    assert catalogs.history(engine, 10) == []


def test_the_last_publication_is_in_force(engine: Engine) -> None:
    catalogs.publish(engine, "v1", "currency: EUR", "Ada", "first")
    published = catalogs.publish(engine, "v2", "currency: CHF", "Bo", "second")
    assert catalogs.current(engine) == published
    assert (published.text, published.author, published.comment) == (
        "currency: CHF",
        "Bo",
        "second",
    )
    assert published.published_at.tzinfo is not None


def test_a_rollback_is_a_publication(engine: Engine) -> None:
    for version in ("v1", "v2"):
        catalogs.publish(engine, version, f"# {version}", "Ada", "")
    _, earlier = catalogs.history(engine, 2)
    catalogs.publish(engine, earlier.version, earlier.text, "Ada", "back")
    assert [p.version for p in catalogs.history(engine, 10)] == ["v1", "v2", "v1"]
    assert [p.version for p in catalogs.history(engine, 2)] == ["v1", "v2"]


def test_publishing_what_is_in_force_changes_nothing(engine: Engine) -> None:
    barrier = threading.Barrier(8)

    def publish(n: int) -> catalogs.Publication:
        catalogs.current(engine)  # opens this thread's connection
        barrier.wait()
        return catalogs.publish(engine, "v1", "#", f"a-{n}", "")

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(publish, range(8)))) == 1
    assert len(catalogs.history(engine, 10)) == 1
