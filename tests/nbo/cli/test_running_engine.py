"""Commands beside a running engine: bulk doors, and what changed since it was started."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from unittest import mock

import polars as pl
import pytest
import sqlalchemy

from nbo.cli.demo import free_address
from nbo.cli.load import load_features
from nbo.cli.main import main
from nbo.settings import Settings
from serving.supervisor import Deployment

LOADED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace(make_corner):
    settings = Settings.load(make_corner())
    with Deployment(settings, listen=free_address(), quiet=True) as running:
        load_features(settings, running.stores, LOADED)
        yield settings.directory


def nbo(workspace, *arguments):
    """Exit code and everything printed."""
    out = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["nbo", *map(str, arguments), "-w", str(workspace)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
    ):
        try:
            main()
        except SystemExit as end:
            return end.code or 0, out.getvalue()
    return 0, out.getvalue()


def test_events_of_a_file_are_published_once(workspace, tmp_path):
    at = datetime.now(UTC) - timedelta(hours=1)
    events = pl.DataFrame(
        {
            "event_id": ["f-1", "f-2", "f-3"],
            "customer_id": ["c-7", "c-7", "c-8"],
            "type": ["shop.visited", "web.clicked", "shop.visited"],
            "at": [at] * 3,
            "spent": [2.5, None, 4.0],
            "topic": [None, "bread", None],
        }
    )
    file = tmp_path / "events.parquet"
    events.write_parquet(file)
    code, said = nbo(workspace, "features", "import-events", file, "--json")
    assert (code, json.loads(said)) == (0, {"accepted": 3, "duplicates": 0, "refused": 0})
    _, said = nbo(workspace, "features", "import-events", file)
    assert "duplicates: 3" in said


def test_wrong_events_of_a_file_are_told_with_their_row(workspace, tmp_path):
    at = [datetime.now(UTC)] * 2
    wrong = {"event_id": ["g-1", "g-2"], "customer_id": ["c-7"] * 2, "at": at}
    file = tmp_path / "events.parquet"
    pl.DataFrame({**wrong, "type": ["shop.visited", "shop.robbed"]}).write_parquet(file)
    code, said = nbo(workspace, "features", "import-events", file)
    assert code == 6
    assert "accepted: 1" in said
    assert "events.parquet:2" in said.replace("\n", "")
    pl.DataFrame(wrong).write_parquet(file)
    code, said = nbo(workspace, "features", "import-events", file)
    assert code == 2
    assert "type" in said


def test_the_ledgers_url_can_be_connected_to(workspace):
    code, url = nbo(workspace, "ledger", "url")
    assert code == 0
    engine = sqlalchemy.create_engine(url.strip())
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM decision").scalar_one() >= 0
    engine.dispose()


def test_attributes_are_read_as_their_declared_kind(workspace):
    assert nbo(workspace, "event", "c-9", "web.clicked", "--set", "topic=5")[0] == 0
    code, said = nbo(workspace, "event", "c-9", "shop.visited", "--set", "spent=much")
    assert code == 2
    assert "must be a number" in said
    code, said = nbo(workspace, "offers", "c-10", "--set", "topic=5")
    assert code == 2
    assert "--event" in said


def test_a_change_under_a_running_engine_is_noticed_and_refused(workspace):
    assert "in force" in nbo(workspace, "doctor")[1]
    catalog = workspace / "catalog.yaml"
    before = catalog.read_text()
    catalog.write_text(before.replace("value: 20", "value: 21"))
    try:
        assert "nbo catalog publish" in nbo(workspace, "doctor")[1]
    finally:
        catalog.write_text(before)
    definitions = workspace / "feature_repo" / "definitions.py"
    before = definitions.read_text()
    definitions.write_text(before + "\n# changed\n")
    try:
        for command in (("features", "materialize"), ("train",)):
            code, said = nbo(workspace, *command)
            assert code == 1
            assert "restart `nbo up`" in said
        assert "restart nbo up" in nbo(workspace, "doctor")[1]
    finally:
        definitions.write_text(before)


def test_a_workspace_that_does_not_run_never_speaks_to_another_ones_engine(workspace, make_corner):
    other = make_corner()
    address = Settings.load(workspace).serving.listen
    code, told = nbo(other, "catalog", "publish", "--author", "Ada")
    assert code == 5
    assert f"the engine of {other} does not run" in " ".join(told.split())
    assert Settings.load(other).serving.listen == address, "both would be found there"
