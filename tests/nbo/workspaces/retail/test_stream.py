from datetime import UTC, datetime

import polars as pl
import pytest


def test_stream_is_complete_and_ordered(stream):
    counts = dict(stream["type"].value_counts().iter_rows())
    assert counts == {"purchase": 1_469_307, "coupon.redeemed": 2_102, "campaign.received": 6_589}
    assert stream["at"].is_sorted()
    assert stream["event_id"].n_unique() == stream.height


def test_purchases_carry_the_receipts_money(stream):
    from journey.tables import table

    receipts = table("transactions")
    assert stream["amount"].sum() == pytest.approx(receipts["sales_value"].sum())
    assert stream["coupon"].sum() == (receipts["coupon_disc"] > 0).sum()
    assert 0 < stream["own_brand"].sum() < 1_469_307
    assert not (~stream["coupon"].drop_nulls()).any(), "left out where false"


def test_rows_become_events_without_empty_attributes(stream):
    from journey.events import arrivals, events

    first = next(events(stream.filter(pl.col("type") == "purchase")))
    assert first.event_id == "p0"
    assert first.at == datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC)
    assert first.attributes == {"amount": 0.5}
    arrived = arrivals(stream, "campaign-8")
    assert len(arrived) == 1076
    assert {event.at for event in arrived} == {datetime(2017, 5, 8, tzinfo=UTC)}
    assert set(arrived[0].attributes) == {"campaign", "promoted_spend_90d", "promoted_items_30d"}


def test_events_pass_the_engines_own_check(retail, stream):
    from journey.events import events

    from features.compilation import read_definitions
    from features.events import validate

    schema = read_definitions(retail / "feature_repo").schema
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for kind in ("purchase", "coupon.redeemed", "campaign.received"):
        for event in events(stream.filter(pl.col("type") == kind).head(2000)):
            validate(event, schema, now)


def test_an_instant_of_start_names_one_campaign():
    from journey.campaigns import campaigns

    starts = campaigns()["starts"]
    assert starts.n_unique() == 27
    assert starts.is_sorted()
