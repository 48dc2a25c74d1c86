"""What a workspace compiles to before it serves: the feature schema and the checked catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from features.schema import FeatureSchema, compile_schema
from nbo.decision.catalog_text import CompiledCatalog
from nbo.errors import NboError, Problem, WorkspaceError, unreadable
from nbo.ledger import catalogs
from nbo.ledger.catalogs import Publication
from nbo.settings import Settings
from serving.catalog_files import CatalogFile, join
from serving.catalog_loading import load_undisturbed
from serving.published_catalogs import require_currency
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


def read_schema(settings: Settings) -> FeatureSchema:
    """The schema of the feature repo as it is now; nothing is written.

    Raises:
        WorkspaceError: the definitions are wrong; holds every problem found.
    """
    if is_schema_current(settings):
        return FeatureSchema.load(settings.schema_file)
    return compile_schema(settings.feature_repo)


def catalog_files(settings: Settings, path: Path | None = None) -> list[CatalogFile]:
    """The files of a catalogue, named relative to the workspace where they are inside it.

    Args:
        settings: The workspace.
        path: A file, or a folder of ``*.yaml`` files; by default the workspace's own
            ``catalog.yaml`` or ``catalog/``, exactly one of which must exist.

    Raises:
        WorkspaceError: there is none, there are both, or one cannot be read.
    """
    path = path or _only_catalog(settings)
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise WorkspaceError([Problem(_shown(settings, path), 0, 0, "holds no *.yaml file")])
    return [CatalogFile(_shown(settings, file), _read(settings, file)) for file in files]


def read_catalog(settings: Settings, schema: FeatureSchema) -> tuple[str, CompiledCatalog]:
    """The workspace's catalogue, as the text that is published and compiled.

    Raises:
        WorkspaceError: a file is missing or wrong; holds every problem found.
    """
    return compile_files(settings, catalog_files(settings), schema)


def compile_files(
    settings: Settings, files: Sequence[CatalogFile], schema: FeatureSchema
) -> tuple[str, CompiledCatalog]:
    """Check and compile a catalogue against the workspace.

    Raises:
        WorkspaceError: it is wrong; holds every problem found.
    """
    text, name = join(files)
    compiled = load_undisturbed(text, name, schema.fact_schema())
    require_currency(compiled, stated_currency(settings), name)
    return text, compiled


def stated_currency(settings: Settings) -> str:
    """The currency nbo.toml names; empty when it leaves it to the catalogue."""
    workspace = settings.workspace
    return workspace.currency if "currency" in workspace.model_fields_set else ""


def publish_catalog(
    ledger: Engine, text: str, compiled: CompiledCatalog, author: str
) -> Publication:
    """Publish the workspace's catalogue if its version never was; returns what is in force.

    A version that was published before and is not in force was rolled back or replaced on
    purpose: it stays out.
    """
    version = compiled.catalog.version
    in_force = catalogs.current(ledger)
    if in_force is not None and catalogs.was_published(ledger, version):
        return in_force
    comment = "read from the workspace by nbo up"
    return catalogs.publish(ledger, version, text, author, comment).publication


def _only_catalog(settings: Settings) -> Path:
    file, folder = settings.catalog_file, settings.catalog_folder
    if file.exists() and folder.exists():
        told = f"stands beside {folder.name}/: keep the file or the folder, not both"
        raise WorkspaceError([Problem(file.name, 0, 0, told)])
    return folder if folder.is_dir() else file


def _shown(settings: Settings, file: Path) -> str:
    """A path as the user of the workspace knows it."""
    file = file.resolve()
    inside = file.is_relative_to(settings.directory)
    return file.relative_to(settings.directory).as_posix() if inside else str(file)


def _read(settings: Settings, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError([unreadable(_shown(settings, file), error)]) from error


def feature_source(repo: Path) -> str:
    """Fingerprint of the definitions in a feature repo."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(repo.rglob("*")):
        if file.suffix in {".py", ".yaml"} and file.is_file():
            digest.update(str(file.relative_to(repo)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
