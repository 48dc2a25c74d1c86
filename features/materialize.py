"""Bring batch tables to the online store, through Feast itself."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from features.schema import FeatureSchema
from features.sources import check_sources
from nbo.errors import Problem, WorkspaceError

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

    from features.packed_online import PackedOnlineStore

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def apply(repo_path: Path, redis_url: str, schema_path: Path) -> FeatureSchema:
    """Compile the definitions, register them with Feast and save the schema for serving.

    Args:
        repo_path: Folder with `feature_store.yaml` and `definitions.py`.
        redis_url: Where the online store is; overrides the connection in `feature_store.yaml`.
        schema_path: Where to save the compiled schema (JSON).

    Raises:
        WorkspaceError: The definitions are wrong, or a table lacks what they name; nothing was
            registered.
    """
    from feast import FeatureView

    from features.compilation import read_definitions

    definitions = read_definitions(repo_path)
    views = [value for value in definitions.feast if isinstance(value, FeatureView)]
    check_sources(repo_path, views, definitions.schema.identities)
    store = _store(repo_path, redis_url)
    with _quiet():
        gone: list[Any] = _undefined(store, definitions.feast)
        store.apply(list(definitions.feast), gone, partial=False)
    definitions.schema.save(schema_path)
    return definitions.schema


def materialize(repo_path: Path, redis_url: str, upto: datetime) -> dict[str, int]:
    """Write each customer's latest row at or before `upto` of every view to the online store.

    Args:
        repo_path: Folder with `feature_store.yaml`; `apply` must have run.
        redis_url: Where the online store is.
        upto: Rows after it are left for later, UTC.

    Returns:
        Rows written, by view.

    Raises:
        WorkspaceError: A table lacks what a view reads; nothing was written.
    """
    store = _store(repo_path, redis_url)
    registered = store.list_feature_views()
    check_sources(repo_path, registered)
    with _quiet():
        views = [view.name for view in registered]
        store.materialize(start_date=_BEGINNING, end_date=upto)
        written = cast("PackedOnlineStore", cast(Any, store._get_provider()).online_store).written
    return {view: written[view] for view in views}


def load_identities(repo_path: Path, redis_url: str, schema: FeatureSchema, country: str) -> int:
    """Load the identities the definitions name; customers not listed there keep theirs.

    Args:
        repo_path: The feature repo; the source is relative to it.
        redis_url: Where the online store is.
        schema: Names the source.
        country: Of phone numbers without country code, two letters.

    Returns:
        How many identities were loaded; 0 without a source.

    Raises:
        BadInputError: Names the first row that is no identity; nothing was loaded.
    """
    if not schema.identities:
        return 0
    import polars as pl
    import redis

    from features.identity import Identity, load

    rows = pl.read_parquet(repo_path / schema.identities)
    if "score" not in rows.columns:
        rows = rows.with_columns(score=pl.lit(1.0))
    identities = rows.select(
        pl.col("customer_id").cast(pl.String), "kind", pl.col("value").cast(pl.String), "score"
    )
    with redis.Redis.from_url(redis_url) as client:
        return load(client, map(Identity._make, identities.iter_rows()), country)


def _store(repo_path: Path, redis_url: str) -> FeatureStore:
    """Open Feast on a repo with the given Redis, whatever the environment says."""
    from feast import FeatureStore

    from features.packed_online import PackedOnlineStoreConfig

    store = FeatureStore(repo_path=str(repo_path))
    online = store.config.online_store
    if not isinstance(online, PackedOnlineStoreConfig):
        file = str(repo_path / "feature_store.yaml")
        message = "online_store.type must be features.packed_online.PackedOnlineStore"
        raise WorkspaceError([Problem(file, 0, 0, message)])
    online.connection = redis_url
    registry = store.config.registry
    if "://" not in registry.path:
        (repo_path / registry.path).parent.mkdir(parents=True, exist_ok=True)
    return store


def _undefined(store: FeatureStore, defined: Sequence[object]) -> list[FeatureView]:
    """Views that the registry still has and the definitions have no more."""
    names = {getattr(value, "name", "") for value in defined}
    return [view for view in store.list_feature_views() if view.name not in names]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Feast's progress bars and notices out of our output."""
    os.environ.setdefault("FEAST_USAGE", "False")
    feast_log = logging.getLogger("feast")
    level = feast_log.level
    feast_log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        feast_log.setLevel(level)
