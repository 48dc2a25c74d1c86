"""The registry on a real MLflow over SQLite."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from models.batch import TREES_FILE, BatchPropensity
from models.registry import CHALLENGER, Registry
from nbo.decision.catalog import Treatment
from nbo.decision.request import Request
from nbo.errors import NotFoundError, UnavailableError


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def registry(state: Path) -> Registry:
    return Registry(f"sqlite:///{state}/mlflow.db", state / "artifacts")


@pytest.fixture
def saved(batch_model: BatchPropensity, tmp_path: Path) -> Path:
    batch_model.save(tmp_path / "model")
    return tmp_path / "model"


def test_register_promote_load_roll_back(
    registry: Registry,
    saved: Path,
    batch_model: BatchPropensity,
    requests_sample: list[Request],
    treatments: list[Treatment],
) -> None:
    assert registry.champion_version("p") is None
    with pytest.raises(NotFoundError, match="train one first"):
        registry.load("p")
    first = registry.register(saved, "p", {"trees": 60}, {"auc": 0.7}, alias="champion")
    second = registry.register(saved, "p", {}, {}, alias=CHALLENGER)
    assert (first, second) == ("1", "2")
    assert registry.champion_version("p") == "1"
    champion, challenger = registry.load("p"), registry.load("p", CHALLENGER)
    assert (champion.version, challenger.version) == ("champion/1", "challenger/2")
    ours = champion.score(requests_sample[0], treatments).probability
    assert np.array_equal(ours, batch_model.score(requests_sample[0], treatments).probability)
    registry.promote("p", "2")
    assert registry.champion_version("p") == "2"
    registry.promote("p", "1")
    assert registry.load("p").version == "champion/1"
    with pytest.raises(NotFoundError):
        registry.promote("p", "99")


def test_what_was_logged_can_be_read_in_mlflow(registry: Registry, saved: Path) -> None:
    version = registry.register(saved, "logged", {"trees": 60}, {"model.auc": 0.7})
    from mlflow.tracking import MlflowClient

    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    run = client.get_run(client.get_model_version("logged", version).run_id)
    assert run.data.params == {"trees": "60"}
    assert run.data.metrics == {"model.auc": 0.7}
    assert run.info.status == "FINISHED"


def test_models_of_other_names_are_other_models(registry: Registry, saved: Path) -> None:
    registry.register(saved, "q", {}, {}, alias="champion")
    assert registry.champion_version("q") == "1"
    assert registry.champion_version("never") is None


@pytest.mark.parametrize("change", ["file", "manifest", "missing"])
def test_a_changed_artefact_is_not_served(
    change: str, state: Path, registry: Registry, saved: Path
) -> None:
    before = set(state.rglob(TREES_FILE))
    registry.register(saved, f"changed-{change}", {}, {}, alias="champion")
    (trees,) = set(state.rglob(TREES_FILE)) - before
    text = trees.read_text()
    trees.write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    if change == "manifest":
        from models.registry import _write_manifest

        _write_manifest(trees.parent)
    if change == "missing":
        trees.unlink()
    with pytest.raises(UnavailableError, match="was changed or is missing"):
        registry.load(f"changed-{change}")


def test_the_registry_is_quiet_and_refuses_pickles(registry: Registry) -> None:
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert logging.getLogger("mlflow").level >= logging.WARNING


@pytest.mark.parametrize(
    "uri", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////dev/null/mlflow.db"]
)
def test_a_store_that_cannot_be_opened_is_named(uri: str) -> None:
    with pytest.raises(UnavailableError, match="mlflow is not available"):
        Registry(uri)


def test_a_database_that_hangs_up_is_tried_once() -> None:
    """MLflow by itself would try for two minutes."""
    calls: list[object] = []

    def hang_up(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, caller = listener.accept()
                calls.append(caller)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hang_up, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        # Else one attempt of the driver is several connections: encrypted, and then plain.
        plain = "sslmode=disable&gssencmode=disable"
        with pytest.raises(UnavailableError, match="mlflow is not available"):
            Registry(f"postgresql+psycopg://nobody@127.0.0.1:{port}/none?{plain}")
        listener.shutdown(socket.SHUT_RDWR)
    assert len(calls) == 1


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_named() -> None:
    # A fresh process: MLflow reads how often to try again from its environment.
    script = "from models.registry import Registry; Registry('http://127.0.0.1:1').load('p')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert "nbo.errors.UnavailableError: mlflow is not available" in done.stderr
