"""The model registry: MLflow, with aliases instead of stages and text instead of pickles.

A version is a folder of text files with a manifest of their SHA-256 sums. The manifest's own
sum is a tag of the version, so that neither a file nor the manifest can change unnoticed.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from models.batch import BatchPropensity
from nbo.errors import NotFoundError, UnavailableError

CHAMPION = "champion"
CHALLENGER = "challenger"
MANIFEST_FILE = "manifest.json"

_EXPERIMENT = "nbo"
_ARTIFACT = "model"
_SUM_TAG = "nbo.manifest_sha256"


class Registry:
    """Versions of models by name, and which of them has which role.

    Opening it imports MLflow, which takes seconds; a new SQLite file is given its tables then.

    Args:
        tracking_uri: E.g. ``"sqlite:///…/mlflow.db"`` or a server's address.
        artifact_root: Local folder for artefacts; None where a tracking server decides.
    """

    def __init__(self, tracking_uri: str, artifact_root: Path | None = None) -> None:
        self.tracking_uri = tracking_uri
        self._artifact_root = artifact_root
        with _mlflow_errors():
            self._client = _open_client(tracking_uri)

    def register(
        self,
        model_dir: Path,
        name: str,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        alias: str = "",
    ) -> str:
        """Store a saved model as a new version.

        Args:
            model_dir: Folder with the model's files; a manifest is written beside them.
            name: Registered name, e.g. ``"propensity"``.
            params: Settings of the fit, logged with the run.
            metrics: Figures of the fit, logged with the run.
            alias: Role the version takes at once; empty for none.

        Returns:
            The version, ``"1"`` first.

        Raises:
            UnavailableError: the registry does not answer.
        """
        manifest_sum = _write_manifest(model_dir)
        with _mlflow_errors():
            run = self._client.create_run(self._experiment())
            run_id = run.info.run_id
            self._log(run_id, params, metrics)
            self._client.log_artifacts(run_id, str(model_dir), _ARTIFACT)
            self._client.set_terminated(run_id)
            self._ensure_name(name)
            version = self._client.create_model_version(
                name,
                source=f"{run.info.artifact_uri}/{_ARTIFACT}",
                run_id=run_id,
                tags={_SUM_TAG: manifest_sum},
            ).version
        if alias:
            self.promote(name, str(version), alias)
        return str(version)

    def promote(self, name: str, version: str, alias: str = CHAMPION) -> None:
        """Give a version a role, taking it from the version that had it.

        Raises:
            NotFoundError: there is no such version.
        """
        with _mlflow_errors(f"{name}/{version}"):
            self._client.set_registered_model_alias(name, alias, version)

    def version_of(self, name: str, alias: str) -> str | None:
        """Version that has a role; None when none has."""
        try:
            with _mlflow_errors(f"{name}@{alias}"):
                return str(self._client.get_model_version_by_alias(name, alias).version)
        except NotFoundError:
            return None

    def champion_version(self, name: str) -> str | None:
        """Version in service; None before the first training."""
        return self.version_of(name, CHAMPION)

    def load(self, name: str, alias: str = CHAMPION) -> BatchPropensity:
        """Load the version that has a role; its `version` is ``"<alias>/<version>"``.

        Raises:
            NotFoundError: no version has this role.
            UnavailableError: the registry does not answer, or a file is not what was stored.
        """
        with _mlflow_errors(f"{name}@{alias}"), tempfile.TemporaryDirectory() as scratch:
            found = self._client.get_model_version_by_alias(name, alias)
            source = self._client.get_model_version_download_uri(name, found.version)
            folder = self._download(source, Path(scratch))
            _check_manifest(folder, found.tags.get(_SUM_TAG, ""), f"{name}/{found.version}")
            return BatchPropensity.load(folder, f"{alias}/{found.version}")

    def _log(self, run_id: str, params: Mapping[str, object], metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        self._client.log_batch(
            run_id,
            metrics=[Metric(key, figure, now, 0) for key, figure in metrics.items()],
            params=[Param(key, str(value)) for key, value in params.items()],
        )

    def _download(self, source: str, scratch: Path) -> Path:
        from mlflow.artifacts import download_artifacts

        return Path(
            download_artifacts(
                artifact_uri=source, dst_path=str(scratch), tracking_uri=self.tracking_uri
            )
        )

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(_EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        location = self._artifact_root.absolute().as_uri() if self._artifact_root else None
        return str(self._client.create_experiment(_EXPERIMENT, artifact_location=location))

    def _ensure_name(self, name: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def _open_client(tracking_uri: str) -> Any:
    _require_database(tracking_uri)
    return load_mlflow()(tracking_uri=tracking_uri, registry_uri=tracking_uri)


def preload() -> None:
    """Import what registering and loading a model needs now: it takes seconds."""
    importlib.import_module("lightgbm")
    load_mlflow()


def load_mlflow() -> Any:
    """MLflow's client class; the first call imports MLflow, which takes seconds."""
    # Read by MLflow while it is imported.
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Else a server that is down is asked for minutes before the caller is told.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    from mlflow.tracking import MlflowClient

    # After the import, which sets levels of its own.
    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # MLflow's use of SQLAlchemy is MLflow's to mend.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"mlflow\.")
    return MlflowClient


def _require_database(tracking_uri: str) -> None:
    """Try the database once: MLflow itself would try for two minutes, aloud."""
    if tracking_uri.startswith(("sqlite", "http", "file", "databricks")):
        return
    import sqlalchemy

    engine = sqlalchemy.create_engine(tracking_uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


@contextmanager
def _mlflow_errors(what: str = "") -> Iterator[None]:
    try:
        yield
    except (OSError, SQLAlchemyError) as error:
        raise UnavailableError("mlflow", str(error).splitlines()[0]) from error
    except Exception as error:
        from mlflow.exceptions import MlflowException

        if not isinstance(error, MlflowException):
            raise
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE") and what:
            raise NotFoundError("model", what, "train one first") from error
        raise UnavailableError("mlflow", str(error).splitlines()[0]) from error


def _write_manifest(folder: Path) -> str:
    sums = {
        path.name: _sum(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST_FILE
    }
    manifest = folder / MANIFEST_FILE
    manifest.write_text(json.dumps(sums, indent=1), encoding="utf-8")
    return _sum(manifest)


def _check_manifest(folder: Path, expected: str, model: str) -> None:
    manifest = folder / MANIFEST_FILE
    if not manifest.is_file() or _sum(manifest) != expected:
        raise UnavailableError(
            "mlflow", f"model {model}: {MANIFEST_FILE} was changed or is missing"
        )
    sums = json.loads(manifest.read_text(encoding="utf-8"))
    for name, checksum in sums.items():
        path = folder / name
        if not path.is_file() or _sum(path) != checksum:
            raise UnavailableError("mlflow", f"model {model}: {name} was changed or is missing")


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
