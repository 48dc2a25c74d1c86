"""A catalogue made ready for deciding: rules compiled, what is compared in columns.

Built once per catalogue version and shared by all requests; nothing here ever changes.
Offers stand in the order of their ids, treatments in the order of offer id, then incentive
id, so that a position is also the last tie-break of a ranking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nbo.decision.catalog import Catalog, Offer, Treatment
from nbo.decision.columns import Array, Flags, Rows, offer_columns, treatment_columns
from nbo.decision.policies import ContextWeight
from nbo.decision.room import Bound, offer_bounds
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import Rule, RuleLanguage
from nbo.decision.screen_columns import ScreenColumns, screen_columns
from nbo.errors import Problem

STAGES_OF_RULES = ("eligibility", "applicability", "suitability")
"""Stages of the screen in which an offer's own rules are asked, in order."""


class Condition(NamedTuple):
    """A rule with the stage of the screen it belongs to and the name a refusal gives."""

    stage: str
    name: str
    rule: Rule


class Weighting(NamedTuple):
    """A context weight: percent added to the offers in `applies` (n_offers,) while it holds."""

    condition: Condition
    weight: float
    applies: Flags


@dataclass(frozen=True, slots=True)
class CompiledOffer:
    """An offer with its conditions.

    Attributes:
        conditions: Of eligibility, applicability and suitability, in this order.
    """

    offer: Offer
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class CompiledCatalog:
    """All that one catalogue version says, ready for `decide()`.

    Attributes:
        catalog: What it was compiled from.
        language: What its rules may say; activates a request's facts.
        rules: Every distinct rule by its expression.
        offers: By offer id.
        treatments: By offer id, then incentive id.
        service_first: Conditions that must hold for anything to be sold.
        incentive_conditions: Who may get an incentive, by its id.
        context: Context weights.
        starts: (n_offers,) POSIX seconds, -inf for always.
        ends: (n_offers,) POSIX seconds, inf for never.
        on_channel: Channel id to (n_offers,) flags.
        in_language: Language to (n_offers,) flags.
        screen: What else the screen compares.
        bounds: What each offer draws on in an answer, by position.
        products: Rule that is true for who holds it, by product some offer asks for.
        conditions_of: Stage to each offer's conditions of it, by position; equal conditions are
            one object.
        rule_order: The rules of the offers' conditions.
        rule_numbers: Stage to (n_offers, most conditions) position in `rule_order` of each
            condition of each offer, in order; -1 where an offer has no further condition.
        offer_of: (n_treatments,) position in `offers`.
        incentive_of: (n_treatments,) position in `incentive_conditions`.
        value: (n_treatments,) V, before the incentive's cost.
        cost: (n_treatments,) cost of the incentive.
        prior: (n_treatments,) the offer's declared acceptance rate.
        lever: (n_treatments,) L, >= 0.
        warnings: What the catalogue's text may say and its author probably did not mean.
    """

    catalog: Catalog
    language: RuleLanguage
    rules: Mapping[str, Rule]
    offers: tuple[CompiledOffer, ...]
    treatments: tuple[Treatment, ...]
    service_first: tuple[Condition, ...]
    incentive_conditions: Mapping[str, tuple[Condition, ...]]
    context: tuple[Weighting, ...]
    starts: Array
    ends: Array
    on_channel: Mapping[str, Flags]
    in_language: Mapping[str, Flags]
    screen: ScreenColumns
    bounds: tuple[frozenset[Bound], ...]
    products: Mapping[str, Rule]
    conditions_of: Mapping[str, tuple[tuple[Condition, ...], ...]]
    rule_order: tuple[Rule, ...]
    rule_numbers: Mapping[str, Rows]
    offer_of: Rows
    incentive_of: Rows
    value: Array
    cost: Array
    prior: Array
    lever: Array
    warnings: tuple[Problem, ...] = ()


def compile_catalog(catalog: Catalog, language: RuleLanguage) -> CompiledCatalog:
    """Compile every rule and lay out the columns.

    Raises:
        RuleError: A rule does not compile; a catalogue read from text was checked before.
    """
    compiler = _Compiler(language)
    offers = tuple(compiler.offer(offer) for _, offer in sorted(catalog.offers.items()))
    rule_order = tuple(compiler.rules.values())
    plain = [compiled.offer for compiled in offers]
    treatments = _treatments(catalog)
    columns = screen_columns(catalog, plain)
    conditions_of = {stage: _of_stage(stage, offers) for stage in STAGES_OF_RULES}
    asked_for = sorted({*columns.requiring, *columns.excluding, *columns.selling})
    return CompiledCatalog(
        catalog=catalog,
        language=language,
        offers=offers,
        treatments=treatments,
        service_first=compiler.conditions("service first", catalog.policies.service_first),
        incentive_conditions={
            incentive_id: compiler.conditions("eligibility", incentive.rules)
            for incentive_id, incentive in catalog.incentives.items()
        },
        context=tuple(compiler.weighting(weight, columns) for weight in catalog.policies.context),
        rules=compiler.rules,
        rule_order=rule_order,
        screen=columns,
        bounds=tuple(offer_bounds(offer, catalog.policies.per_group) for offer in plain),
        products={product: compiler.product(catalog.products[product]) for product in asked_for},
        conditions_of=conditions_of,
        rule_numbers={
            stage: _rule_numbers(conditions, rule_order)
            for stage, conditions in conditions_of.items()
        },
        **offer_columns(catalog, plain),
        **treatment_columns(catalog, plain, treatments),
    )


class _Compiler:
    """Compiles each distinct expression once and keeps it."""

    def __init__(self, language: RuleLanguage) -> None:
        self._language = language
        self.rules: dict[str, Rule] = {}
        self._conditions: dict[tuple[str, str, str], Condition] = {}

    def conditions(self, stage: str, texts: Sequence[RuleText]) -> tuple[Condition, ...]:
        return tuple(self._condition(stage, text.name, self._compile(text)) for text in texts)

    def offer(self, offer: Offer) -> CompiledOffer:
        return CompiledOffer(
            offer,
            (
                *self.conditions("eligibility", offer.eligibility),
                *self.conditions("applicability", offer.applicability),
                *self.conditions("suitability", offer.suitability),
            ),
        )

    def weighting(self, weight: ContextWeight, columns: ScreenColumns) -> Weighting:
        (condition,) = self.conditions("context", [weight.rule])
        return Weighting(condition, weight.weight, columns.reach[weight.target])

    def product(self, held: RuleText) -> Rule:
        return self._compile(held)

    def _condition(self, stage: str, name: str, rule: Rule) -> Condition:
        condition = Condition(stage, name, rule)
        return self._conditions.setdefault((stage, name, rule.expression), condition)

    def _compile(self, text: RuleText) -> Rule:
        expression = text.when.strip()
        if expression not in self.rules:
            self.rules[expression] = self._language.compile(text)
        return self.rules[expression]


def _treatments(catalog: Catalog) -> tuple[Treatment, ...]:
    return tuple(
        Treatment(offer, catalog.incentives[incentive_id])
        for _, offer in sorted(catalog.offers.items())
        for incentive_id in sorted(offer.incentives)
    )


def _of_stage(stage: str, offers: Sequence[CompiledOffer]) -> tuple[tuple[Condition, ...], ...]:
    return tuple(tuple(c for c in offer.conditions if c.stage == stage) for offer in offers)


def _rule_numbers(conditions: Sequence[Sequence[Condition]], rule_order: Sequence[Rule]) -> Rows:
    number_of = {rule.expression: number for number, rule in enumerate(rule_order)}
    most = max(map(len, conditions), default=0)
    numbers = np.full((len(conditions), most), -1, dtype=np.intp)
    for position, row in enumerate(conditions):
        numbers[position, : len(row)] = [number_of[c.rule.expression] for c in row]
    return numbers
