"""A small catalogue of every kind of thing, and the customer it suits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from nbo.decision.catalog_text import load_catalog
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World
from nbo.decision.facts import INTERACTION_FACTS, Fact, FactSchema, FactType
from nbo.decision.history import HISTORY_FACTS
from nbo.decision.prior import PriorPropensity
from nbo.decision.request import Request

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

CATALOG = """\
currency: EUR
languages: [en, de]
channels:
  voice: {consent: customer.consent_voice, fallback: none}
  web: {fallback: none}
policies:
  do_not_contact: customer.do_not_contact
  service_first: [{name: open complaint, when: "!customer.complaint_open"}]
  smoothing_evidence: 50
  per_group: 1
  suppression:
    - {name: declined offer, outcome: DECLINED, scope: offer, window: 30d, count: 1, pause: 60d}
    - {name: declined group, outcome: DECLINED, scope: group, window: 90d, count: 3, pause: 90d}
  frequency:
    - {name: calls a month, channel: voice, limit: 5, period: 30d}
  context:
    - {name: moving, when: "event.type == 'address.changed'", group: red, weight: 50}
groups:
  - {id: red, issue: grow, lever: 10}
  - {id: blue, issue: retain}
incentives:
  - id: discount
    name: {en: Discount, de: Rabatt}
    kind: discount
    cost: 30
    monthly_cost: 2.5
    rules: [{name: long with us, when: customer.tenure_months >= 12.0}]
    attributes: {percent: 10}
offers:
  - id: red-1
    group: red
    name: {en: Red one, de: Rot eins}
    script: {en: "You have {customer.tenure_months} months.", de: "Seit {customer.tenure_months}."}
    channels: [voice, web]
    value: 100
    monthly_revenue: 10
    prior: 0.3
    eligibility: [{name: no red yet, when: "!customer.has_red"}]
    incentives: [none, discount]
    attributes: {price: 9.9}
  - id: red-2
    group: red
    name: {en: Red two}
    channels: [voice]
    value: 80
    prior: 0.4
    starts: 2026-01-01
    ends: 2026-04-01
    suitability: [{name: affordable, when: customer.tenure_months > 2.0 || customer.has_red}]
  - id: blue-1
    group: blue
    name: {en: Blue one, de: Blau eins}
    channels: [voice, web]
    monthly_revenue: 20
    term_months: 24
    margin: 0.5
    cancellation: 0.25
    prior: 0.1
    lever: 20
    applicability: [{name: calls about bills, when: interaction.intent == 'billing'}]
  - id: blue-note
    group: blue
    name: {en: A note}
    channels: [voice]
    value: 5
    prior: 0.5
    service: true
"""

FACTS: dict[str, Fact] = {
    "customer.consent_voice": True,
    "customer.do_not_contact": False,
    "customer.complaint_open": False,
    "customer.has_red": False,
    "customer.tenure_months": 24.0,
    "interaction.intent": "billing",
}


@pytest.fixture(scope="session")
def schema() -> FactSchema:
    flag, number = FactType.FLAG, FactType.NUMBER
    return FactSchema(
        {
            **INTERACTION_FACTS,
            **HISTORY_FACTS,
            "customer.consent_voice": flag,
            "customer.do_not_contact": flag,
            "customer.complaint_open": flag,
            "customer.has_red": flag,
            "customer.tenure_months": number,
            "customer.plan": FactType.TEXT,
        }
    )


@pytest.fixture(scope="session")
def catalog_text() -> str:
    return CATALOG


@pytest.fixture(scope="session")
def compiled(schema: FactSchema) -> CompiledCatalog:
    return load_catalog(CATALOG, "catalog.yaml", schema)


@pytest.fixture(scope="session")
def changed(schema: FactSchema) -> Callable[..., CompiledCatalog]:
    """The catalogue with pieces of its text replaced: ``changed((old, new), ...)``."""

    def change(*replacements: tuple[str, str], append: str = "") -> CompiledCatalog:
        text = CATALOG
        for old, new in replacements:
            assert old in text, f"{old!r} is not in the catalogue"
            text = text.replace(old, new)
        return load_catalog(text + append, "catalog.yaml", schema)

    return change


@pytest.fixture(scope="session")
def world(compiled: CompiledCatalog) -> World:
    return World(compiled, PriorPropensity(), engine_version="test")


@pytest.fixture(scope="session")
def ask() -> Callable[..., Request]:
    """A request of the suited customer; ``facts`` are added, None takes one away."""

    def make(*, facts: Mapping[str, Fact | None] | None = None, **changes: Any) -> Request:
        merged = {**FACTS, **(facts or {})}
        given: dict[str, Any] = {
            "decision_id": "d-1",
            "customer_id": "c-1",
            "interaction_id": "i-now",
            "at": NOW,
            "channel": "voice",
            "language": "en",
            "slots": 3,
            "history": (),
            "seed": 1,
            **changes,
        }
        known = {name: value for name, value in merged.items() if value is not None}
        return Request(facts=known, **given)

    return make
