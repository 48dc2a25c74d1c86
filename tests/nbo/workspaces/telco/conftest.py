import sys
from pathlib import Path

import pytest

from features.schema import compile_schema
from nbo.decision.catalog_text import load_catalog

TELCO = Path(__file__).parents[4] / "nbo" / "workspaces" / "telco"

# As the loader of workspaces does: the folder's own packages are found while it is used.
sys.path.insert(0, str(TELCO))


@pytest.fixture(scope="session")
def telco():
    return TELCO


@pytest.fixture(scope="session")
def schema():
    return compile_schema(TELCO / "feature_repo")


@pytest.fixture(scope="session")
def compiled(schema):
    text = (TELCO / "catalog.yaml").read_text(encoding="utf-8")
    return load_catalog(text, "catalog.yaml", schema.fact_schema())


@pytest.fixture(scope="session")
def lived(schema, compiled):
    """A world of the demo's size after its half year of history."""
    from world.create import create_world
    from world.history import live_through
    from world.log import window_facts

    world = create_world(compiled.catalog, seed=1)
    return world, live_through(world, window_facts(world, world.past_calls, schema))


@pytest.fixture(scope="session")
def written(lived, schema, tmp_path_factory):
    """A copy of the workspace with the world's tables and its log of past offers."""
    import shutil

    from world.files import write_world
    from world.log import past_offers

    folder = tmp_path_factory.mktemp("telco") / "telco"
    shutil.copytree(TELCO, folder, ignore=shutil.ignore_patterns("__pycache__", ".nbo", "data"))
    write_world(folder, *lived)
    past_offers(*lived, schema, folder).write_parquet(folder / "data" / "past_offers.parquet")
    return folder
