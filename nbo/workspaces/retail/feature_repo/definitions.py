"""What is known about a household: who lives there, and what it bought, got and redeemed.

Every window looks back from the instant asked, so that nothing of a campaign's own course is
known at its start.
"""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float32

from features.definitions import EventType, Window

household = Entity(
    name="customer", join_keys=["customer_id"], value_type=ValueType.STRING, description="Household"
)

households = FeatureView(
    name="household",
    entities=[household],
    ttl=timedelta(0),
    schema=[
        Field(name="age", dtype=Float32, description="Lower end of the age band, years"),
        Field(name="income", dtype=Float32, description="Lower end of the band, 1,000 USD a year"),
        Field(name="household_size", dtype=Float32, description="People; 5 means five or more"),
        Field(name="kids", dtype=Float32, description="Children; 3 means three or more"),
        Field(name="homeowner", dtype=Bool),
        Field(name="married", dtype=Bool),
    ],
    source=FileSource(path="../data/households.parquet", timestamp_field="event_timestamp"),
)

events = [
    # One row of a receipt. `coupon` and `own_brand` are left out where they would be false.
    EventType("purchase", {"amount": "number", "coupon": "flag", "own_brand": "flag"}),
    # One coupon handed in. The record has the day only, so it counts from the end of that day.
    EventType("coupon.redeemed", {"campaign": "text"}),
    # Coupons arrived, with what the household bought before of the products they are for: known
    # to whoever addresses the mailing.
    EventType(
        "campaign.received",
        {"campaign": "text", "promoted_spend_90d": "number", "promoted_items_30d": "number"},
    ),
]

windows = [
    Window("spend_90d", "purchase", "sum", over="90d", attribute="amount"),
    Window("own_brand_items_30d", "purchase", "count", over="30d", where={"own_brand": True}),
    Window("coupon_items_90d", "purchase", "count", over="90d", where={"coupon": True}),
    Window("coupon_items_365d", "purchase", "count", over="365d", where={"coupon": True}),
    Window(
        "seconds_since_coupon", "purchase", "seconds_since", over="365d", where={"coupon": True}
    ),
    Window("redemptions_365d", "coupon.redeemed", "count", over="365d"),
    Window("seconds_since_redemption", "coupon.redeemed", "seconds_since", over="365d"),
    Window("campaigns_90d", "campaign.received", "count", over="90d"),
    *(
        Window(name, "campaign.received", "last", over="1d", attribute=name)
        for name in ("promoted_spend_90d", "promoted_items_30d")
    ),
]
