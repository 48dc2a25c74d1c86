"""A catalogue is loaded without looking for garbage, which is looked for again afterwards."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from nbo.decision.catalog_text import load_catalog
from nbo.decision.facts import INTERACTION_FACTS, FactSchema
from nbo.errors import WorkspaceError
from serving import catalog_loading
from serving.catalog_loading import load_undisturbed

CATALOG = """\
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: g}]
offers: [{id: o, group: g, name: {en: O}, channels: [voice], value: 5}]
"""
SCHEMA = FactSchema(INTERACTION_FACTS)


def test_no_garbage_is_looked_for_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    load = load_catalog
    meanwhile: list[bool] = []

    def watched(*args: Any) -> Any:
        meanwhile.append(gc.isenabled())
        return load(*args)

    monkeypatch.setattr(catalog_loading, "load_catalog", watched)
    compiled = load_undisturbed(CATALOG, "catalog.yaml", SCHEMA, {"g": 0.25})
    assert compiled.catalog.offers["o"].prior == 0.25
    assert meanwhile == [False]
    assert gc.isenabled()


def test_it_is_looked_for_again_after_a_catalogue_was_refused() -> None:
    with pytest.raises(WorkspaceError):
        load_undisturbed("a: [", "catalog.yaml", SCHEMA)
    assert gc.isenabled()


def test_who_had_switched_it_off_finds_it_so() -> None:
    gc.disable()
    try:
        load_undisturbed(CATALOG, "catalog.yaml", SCHEMA)
        assert not gc.isenabled()
    finally:
        gc.enable()
