"""What this insurer knows about a customer: a nightly profile, and windows over events.

Every field and window becomes a fact that rules and models may read: `has_motor` is
`customer.has_motor`, the window `claims_365d` is `customer.claims_365d`.
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
        Field(name="household", dtype=String, description="Who lives together"),
        Field(name="age", dtype=Float32, description="Years"),
        Field(name="tenure_years", dtype=Float32),
        Field(name="yearly_premium", dtype=Float32, description="EUR, of all policies"),
        Field(name="claim_free_years", dtype=Float32),
        Field(name="has_motor", dtype=Bool),
        Field(name="motor_cover", dtype=String, description="none, liability, partial or full"),
        Field(name="car_age_years", dtype=Float32, description="Unknown without a car"),
        Field(name="has_rental_cover", dtype=Bool),
        Field(name="has_breakdown_cover", dtype=Bool),
        Field(name="has_legal", dtype=Bool),
        Field(name="has_home", dtype=Bool, description="Contents of the home"),
        Field(name="has_travel", dtype=Bool),
        Field(name="consent_voice", dtype=Bool),
        Field(name="consent_app", dtype=Bool),
        Field(name="refused_mail", dtype=Bool),
        Field(name="do_not_contact", dtype=Bool),
    ],
)

identities = IdentitySource("../data/identities.parquet")

events = [
    EventType("assist.tow_requested", {"place": "text"}),
    EventType("claim.reported", {"damage": "text", "amount": "number", "injured": "flag"}),
    EventType("claim.settled", {"days": "number"}),
    EventType("trip.booked", {"country": "text"}),
    EventType("web.quote_viewed", {"product": "text"}),
    EventType("web.cancellation_viewed"),
    EventType("payment.missed", {"amount": "number"}),
    EventType("care.complaint_opened"),
    EventType("care.complaint_closed"),
]

windows = [
    Window("claims_365d", "claim.reported", "count", over="365d"),
    Window("claimed_365d", "claim.reported", "sum", over="365d", attribute="amount"),
    Window("injuries_30d", "claim.reported", "count", over="30d", where={"injured": True}),
    Window("days_to_settle", "claim.settled", "mean", over="365d", attribute="days"),
    Window("tows_365d", "assist.tow_requested", "count", over="365d"),
    Window("quotes_30d", "web.quote_viewed", "count", over="30d"),
    Window("last_quote", "web.quote_viewed", "last", over="30d", attribute="product"),
    Window("missed_payments_180d", "payment.missed", "count", over="180d"),
    Window("complaints_opened_60d", "care.complaint_opened", "count", over="60d"),
    Window("complaints_closed_60d", "care.complaint_closed", "count", over="60d"),
]
