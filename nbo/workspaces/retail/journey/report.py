"""How well the engine ranked households by who would redeem, beside simpler rankings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from journey.campaigns import mailings, redemptions
from journey.replay import Answer
from nbo.measure.ranking import auc, auc_interval, lift_at, lift_interval


def judged(answers: Sequence[Answer]) -> pl.DataFrame:
    """One row per answer with what came of it and what the simpler rankings would have used.

    Returns:
        Columns of `Answer`, `redeemed`, `prior_redemptions` (coupons the household had handed in
        before the campaign's start) and `campaign_rate` (the part of its households that redeemed,
        known in hindsight only).
    """
    asked = pl.DataFrame(answers, schema=list(Answer._fields), orient="row").join(
        mailings().select("customer_id", "campaign", "starts", "redeemed_at"),
        on=["customer_id", "campaign"],
        how="left",
        maintain_order="left",
    )
    before = (
        asked.join(redemptions().select("customer_id", "at"), on="customer_id")
        .filter(pl.col("at") < pl.col("starts"))
        .group_by("decision_id")
        .agg(pl.len().alias("prior_redemptions"))
    )
    redeemed = pl.col("redeemed_at").is_not_null()
    return asked.join(before, on="decision_id", how="left", maintain_order="left").with_columns(
        redeemed.alias("redeemed"),
        redeemed.mean().over("campaign").alias("campaign_rate"),
        pl.col("prior_redemptions").fill_null(0),
    )


def figures(rows: pl.DataFrame, seed: int) -> dict[str, Any]:
    """AUC and lift in the top tenth, with intervals that resample households.

    Args:
        rows: See `judged`.
        seed: Of the resampling.
    """
    label, household = rows["redeemed"].to_numpy(), rows["customer_id"].to_numpy()
    score = rows["propensity"].to_numpy()
    ranking = auc_interval(score, label, household, seed=seed)
    lift = lift_interval(score, label, household, seed=seed)
    milliseconds = rows["seconds"].to_numpy() * 1000
    return {
        "auc": round(ranking.value, 4),
        "auc_ci": [round(ranking.low, 4), round(ranking.high, 4)],
        "lift_top_tenth": round(lift.value, 2),
        "lift_ci": [round(lift.low, 2), round(lift.high, 2)],
        "baselines": {
            name: {
                "auc": round(auc(rows[name].to_numpy(), label), 4),
                "lift_top_tenth": round(lift_at(rows[name].to_numpy(), label), 2),
            }
            for name in ("prior_redemptions", "campaign_rate")
        },
        "pairs": rows.height,
        "redemption_rate": round(float(label.mean()), 4),
        "mean_propensity": round(float(score.mean()), 4),
        "latency_ms": {
            "p50": round(float(np.quantile(milliseconds, 0.5)), 2),
            "p99": round(float(np.quantile(milliseconds, 0.99)), 2),
        },
    }
