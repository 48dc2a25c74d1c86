"""Training examples: exposures whose answer is known, with the facts as served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Treatment
from nbo.decision.record import request_from_record
from nbo.decision.request import Request


@dataclass(frozen=True, slots=True)
class Example:
    """One exposure and what came of it.

    Attributes:
        request: The question it answered; `request.at` is when it was presented.
        offer_id: What was presented.
        incentive_id: What it came with.
        accepted: Whether the customer accepted within the attribution window.
        at: The instant from which that was known.
        batch: The batch model's probability as logged; None where none was.
    """

    request: Request
    offer_id: str
    incentive_id: str
    accepted: bool
    at: datetime
    batch: float | None = None


def examples_from(
    exposures: Iterable[tuple[Mapping[str, Any], int, bool, datetime]],
) -> Iterator[Example]:
    """Read the ledger's labelled exposures.

    Args:
        exposures: (decision record, rank of the slot, accepted, when that was known); the slots
            of one decision should follow each other, its request is then read once.
    """
    last: tuple[str, Request] | None = None
    for record, rank, accepted, known_at in exposures:
        decision_id = record["request"]["decision_id"]
        if last is None or last[0] != decision_id:
            last = (decision_id, request_from_record(record["request"]))
        slot = next(slot for slot in record["slots"] if slot["rank"] == rank)
        yield Example(
            request=last[1],
            offer_id=slot["offer_id"],
            incentive_id=slot["incentive_id"],
            accepted=accepted,
            at=known_at,
            batch=slot.get("batch"),
        )


def in_catalog(examples: Iterable[Example], catalog: Catalog) -> list[Example]:
    """Keep what the catalogue still describes, in the order it was presented.

    An offer or incentive that was deleted has no attributes to learn from; one that has only
    ended stays in the catalogue and is kept.
    """
    known = [
        example
        for example in examples
        if example.offer_id in catalog.offers
        and (example.incentive_id == "none" or example.incentive_id in catalog.incentives)
    ]
    return sorted(known, key=lambda example: (example.request.at, example.request.decision_id))


def treatment_of(example: Example, catalog: Catalog) -> Treatment:
    """Look the presented treatment up in the catalogue in force."""
    incentive = catalog.incentives.get(example.incentive_id, NO_INCENTIVE)
    return Treatment(catalog.offers[example.offer_id], incentive)


def customers(examples: Sequence[Example]) -> list[str]:
    """Give the customer of each example, the unit by which intervals are drawn."""
    return [example.request.customer_id for example in examples]
