"""The later campaigns, played again: ask at each start, answer as the household did."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from journey.campaigns import FIRST_TEST_DAY, RECORD_ENDS, mailings
from journey.events import arrivals
from journey.past import CHANNEL
from nbo.errors import NboError

if TYPE_CHECKING:
    from collections.abc import Callable

    from features.stream import Event
    from journey.feed import Feed
    from nbo.client import Client

RECORDERS = 4
"""Outcomes recorded at a time."""


class Answer(NamedTuple):
    """What the engine said of one household and campaign at its start.

    Attributes:
        propensity: Probability that the household redeems.
        seconds: Until the client had the reply.
    """

    customer_id: str
    campaign: str
    decision_id: str
    propensity: float
    seconds: float


class _Due(NamedTuple):
    """An outcome to be recorded at its time."""

    at: datetime
    decision_id: str
    kind: str


def replay(
    client: Client, feed: Feed, frame: pl.DataFrame, progress: Callable[[str], None]
) -> list[Answer]:
    """Play every campaign that tests, in order of start.

    Before a campaign's start, all earlier events are published and all earlier outcomes
    recorded; then one question per household that got it; nothing later is known to the engine.

    Args:
        client: To ask and answer through.
        feed: Events not yet published.
        frame: See `journey.events.event_frame`; the arrivals are asked with.
        progress: Told one sentence per campaign.
    """
    sent = mailings().filter(pl.col("starts") >= FIRST_TEST_DAY)
    answers: list[Answer] = []
    waiting: list[_Due] = []
    for (campaign,), households in sent.group_by("campaign", maintain_order=True):
        starts = households.get_column("starts")[0]
        feed.upto(starts)
        waiting = _record(client, waiting, starts)
        asked = [ask(client, event) for event in arrivals(frame, str(campaign))]
        decisions = {answer.customer_id: answer.decision_id for answer in asked}
        waiting += _outcomes(households, decisions)
        answers += asked
        progress(f"{campaign} of {starts:%-d %B}: asked for {len(asked)} households")
    feed.rest()
    _record(client, waiting, RECORD_ENDS)
    return answers


def ask(client: Client, arrival: Event) -> Answer:
    """Ask for offers at the instant coupons arrive.

    Raises:
        NboError: the engine did not offer the campaign that arrived, and says why.
    """
    campaign = str(arrival.attributes["campaign"])
    started = time.perf_counter()
    reply = client.offers(
        arrival.customer_id,
        interaction_id=arrival.event_id,
        channel=CHANNEL,
        event=arrival,
        slots=1,
        at=arrival.at,
    )
    seconds = time.perf_counter() - started
    if [slot.offer_id for slot in reply.slots] != [campaign]:
        raise NboError(
            f"household {arrival.customer_id}: expected {campaign}, was offered "
            f"{[slot.offer_id for slot in reply.slots]} (degraded: {list(reply.degraded)})"
        )
    propensity = reply.slots[0].propensity
    return Answer(arrival.customer_id, campaign, reply.decision_id, propensity, seconds)


def _outcomes(households: pl.DataFrame, decisions: dict[str, str]) -> list[_Due]:
    """What will come of one campaign's mailings: presented at once, then redeemed or not.

    A campaign that outlives the record stays open where nobody redeemed.
    """
    due = []
    for row in households.iter_rows(named=True):
        decision = decisions[row["customer_id"]]
        due.append(_Due(row["starts"], decision, "PRESENTED"))
        if row["redeemed_at"] is not None:
            due.append(_Due(row["redeemed_at"], decision, "ACCEPTED"))
        else:
            due.append(_Due(row["ends"], decision, "NO_RESPONSE"))
    return due


def _record(client: Client, waiting: list[_Due], upto: datetime) -> list[_Due]:
    """Record what is due, in order of time; gives back what is not."""

    def send(due: _Due) -> None:
        key = f"{due.decision_id}-{due.kind}"
        client.outcome(due.decision_id, 1, due.kind, at=due.at, idempotency_key=key)

    with ThreadPoolExecutor(RECORDERS) as pool:
        list(pool.map(send, sorted(due for due in waiting if due.at <= upto)))
    return [due for due in waiting if due.at > upto]
