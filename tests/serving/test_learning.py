"""From a log of past offers to a champion that serves, and an answer that moves it at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from nbo.cli.demo import free_address
from nbo.cli.load import load_features, load_log
from nbo.cli.train import train_champion
from nbo.client import Client
from nbo.errors import NotEnoughDataError
from nbo.settings import Settings
from serving.supervisor import Deployment

LOADED = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def corner(make_corner):
    settings = Settings.load(make_corner())
    with Deployment(settings, listen=free_address(), quiet=True) as running:
        load_features(settings, running.stores, LOADED)
        yield running


@pytest.fixture(scope="module")
def trained(corner):
    """The corner with a champion that learnt: who has been here long takes the card."""
    with pytest.raises(NotEnoughDataError):
        train_champion(corner.settings, corner.stores, NOW)
    path = corner.settings.directory / "past.parquet"
    past_offers().write_parquet(path)
    assert load_log(corner.stores, path)["decisions"] == 1500
    assert load_log(corner.stores, path)["decisions"] == 0
    report = train_champion(corner.settings, corner.stores, NOW)
    assert report.promoted
    assert report.fit.figures["model"].auc.low > 0.6
    return corner


def past_offers():
    rng = np.random.default_rng(3)
    n = 1500
    years = rng.integers(0, 20, n).astype(float)
    accepts = rng.random(n) < 1 / (1 + np.exp(-(years - 10) / 3))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "decision_id": [f"past-{i}" for i in range(n)],
            "at": [start + timedelta(minutes=50 * i) for i in range(n)],
            "customer_id": [f"old-{i}" for i in range(n)],
            "channel": ["voice"] * n,
            "offer_id": ["shop-card"] * n,
            "group_id": ["loyalty"] * n,
            "value": [5.0] * n,
            "probability": [1.0] * n,
            "outcome": ["ACCEPTED" if yes else "DECLINED" for yes in accepts],
            "customer.years": years,
            "customer.has_card": [False] * n,
        }
    )


def test_without_a_champion_the_priors_decide_until_answers_correct_them(corner, eventually):
    with Client(corner.target) as client:
        before = _ask(client, "c-31")
        assert before.slots[0].propensity == 0.5
        assert list(before.degraded) == ["prior propensity"]
        assert before.versions["model"] == "prior"
        assert set(before.versions) == {"catalog", "model", "engine"}
        others = [f"c-{i}" for i in range(40, 48) if i % 3]
        for customer in others:
            reply = _ask(client, customer)
            client.outcome(reply.decision_id, 1, "DECLINED", at=NOW)
        version = f"prior+online/{len(others)}"
        after = eventually(lambda: _ask(client, "c-31"), lambda r: r.versions["model"] == version)
        assert after.slots[0].propensity < 0.5
        assert not after.degraded


@pytest.fixture
def client(trained):
    with Client(trained.target) as connected:
        yield connected


def test_a_running_server_takes_the_champion_by_itself(client, eventually):
    reply = eventually(lambda: _ask(client, "c-31"), lambda r: "champion" in r.versions["model"])
    assert not reply.degraded
    newcomer, regular = _ask(client, "c-1"), _ask(client, "c-19")
    assert newcomer.slots[0].propensity < 0.3
    assert regular.slots[0].propensity > 0.7


def test_an_answer_reaches_the_served_weights(client, eventually):
    eventually(lambda: _ask(client, "c-31"), lambda r: "champion" in r.versions["model"])
    reply = _ask(client, "c-20")
    client.outcome(reply.decision_id, 1, "ACCEPTED", at=NOW)
    eventually(lambda: _learnt(_ask(client, "c-31")), lambda n: n > _learnt(reply))


def test_answers_move_the_propensity_the_right_way(client, eventually):
    eventually(lambda: _ask(client, "c-31"), lambda r: "champion" in r.versions["model"])
    before = _ask(client, "c-31")
    others = [f"c-{i}" for i in range(48, 100) if i % 3]
    for customer in others:
        reply = _ask(client, customer)
        client.outcome(reply.decision_id, 1, "DECLINED", at=NOW)
    target = _learnt(before) + len(others)
    after = eventually(lambda: _ask(client, "c-31"), lambda r: _learnt(r) >= target)
    assert after.slots[0].propensity < before.slots[0].propensity


def _ask(client, customer_id):
    return client.offers(customer_id, interaction_id=f"i-{customer_id}", at=NOW)


def _learnt(reply):
    return int(reply.versions["model"].rpartition("/")[2])
