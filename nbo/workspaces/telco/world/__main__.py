"""Write a simulated telecom into the workspace: run `python -m world` in its folder.

Makes `data/customers.parquet`, `identities.parquet`, `events.parquet`, `past_offers.parquet` and
the oracle's `hidden.npz`, for those who would rather load them step by step than watch the demo.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from features.schema import compile_schema
from world.create import create_world
from world.files import write_world
from world.history import live_through
from world.log import past_offers, window_facts
from world.terms import read_catalog


def main() -> None:
    """Create one world and write its files."""
    parser = argparse.ArgumentParser(prog="python -m world", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    seed: int = parser.parse_args().seed
    workspace = Path(__file__).resolve().parent.parent
    schema = compile_schema(workspace / "feature_repo")
    world = create_world(read_catalog(workspace, schema), seed)
    history = live_through(world, window_facts(world, world.past_calls, schema))
    write_world(workspace, world, history)
    data = workspace / "data"
    world.events.drop("row", "day").write_parquet(data / "events.parquet")
    log = past_offers(world, history, schema, workspace)
    log.write_parquet(data / "past_offers.parquet")
    print(
        f"{len(world.ids):,} customers, {world.events.height:,} events, {log.height:,} past offers"
    )


if __name__ == "__main__":
    main()
