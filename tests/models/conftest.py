"""A small world: a catalogue, a schema, customers whose answers follow a known law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import lightgbm
import numpy as np
import pytest

from models.batch import BatchPropensity
from models.calibration import Calibration, sigmoid
from models.encoding import Encoding
from nbo.decision.catalog import NO_INCENTIVE, Catalog, Channel, Group, Incentive, Offer, Treatment
from nbo.decision.facts import INTERACTION_FACTS, FactSchema, FactType
from nbo.decision.history import HISTORY_FACTS
from nbo.decision.request import Request

START = datetime(2026, 1, 1, tzinfo=UTC)


def _offer(number: int) -> Offer:
    return Offer(
        offer_id=f"offer-{number}",
        group_id=f"group-{number % 3}",
        name={"en": f"Offer {number}"},
        script={},
        value=100.0 + number,
        prior=0.2,
        channels=frozenset({"voice", "web"}),
        monthly_revenue=5.0,
        incentives=("none", "discount"),
        attributes={"price": 10.0 + number},
    )


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    discount = Incentive(
        "discount", {}, "discount", cost=20.0, monthly_cost=1.0, attributes={"percent": 10.0}
    )
    return Catalog(
        version="0123456789ab",
        currency="EUR",
        languages=("en",),
        channels={name: Channel(name) for name in ("voice", "web")},
        groups={f"group-{number}": Group(f"group-{number}") for number in range(3)},
        incentives={"none": NO_INCENTIVE, "discount": discount},
        offers={f"offer-{number}": _offer(number) for number in range(8)},
    )


@pytest.fixture(scope="session")
def schema() -> FactSchema:
    return FactSchema(
        {
            "customer.customer_id": FactType.TEXT,
            "customer.age": FactType.NUMBER,
            "customer.calls_30d": FactType.NUMBER,
            "customer.contract": FactType.TEXT,
            "customer.has_internet": FactType.FLAG,
            "event.amount": FactType.NUMBER,
            **INTERACTION_FACTS,
            **HISTORY_FACTS,
        }
    )


@pytest.fixture(scope="session")
def treatments(catalog: Catalog) -> list[Treatment]:
    return [
        Treatment(offer, catalog.incentives[incentive])
        for offer in catalog.offers.values()
        for incentive in offer.incentives
    ]


@pytest.fixture(scope="session")
def make_request() -> Callable[[np.random.Generator, int], Request]:
    """Build the request of one random customer; some facts are unknown."""

    def make(generator: np.random.Generator, number: int = 0) -> Request:
        facts: dict[str, float | str | bool] = {
            "customer.customer_id": f"c-{number}",
            "customer.age": float(generator.uniform(18, 80)),
            "customer.calls_30d": float(generator.poisson(2)),
            "customer.contract": str(generator.choice(["monthly", "yearly", "two years"])),
            "customer.has_internet": bool(generator.random() < 0.5),
            "interaction.channel": str(generator.choice(["voice", "web"])),
            "interaction.hour": float(generator.integers(8, 20)),
            "event.type": str(generator.choice(["moved", "cap_reached"])),
        }
        for name in ("customer.age", "event.type", "customer.contract"):
            if generator.random() < 0.1:
                del facts[name]
        return Request(
            decision_id=f"d-{number}",
            customer_id=f"c-{number % 500}",
            interaction_id=f"i-{number}",
            at=START + timedelta(minutes=number),
            channel=str(facts["interaction.channel"]),
            language="en",
            slots=3,
            facts=facts,
            history=(),
            seed=number,
        )

    return make


@pytest.fixture(scope="session")
def requests_sample(make_request: Callable[[np.random.Generator, int], Request]) -> list[Request]:
    generator = np.random.default_rng(7)
    return [make_request(generator, number) for number in range(6)]


@pytest.fixture(scope="session")
def batch_model(
    catalog: Catalog,
    schema: FactSchema,
    treatments: list[Treatment],
    make_request: Callable[[np.random.Generator, int], Request],
) -> BatchPropensity:
    """A small real model: older customers accept offers of even number, younger the others."""
    generator = np.random.default_rng(11)
    requests = [make_request(generator, number) for number in range(1500)]
    shown = [treatments[generator.integers(len(treatments))] for _ in requests]
    encoding = Encoding.fit(schema, catalog, requests)
    rows = np.concatenate(
        [encoding.encode(one, [what]) for one, what in zip(requests, shown, strict=True)]
    )
    age = np.array([float(one.facts.get("customer.age", 50.0)) for one in requests])
    even = np.array([int(what.offer.offer_id[-1]) % 2 == 0 for what in shown])
    logit = -1.0 + 0.05 * (age - 50.0) * np.where(even, 1.0, -1.0)
    accepted = generator.random(len(requests)) < sigmoid(logit)
    data = lightgbm.Dataset(
        rows[:1000], accepted[:1000], categorical_feature=list(encoding.categorical)
    )
    settings = {"objective": "binary", "num_leaves": 6, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, data, 60)
    raw = np.asarray(booster.predict(rows[1000:], raw_score=True))
    calibration = Calibration.fit(raw, accepted[1000:])
    evidence = Counter(what.offer.offer_id for what in shown)
    return BatchPropensity(booster, encoding, calibration, evidence, "champion/1")
