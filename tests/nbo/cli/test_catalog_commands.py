"""`nbo catalog …` as marketing meets it: from a typed change to a live one, and back."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from nbo.cli.demo import free_address
from nbo.cli.doctor import examine
from nbo.cli.main import main
from nbo.settings import Settings
from serving.supervisor import Deployment


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def nbo(workspace, *arguments):
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["nbo", *map(str, arguments), "-w", str(workspace)]),
        mock.patch("nbo.cli.output.console._width", 200),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            return Ended(end.code or 0, out.getvalue(), err.getvalue())
    return Ended(0, out.getvalue(), err.getvalue())


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture
def workspace(make_corner):
    """A workspace that nothing runs of."""
    return make_corner()


@pytest.fixture
def folder(workspace):
    """The same, its catalogue cut into two files."""
    file = workspace / "catalog.yaml"
    text = file.read_text()
    cut = text.index("offers:\n")
    (workspace / "catalog").mkdir()
    (workspace / "catalog" / "base.yaml").write_text(text[:cut])
    (workspace / "catalog" / "offers.yaml").write_text(text[cut:])
    file.unlink()
    return workspace


@pytest.fixture(scope="module")
def running(make_corner):
    settings = Settings.load(make_corner())
    with Deployment(settings, listen=free_address(), quiet=True):
        yield settings.directory


def test_a_valid_catalogue_needs_no_engine(workspace):
    said = nbo(workspace, "catalog", "validate")
    assert said.code == 0
    assert "valid, version" in said.out


def test_thirty_mistakes_are_thirty_lines(workspace):
    file = workspace / "catalog.yaml"
    lines = len(file.read_text().rstrip().splitlines())
    wrong = "".join(f"  - {{id: w-{i}, group: nowhere-{i}}}\n" for i in range(30))
    file.write_text(file.read_text().rstrip() + "\n" + wrong)
    said = nbo(workspace, "catalog", "validate")
    assert said.code == 6
    for line in range(lines + 1, lines + 31):
        assert f"catalog.yaml:{line}:" in said.err
    told = nbo(workspace, "catalog", "validate", "--json")
    assert told.code == 6
    problems = json.loads(told.out)["problems"]
    assert {p["line"] for p in problems} == set(range(lines + 1, lines + 31))


def test_a_draft_elsewhere_is_checked_by_its_own_name(workspace, tmp_path):
    draft = tmp_path / "draft.yaml"
    draft.write_text((workspace / "catalog.yaml").read_text().replace("value: 5", "value: much"))
    said = nbo(workspace, "catalog", "validate", draft)
    assert said.code == 6
    assert f"{draft}:" in said.err
    assert nbo(workspace, "catalog", "validate", tmp_path / "absent.yaml").code == 6


def test_a_folder_is_one_catalogue(folder):
    assert nbo(folder, "catalog", "validate").code == 0
    replace(folder / "catalog" / "offers.yaml", "!customer.has_card", "!customer.has_crad")
    said = nbo(folder, "catalog", "validate")
    assert said.code == 6
    assert said.err.startswith("catalog/offers.yaml:")
    assert "did you mean" in said.err


def test_a_file_and_a_folder_are_one_too_many(folder):
    (folder / "catalog.yaml").write_text("currency: EUR\n")
    said = nbo(folder, "catalog", "validate")
    assert said.code == 6
    assert "not both" in said.err
    finding = next(f for f in examine(folder) if f.what == "catalogue")
    assert "not both" in finding.detail


def test_a_workspace_without_a_catalogue_is_told(workspace):
    (workspace / "catalog.yaml").unlink()
    assert "does not exist: check the path" in nbo(workspace, "catalog", "validate").err
    (workspace / "catalog").mkdir()
    assert "no *.yaml file" in nbo(workspace, "catalog", "validate").err


def test_the_currency_is_the_workspaces(workspace):
    replace(workspace / "nbo.toml", 'country = "DE"', 'country = "DE"\ncurrency = "CHF"')
    said = nbo(workspace, "catalog", "validate")
    assert said.code == 6
    assert "currency must be CHF, as in nbo.toml, was EUR" in said.err


def test_without_an_engine_nothing_is_published(workspace):
    replace(workspace / "nbo.toml", "127.0.0.1:50561", free_address())
    said = nbo(workspace, "catalog", "publish")
    assert said.code == 5
    assert "nbo up" in said.err


def test_from_a_typed_change_to_a_live_one_and_back(running):
    file = running / "catalog.yaml"
    first = json.loads(nbo(running, "catalog", "history", "--json").out)[0]["version"]
    replace(file, "value: 5\n", "value: 6\n")
    assert "offer shop-card: value: 5 → 6" in nbo(running, "catalog", "diff").out
    found = {finding.what: finding for finding in examine(running)}["in force"]
    assert found.state == "warning"
    assert "nbo catalog publish" in found.remedy

    said = nbo(running, "catalog", "publish", "--author", "Ada", "-m", "worth more")
    assert said.code == 0, said.err
    assert "in force: " in said.out
    assert "nothing changed" in nbo(running, "catalog", "publish").out
    assert "no difference" in nbo(running, "catalog", "diff").out
    assert {f.what: f for f in examine(running)}["in force"].state == "ok"
    history = nbo(running, "catalog", "history").out
    assert "worth more" in history
    assert "Ada" in history

    second = json.loads(nbo(running, "catalog", "history", "--json").out)[0]["version"]
    assert nbo(running, "catalog", "show").out == file.read_text()
    conflict = nbo(running, "catalog", "publish", "--based-on", first)
    assert conflict.code == 0  # what is in force already conflicts with nothing
    replace(file, "value: 6\n", "value: 7\n")
    conflict = nbo(running, "catalog", "publish", "--based-on", first)
    assert conflict.code == 4
    assert second in conflict.err

    assert nbo(running, "catalog", "rollback").code == 0
    assert "value: 5\n" in nbo(running, "catalog", "show").out
    shown = nbo(running, "catalog", "diff", "--version", second).out
    assert "value: 5 → 6" in shown
    assert nbo(running, "catalog", "show", "0123456789ab").code == 3
    replace(file, "value: 7\n", "value: 5\n")


def test_a_wrong_catalogue_is_not_published(running):
    file = running / "catalog.yaml"
    before = nbo(running, "catalog", "history", "--json").out
    replace(file, "value: 5\n", "value: much\n")
    try:
        said = nbo(running, "catalog", "publish")
        assert said.code == 6
        assert said.err.startswith("catalog.yaml:")
        assert "much" in said.err
        assert nbo(running, "catalog", "history", "--json").out == before
    finally:
        replace(file, "value: much\n", "value: 5\n")


def test_a_preview_without_decisions_says_what_is_missing(running):
    said = nbo(running, "catalog", "preview")
    assert said.code == 8
    assert "ask for offers first" in said.err


def test_a_folder_is_published_and_shown_file_by_file(running):
    text = (running / "catalog.yaml").read_text().replace("value: 5\n", "value: 9\n")
    cut = text.index("offers:\n")
    other = running / "autumn"
    other.mkdir()
    (other / "base.yaml").write_text(text[:cut])
    (other / "offers.yaml").write_text(text[cut:])
    assert nbo(running, "catalog", "publish", other).code == 0
    shown = nbo(running, "catalog", "show").out
    assert shown.startswith("--- # file: autumn/base.yaml\n")
    assert "--- # file: autumn/offers.yaml\noffers:" in shown
    assert "no difference" in nbo(running, "catalog", "diff", other).out
    assert nbo(running, "catalog", "rollback").code == 0


def test_the_schema_is_json(tmp_path):
    (tmp_path / "nbo.toml").write_text('[workspace]\nname = "x"\n')
    with mock.patch.object(sys, "argv", ["nbo", "catalog", "schema"]):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main()
    assert "offers" in json.loads(out.getvalue())["properties"]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["catalog", "history", "--limit", "0"], "--limit"),
        (["catalog", "preview", "--sample", "0"], "--sample"),
        (["catalog", "publish", "--author", "A" * 129], "--author"),
        (["catalog", "rollback", "--comment", "c" * 1001, "--author", "Ada"], "--comment"),
        (["decision", "explain", "x", "--near", "51"], "--near"),
    ],
)
def test_a_mistake_is_told_by_the_option_it_was_typed_with(running, arguments, option):
    said = nbo(running, *arguments)
    assert said.code == 2
    assert said.err.startswith(f"{option}: must be")


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("no username")])
def test_an_account_without_a_name_is_asked_who_publishes(running, error):
    with mock.patch("getpass.getuser", side_effect=error):
        for command in ("publish", "rollback"):
            said = nbo(running, "catalog", command)
            assert said.code == 2
            assert "--author or NBO_AUTHOR" in said.err
        assert nbo(running, "catalog", "publish", "--author", "Ada").code == 0
