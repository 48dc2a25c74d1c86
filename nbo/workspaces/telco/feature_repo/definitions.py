"""What this telecom knows about a customer: a nightly profile, and windows over events.

Every field and window becomes a fact that rules and models may read: `has_mobile` is
`customer.has_mobile`, the window `data_gb` is `customer.data_gb`.
"""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float32, String

from features.definitions import EventType, IdentitySource, Window

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)

profile = FeatureView(
    name="profile",
    entities=[customer],
    ttl=timedelta(0),
    source=FileSource(path="../data/customers.parquet", timestamp_field="event_timestamp"),
    schema=[
        Field(name="senior", dtype=Bool),
        Field(name="partner", dtype=Bool),
        Field(name="dependents", dtype=Bool),
        Field(name="tenure_months", dtype=Float32),
        Field(name="contract", dtype=String, description="monthly, one_year or two_years"),
        Field(name="payment", dtype=String, description="bank, card, e_check or mail"),
        Field(name="paperless", dtype=Bool),
        Field(name="has_mobile", dtype=Bool),
        Field(name="mobile_plan", dtype=String, description="none, small, medium or unlimited"),
        Field(name="has_family_sim", dtype=Bool),
        Field(name="has_fixed_line", dtype=Bool),
        Field(name="has_abroad_pack", dtype=Bool),
        Field(name="internet", dtype=String, description="none, dsl or fibre"),
        Field(name="fibre_available", dtype=Bool),
        Field(name="has_gigabit", dtype=Bool),
        Field(name="has_wifi_mesh", dtype=Bool),
        Field(name="has_tv", dtype=Bool),
        Field(name="has_cinema", dtype=Bool),
        Field(name="has_security", dtype=Bool),
        Field(name="has_backup", dtype=Bool),
        Field(name="has_support", dtype=Bool),
        Field(name="has_device_cover", dtype=Bool),
        Field(name="monthly_charges", dtype=Float32, description="EUR a month"),
        Field(name="consent_voice", dtype=Bool),
        Field(name="consent_web", dtype=Bool),
        Field(name="do_not_contact", dtype=Bool),
    ],
)

identities = IdentitySource("../data/identities.parquet")

USAGE = {
    "gb": "number",
    "video_hours": "number",
    "abroad_minutes": "number",
    "weak_signal_hours": "number",  # at home, as the network measured it
}
events = [
    EventType("usage.recorded", USAGE),
    EventType("usage.cap_reached"),
    EventType("web.clicked", {"topic": "text"}),
    EventType("network.dropped_call"),
    EventType("billing.address_changed"),
    EventType("device.contract_ending"),
    EventType("care.complaint_opened"),
    EventType("care.complaint_closed"),
]

windows = [
    Window("data_gb", "usage.recorded", "last", over="45d", attribute="gb"),
    Window("video_hours", "usage.recorded", "last", over="45d", attribute="video_hours"),
    Window("abroad_minutes", "usage.recorded", "last", over="45d", attribute="abroad_minutes"),
    Window("weak_signal", "usage.recorded", "last", over="45d", attribute="weak_signal_hours"),
    Window("caps_60d", "usage.cap_reached", "count", over="60d"),
    Window("price_clicks_90d", "web.clicked", "count", over="90d", where={"topic": "price"}),
    Window("security_clicks_90d", "web.clicked", "count", over="90d", where={"topic": "security"}),
    Window("last_topic", "web.clicked", "last", over="12h", attribute="topic"),
    Window("dropped_calls_90d", "network.dropped_call", "count", over="90d"),
    Window("seconds_since_move", "billing.address_changed", "seconds_since", over="90d"),
    Window("seconds_since_contract_notice", "device.contract_ending", "seconds_since", over="90d"),
    Window("complaints_opened_60d", "care.complaint_opened", "count", over="60d"),
    Window("complaints_closed_60d", "care.complaint_closed", "count", over="60d"),
]
