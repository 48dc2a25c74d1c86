"""Catalogue versions that decided once: found, compiled with their rates, kept a while."""

from __future__ import annotations

import pytest

from nbo.decision.facts import FactSchema, FactType
from nbo.errors import NotEnoughDataError, NotFoundError
from nbo.ledger import catalogs
from serving.past_catalogs import KEPT, PastCatalogs

SCHEMA = FactSchema({"customer.years": FactType.NUMBER})
CATALOG = """
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: g}]
offers:
  - id: o
    group: g
    name: {en: O}
    channels: [voice]
    value: 10
    eligibility: [{name: r, when: customer.years > 1.0}]
"""


@pytest.fixture
def past(engine):
    catalogs.publish(engine, "v1", CATALOG, "Ada", "")
    return PastCatalogs(engine, SCHEMA)


def test_a_version_comes_with_the_rates_it_decided_with(past):
    assert past.get("v1", {"g": 0.25}).catalog.offers["o"].prior == 0.25
    assert past.get("v1", {"g": 0.5}).catalog.offers["o"].prior == 0.5


def test_it_is_compiled_once_and_the_longest_unused_is_dropped(past):
    first = past.get("v1", {"g": 0.25})
    assert past.get("v1", {"g": 0.25}) is first
    for n in range(KEPT):
        past.get("v1", {"g": 0.1 + n / 100})
    assert past.get("v1", {"g": 0.1 + (KEPT - 1) / 100}) is past.get(
        "v1", {"g": 0.1 + (KEPT - 1) / 100}
    )
    assert past.get("v1", {"g": 0.25}) is not first


def test_what_was_never_published_is_not_found(past):
    with pytest.raises(NotFoundError, match="catalogue version 'v2'"):
        past.get("v2", {})


def test_what_no_longer_fits_the_facts_is_said_with_its_first_mistake(engine, past):
    with pytest.raises(NotEnoughDataError, match=r"does not fit.*customer\.years"):
        PastCatalogs(engine, FactSchema({})).get("v1", {})
