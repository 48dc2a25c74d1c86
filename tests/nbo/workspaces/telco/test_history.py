"""The half year of past offers: random, logged, consistent with the catalogue and the features."""

import json

import numpy as np
import polars as pl
import pytest
from world.behaviour import TRIGGERS
from world.eligibility import eligible
from world.past import MOST_CALLS
from world.population import People

from nbo.decision.decide import World, decide
from nbo.decision.prior import PriorPropensity
from nbo.decision.request import Request
from nbo.ledger.log_file import read_log


@pytest.fixture(scope="module")
def log(written):
    return pl.read_parquet(written / "data" / "past_offers.parquet")


def test_about_twenty_thousand_exposures_of_which_some_are_accepted(lived):
    _, history = lived
    assert 19_000 < history.exposures.height < 24_000
    accepted = (history.exposures["outcome"] == "ACCEPTED").mean()
    assert accepted == pytest.approx(history.exposures["truth"].mean(), abs=0.015)
    assert history.past.count.max() <= MOST_CALLS


def test_the_policy_was_uniform_and_said_so(lived):
    """The logged probability is one over the offers, and over the incentives of the one chosen."""
    world, history = lived
    shown, profiles = history.exposures, history.profiles
    sample = shown.with_row_index("exposure").sample(600, seed=7)
    then = sample.sort("at").join_asof(
        profiles.sort("event_timestamp"),
        left_on="at",
        right_on="event_timestamp",
        by="customer_id",
        check_sortedness=False,
    )
    profile = {name: then[name].to_numpy() for name in world.profile}
    may = eligible(profile, then["data_gb"].fill_null(np.nan).to_numpy(), world.terms)
    terms, days = world.terms, shown["day"].to_numpy()
    rows, offers = shown["row"].to_numpy(), shown["offer"].to_numpy()
    outcomes = shown["outcome"].to_numpy()
    for i, exposure in enumerate(then.iter_rows(named=True)):
        earlier = (rows == exposure["row"]) & (days < exposure["day"])
        for day, offer, outcome in zip(
            days[earlier], offers[earlier], outcomes[earlier], strict=True
        ):
            age = exposure["day"] - day
            if outcome == "ACCEPTED" and age < 45:
                may[i, terms.same_group[offer]] = False
            if outcome == "DECLINED" and age < 60:
                may[i, offer] = False
        assert may[i, exposure["offer"], exposure["incentive"]]
        choices = may[i].any(axis=1).sum() * may[i, exposure["offer"]].sum()
        assert exposure["probability"] == 1 / choices


def test_incentives_of_equal_probability_came_up_equally_often(lived):
    world, history = lived
    mesh = history.exposures.filter(pl.col("offer") == world.terms.offers.index("wifi-mesh"))
    mesh = mesh["incentive"].value_counts()["count"].to_numpy()
    assert len(mesh) == 3
    assert mesh.std() / mesh.mean() < 0.08


def test_the_log_reads_without_a_mistake(log):
    assert read_log(log).height == log.height


def test_what_was_offered_before_is_left_to_the_import(log):
    assert not [name for name in log.columns if name.startswith("history.")]


def test_no_feature_carries_the_hidden_side(lived, schema, log):
    world, history = lived
    named = {column for view in schema.views.values() for column, _ in view.columns}
    hidden = set(People.__annotations__)
    assert not hidden & (named | {window.name for window in schema.windows})
    assert not hidden & {column.split(".")[-1] for column in log.columns}
    assert not {"truth", "day", "row"} & set(log.columns)
    # And none of them by another name: nothing on record is a copy of a latent.
    rows = history.exposures["row"].to_numpy()
    numbers = log.select(pl.selectors.numeric() | pl.selectors.boolean()).cast(pl.Float64)
    for latent in ("sensitivity", "openness", "appetite", "screen", "caution", "coverage"):
        truth = getattr(world.people, latent)[rows]
        for name in numbers.columns:
            known = numbers[name].is_not_null().to_numpy()
            seen = numbers[name].to_numpy()
            if known.sum() > 100 and seen[known].std() > 0:
                assert abs(np.corrcoef(truth[known], seen[known])[0, 1]) < 0.9, (latent, name)
    assert np.abs(np.corrcoef(world.people.openness, world.people.sensitivity)[0, 1]) < 0.05


def test_the_log_agrees_with_the_catalogue(log, compiled):
    """Every past offer was one that the rules, as compiled, allow."""
    facts = [name for name in log.columns if name.split(".")[0] in {"customer", "event"}]
    world = World(compiled, PriorPropensity())
    for row in log.sample(400, seed=1).iter_rows(named=True):
        known = {name: row[name] for name in facts if row[name] is not None}
        decision = decide(_request(row, known), world)
        refused = {r.offer_id: r for r in decision.refusals if not r.incentive_id}
        assert row["offer_id"] not in refused, refused.get(row["offer_id"])


def test_rules_on_arrays_are_the_rules_of_the_catalogue(lived, compiled):
    world, history = lived
    rows = np.random.default_rng(2).choice(len(world.ids), 300, replace=False)
    profile = {name: column[rows] for name, column in history.profile.items()}
    gb = np.random.default_rng(3).uniform(0, 6, len(rows))
    may = eligible(profile, gb, world.terms)
    engine = World(compiled, PriorPropensity())
    for i in range(len(rows)):
        known = {f"customer.{name}": _plain(column[i]) for name, column in profile.items()}
        known |= {
            "customer.data_gb": float(gb[i]),
            "customer.complaints_opened_60d": 0.0,
            "customer.complaints_closed_60d": 0.0,
        }
        row = {"decision_id": f"d-{i}", "customer_id": "c", "interaction_id": "i"}
        row |= {"at": world.calls["at"][0], "channel": "voice"}
        decision = decide(_request(row, known), engine)
        refused = {r.offer_id for r in decision.refusals if not r.incentive_id}
        allowed = {offer for o, offer in enumerate(world.terms.offers) if may[i, o].any()}
        assert allowed == set(world.terms.offers) - refused, json.dumps(known)


def test_triggers_are_the_events_of_the_last_hour(lived):
    world, _ = lived
    calls = world.calls.filter(pl.col("trigger") > 0).head(500)
    assert calls.height == 500
    events = {row["event_id"]: row for row in world.events.to_dicts()}
    for call in calls.iter_rows(named=True):
        event = events[call["event_id"]]
        age = (call["at"] - event["at"]).total_seconds() / 60
        assert 0 <= age <= 60
        assert TRIGGERS[call["trigger"]].startswith(event["type"])
        assert event["customer_id"] == call["customer_id"]


def _plain(value):
    return value.item() if hasattr(value, "item") else value


def _request(row, facts):
    return Request(
        decision_id=row["decision_id"],
        customer_id=row["customer_id"],
        interaction_id=row["interaction_id"],
        at=row["at"],
        channel=row["channel"],
        language="en",
        slots=50,
        facts=facts,
        history=(),
        seed=1,
    )
