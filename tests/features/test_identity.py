import asyncio

import pytest
import redis.asyncio

from features.erasure import delete_customer
from features.identity import Identity, IdentityIndex, Match, load, normalise
from features.keys import features_key
from nbo.errors import BadInputError

ROWS = [
    Identity("c-1", "phone", "0151 2345 6789", 0.4),
    Identity("c-2", "phone", "+49 151 23456789", 0.6),
    Identity("c-1", "email", "Ann.Smith@Example.org"),
    Identity("c-1", "account", "ab 12-34"),
    Identity("c-3", "account", "4915123456789", 0.1),
]


def find(redis_url, value, country="DE"):
    async def once():
        client = redis.asyncio.Redis.from_url(redis_url)
        try:
            return await IdentityIndex(client).find(value, country)
        finally:
            await client.aclose()

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("kind", "value", "country", "expected"),
    [
        ("phone", "0151 2345 6789", "DE", "+4915123456789"),
        ("phone", "+49 (151) 2345-6789", "US", "+4915123456789"),
        ("phone", "0049 151 23456789", "DE", "+4915123456789"),
        ("phone", "(212) 555-0123", "US", "+12125550123"),
        ("email", "  Ann@Example.ORG ", "DE", "ann@example.org"),
        ("account", " ab 12 ", "DE", "AB12"),
        ("id", "c-1", "DE", "c-1"),
    ],
)
def test_every_way_to_write_it_is_one_identity(kind, value, country, expected):
    assert normalise(kind, value, country) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "12"),
        ("phone", "call me"),
        ("phone", "0151 2345 6789 0000 1111"),
        ("email", "ann@"),
        ("email", "a@b@c.de"),
        ("account", "--"),
        ("account", "x" * 65),
        ("id", "{x}"),
        ("id", ""),
        ("id", "x" * 300),
        ("fax", "1"),
    ],
)
def test_garbage_is_refused(kind, value):
    with pytest.raises(BadInputError):
        normalise(kind, value, "DE")


def test_a_shared_phone_gives_both_customers_most_likely_first(store, redis_url):
    assert load(store, ROWS, "DE") == 5
    both = [Match("c-2", "phone", 0.6), Match("c-1", "phone", 0.4)]
    assert find(redis_url, "0151 23456789") == both
    assert find(redis_url, "4915123456789", "GB") == [Match("c-3", "account", 0.1)]


def test_mail_account_and_id_are_found(store, redis_url):
    load(store, ROWS, "DE")
    store.hset(features_key("c-9"), "v:profile", b"")
    assert find(redis_url, "ANN.smith@example.org") == [Match("c-1", "email", 1.0)]
    assert find(redis_url, "AB12-34") == [Match("c-1", "account", 1.0)]
    assert find(redis_url, "c-9") == [Match("c-9", "id", 1.0)]


def test_nobody_is_a_normal_answer_and_garbage_is_not(store, redis_url):
    assert find(redis_url, "0151 99999999") == []
    for garbage in ("", "   ", "{}", "a\x00b", "x" * 1000):
        with pytest.raises(BadInputError):
            find(redis_url, garbage)


def test_loading_again_replaces_a_customers_identities(store, redis_url):
    load(store, ROWS, "DE")
    load(store, [Identity("c-1", "phone", "0160 1234567")], "DE")
    assert find(redis_url, "ann.smith@example.org") == []
    assert [m.customer_id for m in find(redis_url, "0151 23456789")] == ["c-2"]
    assert [m.customer_id for m in find(redis_url, "0160 1234567")] == ["c-1"]


def test_a_wrong_row_is_named_and_nothing_is_loaded(store):
    with pytest.raises(BadInputError, match="identities row 2, value: must be a phone number"):
        load(store, [ROWS[0], Identity("c-5", "phone", "none")], "DE")
    assert store.dbsize() == 0


@pytest.mark.parametrize("score", [0.0, -1.0, float("nan"), float("inf"), None])
def test_a_score_that_is_no_weight_is_refused(store, score):
    with pytest.raises(BadInputError, match="identities row 1, score: must be a number above 0"):
        load(store, [Identity("c-5", "phone", "0151 23456789", score)], "DE")
    assert store.dbsize() == 0


def test_a_forgotten_customer_leaves_nothing_behind(store, redis_url):
    load(store, ROWS[:1] + ROWS[2:4], "DE")
    store.hset(features_key("c-1"), "e", b"")
    assert delete_customer(store, "c-1")
    assert store.dbsize() == 0
    assert not delete_customer(store, "c-1")
