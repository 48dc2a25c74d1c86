"""One training run from a real ledger into a real registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from models.registry import CHALLENGER, Registry
from nbo.decision.catalog import Catalog
from nbo.decision.decision import Decision, Slot
from nbo.decision.facts import FactSchema
from nbo.decision.history import Outcome
from nbo.decision.record import to_record
from nbo.errors import NotEnoughDataError
from nbo.ledger import decisions, outcomes
from training.examples import Example
from training.fit import MODEL, MOVING_AVERAGE
from training.train import train, train_on

MakeExamples = Callable[..., list[Example]]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    state = tmp_path_factory.mktemp("training-registry")
    return Registry(f"sqlite:///{state}/mlflow.db", state / "artifacts")


def remember(engine: Engine, examples: list[Example]) -> None:
    """Write examples into the ledger as the engine would have: decision, then outcome."""
    records = []
    for one in examples:
        slot = Slot(
            1, one.offer_id, "g", one.incentive_id, 1.0, 0.2, 0.2, 100.0, 20.0, 1.0, 1.0, ()
        )
        versions = {"catalog": "c", "model": "prior", "engine": "0"}
        records.append(to_record(Decision(one.request, {}, (slot,), (), versions)))
    decisions.append(engine, records)
    for one, record in zip(examples, records, strict=True):
        kind = Outcome.ACCEPTED if one.accepted else Outcome.DECLINED
        given = outcomes.OutcomeInput(
            idempotency_key=f"k-{one.request.decision_id}",
            decision_id=one.request.decision_id,
            rank=1,
            kind=kind,
            reason="",
            at=one.at,
        )
        outcomes.record(engine, given, record)


def test_from_the_ledger_to_the_champion(
    engine: Engine,
    registry: Registry,
    make_examples: MakeExamples,
    schema: FactSchema,
    catalog: Catalog,
) -> None:
    examples = make_examples(600)
    remember(engine, examples)
    now = examples[-1].at + timedelta(minutes=1)
    report = train(
        engine, registry, schema, catalog, "telco", attribution=timedelta(days=7), now=now
    )
    assert (report.version, report.promoted) == ("1", True)
    assert report.fit.exposures == 600
    assert report.fit.accepted == sum(one.accepted for one in examples)
    assert registry.load("telco").version == "champion/1"
    body = json.loads(json.dumps(report.to_dict()))
    assert set(body["figures"]) >= {MODEL, MOVING_AVERAGE}
    assert body["figures"][MODEL]["auc"][1] <= body["figures"][MODEL]["auc"][2]
    assert body["never_observed"] == list(report.fit.never_observed)
    assert "interaction.intent" in body["never_observed"]
    assert "customer.age" not in body["never_observed"]
    # An earlier instant knows less.
    half = train(
        engine,
        registry,
        schema,
        catalog,
        "telco",
        attribution=timedelta(days=7),
        now=examples[299].at,
    )
    assert half.fit.exposures == 300
    assert half.version == "2"


def test_an_empty_ledger_says_what_is_missing(
    engine: Engine,
    registry: Registry,
    make_examples: MakeExamples,
    schema: FactSchema,
    catalog: Catalog,
) -> None:
    with pytest.raises(NotEnoughDataError, match="200 more exposures"):
        train(
            engine,
            registry,
            schema,
            catalog,
            "empty",
            attribution=timedelta(days=7),
            now=make_examples(1)[0].at,
        )
    assert registry.champion_version("empty") is None


def test_a_model_clearly_worse_than_a_baseline_stays_a_challenger(
    registry: Registry, make_examples: MakeExamples, schema: FactSchema, catalog: Catalog
) -> None:
    examples = make_examples(2_000)
    good = train_on(examples, registry, schema, catalog, "turning")
    turned = [replace(one, accepted=not one.accepted) for one in examples[1_600:]]
    bad = train_on(examples[:1_600] + turned, registry, schema, catalog, "turning")
    assert (good.promoted, bad.promoted) == (True, False)
    assert registry.champion_version("turning") == good.version
    assert registry.version_of("turning", CHALLENGER) == bad.version
