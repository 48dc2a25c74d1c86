"""ExplainDecision and replay through the real server and the real ledger."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import UTC, timedelta
from typing import NamedTuple
from unittest import mock

import pytest
from rich.console import Console
from sqlalchemy import text

from nbo.cli import decision, explanation, output
from nbo.cli.main import main
from nbo.errors import BadInputError, NotEnoughDataError, NotFoundError
from nbo.ledger import decisions
from nbo.ledger.engine import open_ledger


@pytest.fixture(scope="module")
def ledger(deployment):
    engine = open_ledger(deployment.stores.ledger_url)
    yield engine
    engine.dispose()


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def nbo(deployment, *arguments):
    """Run the command in this process, as its entry point does."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    line = ["nbo", *map(str, arguments), "-w", str(deployment.settings.directory)]
    with (
        mock.patch.object(sys, "argv", line),
        mock.patch.object(explanation, "console", Console(file=out, width=160)),
        mock.patch.object(output, "console", Console(file=out, width=160)),
        mock.patch.object(decision, "console", Console(file=out, width=160)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return Ended(code, out.getvalue(), err.getvalue())


def stages(reply):
    return {stage.stage: stage.offers for stage in reply.funnel if stage.offers}


def test_a_fresh_decision_is_explained_at_once(client, now):
    asked = client.offers("c-40", interaction_id="i-40", at=now, refusals=True)
    told = client.explain(asked.decision_id)
    assert (told.decision_id, told.at, told.currency) == (asked.decision_id, asked.at, "EUR")
    assert stages(told) == {"suitability": 1, "offered": 1}
    assert list(told.refusals) == list(asked.refusals)
    (slot,) = told.slots
    assert (slot.offer_id, slot.value, slot.cost) == ("shop-card", 5.0, 0.0)
    product = slot.propensity * (slot.value - slot.cost) * slot.context * slot.lever
    assert product == pytest.approx(slot.priority, rel=1e-12)
    assert slot.priority == asked.slots[0].expected_value
    assert dict(told.versions) == dict(asked.versions)


def test_near_misses_say_what_would_have_to_differ(client, now):
    asked = client.offers("c-41", interaction_id="i-41", at=now)
    (miss,) = client.explain(asked.decision_id).near_misses
    assert (miss.offer_id, miss.stage, miss.rule) == (
        "bread-box",
        "suitability",
        "comes often enough",
    )
    assert miss.needed == "customer.visits_30d is 0, needs customer.visits_30d >= 2.0"
    assert not miss.HasField("allowed_from")
    assert not client.explain(asked.decision_id, near_misses=0).near_misses


def test_a_pause_says_from_when_on_it_is_allowed_again(client, now):
    first = client.offers("c-44", interaction_id="i-44", at=now)
    client.outcome(first.decision_id, 1, "DECLINED", at=now)
    again = client.offers("c-44", interaction_id="i-44", at=now + timedelta(minutes=1))
    misses = {one.offer_id: one for one in client.explain(again.decision_id).near_misses}
    card = misses["shop-card"]
    assert card.allowed_from.ToDatetime(UTC) == now + timedelta(days=60)
    assert card.needed.endswith("in another interaction")


def test_explaining_counts_and_writes_nothing(client, now, ledger):
    asked = client.offers("c-46", interaction_id="i-46", at=now)
    before = _rows(ledger)
    first = client.explain(asked.decision_id)
    for _ in range(3):
        assert client.explain(asked.decision_id).refusals == first.refusals
    assert client.offers("c-46", interaction_id="i-46", at=now).slots[0].offer_id == "shop-card"
    after = _rows(ledger)
    assert after["outcome"] == before["outcome"]
    assert after["catalogue_version"] == before["catalogue_version"]


@pytest.mark.parametrize(
    ("decision_id", "near", "error", "said"),
    [
        ("no-such-decision", None, NotFoundError, "decision"),
        ("", None, BadInputError, "decision_id"),
        ("d" * 129, None, BadInputError, "decision_id"),
        ("no-such-decision", -1, BadInputError, "near_misses"),
        ("no-such-decision", 51, BadInputError, "near_misses"),
    ],
)
def test_what_cannot_be_asked_is_named(client, decision_id, near, error, said):
    with pytest.raises(error, match=said):
        client.explain(decision_id, near)


def test_a_version_this_ledger_does_not_have_is_named(client, now, ledger):
    logged = _logged(client, now, ledger, "c-49", "d-of-another-ledger")
    logged["versions"]["catalog"] = "0123456789ab"
    decisions.append(ledger, [logged])
    with pytest.raises(NotFoundError, match="catalogue version '0123456789ab'"):
        client.explain("d-of-another-ledger")


def test_an_imported_decision_cannot_be_explained(client, now, ledger):
    logged = _logged(client, now, ledger, "c-50", "d-imported")
    logged["versions"] = {"catalog": "", "model": "imported", "engine": "imported"}
    for slot in logged["slots"]:
        slot |= {"probability": None, "propensity": None, "priority": None, "batch": None}
    del logged["scores"]
    with ledger.begin() as connection:
        decisions.insert(connection, [logged], imported=True)
    with pytest.raises(NotEnoughDataError, match="imported"):
        client.explain("d-imported")


def test_a_decision_of_an_earlier_catalogue_is_explained_with_that(client, now, ledger):
    asked = client.offers("c-52", interaction_id="i-52", at=now)
    record = _logged(client, now, ledger, "c-52", "d-earlier")
    in_force = record["versions"]["catalog"]
    with ledger.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO catalogue_version (version, text, author, comment) "
                "SELECT 'earlier', replace(text, 'value: 5', 'value: 7'), 'test', '' "
                "FROM catalogue_version WHERE version = :version LIMIT 1"
            ),
            {"version": in_force},
        )
        # What is in force must stay what it was.
        connection.execute(
            text(
                "INSERT INTO catalogue_version (version, text, author, comment) "
                "SELECT version, text, author, comment FROM catalogue_version "
                "WHERE version = :version LIMIT 1"
            ),
            {"version": in_force},
        )
    record["versions"]["catalog"] = "earlier"
    decisions.append(ledger, [record])
    assert client.explain("d-earlier").slots[0].value == 7.0
    assert client.explain(asked.decision_id).slots[0].value == 5.0


def test_without_a_model_there_are_no_reasons_and_it_is_said(client, now):
    asked = client.offers("c-53", interaction_id="i-53", at=now)
    told = client.explain(asked.decision_id)
    if asked.versions["model"].startswith("prior"):
        assert "acceptance rates" in told.without_reasons


def test_the_command_says_it_in_words(client, deployment, now):
    asked = client.offers("c-55", interaction_id="i-55", at=now)
    shown = nbo(deployment, "decision", "explain", asked.decision_id, "--all")
    assert shown.returncode == 0, shown.stderr
    assert "Where the offers ended" in shown.stdout
    assert "customer.visits_30d is 0, needs customer.visits_30d >= 2.0" in shown.stdout
    assert "Refused: suitability" in shown.stdout
    asked_json = nbo(deployment, "decision", "explain", asked.decision_id, "--json")
    assert json.loads(asked_json.stdout)["slots"][0]["offer_id"] == "shop-card"
    missing = nbo(deployment, "decision", "explain", "no-such")
    assert missing.returncode == 3
    assert "no-such" in missing.stderr


def test_what_was_decided_is_decided_again(client, deployment, now, ledger, eventually):
    several = [
        client.offers(f"c-{n}", interaction_id=f"i-r{n}", at=now, channel="voice", slots=2)
        for n in range(60, 70)
    ]
    ids = [one.decision_id for one in several]
    eventually(lambda: len(decisions.several(ledger, ids)), lambda n: n == len(ids))
    shown = nbo(deployment, "decision", "replay", *ids)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "10 decided again: 0 differences" in shown.stdout


def test_a_difference_is_told_and_ends_with_1(client, deployment, now, ledger):
    record = _logged(client, now, ledger, "c-74", "d-changed")
    record["slots"][0]["priority"] += 1.0
    decisions.append(ledger, [record])
    shown = nbo(deployment, "decision", "replay", "d-changed", "--json")
    assert shown.returncode == 1
    told = json.loads(shown.stdout)
    assert (told["replayed"], told["differing"]) == (1, 1)
    (difference,) = told["differences"]
    assert difference["field"] == "slots[0].priority"
    assert difference["logged"] == difference["again"] + 1.0


def test_what_cannot_be_replayed_is_counted(client, deployment, now, ledger):
    old = _logged(client, now, ledger, "c-73", "d-old")
    del old["scores"]
    lost = _logged(client, now, ledger, "c-73", "d-lost")
    lost["versions"]["catalog"] = "ba9876543210"
    decisions.append(ledger, [old, lost])
    with ledger.begin() as connection:
        other = _logged(client, now, ledger, "c-73", "d-other")
        decisions.insert(connection, [other], imported=True)
    shown = nbo(deployment, "decision", "replay", "d-old", "d-lost", "d-other", "--json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert json.loads(shown.stdout)["skipped"] == {
        "logged before scores were kept": 1,
        "catalogue version 'ba9876543210' is not in this ledger": 1,
        "imported from another system's log": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--last"),
        (("d-1", "--last", "3"), 2, "--last"),
        (("--since", "yesterday"), 2, "--since"),
        (("no-such-decision",), 3, "no-such-decision"),
    ],
)
def test_what_to_replay_must_be_said_and_be_there(deployment, arguments, code, said):
    shown = nbo(deployment, "decision", "replay", *arguments)
    assert shown.returncode == code, shown.stdout + shown.stderr
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr


def _logged(client, now, ledger, customer_id, decision_id):
    """A record as the engine logs it, under an id of its own."""
    import time

    asked = client.offers(customer_id, interaction_id=f"i-{decision_id}", at=now)
    for _ in range(500):
        if (record := decisions.get(ledger, asked.decision_id)) is not None:
            break
        time.sleep(0.02)
    record["request"]["decision_id"] = decision_id
    return record


def _rows(ledger):
    tables = ("outcome", "catalogue_version")
    with ledger.connect() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in tables
        }
