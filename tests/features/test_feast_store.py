"""Feast itself writes the packed rows; our readers and Feast's own agree on them."""

import asyncio
import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import redis.asyncio

from features.frames import profile_as_of
from features.keys import features_key
from features.materialize import apply, load_identities, materialize
from features.reader import CustomerReader
from features.schema import FeatureSchema
from nbo.errors import WorkspaceError

T0 = datetime(2026, 1, 1, tzinfo=UTC)
FEATURES = [
    "profile:tenure_months",
    "profile:monthly_charge",
    "profile:age",
    "profile:lines",
    "profile:plan",
    "profile:has_internet",
    "profile:joined",
    "credit:credit_score",
]


def write_data(repo):
    data = repo.parent / "data"
    rows = []
    for number in range(30):
        for month in range(3):
            row = {
                "customer_id": f"c-{number}",
                "event_timestamp": T0 + timedelta(days=30 * month + number % 5),
                "tenure_months": float(number + month),
                "monthly_charge": 0.1 * number,
                "age": 20 + number,
                "lines": number % 3,
                "plan": "SML"[number % 3],
                "has_internet": number % 2 == 0,
                "joined": T0 - timedelta(days=number),
            }
            if number % 4 == 3:
                row |= dict.fromkeys(list(row)[2 + month :])
            rows.append(row)
    pl.DataFrame(rows).cast({"lines": pl.Int32}).write_parquet(data / "customers.parquet")
    scores = [
        {"customer_id": f"c-{n}", "scored_at": T0 + timedelta(days=n), "credit_score": n / 10}
        for n in range(0, 30, 2)
    ]
    pl.DataFrame(scores).write_parquet(data / "credit.parquet")
    identities = {"customer_id": ["c-1"], "kind": ["phone"], "value": ["0151 23456789"]}
    pl.DataFrame(identities).write_parquet(data / "identities.parquet")


def applied(repo, redis_url):
    write_data(repo)
    return apply(repo, redis_url, repo.parent / ".nbo" / "schema.json")


def read_all(redis_url, schema, at):
    async def run():
        client = redis.asyncio.Redis.from_url(redis_url)
        reader = CustomerReader(client, schema)
        found = {f"c-{n}": (await reader.read(f"c-{n}", at)).facts for n in range(31)}
        await client.aclose()
        return found

    return asyncio.run(run())


def profile_facts(facts, schema):
    names = {f"customer.{w.name}" for w in schema.windows}
    return {name: fact for name, fact in facts.items() if name not in names}


@pytest.mark.parametrize("days", [0, 33, 100])
def test_online_equals_the_frames_at_the_instant_of_materialisation(store, repo, redis_url, days):
    schema = applied(repo, redis_url)
    at = T0 + timedelta(days=days)
    written = materialize(repo, redis_url, at)
    assert written == {"profile": 6 if days == 0 else 30, "credit": min(15, 1 + days // 2)}
    asks = pl.DataFrame({"customer_id": [f"c-{n}" for n in range(31)], "at": [at] * 31})
    online = read_all(redis_url, FeatureSchema.load(repo.parent / ".nbo" / "schema.json"), at)
    for row in profile_as_of(schema, repo, asks).iter_rows(named=True):
        known = {n: v for n, v in row.items() if n.startswith("customer.") and v is not None}
        assert profile_facts(online[row["customer_id"]], schema) == known


@pytest.mark.parametrize("view", ["profile", "credit"])
def test_the_frames_equal_feasts_own_point_in_time_retrieval(store, repo, redis_url, view):
    from feast import FeatureStore

    schema = applied(repo, redis_url)
    asks = pl.DataFrame(
        {
            "customer_id": [f"c-{n % 31}" for n in range(200)],
            "at": [T0 + timedelta(hours=11 * n) for n in range(200)],
        }
    )
    entities = asks.rename({"at": "event_timestamp"}).with_row_index("ask").to_pandas()
    wanted = [reference for reference in FEATURES if reference.startswith(view)]
    job = FeatureStore(repo_path=str(repo)).get_historical_features(entities, wanted)
    theirs = {row["ask"]: row for row in job.to_arrow().to_pylist()}
    ours = profile_as_of(schema, repo, asks)
    for reference in wanted:
        name = reference.partition(":")[2]
        # Feast's default offline store leaves out asks whose only row is expired or later.
        values = [theirs.get(ask, {}).get(name) for ask in range(200)]
        values = [v.timestamp() if hasattr(v, "timestamp") else v for v in values]
        values = [None if isinstance(v, float) and math.isnan(v) else v for v in values]
        assert any(value is not None for value in values)
        assert ours[f"customer.{name}"].to_list() == pytest.approx(values), name


def test_feast_reads_online_what_it_wrote(store, repo, redis_url, monkeypatch):
    from feast import FeatureStore

    applied(repo, redis_url)
    materialize(repo, redis_url, T0 + timedelta(days=100))
    monkeypatch.setenv("NBO_REDIS_URL", redis_url)
    rows = [{"customer_id": "c-2"}, {"customer_id": "c-3"}, {"customer_id": "nobody"}]
    found = FeatureStore(repo_path=str(repo)).get_online_features(FEATURES, rows).to_dict()
    assert found["tenure_months"] == [4.0, 5.0, None]
    assert found["age"] == [22, None, None]
    assert found["lines"] == [2, None, None]
    assert found["plan"] == ["L", None, None]
    assert found["has_internet"] == [True, None, None]
    assert found["joined"][0] == T0 - timedelta(days=2)


def test_a_view_that_is_no_longer_defined_leaves_the_store(store, repo, redis_url):
    applied(repo, redis_url)
    materialize(repo, redis_url, T0 + timedelta(days=100))
    store.hset(features_key("c-2"), "w:calls_30d", b"state")
    text = (repo / "definitions.py").read_text()
    start, end = text.index("credit = FeatureView"), text.index("events = [")
    (repo / "definitions.py").write_text(text[:start] + text[end:])
    apply(repo, redis_url, repo.parent / ".nbo" / "schema.json")
    assert sorted(store.hkeys(features_key("c-2"))) == [b"v:profile", b"w:calls_30d"]


def test_wrong_definitions_change_nothing(store, repo, redis_url):
    applied(repo, redis_url)
    path = repo.parent / ".nbo" / "schema.json"
    before = path.read_text()
    (repo / "definitions.py").write_text("windows = 3")
    with pytest.raises(WorkspaceError, match="windows must be a list"):
        apply(repo, redis_url, path)
    assert path.read_text() == before


def test_identities_are_loaded_from_the_file_the_definitions_name(store, repo, redis_url):
    schema = applied(repo, redis_url)
    assert load_identities(repo, redis_url, schema, "DE") == 1
    assert store.zrange("nbo:identity:phone:+4915123456789", 0, -1) == [b"c-1"]


def test_another_online_store_is_a_mistake_of_the_repo(store, repo, redis_url):
    write_data(repo)
    text = (repo / "feature_store.yaml").read_text()
    kind = "type: features.packed_online.PackedOnlineStore"
    (repo / "feature_store.yaml").write_text(text.replace(kind, "type: sqlite"))
    with pytest.raises(WorkspaceError, match=r"must be features\.packed_online"):
        apply(repo, redis_url, repo.parent / "schema.json")
