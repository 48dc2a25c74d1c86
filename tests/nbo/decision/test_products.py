"""Products: who lacks what an offer needs, or has what it brings, is not offered it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nbo.decision.arms import DEFAULT_ARM
from nbo.decision.compiled import CompiledCatalog, compile_catalog
from nbo.decision.decision import Refusal
from nbo.decision.request import Request
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import Activation, Rule
from nbo.decision.screen import screen

Ask = Callable[..., Request]
RED = RuleText("red", "customer.has_red")
GOLD = RuleText("gold", "customer.plan == 'gold'")


def with_products(compiled: CompiledCatalog, **changes: Any) -> CompiledCatalog:
    """The catalogue with products, `blue-note` changed."""
    catalog = compiled.catalog
    note = replace(catalog.offers["blue-note"], **changes)
    return compile_catalog(
        replace(
            catalog,
            products={"red": RED, "gold": GOLD, "unused": RuleText("unused", "customer.has_red")},
            offers={**catalog.offers, "blue-note": note},
        ),
        compiled.language,
    )


def refusal(compiled: CompiledCatalog, request: Request) -> Refusal | None:
    activation = compiled.language.activate(request.facts)
    refusals = screen(request, compiled, activation, DEFAULT_ARM).refusals
    return next((r for r in refusals if r.offer_id == "blue-note"), None)


@pytest.mark.parametrize(
    ("changes", "plan", "rule"),
    [
        ({"requires": ("gold",)}, "gold", ""),
        ({"requires": ("gold",)}, "small", "requires gold"),
        ({"requires": ("gold",)}, None, "requires gold"),
        ({"excludes": ("gold",)}, "gold", "excludes gold"),
        ({"excludes": ("gold",)}, "small", ""),
        ({"excludes": ("gold",)}, None, "excludes gold"),
        ({"sells": "gold"}, "gold", "holds gold already"),
        ({"sells": "gold"}, "small", ""),
        ({"sells": "gold"}, None, "holds gold already"),
    ],
)
def test_products_held_not_held_and_unknown(
    ask: Ask, compiled: CompiledCatalog, changes: dict[str, Any], plan: str | None, rule: str
) -> None:
    found = refusal(with_products(compiled, **changes), ask(facts={"customer.plan": plan}))
    if not rule:
        assert found is None
        return
    told = "unknown" if plan is None else repr(plan)
    assert found == Refusal("blue-note", "eligibility", rule, f"customer.plan is {told}")


def test_every_required_product_must_be_held(ask: Ask, compiled: CompiledCatalog) -> None:
    both = with_products(compiled, requires=("red", "gold"))
    facts = {"customer.plan": "gold", "customer.has_red": True}
    assert refusal(both, ask(facts=facts)) is None
    for name, other in (("customer.plan", "small"), ("customer.has_red", False)):
        assert refusal(both, ask(facts={**facts, name: other})) is not None


def test_products_come_before_the_offers_own_rules(ask: Ask, compiled: CompiledCatalog) -> None:
    never = (RuleText("never", "customer.tenure_months < 0.0"),)
    changed = with_products(compiled, eligibility=never, requires=("gold",))
    found = refusal(changed, ask(facts={"customer.plan": "small"}))
    assert found is not None
    assert found.rule == "requires gold"


def test_a_product_is_asked_for_once_and_only_if_an_offer_does(
    ask: Ask, compiled: CompiledCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated: list[str] = []
    evaluate = Rule._evaluate

    def counting(rule: Rule, activation: Activation) -> Any:
        evaluated.append(rule.expression)
        return evaluate(rule, activation)

    monkeypatch.setattr(Rule, "_evaluate", counting)
    changed = with_products(compiled, requires=("gold",), excludes=("gold",), sells="gold")
    assert set(changed.products) == {"gold"}
    refusal(changed, ask(facts={"customer.plan": "gold"}))
    assert evaluated.count(GOLD.when) == 1
    assert len(evaluated) == len(set(evaluated))
