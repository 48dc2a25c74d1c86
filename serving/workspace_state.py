"""What a workspace compiles to before it serves: the feature schema and the checked catalogue."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import Engine

from features.schema import FeatureSchema, compile_schema
from nbo.decision.catalog_text import CompiledCatalog, load_catalog
from nbo.errors import NboError, Problem, WorkspaceError
from nbo.ledger import catalogs
from nbo.settings import Settings
from serving.running import read_running


def prepare_schema(settings: Settings) -> FeatureSchema:
    """The compiled schema, compiled anew only when the feature repo changed.

    Raises:
        WorkspaceError: the definitions are wrong; holds every problem found.
    """
    if is_schema_current(settings):
        return FeatureSchema.load(settings.schema_file)
    schema = compile_schema(settings.feature_repo)
    schema.save(settings.schema_file)
    mark_schema_current(settings)
    return schema


def mark_schema_current(settings: Settings) -> None:
    """Remember that the compiled schema belongs to the feature repo as it is now."""
    mark = settings.schema_file.with_suffix(".source")
    mark.write_text(feature_source(settings.feature_repo), encoding="utf-8")


def is_schema_current(settings: Settings) -> bool:
    """Whether the compiled schema belongs to the feature repo as it is now."""
    mark = settings.schema_file.with_suffix(".source")
    if not mark.is_file() or not settings.schema_file.is_file():
        return False
    return mark.read_text(encoding="utf-8") == feature_source(settings.feature_repo)


def require_served_features(settings: Settings) -> None:
    """Refuse to change what a running engine reads: it would know none of its customers.

    Raises:
        NboError: the engine runs, with other definitions than the feature repo holds now.
    """
    running = read_running(settings.state_dir)
    if running is not None and running.features != feature_source(settings.feature_repo):
        raise NboError(
            "feature_repo changed since the engine was started: restart `nbo up`, "
            "then run this again; nothing was changed"
        )


def read_catalog(settings: Settings, schema: FeatureSchema) -> tuple[str, CompiledCatalog]:
    """The workspace's catalogue file, as text and compiled.

    Raises:
        WorkspaceError: the file is missing or wrong; holds every problem found.
    """
    file = settings.catalog_file
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError([Problem(str(file), 0, 0, f"cannot be read: {error}")]) from error
    return text, load_catalog(text, str(file), schema.fact_schema())


def publish_catalog(ledger: Engine, text: str, compiled: CompiledCatalog, author: str) -> None:
    """Make this catalogue the one in force, unless it is already."""
    version = compiled.catalog.version
    current = catalogs.current(ledger)
    if current is None or current.version != version:
        catalogs.publish(ledger, version, text, author=author, comment="read from catalog.yaml")


def feature_source(repo: Path) -> str:
    """Fingerprint of the definitions in a feature repo."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(repo.rglob("*")):
        if file.suffix in {".py", ".yaml"} and file.is_file():
            digest.update(str(file.relative_to(repo)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
