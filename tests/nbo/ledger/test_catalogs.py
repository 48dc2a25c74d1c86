from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from nbo.errors import NotFoundError, OvertakenError
from nbo.ledger import catalogs


def test_nothing_is_in_force_at_first(engine: Engine) -> None:
    assert catalogs.current(engine) is None
    assert catalogs.history(engine, 10) == []


def test_the_last_publication_is_in_force(engine: Engine) -> None:
    catalogs.publish(engine, "v1", "currency: EUR", "Ada", "first")
    published, changed = catalogs.publish(engine, "v2", "currency: CHF", "Bo", "second")
    assert changed
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
    earlier = catalogs.before(engine)
    assert earlier == catalogs.find(engine, "v1")
    catalogs.publish(engine, earlier.version, earlier.text, "Ada", "back")
    assert [p.version for p in catalogs.history(engine, 10)] == ["v1", "v2", "v1"]
    assert [p.version for p in catalogs.history(engine, 2)] == ["v1", "v2"]


def test_going_back_twice_never_goes_forth_again(engine: Engine) -> None:
    for version in ("v1", "v2", "v3"):
        catalogs.publish(engine, version, f"# {version}", "Ada", "")
    for expected in ("v2", "v1"):
        earlier = catalogs.before(engine)
        assert earlier.version == expected
        catalogs.publish(engine, earlier.version, earlier.text, "Ada", "back")
    with pytest.raises(NotFoundError, match="first publication"):
        catalogs.before(engine)
    catalogs.publish(engine, "v4", "# v4", "Ada", "")
    assert catalogs.before(engine).version == "v1", "v2 and v3 were withdrawn"


def test_publishing_what_is_in_force_changes_nothing(engine: Engine) -> None:
    barrier = threading.Barrier(8)

    def publish(n: int) -> catalogs.Published:
        catalogs.current(engine)  # opens this thread's connection
        barrier.wait()
        return catalogs.publish(engine, "v1", "#", f"a-{n}", "")

    with ThreadPoolExecutor(8) as threads:
        published = list(threads.map(publish, range(8)))
    assert len({p.publication for p in published}) == 1
    assert [p.changed for p in published].count(True) == 1
    assert len(catalogs.history(engine, 10)) == 1


def test_one_of_two_changes_made_on_the_same_version_is_refused(engine: Engine) -> None:
    catalogs.publish(engine, "v1", "#", "Ada", "")
    barrier = threading.Barrier(2)

    def publish(version: str) -> str:
        catalogs.current(engine)
        barrier.wait()
        try:
            return catalogs.publish(engine, version, "#", "Bo", "", "v1").publication.version
        except OvertakenError as error:
            return str(error)

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(publish, ("v2", "v3")))
    in_force = catalogs.history(engine, 1)[0].version
    assert in_force in told
    assert [said for said in told if "made on catalogue v1" in said and in_force in said]
    assert len(catalogs.history(engine, 10)) == 2


def test_a_first_catalogue_is_based_on_none(engine: Engine) -> None:
    with pytest.raises(OvertakenError, match="in force is none"):
        catalogs.publish(engine, "v1", "#", "Ada", "", "v0")


def test_the_latest_number_rises_with_every_publication(engine: Engine) -> None:
    assert catalogs.latest_number(engine) == 0
    for version in ("v1", "v2", "v1"):
        number = catalogs.publish(engine, version, "#", "Ada", "").publication.publication
        assert catalogs.latest_number(engine) == number


def test_what_was_never_published_is_not_found(engine: Engine) -> None:
    catalogs.publish(engine, "v1", "#", "Ada", "")
    assert catalogs.was_published(engine, "v1")
    assert not catalogs.was_published(engine, "v2")
    with pytest.raises(NotFoundError, match="v2"):
        catalogs.find(engine, "v2")
    with pytest.raises(NotFoundError, match="first publication"):
        catalogs.before(engine)


def test_an_odd_character_in_a_name_is_kept_as_far_as_it_can_be(engine: Engine) -> None:
    catalogs.publish(engine, "v1", "#", "A\0da", "\ud800")
    assert catalogs.history(engine, 1)[0].author == "A\ufffdda"
