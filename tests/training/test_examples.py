"""From decision records to examples, and which of them may be learnt from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nbo.decision.catalog import NO_INCENTIVE, Catalog
from nbo.decision.decision import Decision, Slot
from nbo.decision.record import to_record
from training.examples import Example, examples_from, in_catalog, treatment_of
from training.maturity import matured

MakeExamples = Callable[..., list[Example]]


def slot(rank: int, offer_id: str, incentive_id: str) -> Slot:
    return Slot(
        rank, offer_id, "group-0", incentive_id, 0.5, 0.2, 0.1 * rank, 100.0, 20.0, 1.0, 1.0, ()
    )


def test_each_presented_slot_is_one_example_with_the_facts_as_served(
    make_examples: MakeExamples,
) -> None:
    request = make_examples(1)[0].request
    slots = (slot(1, "offer-0", "none"), slot(2, "offer-1", "discount"))
    record = to_record(Decision(request, {}, slots, (), {"model": "champion/1"}))
    known = request.at + timedelta(hours=1)
    first, second = examples_from([(record, 1, False, known), (record, 2, True, known)])
    assert first == Example(request, "offer-0", "none", False, known, batch=0.1)
    assert second == Example(request, "offer-1", "discount", True, known, batch=0.2)
    assert first.request is second.request


def test_an_imported_slot_has_no_batch_probability(make_examples: MakeExamples) -> None:
    request = make_examples(1)[0].request
    record = to_record(Decision(request, {}, (slot(1, "offer-0", "none"),), (), {}))
    record["slots"][0]["batch"] = None
    assert next(examples_from([(record, 1, True, request.at)])).batch is None


def test_examples_come_in_order_of_time_without_deleted_offers(
    make_examples: MakeExamples, catalog: Catalog
) -> None:
    examples = make_examples(20)
    examples[3] = replace(examples[3], offer_id="deleted")
    examples[4] = replace(examples[4], incentive_id="deleted")
    kept = in_catalog(reversed(examples), catalog)
    assert kept == [one for n, one in enumerate(examples) if n not in (3, 4)]


def test_no_incentive_needs_no_entry_in_the_catalogue(
    make_examples: MakeExamples, catalog: Catalog
) -> None:
    without = replace(catalog, incentives={})
    example = replace(make_examples(1)[0], incentive_id="none")
    assert in_catalog([example], without) == [example]
    assert treatment_of(example, without).incentive == NO_INCENTIVE


def test_nothing_is_left_out_where_answers_are_explicit(make_examples: MakeExamples) -> None:
    examples = make_examples(300, delay=timedelta(minutes=5))
    assert matured(examples, examples[-1].at) == examples


@pytest.mark.parametrize("window", [timedelta(days=1), timedelta(days=7)])
def test_the_young_are_left_out_where_silence_means_no(
    make_examples: MakeExamples, window: timedelta
) -> None:
    """Acceptances are known at once, refusals after the window; the known young mislead."""
    every = [
        one if one.accepted else replace(one, at=one.request.at + window)
        for one in make_examples(6_000)
    ]
    now = every[-1].request.at
    known = [one for one in every if one.at <= now]
    kept = matured(known, now)
    assert max(one.request.at for one in kept) <= now - window
    young = [one for one in known if one.request.at > now - window]
    assert all(one.accepted for one in young)
    assert len(kept) == len(known) - len(young)


def test_each_campaign_waits_as_long_as_it_runs(make_examples: MakeExamples) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    examples = make_examples(200, offers=1)

    def campaign(offer_id: str, days: int, presented: datetime) -> list[Example]:
        return [
            replace(
                one,
                offer_id=offer_id,
                accepted=number % 4 == 0,
                request=replace(one.request, at=presented),
                at=presented + timedelta(days=1 if number % 4 == 0 else days),
            )
            for number, one in enumerate(examples)
        ]

    short = campaign("offer-0", 10, start + timedelta(days=30))
    long = campaign("offer-1", 40, start)
    running = [one for one in campaign("offer-2", 40, start + timedelta(days=30)) if one.accepted]
    kept = matured(short + long + running, start + timedelta(days=45))
    assert {one.offer_id for one in kept} == {"offer-0", "offer-1"}
