"""A catalogue's life through the real server: published, live, refused, rolled back, restarted."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from nbo.cli.demo import free_address
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.errors import BadInputError, NotFoundError, OvertakenError, WorkspaceError
from nbo.ledger import catalogs
from nbo.ledger.engine import open_ledger
from nbo.settings import Settings
from nbo.v1 import catalog_pb2, catalog_pb2_grpc
from serving.process import command
from serving.supervisor import Child, Deployment

LOADED = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NUMBERS = itertools.count(100)


@pytest.fixture(scope="module")
def settings(make_corner):
    return Settings.load(make_corner())


@pytest.fixture(scope="module")
def running(settings):
    with Deployment(settings, listen=free_address(), quiet=True) as deployment:
        load_features(settings, deployment.stores, LOADED)
        yield deployment


@pytest.fixture
def client(running):
    with Client(running.target) as connected:
        yield connected


@pytest.fixture
def worth(settings):
    """Writes a catalogue in which the shop card is worth so much."""
    text = settings.catalog_file.read_text()

    def write(value):
        assert "value: 5\n" in text
        return [("catalog.yaml", text.replace("value: 5\n", f"value: {value}\n"))]

    return write


@pytest.fixture
def published(client, worth):
    """A catalogue of which no other test knows, live."""
    value = next(NUMBERS)
    reply = client.publish_catalog(worth(value), author="Ada")
    await_version(client, reply.publication.version)
    return value, reply.publication.version


def ask(client, customer="c-4"):
    return client.offers(customer, interaction_id=f"i-{time.monotonic_ns()}", at=NOW)


def worth_of(reply):
    return next(slot.value for slot in reply.slots if slot.offer_id == "shop-card")


def await_version(client, version, seconds=5.0):
    """Asks until decisions carry the version; returns the first that does."""
    deadline = time.monotonic() + seconds
    while True:
        reply = ask(client)
        if reply.versions["catalog"] == version:
            return reply
        assert time.monotonic() < deadline, f"still {reply.versions['catalog']}, not {version}"


def await_line(running, *told, seconds=10.0):
    """Waits until the server's log has a line that holds all of these."""
    log = running.settings.state_dir / "logs" / "server.log"
    deadline = time.monotonic() + seconds
    while not any(all(part in line for part in told) for line in log.read_text().splitlines()):
        assert time.monotonic() < deadline, f"the server's log never said {told}"
        time.sleep(0.02)


def test_a_published_change_decides_the_next_request(client, worth):
    for _ in range(5):
        value = next(NUMBERS)
        reply = client.publish_catalog(worth(value), author="Ada")
        first = ask(client)
        assert first.versions["catalog"] == reply.publication.version
        assert worth_of(first) == value


def test_requests_in_flight_are_neither_dropped_nor_mixed(running, client, worth):
    stop = threading.Event()

    def keep_asking(customer):
        replies = []
        with Client(running.target) as own:
            while not stop.is_set():
                reply = ask(own, customer)
                replies.append((reply.versions["catalog"], worth_of(reply)))
        return replies

    with ThreadPoolExecutor(4) as threads:
        asking = [
            threads.submit(keep_asking, customer) for customer in ("c-4", "c-5", "c-7", "c-8")
        ]
        values = {}
        for _ in range(10):
            value = next(NUMBERS)
            version = client.publish_catalog(worth(value), author="Ada").publication.version
            values[version] = value
            await_version(client, version)
        stop.set()
        replies = [reply for each in asking for reply in each.result()]
    seen = {version for version, _ in replies}
    assert len(seen & set(values)) >= 9
    assert [r for r in replies if r[0] in values and r[1] != values[r[0]]] == []


def test_every_server_on_the_ledger_switches(running, settings, client, worth, tmp_path):
    ready = tmp_path / "ready"
    listen = free_address()
    other = Child(
        "server",
        command("serving.server", settings, running.stores, listen, ready),
        ready,
        tmp_path / "log",
    )
    other.start()
    try:
        with Client(other.wait_ready()) as second:
            for publisher, follower in [(client, second), (second, client)] * 2:
                reply = publisher.publish_catalog(worth(next(NUMBERS)), author="Ada")
                await_version(follower, reply.publication.version)
                assert ask(publisher).versions["catalog"] == reply.publication.version
            back = second.rollback_catalog(author="Bo")
            await_version(client, back.publication.version)
    finally:
        other.stop()


def test_publishing_what_is_in_force_changes_nothing(client, worth, published):
    value, version = published
    before = client.publications(1)[0]
    again = client.publish_catalog(worth(value), author="Bo")
    assert not again.changed
    assert again.publication == before
    assert before.version == version


def test_a_rollback_is_a_publication_of_an_earlier_version(client, worth, published):
    value, version = published
    client.publish_catalog(worth(next(NUMBERS)), author="Ada", comment="a try")
    back = client.rollback_catalog(author="Bo", comment="not so good")
    assert back.changed
    assert worth_of(await_version(client, version)) == value
    latest, before, _ = client.publications(3)
    assert (latest.version, latest.author, latest.comment) == (version, "Bo", "not so good")
    assert (before.author, before.comment) == ("Ada", "a try")
    assert latest.number > before.number
    assert (
        client.rollback_catalog(before.version, author="Bo").publication.version == before.version
    )


def test_a_change_made_on_a_replaced_version_is_refused(client, worth, published):
    _, version = published
    second = client.publish_catalog(worth(next(NUMBERS)), author="Bo", based_on=version)
    with pytest.raises(OvertakenError, match=f"{version}.*{second.publication.version}.*Bo"):
        client.publish_catalog(worth(next(NUMBERS)), author="Ada", based_on=version)
    assert client.publications(1)[0].version == second.publication.version


def test_a_wrong_catalogue_names_every_mistake_and_changes_nothing(client, worth, published):
    _, version = published
    ((name, text),) = worth(next(NUMBERS))
    wrong = [f"  - {{id: wrong-{i}, group: nowhere-{i}}}" for i in range(30)]
    with pytest.raises(WorkspaceError) as caught:
        client.publish_catalog([(name, "\n".join([text.rstrip(), *wrong]) + "\n")], author="Ada")
    last = len(text.rstrip().splitlines())
    lines = {problem.line for problem in caught.value.problems}
    assert lines == set(range(last + 1, last + 31))
    assert all(problem.file == "catalog.yaml" for problem in caught.value.problems)
    assert str(caught.value.problems[0]).startswith(f"catalog.yaml:{last + 1}:")
    assert ask(client).versions["catalog"] == version
    assert client.publications(1)[0].version == version


@pytest.mark.parametrize(("mistakes", "told"), [(30, 30), (900, range(30, 100))])
def test_a_status_holds_the_mistakes_that_fit_a_header(running, worth, mistakes, told):
    """Clients in other languages see them without asking again."""
    ((_, text),) = worth(next(NUMBERS))
    right = "name: {en: E, de: D}, script: {en: E, de: D}, channels: [web], value: 1, prior: 0.1"
    wrong = "".join(f"  - {{id: w-{i}, group: nowhere-{i}, {right}}}\n" for i in range(mistakes))
    file = catalog_pb2.CatalogFile(name="catalog.yaml", text=text.rstrip() + "\n" + wrong)
    with grpc.insecure_channel(running.target) as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        request = catalog_pb2.PublishCatalogRequest(files=[file], author="Ada")
        with pytest.raises(grpc.RpcError) as caught:
            stub.PublishCatalog(request, timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "catalog.yaml:" in caught.value.details()
    bad, info = rpc_status.from_call(caught.value).details
    violations, error = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
    assert bad.Unpack(violations)
    assert info.Unpack(error)
    lines = {int(v.field.split(":")[1]) for v in violations.field_violations}
    first = len(text.rstrip().splitlines()) + 1
    assert lines <= set(range(first, first + mistakes))
    assert len(lines) == told if isinstance(told, int) else len(lines) in told
    assert int(error.metadata["problems"]) == mistakes
    assert int(error.metadata["told"]) == len(violations.field_violations)


def test_wrong_text_is_an_answer_of_validation(client, worth):
    assert not client.validate_catalog(worth(7)).problems
    reply = client.validate_catalog([("draft.yaml", "currency: EUR\nofers: []\n")])
    assert [problem.file for problem in reply.problems if problem.line == 2] == ["draft.yaml"]
    assert not reply.version


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"files": [], "author": "Ada"}, "files"),
        ({"files": [("", "x")], "author": "Ada"}, "files[0].name"),
        ({"files": [("a\nb", "x")], "author": "Ada"}, "files[0].name"),
        ({"files": [("a", "x"), ("a", "y")], "author": "Ada"}, "files[1].name"),
        ({"files": [("a", "x")], "author": " "}, "author"),
        ({"files": [("a", "x")], "author": "A" * 129}, "author"),
        ({"files": [("a", "x")], "author": "Ada", "comment": "c" * 1001}, "comment"),
    ],
)
def test_what_a_publication_may_not_say_is_named(client, arguments, field):
    with pytest.raises(BadInputError) as caught:
        client.publish_catalog(**arguments)
    assert caught.value.field == field


def test_what_was_never_published_is_not_found(client):
    for call in (client.catalog, lambda v: client.rollback_catalog(v, author="Ada")):
        with pytest.raises(NotFoundError, match="0123456789ab"):
            call("0123456789ab")


def test_a_version_is_read_as_it_was_published(client, worth, published):
    value, version = published
    client.publish_catalog(worth(next(NUMBERS)), author="Ada")
    reply = client.catalog(version)
    assert [(file.name, file.text) for file in reply.files] == worth(value)
    assert reply.publication.version == version


def test_what_no_longer_fits_the_facts_leaves_the_former_in_force(
    running, client, worth, published
):
    """Another server may know facts that this one does not."""
    value, version = published
    ((_, text),) = worth(next(NUMBERS))
    ledger = open_ledger(running.stores.ledger_url)
    try:
        text = text.replace("!customer.has_card", "!customer.has_hat")
        catalogs.publish(ledger, "feedfeedfeed", text, "Ada", "for another server")
        await_line(running, "published catalogue not loaded", "feedfeedfeed")
        reply = ask(client)
        assert (reply.versions["catalog"], worth_of(reply)) == (version, value)
    finally:
        ledger.dispose()
    reply = client.publish_catalog(worth(next(NUMBERS)), author="Bo")
    await_version(client, reply.publication.version)
