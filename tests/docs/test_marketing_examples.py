"""The catalogue and the scenarios that marketing's page shows hold in the insurance workspace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from features.schema import FeatureSchema, compile_schema
from nbo.cli.scenarios.reading import Workspace, read_scenarios
from nbo.decision.catalog_schema import catalog_schema
from nbo.decision.catalog_text import load_catalog

ROOT = Path(__file__).parent.parent.parent
BLOCKS = re.findall(
    r"```yaml\n(.*?)```", (ROOT / "docs" / "marketing.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.fixture(scope="module")
def schema() -> FeatureSchema:
    return compile_schema(ROOT / "nbo" / "workspaces" / "insurance" / "feature_repo")


def test_the_catalogue_is_valid_and_whole(schema):
    compiled = load_catalog(BLOCKS[0], "marketing.md", schema.fact_schema())
    assert compiled.warnings == ()
    for section in catalog_schema()["properties"]:
        assert re.search(rf"^{section}:", BLOCKS[0], re.MULTILINE), section


def test_the_scenarios_can_be_told(schema, tmp_path):
    file = tmp_path / "shown.yaml"
    file.write_text(BLOCKS[1], encoding="utf-8")
    catalog = load_catalog(BLOCKS[0], "marketing.md", schema.fact_schema()).catalog
    assert len(read_scenarios([file], Workspace(schema, catalog, ""))) == 3
