"""Rules that hold for none of some sampled customers: mostly a slip in a name or a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nbo.decision.catalog import Catalog
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.facts import Facts
from nbo.decision.rule_text import RuleText
from nbo.decision.rules import Rule
from nbo.errors import Problem


def never_true(compiled: CompiledCatalog, samples: Sequence[Facts]) -> list[Problem]:
    """Find the rules that are true for no sampled customer.

    A rule is judged only by the customers whose facts decide it; one that is known for none of
    them is left out. Equal rules are told once, where the first stands.

    Args:
        compiled: The catalogue.
        samples: The facts of each customer.
    """
    places: dict[str, list[tuple[str, RuleText]]] = {}
    for called, text in _texts(compiled.catalog):
        places.setdefault(text.when.strip(), []).append((called, text))
    rules = {expression: compiled.rules.get(expression) for expression in places}
    open_rules = {name: rule for name, rule in rules.items() if rule is not None}
    known = _times_known(compiled, open_rules, samples)
    problems = []
    for expression, count in known.items():
        called, text = places[expression][0]
        more = len(places[expression]) - 1
        message = f"{called}: {text.name!r} is true for none of {count} sampled customers"
        message += f", nor where it stands {more} times more" if more else ""
        problems.append(Problem(text.file, text.line, 0, f"{message}\n  {expression}"))
    return problems


def _times_known(
    compiled: CompiledCatalog, rules: Mapping[str, Rule], samples: Sequence[Facts]
) -> dict[str, int]:
    """How many customers decide each rule, of those that hold for none and are decided by some."""
    left = dict(rules)
    known = dict.fromkeys(rules, 0)
    for facts in samples:
        activation = compiled.language.activate(facts)
        for expression, rule in list(left.items()):
            verdict = rule.check(activation)
            if verdict.passed:
                del left[expression]
            else:
                known[expression] += not verdict.unknown
    return {expression: known[expression] for expression in left if known[expression]}


def _texts(catalog: Catalog) -> Iterator[tuple[str, RuleText]]:
    """Every rule of a catalogue with what messages call its place."""
    for product, rule in catalog.products.items():
        yield f"product {product!r}", rule
    for rule in catalog.policies.service_first:
        yield "policies: service_first", rule
    for weight in catalog.policies.context:
        yield "policies: context", weight.rule
    for incentive in catalog.incentives.values():
        for rule in incentive.rules:
            yield f"incentive {incentive.incentive_id!r}: rules", rule
    for offer in catalog.offers.values():
        for stage in ("eligibility", "applicability", "suitability"):
            for rule in getattr(offer, stage):
                yield f"offer {offer.offer_id!r}: {stage}", rule
