"""A real year of coupon campaigns, replayed through the engine's doors.

Campaigns of the first seven months are imported as a log and train the model. Then the year
passes again: every purchase is published in order, and on each later campaign's first day the
engine is asked, household by household, how likely it is to redeem. What the household really
did is recorded when it did it. Nothing here is simulated.
"""

from __future__ import annotations

import time
from typing import Any

from journey.campaigns import households
from journey.events import event_frame
from journey.feed import Feed
from journey.past import first_asked, past_log
from journey.replay import replay
from journey.report import figures, judged


def run(session: Any) -> dict[str, Any]:
    """Play the demo; returns the figures of `--json`."""
    started = time.perf_counter()
    now = first_asked()
    data = session.workspace / "data"
    data.mkdir(exist_ok=True)
    with session.step("Read Complete Journey: households, purchases, campaigns, redemptions"):
        events = event_frame()
        households().write_parquet(data / "households.parquet")
        session.materialize(now)
    with session.step("Import past mailings with what was known at their start"):
        log = past_log(events, session.schema, session.workspace / "feature_repo", now)
        log.write_parquet(data / "past_mailings.parquet")
        session.import_log(data / "past_mailings.parquet")
    with session.step("Train on campaigns that started before 1 August 2017"):
        session.train(now)
    feed = Feed(session.client, events, session.wait_for_events)
    with session.step(f"Publish the events up to {now:%-d %B %Y}, in their order"):
        feed.upto(now)
    with session.step("Replay the later campaigns: ask, then record what the households did"):
        answers = replay(session.client, feed, events, session.console.print)
    result = figures(judged(answers), session.seed)
    result |= {
        "events": feed.published,
        "events_seconds": round(feed.seconds, 1),
        "seconds": round(time.perf_counter() - started, 1),
        "simulated": False,
    }
    _tell(session.console, result)
    return result


def _tell(console: Any, result: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(title="Who redeems a coupon of a campaign? Real households, later campaigns")
    for column in ("ranked by", "AUC", "lift in the top tenth"):
        table.add_column(column, justify="left" if column == "ranked by" else "right")
    low, high = result["auc_ci"]
    lift_low, lift_high = result["lift_ci"]
    table.add_row(
        "the engine, at the campaign's start",
        f"{result['auc']:.3f} [{low:.3f}, {high:.3f}]",
        f"{result['lift_top_tenth']:.1f} [{lift_low:.1f}, {lift_high:.1f}]",
    )
    names = {
        "prior_redemptions": "coupons handed in before, alone",
        "campaign_rate": "the campaign's own rate, in hindsight",
    }
    for name, meaning in names.items():
        baseline = result["baselines"][name]
        table.add_row(meaning, f"{baseline['auc']:.3f}", f"{baseline['lift_top_tenth']:.1f}")
    console.print(table)
    console.print(
        f"{result['pairs']:,} households × campaigns, {result['redemption_rate']:.1%} redeemed, "
        f"{result['mean_propensity']:.1%} expected; intervals are 95 %, by household.\n"
        f"{result['events']:,} events in {result['events_seconds']:.0f} s; answers in "
        f"{result['latency_ms']['p50']:.1f} ms (p50), {result['latency_ms']['p99']:.1f} ms (p99)."
    )
