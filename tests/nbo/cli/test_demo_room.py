"""Where a demo plays: it removes what a demo made, and nothing else."""

from __future__ import annotations

import shutil

import pytest

from nbo.cli.demo import MARK, _make_room
from nbo.cli.init import copy_workspace
from nbo.errors import BadInputError, NboError
from serving.running import Running, only_deployment, write_running


@pytest.fixture
def folder(tmp_path):
    return copy_workspace("telco", tmp_path / "telco")


def test_a_workspace_of_ones_own_is_never_removed(folder):
    (folder / "catalog.yaml").write_text("months of work")
    with pytest.raises(BadInputError, match="no demo made"):
        _make_room(folder)
    assert (folder / "catalog.yaml").read_text() == "months of work"


def test_a_workspace_made_by_a_demo_makes_room(folder):
    (folder / MARK).touch()
    shutil.rmtree(folder / "scenarios")  # whatever became of it
    _make_room(folder)
    assert not folder.exists()
    _make_room(folder)


def test_a_demo_that_is_played_stays(folder):
    (folder / MARK).touch()
    state = folder / ".nbo"
    with only_deployment(state):
        write_running(state, Running("127.0.0.1:7", 4711))
        with pytest.raises(NboError, match="process 4711 serves"):
            _make_room(folder)
    assert (folder / "catalog.yaml").is_file()
