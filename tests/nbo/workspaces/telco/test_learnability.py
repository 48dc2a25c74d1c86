"""A model that sees only what is on record gets most of the way to the hidden truth."""

import numpy as np
import polars as pl
import pytest
from world.behaviour import probability
from world.eligibility import eligible
from world.past import situation
from world.population import take

from nbo.decision.history import Contact, Outcome, history_facts
from nbo.decision.request import Request
from training.examples import Example
from training.fit import fit


@pytest.fixture(scope="module")
def contacts(written):
    log = pl.read_parquet(written / "data" / "past_offers.parquet")
    past = {}
    for row in log.iter_rows(named=True):
        contact = Contact(
            row["at"],
            row["channel"],
            row["interaction_id"],
            row["decision_id"],
            row["offer_id"],
            row["group_id"],
            Outcome(row["outcome"]),
        )
        past.setdefault(row["customer_id"], []).append(contact)
    return log, past


@pytest.fixture(scope="module")
def fitted(contacts, schema, compiled):
    log, past = contacts
    names = [name for name in log.columns if "." in name]
    examples = []
    for row in log.iter_rows(named=True):
        facts = {name: row[name] for name in names if row[name] is not None}
        earlier = tuple(c for c in past[row["customer_id"]] if c.at < row["at"])
        facts |= history_facts(earlier, row["at"])
        request = request_of(row, facts, earlier)
        accepted = row["outcome"] == "ACCEPTED"
        examples.append(
            Example(request, row["offer_id"], row["incentive_id"], accepted, row["outcome_at"])
        )
    return fit(examples, schema.fact_schema(), compiled.catalog, seed=1)


def request_of(row, facts, history):
    return Request(
        decision_id=row["decision_id"],
        customer_id=row["customer_id"],
        interaction_id=row["interaction_id"],
        at=row["at"],
        channel="voice",
        language="en",
        slots=1,
        facts=facts,
        history=history,
        seed=1,
    )


def test_the_model_is_good_and_not_too_good_to_be_true(fitted):
    figures = fitted.report.figures
    auc = figures["model"].auc.value
    assert 0.70 < auc < 0.85
    assert auc > max(f.auc.value for name, f in figures.items() if name != "model") + 0.08
    assert figures["model"].ece.value < 0.05


def test_most_of_the_gap_to_the_truth_is_closed(fitted, lived, contacts, schema, compiled):
    world, history = lived
    calls = world.calls.sample(1_500, seed=4).sort("day", "row")
    rows = calls["row"].to_numpy()
    past = history.past.take(rows)
    profile = take(history.profile, rows)
    truth = probability(world.people.take(rows), profile, situation(calls, past), world.terms)
    facts = _facts(world, calls, profile, schema)
    may = eligible(
        profile, np.array([f.get("customer.data_gb", np.nan) for f in facts]), world.terms
    )
    guess = _guess(fitted.model, calls, facts, contacts[1], compiled, world.terms)
    margin = np.broadcast_to(world.terms.margin, truth.shape)

    def earned(score):
        flat = np.where(may, score, -np.inf).reshape(len(may), -1)
        at = (np.arange(len(flat)), flat.argmax(axis=1))
        return (truth * margin).reshape(len(flat), -1)[at][may.any(axis=(1, 2))].mean()

    plain = np.where(np.arange(truth.shape[2]) == 0, 0.0, -1e6)
    generic, engine, oracle = (earned(s) for s in (margin + plain, guess * margin, truth * margin))
    assert generic < engine < oracle
    assert 0.6 < (engine - generic) / (oracle - generic) < 0.95


def _facts(world, calls, profile, schema):
    from world.log import interaction_facts, window_facts

    known = pl.concat(
        [
            window_facts(world, calls.select("customer_id", "at"), schema),
            interaction_facts(calls),
            pl.DataFrame({f"customer.{name}": column for name, column in profile.items()}),
        ],
        how="horizontal",
    ).drop("customer_id", "at")
    return [{k: v for k, v in row.items() if v is not None} for row in known.to_dicts()]


def _guess(model, calls, facts, past, compiled, terms):
    shape = (calls.height, len(terms.offers), len(terms.incentives))
    guess = np.zeros(shape)
    where = [
        (terms.offers.index(o.offer_id), terms.incentives.index(i.incentive_id))
        for o, i in compiled.treatments
    ]
    offers, incentives = (np.array(column) for column in zip(*where, strict=True))
    for number, call in enumerate(calls.iter_rows(named=True)):
        contacts = tuple(past.get(call["customer_id"], ()))
        known = {**facts[number], **history_facts(contacts, call["at"])}
        row = {**call, "decision_id": "d", "interaction_id": "i"}
        scores = model.score(request_of(row, known, contacts), compiled.treatments)
        guess[number, offers, incentives] = scores.probability
    return guess
