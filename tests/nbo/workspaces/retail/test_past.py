"""What training sees was known at each campaign's start, and is what was known."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

NOW = datetime(2017, 8, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def repo(retail, tmp_path_factory):
    import shutil

    from journey.campaigns import households

    folder = tmp_path_factory.mktemp("retail")
    shutil.copytree(retail / "feature_repo", folder / "feature_repo")
    (folder / "data").mkdir()
    households().write_parquet(folder / "data" / "households.parquet")
    return folder / "feature_repo"


@pytest.fixture(scope="module")
def schema(repo):
    from features.compilation import read_definitions

    return read_definitions(repo).schema


@pytest.fixture(scope="module")
def log(stream, schema, repo):
    from journey.past import past_log

    return past_log(stream, schema, repo, NOW)


def test_training_ends_where_testing_starts():
    from journey.past import first_asked

    assert first_asked() == NOW


def test_log_holds_the_campaigns_that_train(log):
    assert log.height == 2703
    assert log["decision_id"].n_unique() == 2703
    assert log["at"].min() >= datetime(2017, 1, 1, tzinfo=UTC)
    assert log["at"].max() < datetime(2017, 8, 1, tzinfo=UTC)


def test_outcomes_are_those_known_when_training(log):
    assert log["outcome_at"].max() <= NOW
    assert (log["outcome_at"] >= log["at"]).all()
    running = log.filter(pl.col("offer_id").is_in(["campaign-11", "campaign-12"]))
    assert set(running["outcome"]) == {"ACCEPTED", "PRESENTED"}
    over = log.filter(~pl.col("offer_id").is_in(["campaign-11", "campaign-12"]))
    assert set(over["outcome"]) == {"ACCEPTED", "NO_RESPONSE"}
    eight = log.filter(pl.col("offer_id") == "campaign-8")
    assert (eight["outcome"] == "ACCEPTED").sum() == 158


def test_facts_do_not_change_when_the_future_does(log, stream, schema, repo):
    """Cut every event after a start away: the facts as of that start stay what they were."""
    from journey.past import past_log

    start = datetime(2017, 5, 8, tzinfo=UTC)
    cut = past_log(stream.filter(pl.col("at") <= start), schema, repo, NOW)
    facts = [name for name in log.columns if name.startswith(("customer.", "event."))]
    then = pl.col("at") <= start
    assert log.filter(then).height > 1000
    assert_frame_equal(log.filter(then).select(facts), cut.filter(then).select(facts))
    later = pl.col("at") > start + timedelta(days=1)
    assert not log.filter(later).select(facts).equals(cut.filter(later).select(facts))


def test_windows_equal_a_count_by_hand(log):
    from journey.tables import table

    start = datetime(2017, 5, 8)  # noqa: DTZ001 - the record's times are naive
    mine = log.filter(pl.col("offer_id") == "campaign-8").sort("customer.coupon_items_365d")[-1]
    household = mine["customer_id"].item()
    rows = table("transactions").filter(
        pl.col("household_id") == int(household), pl.col("transaction_timestamp") <= start
    )
    coupons = rows.filter(pl.col("coupon_disc") > 0)
    assert mine["customer.coupon_items_365d"].item() == coupons.height > 10
    # Buckets of 36 hours: the window of 90 days starts with the bucket after the one it cuts.
    width = 90 * 86_400 // 60
    edge = (int(start.replace(tzinfo=UTC).timestamp()) - 90 * 86_400) // width * width + width
    seconds = pl.col("transaction_timestamp").dt.epoch("s")
    spent = rows.filter(seconds >= edge)["sales_value"].sum()
    assert mine["customer.spend_90d"].item() == pytest.approx(spent)


def test_promoted_purchases_are_of_the_campaigns_products_before_its_start(log):
    from journey.tables import table

    eight = log.filter(pl.col("offer_id") == "campaign-8")
    row = eight.sort("event.promoted_items_30d", "customer_id").row(-1, named=True)
    campaign = int(row["offer_id"].removeprefix("campaign-"))
    start = row["at"].replace(tzinfo=None, microsecond=0)
    promoted = table("coupons").filter(pl.col("campaign_id") == campaign)["product_id"].unique()
    bought = table("transactions").filter(
        pl.col("household_id") == int(row["customer_id"]),
        pl.col("product_id").is_in(promoted.implode()),
        pl.col("transaction_timestamp") < start,
        pl.col("transaction_timestamp") >= start - timedelta(days=90),
    )
    recent = bought.filter(pl.col("transaction_timestamp") >= start - timedelta(days=30))
    assert row["event.promoted_spend_90d"] == pytest.approx(bought["sales_value"].sum())
    assert row["event.promoted_items_30d"] == recent.height
    assert 0 < recent.height < bought.height
    for name in ("promoted_spend_90d", "promoted_items_30d"):
        assert row[f"customer.{name}"] == row[f"event.{name}"]


def test_a_redemption_on_the_day_of_a_start_is_not_known_at_it(log):
    from journey.campaigns import redemptions

    dated = redemptions().select("customer_id", redeemed=pl.col("at"))
    same_day = log.join(dated, on="customer_id").filter(
        pl.col("redeemed").dt.date() == pl.col("at").dt.date()
    )
    assert same_day.height > 0
    assert (same_day["redeemed"] > same_day["at"]).all()
    first = log.filter(pl.col("offer_id") == "campaign-27")
    earlier = redemptions().filter(pl.col("at") < datetime(2017, 2, 8, tzinfo=UTC))
    counts = earlier.group_by("customer_id").agg(pl.len().cast(pl.Float64))
    found = first.join(counts, on="customer_id", how="left")
    assert found["customer.redemptions_365d"].to_list() == found["len"].fill_null(0).to_list()
