"""The doctor judges the files as they stand, not what was compiled of them before."""

from __future__ import annotations

import pytest

from nbo.cli.doctor import examine
from nbo.settings import Settings
from serving.workspace_state import prepare_schema


@pytest.fixture
def workspace(make_corner):
    return make_corner()


def found(workspace):
    return {finding.what: finding for finding in examine(workspace)}


def test_a_fresh_workspace_is_checked(workspace):
    findings = found(workspace)
    assert "not loaded yet" in findings["features"].detail
    assert findings["catalogue"].state == "ok"
    assert not Settings.load(workspace).schema_file.exists()


def test_a_mistake_in_a_fresh_catalogue_is_located(workspace):
    catalog = workspace / "catalog.yaml"
    catalog.write_text(catalog.read_text().replace("!customer.has_card", "!customer.has_crad"))
    finding = found(workspace)["catalogue"]
    assert finding.state == "error"
    assert "catalog.yaml:" in finding.detail
    assert "did you mean" in finding.detail


def test_a_catalogue_is_judged_by_the_features_as_they_are_now(workspace):
    prepare_schema(Settings.load(workspace))
    for file in (workspace / "feature_repo" / "definitions.py", workspace / "catalog.yaml"):
        file.write_text(file.read_text().replace("has_card", "has_badge"))
    findings = found(workspace)
    assert findings["features"].state == "warning"
    assert "changed since" in findings["features"].detail
    assert findings["catalogue"].state == "ok", findings["catalogue"].detail


def test_a_broken_feature_repo_is_located(workspace):
    definitions = workspace / "feature_repo" / "definitions.py"
    definitions.write_text(definitions.read_text() + "\nwindows = 1 / 0\n")
    finding = found(workspace)["features"]
    assert finding.state == "error"
    line = len(definitions.read_text().splitlines())
    assert f"definitions.py:{line}  ZeroDivisionError" in finding.detail
