"""What a catalogue would change is told from logged decisions, through the real server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
import redis

from nbo.cli.demo import free_address
from nbo.cli.load import load_features
from nbo.client import Client
from nbo.errors import BadInputError, NotFoundError, WorkspaceError
from nbo.ledger.engine import open_ledger
from nbo.settings import Settings
from serving.keys import DECISION_STREAM
from serving.supervisor import Deployment

LOADED = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CUSTOMERS = [f"c-{i}" for i in range(4, 40)]


@pytest.fixture(scope="module")
def deployment(make_corner):
    """One of its own: the latest decisions must be those asked for here."""
    settings = Settings.load(make_corner())
    with Deployment(settings, listen=free_address(), quiet=True) as running:
        load_features(settings, running.stores, LOADED)
        yield running


@pytest.fixture(scope="module")
def asked(deployment):
    """Decisions of 36 customers, in the ledger; a third of them hold the card already."""
    with Client(deployment.target) as client:
        ids = {
            client.offers(
                customer, interaction_id=f"p-{customer}", at=NOW + timedelta(milliseconds=number)
            ).decision_id
            for number, customer in enumerate(CUSTOMERS)
        }
    ledger = open_ledger(deployment.stores.ledger_url)
    deadline = time.monotonic() + 20
    with ledger.connect() as connection:
        while not ids <= set(
            connection.exec_driver_sql("SELECT decision_id FROM decision").scalars()
        ):
            connection.rollback()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    ledger.dispose()
    return ids


@pytest.fixture
def text(deployment):
    return deployment.settings.catalog_file.read_text()


def counts(found):
    return {c.key: (c.before, c.after, c.gained, c.lost) for c in found}


def test_the_same_catalogue_changes_nothing(asked, client, text):
    reply = client.preview_catalog([("catalog.yaml", text)], sample=36)
    assert (reply.decisions, reply.changed) == (36, 0)
    assert not reply.offers
    assert not reply.examples


def test_who_loses_an_offer_is_counted_by_offer_and_group(asked, client, text):
    stricter = text.replace(
        '{name: no card yet, when: "!customer.has_card"}',
        '{name: no card yet, when: "!customer.has_card"}, '
        "{name: from the north, when: customer.district == 'north'}",
    )
    assert stricter != text
    reply = client.preview_catalog(
        [("catalog.yaml", stricter)], sample=36, by="customer.district", examples=2
    )
    without_card = [int(c[2:]) for c in CUSTOMERS if int(c[2:]) % 3]
    south = sum(1 for i in without_card if i % 2 == 0)
    north = len(without_card) - south
    assert reply.changed == south
    assert counts(reply.offers) == {"shop-card": (south + north, north, 0, south)}
    assert counts(reply.groups) == {"north": (north, north, 0, 0), "south": (south, 0, 0, south)}
    (example,) = reply.examples  # they all change in the same way
    assert example.decision_id in asked
    assert (list(example.before), list(example.after)) == (["shop-card"], [])
    assert "shop-card: eligibility: from the north" in example.reason
    assert "south" in example.reason


def test_who_gains_an_offer_is_told_with_what_stood_against_it(asked, client, text):
    open_to_all = text.replace("!customer.has_card", "customer.years >= 0.0")
    reply = client.preview_catalog([("catalog.yaml", open_to_all)], sample=36)
    holders = sum(1 for c in CUSTOMERS if int(c[2:]) % 3 == 0)
    assert [(c.key, c.gained, c.lost) for c in reply.offers] == [("shop-card", holders, 0)]
    assert [c.key for c in reply.groups] == ["voice"]
    assert "until now eligibility: no card yet" in reply.examples[0].reason


def test_numbers_are_grouped_in_bands(asked, client, text):
    dropped = text[: text.index("  - id: shop-card")]
    reply = client.preview_catalog([("catalog.yaml", dropped)], sample=36, by="customer.years")
    assert [c.key.split(" to ")[0] for c in reply.groups] == ["0", "6", "10.5", "15"]
    assert sum(c.lost for c in reply.groups) == reply.changed
    assert reply.examples[0].reason == "shop-card: no longer in the catalogue"


def test_a_preview_logs_and_counts_nothing(asked, client, deployment, text):
    live = redis.Redis.from_url(deployment.stores.redis_url)

    def kept():
        keys = [*live.scan_iter("nbo:{caps}*"), *live.scan_iter("nbo:d:*")]
        return {key: live.dump(key) for key in keys}, live.xlen(DECISION_STREAM)

    capped = text.replace("    value: 5\n", "    value: 5\n    caps: {total: 1}\n")
    before = kept()
    for _ in range(2):
        assert client.preview_catalog([("catalog.yaml", capped)], sample=36).decisions == 36
    assert kept() == before


def test_the_latest_decisions_are_sampled(asked, client, text):
    assert client.preview_catalog([("catalog.yaml", text)], sample=7).decisions == 7


def test_groups_of_a_single_decision_are_counted(asked, client, text):
    dropped = text[: text.index("  - id: shop-card")]
    alone = client.preview_catalog([("catalog.yaml", dropped)], sample=1)
    assert [(c.key, c.before, c.lost) for c in alone.groups] == [("voice",) + (alone.changed,) * 2]
    reply = client.preview_catalog([("catalog.yaml", dropped)], sample=6, by="customer.years")
    assert len(reply.groups) == 6
    assert sum(c.lost for c in reply.groups) == reply.changed == 4


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"sample": 0}, "sample"),
        ({"sample": 10_001}, "sample"),
        ({"examples": 51}, "examples"),
        ({"by": "customer.distrikt"}, "by"),
    ],
)
def test_what_a_preview_may_not_ask_is_named(client, text, arguments, field):
    with pytest.raises(BadInputError) as caught:
        client.preview_catalog([("catalog.yaml", text)], **arguments)
    assert caught.value.field == field


def test_a_wrong_catalogue_has_no_preview(client, text):
    with pytest.raises(WorkspaceError, match=r"catalog\.yaml:\d+:\d+"):
        client.preview_catalog([("catalog.yaml", text.replace("has_card", "has_crad"))])


def test_a_rule_that_is_never_true_is_warned_of(asked, client, text):
    never = text.replace("!customer.has_card", "customer.years > 500.0")
    reply = client.validate_catalog([("catalog.yaml", never)])
    assert not reply.problems
    assert reply.sampled >= 36
    (warning,) = [w for w in reply.warnings if "customer.years > 500.0" in w.message]
    assert never.splitlines()[warning.line - 1].count("customer.years > 500.0")


def test_a_difference_is_told_against_what_is_in_force(client, text):
    assert client.diff_catalog([("catalog.yaml", text)]) == []
    changed = text.replace("value: 5\n", "value: 7\n").replace("id: free-roll", "id: two-rolls")
    changed = changed.replace("[none, free-roll]", "[none, two-rolls]")
    assert [
        (c.kind, c.id, c.change, list(c.fields))
        for c in client.diff_catalog([("catalog.yaml", changed)])
    ] == [
        ("incentive", "free-roll", "removed", []),
        ("incentive", "two-rolls", "added", []),
        ("offer", "bread-box", "changed", ["incentives: + two-rolls, - free-roll"]),
        ("offer", "shop-card", "changed", ["value: 5 → 7"]),
    ]


def test_published_versions_are_compared(client, text):
    in_force = client.publications(1)[0].version
    changed = client.publish_catalog(
        [("catalog.yaml", text.replace("value: 5\n", "value: 8\n"))], author="Ada"
    ).publication.version
    try:
        (change,) = client.diff_catalog(version=in_force)
        assert list(change.fields) == ["value: 8 → 5"]
        (change,) = client.diff_catalog(version=changed, against=in_force)
        assert list(change.fields) == ["value: 5 → 8"]
    finally:
        client.rollback_catalog(in_force, author="Ada")
    with pytest.raises(NotFoundError):
        client.diff_catalog(version="0123456789ab")
    for wrong in ({}, {"version": in_force, "files": [("catalog.yaml", text)]}):
        with pytest.raises(BadInputError):
            client.diff_catalog(**wrong)
