"""A simulated telecom plays a month of calls through the engine.

Half a year of past offers goes in through the doors that real data would use, a model is
trained, one call is told in full, and then 7,200 calls are answered over gRPC while customers
are divided among four ways of choosing. What each way was worth is measured with intervals.
Everything here is simulated: the customers, their answers, the money.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from world.calendar import HISTORY_DAYS, PLAY_STARTS, instant
from world.create import World, create_world
from world.files import write_world
from world.history import History, live_through
from world.log import past_offers, window_facts
from world.narration import (
    chapter,
    say,
    show_model,
    show_scoreboard,
    show_verdict,
)
from world.play import Answer, Call, Play, Suggestion, as_event, run_day
from world.scoreboard import score
from world.story import Caller, choose_caller, tell
from world.terms import read_catalog

DESKS = 6
SEEN_BY_WINDOWS = 90  # days; older events can't move any window any more


def prepare(folder: Path) -> None:
    """Add the experiment and its yardstick, the oracle, to the copy that is played.

    The workspace itself has neither: whoever starts from it gives every customer the engine.
    Call it once per copy, before its settings are loaded.
    """
    for file, part in (("catalog.yaml", "experiment.yaml"), ("nbo.toml", "plugins.toml")):
        added = (folder / "world" / part).read_text(encoding="utf-8")
        with (folder / file).open("a", encoding="utf-8") as text:
            text.write(f"\n{added}")


def run(session: Any) -> dict[str, Any]:
    """Play the demo; returns the figures of `--json`."""
    started = time.perf_counter()
    console = session.console
    chapter(console, "A telecom that does not exist", "Simulated customers, a real engine.")
    world, history = set_up(session)
    chapter(console, "One call")
    caller = choose_caller(session, world, history)
    tell(session, caller)
    chapter(
        console,
        f"A month of calls, {world.calls.height:,} of them",
        "Four ways to choose the offer; every customer stays with one. Answers come from the "
        "simulation's hidden truth.",
    )
    play, answers, latencies = _month(session, _without(world, caller), history)
    board = score(play, answers, latencies)
    show_scoreboard(console, board)
    show_verdict(console, board)
    seconds = round(time.perf_counter() - started, 1)
    return {**board.as_json(), "seconds": seconds, "simulated": True}


def set_up(session: Any) -> tuple[World, History]:
    """Create the world and bring it in through the doors: tables, log, events, training."""
    console, workspace = session.console, session.workspace
    with session.step("6,000 customers, half a year of their lives and of random offers"):
        world = create_world(read_catalog(workspace, session.schema), session.seed)
        asked = window_facts(world, world.past_calls, session.schema)
        history = live_through(world, asked)
        write_world(workspace, world, history)
        log = workspace / "data" / "past_offers.parquet"
        past_offers(world, history, session.schema, workspace).write_parquet(log)
    with session.step("Customer tables through Feast into the live store"):
        session.materialize(PLAY_STARTS)
    with session.step(f"{history.exposures.height:,} past offers and answers into the ledger"):
        session.import_log(log)
    recent = _between(world, HISTORY_DAYS - SEEN_BY_WINDOWS, HISTORY_DAYS)
    with session.step(f"{recent.height:,} events of the last {SEEN_BY_WINDOWS} days over gRPC"):
        session.client.publish(as_event(row) for row in recent.iter_rows(named=True))
        session.wait_for_events()
    with session.step("A first model, trained on the ledger and taken over by the server"):
        report = session.train(PLAY_STARTS)
    show_model(console, report)
    return world, history


def _month(session: Any, world: World, history: History) -> tuple[Play, list[Answer], list[float]]:
    """Answer every call of the month, day by day, on several desks at once."""
    play = Play(world, history)
    answers: list[Answer] = []
    latencies: list[float] = []

    def ask(call: Call) -> Suggestion:
        began = time.perf_counter()
        reply = session.client.offers(
            call.customer_id,
            interaction_id=call.interaction_id,
            channel="voice",
            agent_id=call.agent_id,
            intent=call.intent,
            event=call.event,
            slots=3,
            at=call.at,
        )
        latencies.append(time.perf_counter() - began)
        return _suggestion(session, call, reply)

    with (
        session.step(f"{world.calls.height:,} calls in 30 days, {DESKS} at a time"),
        ThreadPoolExecutor(DESKS) as pool,
    ):
        for calls in play.days():
            _publish_day(session, world, calls)
            answers += run_day(play, calls, ask, DESKS, pool)
    offered = sum(bool(answer.offer_id) for answer in answers)
    say(session.console, "month", f"{offered:,} offers presented, the rest of the calls left alone")
    return play, answers, latencies


def _suggestion(session: Any, call: Call, reply: Any) -> Suggestion:
    """The first slot of a reply, and how to report its outcome."""
    arm = reply.arms["policy"]
    if not reply.slots:
        return Suggestion(arm, "", "", lambda _: None)
    first = reply.slots[0]

    def record(outcome: str) -> None:
        session.client.outcome(
            reply.decision_id,
            first.rank,
            outcome,
            at=call.at + timedelta(minutes=3),
            idempotency_key=f"{call.interaction_id}:{first.rank}",
        )

    return Suggestion(arm, first.offer_id, first.incentive_id, record)


def _publish_day(session: Any, world: World, calls: Sequence[Call]) -> None:
    """What happens on the day of these calls reaches the windows before the calls are asked.

    Windows are evaluated as of the instant asked: an event later that day does not count yet.
    """
    day = int(world.calls["day"][calls[0].index])
    events = _between(world, day, day + 1)
    session.client.publish(as_event(row) for row in events.iter_rows(named=True))
    session.wait_for_events()


def _between(world: World, first: float, end: float) -> pl.DataFrame:
    """The world's events from one day to another, in order of time."""
    return world.events.filter(pl.col("at").is_between(instant(first), instant(end), closed="left"))


def _without(world: World, caller: Caller) -> World:
    """The month without the customer of the story, who was already offered something."""
    return replace(world, calls=world.calls.filter(pl.col("row") != caller.row))
