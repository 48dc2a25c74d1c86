"""A corner shop: few facts, two event types, two windows."""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float64, String

from features.definitions import EventType, IdentitySource, Window

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)

profile = FeatureView(
    name="profile",
    entities=[customer],
    ttl=timedelta(0),
    source=FileSource(path="../data/customers.parquet", timestamp_field="event_timestamp"),
    schema=[
        Field(name="years", dtype=Float64),
        Field(name="district", dtype=String),
        Field(name="has_card", dtype=Bool),
        Field(name="consent_voice", dtype=Bool),
    ],
)

identities = IdentitySource("../data/identities.parquet")

events = [
    EventType("shop.visited", {"spent": "number"}),
    EventType("web.clicked", {"topic": "text"}),
]

windows = [
    Window("visits_30d", "shop.visited", "count", over="30d"),
    Window("spent_30d", "shop.visited", "sum", over="30d", attribute="spent"),
]
