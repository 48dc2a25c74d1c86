"""Python files of a workspace: found by path, kept apart, and told by line when they fail."""

from __future__ import annotations

import sys

import pytest

import models
from nbo.errors import MissingExtraError, WorkspaceError
from serving.plugins import load_attribute, load_models

MODEL = """\
from nbo.errors import MissingExtraError

class Model:
    version = "mine"
    def __init__(self, workspace):
        self.workspace = workspace
    def score(self, request, treatments):
        raise NotImplementedError

class Broken(Model):
    def __init__(self, workspace):
        raise KeyError("no such table")

class Lacking(Model):
    def __init__(self, workspace):
        raise MissingExtraError("mine", "this model")

class Mute:
    version = "mute"
    def __init__(self, workspace):
        pass
"""


@pytest.fixture(autouse=True)
def _imports_as_before(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.py").write_text(MODEL)
    return tmp_path


def problem(workspace, reference, load=load_attribute):
    with pytest.raises(WorkspaceError) as caught:
        load(workspace, reference)
    (found,) = caught.value.problems
    return found


def test_a_file_may_lie_in_a_folder_named_like_a_package_of_the_engine(workspace):
    assert models  # the engine's own is loaded already
    loaded = load_models(workspace, {"mine": "models/mine.py:Model"})
    assert loaded["mine"].workspace == workspace
    assert sys.modules["models"] is models


def test_two_workspaces_keep_their_demos_and_their_modules_apart(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "place").mkdir(parents=True)
        (tmp_path / name / "place" / "names.py").write_text(f"NAME = {name!r}")
        (tmp_path / name / "demo.py").write_text(
            "from place.names import NAME\ndef run(session):\n    return NAME"
        )
    runs = [load_attribute(tmp_path / name, "demo.py:run") for name in ("one", "two", "one")]
    assert [run(None) for run in runs] == ["one", "two", "one"]


def test_a_file_hides_nothing_of_python_once_it_is_loaded(tmp_path):
    (tmp_path / "colorsys.py").write_text("MINE = True")
    (tmp_path / "demo.py").write_text(
        "def run(session):\n    import nearby\n    return nearby.HERE\n"
    )
    (tmp_path / "nearby.py").write_text("HERE = 'here'")
    run = load_attribute(tmp_path, "demo.py:run")
    import colorsys

    assert not hasattr(colorsys, "MINE")
    assert run(None) == "here"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\ndef run(:\n", 2, "invalid syntax"),
        ("x = 1\n\ny = 1 / 0\n", 3, "ZeroDivisionError"),
        ("import no_such_module_anywhere\n", 1, "no_such_module_anywhere"),
        ("def go(): pass\n", 0, "defines no 'run'"),
    ],
)
def test_a_file_that_fails_is_located(tmp_path, text, line, message):
    (tmp_path / "demo.py").write_text(text)
    found = problem(tmp_path, "demo.py:run")
    assert (found.file, found.line) == (str(tmp_path / "demo.py"), line)
    assert message in found.message


def test_a_corrected_file_loads(tmp_path):
    (tmp_path / "demo.py").write_text("1 / 0")
    problem(tmp_path, "demo.py:run")
    (tmp_path / "demo.py").write_text("def run(session):\n    return 'well'\n")
    assert load_attribute(tmp_path, "demo.py:run")(None) == "well"


def test_a_model_that_cannot_be_constructed_is_located(workspace):
    found = problem(workspace, {"x": "models/mine.py:Broken"}, load_models)
    assert found.line == 12
    assert "no such table" in found.message
    assert "score()" in problem(workspace, {"x": "models/mine.py:Mute"}, load_models).message
    with pytest.raises(MissingExtraError):
        load_models(workspace, {"x": "models/mine.py:Lacking"})


@pytest.mark.parametrize("reference", ["demo.py", "demo:run", "nowhere.py:run"])
def test_a_wrong_reference_is_named(tmp_path, reference):
    assert repr(reference) in problem(tmp_path, reference).message
