"""What this bank knows about a customer: a nightly profile and balances, and windows over events.

Every field and window becomes a fact that rules and models may read: `has_card` is
`customer.has_card`, the window `card_clicks_14d` is `customer.card_clicks_14d`.
"""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float32, Int64, String

from features.definitions import EventType, IdentitySource, Window

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)

profile = FeatureView(
    name="profile",
    entities=[customer],
    ttl=timedelta(0),
    source=FileSource(path="../data/customers.parquet", timestamp_field="event_timestamp"),
    schema=[
        Field(name="age", dtype=Int64, description="Years"),
        Field(name="segment", dtype=String, description="student, everyday or premier"),
        Field(name="tenure_years", dtype=Float32),
        Field(name="has_account", dtype=Bool, description="Current account"),
        Field(name="has_card", dtype=Bool, description="Credit card"),
        Field(name="has_savings", dtype=Bool),
        Field(name="has_loan", dtype=Bool),
        Field(name="has_mortgage", dtype=Bool),
        Field(name="credit_score", dtype=Int64, description="0 to 999"),
        Field(name="consent_voice", dtype=Bool),
        Field(name="consent_app", dtype=Bool),
        Field(name="consent_web", dtype=Bool),
        Field(name="do_not_contact", dtype=Bool),
    ],
)

money = FeatureView(
    name="money",
    entities=[customer],
    ttl=timedelta(days=40),  # older figures are no ground to lend on
    source=FileSource(path="../data/money.parquet", timestamp_field="as_of"),
    schema=[
        Field(name="monthly_income", dtype=Float32, description="GBP"),
        Field(name="monthly_spending", dtype=Float32, description="GBP"),
        Field(name="average_balance", dtype=Float32, description="GBP, of the last month"),
    ],
)

identities = IdentitySource("../data/identities.parquet")

events = [
    EventType("web.offer_clicked", {"offer": "text"}),
    EventType("web.offer_closed", {"offer": "text", "step": "text"}),
    EventType("web.application_sent", {"offer": "text"}),
    EventType("account.salary_received", {"amount": "number"}),
    EventType("account.overdrawn", {"amount": "number"}),
    EventType("card.declined", {"where": "text"}),
    EventType("loan.instalment_missed", {"amount": "number"}),
    EventType("care.complaint_opened"),
    EventType("care.complaint_closed"),
]

CARD = {"offer": "credit-card"}
windows = [
    Window("card_clicks_14d", "web.offer_clicked", "count", over="14d", where=CARD),
    Window("card_closed_14d", "web.offer_closed", "count", over="14d", where=CARD),
    Window("card_closed_at", "web.offer_closed", "last", over="14d", attribute="step", where=CARD),
    Window("card_sent_60d", "web.application_sent", "count", over="60d", where=CARD),
    Window("clicks_30d", "web.offer_*", "count", over="30d"),
    Window("salary_90d", "account.salary_received", "mean", over="90d", attribute="amount"),
    Window("overdrawn_90d", "account.overdrawn", "count", over="90d"),
    Window("declined_30d", "card.declined", "count", over="30d"),
    Window("missed_365d", "loan.instalment_missed", "count", over="365d"),
    Window("complaints_opened_60d", "care.complaint_opened", "count", over="60d"),
    Window("complaints_closed_60d", "care.complaint_closed", "count", over="60d"),
]
