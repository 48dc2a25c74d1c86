"""Whoever starts from the workspace gets the engine alone; the demo adds its experiment."""

import pytest

from nbo.cli.init import copy_workspace
from nbo.decision.catalog_text import load_catalog
from nbo.settings import Settings
from serving.plugins import load_attribute, load_models


@pytest.fixture
def folder(tmp_path):
    return copy_workspace("telco", tmp_path / "telco")


def catalog_of(folder, schema):
    text = (folder / "catalog.yaml").read_text(encoding="utf-8")
    return load_catalog(text, "catalog.yaml", schema.fact_schema()).catalog


def test_a_copy_of_ones_own_runs_no_experiment_and_no_oracle(folder, schema):
    assert not catalog_of(folder, schema).experiments
    assert not Settings.load(folder).models.plugins


def test_the_demo_compares_four_arms_and_knows_the_model_they_name(folder, schema):
    load_attribute(folder, "demo.py:prepare")(folder)
    catalog = catalog_of(folder, schema)
    (policy,) = catalog.experiments
    assert {arm.arm_id for arm in policy.arms} == {"generic", "propensity", "engine", "oracle"}
    models = load_models(folder, Settings.load(folder).models.plugins)
    assert {arm.model for arm in policy.arms if arm.model} <= set(models)


def test_preparing_changes_nothing_else(folder, telco):
    load_attribute(folder, "demo.py:prepare")(folder)
    for file in ("catalog.yaml", "nbo.toml"):
        ready = (telco / file).read_text(encoding="utf-8")
        assert (folder / file).read_text(encoding="utf-8").startswith(ready)
