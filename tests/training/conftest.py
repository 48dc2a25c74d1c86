"""A world whose law of acceptance is known, and exposures drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from nbo.decision.catalog import NO_INCENTIVE, Catalog, Channel, Group, Incentive, Offer
from nbo.decision.facts import INTERACTION_FACTS, FactSchema, FactType
from nbo.decision.history import HISTORY_FACTS
from nbo.decision.request import Request
from training.examples import Example

START = datetime(2026, 1, 1, tzinfo=UTC)


def _offer(number: int) -> Offer:
    return Offer(
        offer_id=f"offer-{number}",
        group_id=f"group-{number % 2}",
        name={"en": f"Offer {number}"},
        script={},
        value=100.0,
        prior=0.2,
        channels=frozenset({"voice"}),
        incentives=("none", "discount"),
        attributes={"price": float(number)},
    )


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog(
        version="0123456789ab",
        currency="EUR",
        languages=("en",),
        channels={"voice": Channel("voice")},
        groups={name: Group(name) for name in ("group-0", "group-1")},
        incentives={
            "none": NO_INCENTIVE,
            "discount": Incentive("discount", {}, "discount", cost=20.0),
        },
        offers={f"offer-{number}": _offer(number) for number in range(4)},
    )


@pytest.fixture(scope="session")
def schema() -> FactSchema:
    return FactSchema(
        {
            "customer.age": FactType.NUMBER,
            "customer.contract": FactType.TEXT,
            **INTERACTION_FACTS,
            **HISTORY_FACTS,
        }
    )


def _truth(age: float, offer: int, incentive: str) -> float:
    logit = -1.0 + 0.05 * (age - 50.0) * (1 if offer % 2 else -1) + 0.6 * (incentive != "none")
    return float(1.0 / (1.0 + np.exp(-logit)))


@pytest.fixture(scope="session")
def truth() -> Callable[[float, int, str], float]:
    return _truth


@pytest.fixture(scope="session")
def make_examples() -> Callable[..., list[Example]]:
    def make(
        n: int,
        seed: int = 0,
        *,
        law: Callable[[float, int, str], float] = _truth,
        delay: timedelta = timedelta(minutes=5),
        offers: int = 4,
    ) -> list[Example]:
        """Exposures in order of time, ten minutes apart, labels known after `delay`."""
        generator = np.random.default_rng(seed)
        examples = []
        for number in range(n):
            age = float(generator.uniform(20, 80))
            offer = int(generator.integers(offers))
            incentive = str(generator.choice(["none", "discount"]))
            request = Request(
                decision_id=f"d-{number:06}",
                customer_id=f"c-{generator.integers(n // 3 + 1)}",
                interaction_id=f"i-{number}",
                at=START + timedelta(minutes=10 * number),
                channel="voice",
                language="en",
                slots=1,
                facts={
                    "customer.age": age,
                    "customer.contract": str(generator.choice(["monthly", "yearly"])),
                    "interaction.channel": "voice",
                },
                history=(),
                seed=number,
            )
            accepted = bool(generator.random() < law(age, offer, incentive))
            examples.append(
                Example(request, f"offer-{offer}", incentive, accepted, request.at + delay)
            )
        return examples

    return make
