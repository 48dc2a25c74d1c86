"""Caps and budgets in the screen: what is used up, and what is not known to be free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.decision import Refusal
from nbo.decision.failures import all_failures
from nbo.decision.limits import Budget, Caps, CapUse, Period, Usage
from nbo.decision.request import Request
from nbo.decision.screen import Screened, screen

Ask = Callable[..., Request]


@pytest.fixture
def capped(compiled: CompiledCatalog) -> CompiledCatalog:
    """`red-1` has both caps, its discount of 30 a budget of 100 a month."""
    catalog = compiled.catalog
    red = replace(catalog.offers["red-1"], caps=Caps(total=5, daily=2))
    budget = Budget(100.0, Period.MONTH)
    discount = replace(catalog.incentives["discount"], budget=budget)
    return compile_catalog(
        replace(
            catalog,
            offers={**catalog.offers, "red-1": red},
            incentives={**catalog.incentives, "discount": discount},
        ),
        compiled.language,
    )


def screened(compiled: CompiledCatalog, request: Request) -> Screened:
    return screen(request, compiled, compiled.language.activate(request.facts), DEFAULT_ARM)


@pytest.mark.parametrize(
    ("use", "refusal"),
    [
        (CapUse(4, 1), None),
        (CapUse(5, 1), ("total cap", "5 taken or reserved, limit 5")),
        (CapUse(4, 2), ("daily cap", "2 taken or reserved, limit 2")),
        (CapUse(6, 3), ("total cap", "6 taken or reserved, limit 5")),
        (None, None),
    ],
)
def test_an_offer_falls_when_its_cap_is_reached(
    ask: Ask, capped: CompiledCatalog, use: CapUse | None, refusal: tuple[str, str] | None
) -> None:
    usage = Usage({"red-1": use} if use else {})
    expected = [Refusal("red-1", "caps", *refusal)] if refusal else []
    assert screened(capped, ask(usage=usage)).refusals == expected


def test_other_offers_do_not_mind(ask: Ask, capped: CompiledCatalog) -> None:
    usage = Usage({"red-2": CapUse(10**6, 10**6)})
    assert screened(capped, ask(usage=usage)).refusals == []


def test_an_empty_budget_takes_the_incentive_and_leaves_the_offer(
    ask: Ask, capped: CompiledCatalog
) -> None:
    assert screened(capped, ask(usage=Usage({}, {"discount": 70.0}))).refusals == []
    rows, refusals = screened(capped, ask(usage=Usage({}, {"discount": 70.01})))
    detail = "70.01 of 100 spent this month, costs 30"
    assert refusals == [Refusal("red-1", "caps", "budget", detail, "discount")]
    assert ("red-1", "none") in {
        (capped.treatments[row].offer.offer_id, capped.treatments[row].incentive.incentive_id)
        for row in rows
    }


def test_what_cannot_be_counted_is_not_offered(ask: Ask, capped: CompiledCatalog) -> None:
    unknown = ask(usage=Usage(known=False))
    assert screened(capped, unknown).refusals == [
        Refusal("red-1", "caps", "total cap", "usage cannot be read")
    ]
    uncapped = replace(capped.catalog.offers["red-1"], caps=Caps())
    offers = {**capped.catalog.offers, "red-1": uncapped}
    changed = compile_catalog(replace(capped.catalog, offers=offers), capped.language)
    assert screened(changed, unknown).refusals == [
        Refusal("red-1", "caps", "budget", "usage cannot be read", "discount")
    ]


def test_only_what_is_not_counted_is_not_offered(ask: Ask, capped: CompiledCatalog) -> None:
    fell = screened(capped, ask(usage=Usage(unknown_offers=frozenset({"red-1"})))).refusals
    assert fell == [Refusal("red-1", "caps", "total cap", "usage cannot be read")]
    empty = Usage(budgets={"discount": 100.0}, unknown_budgets=frozenset({"discount"}))
    assert screened(capped, ask(usage=empty)).refusals == [
        Refusal("red-1", "caps", "budget", "usage cannot be read", "discount")
    ]
    others = frozenset({"red-2", "discount", "bonus"})
    unrelated = Usage(unknown_offers=others, unknown_budgets=frozenset({"red-1"}))
    assert screened(capped, ask(usage=unrelated)).refusals == []


def test_caps_come_after_the_contact_policy_and_say_until_when(
    ask: Ask, capped: CompiledCatalog
) -> None:
    request = ask(usage=Usage({"red-1": CapUse(5, 2)}))
    activation = capped.language.activate(request.facts)
    total, daily = all_failures(request, capped, activation, DEFAULT_ARM)["red-1"]
    assert (total.rule, total.until) == ("total cap", None)
    assert (daily.rule, daily.until) == ("daily cap", datetime(2026, 3, 11, tzinfo=UTC))


def test_an_offer_that_comes_only_with_an_empty_budget_falls_until_the_next_period(
    ask: Ask, capped: CompiledCatalog
) -> None:
    red = replace(capped.catalog.offers["red-1"], incentives=("discount",))
    offers = {**capped.catalog.offers, "red-1": red}
    changed = compile_catalog(replace(capped.catalog, offers=offers), capped.language)
    request = ask(usage=Usage({}, {"discount": 100.0}))
    refusals = screened(changed, request).refusals
    assert [(r.offer_id, r.rule, r.incentive_id) for r in refusals] == [("red-1", "budget", "")]
    activation = changed.language.activate(request.facts)
    (failure,) = all_failures(request, changed, activation, DEFAULT_ARM)["red-1"]
    assert failure.until == datetime(2026, 4, 1, tzinfo=UTC)
