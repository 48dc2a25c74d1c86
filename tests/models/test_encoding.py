"""What a model reads, column by column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np

from models.encoding import MAX_CATEGORIES, Encoding
from nbo.decision.catalog import Catalog, Treatment
from nbo.decision.facts import FactSchema, FactType
from nbo.decision.history import Contact, Outcome
from nbo.decision.request import Request


def column(encoding: Encoding, rows: np.ndarray, name: str) -> list[float]:
    return rows[:, encoding.inputs.index(name)].tolist()


def test_columns_hold_facts_treatment_and_history(
    schema: FactSchema,
    catalog: Catalog,
    treatments: list[Treatment],
    requests_sample: list[Request],
) -> None:
    encoding = Encoding.fit(schema, catalog, requests_sample)
    at = requests_sample[0].at
    history = tuple(
        Contact(at - timedelta(days=day), "voice", f"i{day}", f"d{day}", offer, group, outcome)
        for day, offer, group, outcome in [
            (100, "offer-0", "group-0", Outcome.DECLINED),
            (20, "offer-0", "group-0", Outcome.PRESENTED),
            (20, "offer-0", "group-0", Outcome.DECLINED),
            (5, "offer-3", "group-0", Outcome.NO_RESPONSE),
        ]
    )
    facts = {
        "customer.age": 44.0,
        "customer.contract": "yearly",
        "customer.has_internet": True,
        "interaction.channel": "web",
    }
    request = replace(requests_sample[0], facts=facts, history=history)
    shown = [
        Treatment(catalog.offers["offer-0"], catalog.incentives["discount"]),
        Treatment(catalog.offers["offer-6"], catalog.incentives["none"]),
        Treatment(catalog.offers["offer-1"], catalog.incentives["none"]),
    ]
    rows = encoding.encode(request, shown)
    assert rows.shape == (3, len(encoding.inputs))
    assert column(encoding, rows, "customer.age") == [44.0] * 3
    assert column(encoding, rows, "customer.has_internet") == [1.0] * 3
    contracts = encoding.vocabularies["customer.contract"]
    assert column(encoding, rows, "customer.contract") == [contracts["yearly"]] * 3
    assert np.isnan(column(encoding, rows, "customer.calls_30d")).all()
    assert np.isnan(column(encoding, rows, "event.type")).all()
    assert column(encoding, rows, "offer.id") == [0.0, 6.0, 1.0]
    assert column(encoding, rows, "offer.price") == [10.0, 16.0, 11.0]
    assert column(encoding, rows, "incentive.cost") == [20.0, 0.0, 0.0]
    assert column(encoding, rows, "incentive.percent")[0] == 10.0
    assert column(encoding, rows, "offer_history.exposures_90d") == [1.0, 0.0, 0.0]
    assert column(encoding, rows, "offer_history.declines_90d") == [1.0, 0.0, 0.0]
    # offer-6 was never shown, but two offers of its group were.
    assert column(encoding, rows, "offer_history.group_exposures_90d") == [2.0, 2.0, 0.0]


def test_people_and_event_details_are_no_columns(schema: FactSchema, catalog: Catalog) -> None:
    wider = FactSchema({**schema.types, "interaction.agent_id": FactType.TEXT})
    inputs = Encoding.fit(wider, catalog).inputs
    assert "event.type" in inputs
    assert not {"customer.customer_id", "interaction.agent_id", "event.amount"} & set(inputs)


def test_values_of_the_wrong_type_or_not_finite_are_unknown(
    schema: FactSchema,
    catalog: Catalog,
    treatments: list[Treatment],
    requests_sample: list[Request],
) -> None:
    encoding = Encoding.fit(schema, catalog, requests_sample)
    odd: dict[str, float | str | bool] = {
        "customer.age": "forty",
        "customer.contract": 3.0,
        "customer.calls_30d": float("inf"),
    }
    rows = encoding.encode(replace(requests_sample[0], facts=odd), treatments[:1])
    for name in odd:
        assert np.isnan(column(encoding, rows, name)).all()


def test_json_round_trip_encodes_the_same(
    schema: FactSchema,
    catalog: Catalog,
    treatments: list[Treatment],
    requests_sample: list[Request],
) -> None:
    encoding = Encoding.fit(schema, catalog, requests_sample)
    again = Encoding.from_json(encoding.to_json())
    assert again == encoding
    for request in requests_sample:
        ours, theirs = (one.encode(request, treatments) for one in (encoding, again))
        assert np.array_equal(ours, theirs, equal_nan=True)


def test_rare_categories_are_unknown_and_the_frequent_kept(
    catalog: Catalog,
    make_request: Callable[[np.random.Generator, int], Request],
) -> None:
    schema = FactSchema({"customer.town": FactType.TEXT})
    base = make_request(np.random.default_rng(0), 0)
    towns = [f"rare-{number:03}" for number in range(200)] + ["big"] * 3
    requests = [replace(base, facts={"customer.town": town}) for town in towns]
    codes = Encoding.fit(schema, catalog, requests).vocabularies["customer.town"]
    assert len(codes) == MAX_CATEGORIES
    assert "big" in codes


def test_a_new_catalogue_version_is_read_anew(
    schema: FactSchema, catalog: Catalog, requests_sample: list[Request]
) -> None:
    encoding = Encoding.fit(schema, catalog, requests_sample)
    offer, none = catalog.offers["offer-0"], catalog.incentives["none"]
    for value in (100.0, 250.0, 100.0):
        changed = Treatment(replace(offer, value=value), none)
        rows = encoding.encode(requests_sample[0], [changed])
        assert column(encoding, rows, "offer.value") == [value]
