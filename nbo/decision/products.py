"""Products: offers are made to those who hold what they need, and not what they have already."""

from __future__ import annotations

from collections.abc import Iterator

from nbo.decision.columns import Flags
from nbo.decision.failure import Asked, Failure, Finding, Lacking, shared


def product_findings(asked: Asked) -> Iterator[Finding]:
    """Find the offers whose products do not fit those the customer holds.

    Whether a product is held is found out once per request. Where it is not known, every offer
    that asks for it fails.
    """
    columns, rules = asked.compiled.screen, asked.compiled.products
    verdicts = {product: rule.check(asked.activation) for product, rule in rules.items()}
    for product, asking in columns.requiring.items():
        if not verdicts[product].passed:
            yield _finding(asked, f"requires {product}", product, asking, Lacking.RULE)
    for product, asking in columns.excluding.items():
        if verdicts[product].passed or verdicts[product].unknown:
            yield _finding(asked, f"excludes {product}", product, asking, Lacking.NO_RULE)
    for product, asking in columns.selling.items():
        if verdicts[product].passed or verdicts[product].unknown:
            yield _finding(asked, f"holds {product} already", product, asking, Lacking.NO_RULE)


def _finding(asked: Asked, name: str, product: str, asking: Flags, lacking: Lacking) -> Finding:
    rule = asked.compiled.products[product]
    detail = rule.check(asked.activation).detail or rule.facts_read(asked.activation)
    return shared(asking, Failure("eligibility", name, detail, rule.expression, lacking=lacking))
