"""What a server finds in force in the ledger, and what it does with what it cannot use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nbo.decision.facts import FactSchema, FactType
from nbo.errors import UnavailableError, WorkspaceError
from nbo.ledger import catalogs
from nbo.ledger.engine import open_ledger
from serving import published_catalogs
from serving.published_catalogs import RETRY_SECONDS, CatalogCompiler, PublishedCatalogs

SCHEMA = FactSchema({"customer.years": FactType.NUMBER})
TEXT = """
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: g}]
offers:
  - {id: o, group: g, name: {en: O}, script: {en: O}, channels: [voice], value: 10, prior: 0.2}
"""


@pytest.fixture
def compiler(engine):
    return CatalogCompiler(engine, SCHEMA)


@pytest.fixture
def publish(engine, compiler):
    def put(text, version=""):
        version = version or compiler.compile(text, "x").catalog.version
        return catalogs.publish(engine, version, text, "Ada", "").publication.version

    return put


def test_nothing_published_serves_nothing(compiler):
    with pytest.raises(UnavailableError, match="no catalogue was published"):
        PublishedCatalogs(compiler).first()


def test_what_was_published_since_the_last_look_is_found_once(compiler, publish):
    publish(TEXT)
    published = PublishedCatalogs(compiler)
    first = published.first()
    assert published.newer() is None
    version = publish(TEXT.replace("value: 10", "value: 11"))
    found = published.newer()
    assert found.catalog.version == version
    assert found.catalog.offers["o"].value == 11
    assert published.newer() is None
    publish(TEXT)
    assert published.newer().catalog.version == first.catalog.version


def test_what_cannot_be_used_is_looked_at_once(compiler, publish, monkeypatch):
    publish(TEXT)
    published = PublishedCatalogs(compiler)
    published.first()
    publish(TEXT + "nonsense: 1\n", "bad")
    looked = []
    compile_once = CatalogCompiler.compile
    monkeypatch.setattr(CatalogCompiler, "compile", lambda *a: looked.append(1) or compile_once(*a))
    assert [published.newer() for _ in range(3)] == [None] * 3
    assert len(looked) == 1
    version = publish(TEXT.replace("value: 10", "value: 12"))
    assert published.newer().catalog.version == version


def test_a_ledger_away_is_asked_again(compiler, publish, ledger_url, monkeypatch):
    publish(TEXT)
    published = PublishedCatalogs(compiler)
    published.first()
    version = publish(TEXT.replace("value: 10", "value: 13"))
    with monkeypatch.context() as patch:
        patch.setattr(CatalogCompiler, "compile", _away)
        with pytest.raises(UnavailableError):
            published.newer()
    assert published.newer().catalog.version == version


def test_what_fails_for_another_reason_is_tried_again_after_a_pause(compiler, publish, monkeypatch):
    now = [100.0]
    publish(TEXT)
    published = PublishedCatalogs(compiler, lambda: now[0])
    published.first()
    version = publish(TEXT.replace("value: 10", "value: 16"))
    looked = []
    with monkeypatch.context() as patch:
        patch.setattr(CatalogCompiler, "compile", lambda *_: looked.append(1) or 1 / 0)
        assert [published.newer() for _ in range(3)] == [None] * 3
        assert len(looked) == 1
        now[0] += RETRY_SECONDS
        assert published.newer() is None
        assert len(looked) == 2
    now[0] += RETRY_SECONDS
    assert published.newer().catalog.version == version


def test_another_publication_is_looked_at_without_a_pause(compiler, publish, monkeypatch):
    publish(TEXT)
    published = PublishedCatalogs(compiler, lambda: 0.0)
    published.first()
    publish(TEXT.replace("value: 10", "value: 17"))
    with monkeypatch.context() as patch:
        patch.setattr(CatalogCompiler, "compile", lambda *_: 1 / 0)
        assert published.newer() is None
    version = publish(TEXT.replace("value: 10", "value: 18"))
    assert published.newer().catalog.version == version


def test_what_was_handed_and_not_taken_is_let_go(compiler, publish):
    publish(TEXT)
    published = PublishedCatalogs(compiler)
    published.first()
    mine = compiler.compile(TEXT.replace("value: 10", "value: 19"), "x")
    published.hand(mine)
    published.let_go(mine)
    publish(TEXT.replace("value: 10", "value: 19"), mine.catalog.version)
    found = published.newer()
    assert found is not mine
    assert found.catalog.version == mine.catalog.version
    other = compiler.compile(TEXT.replace("value: 10", "value: 20"), "x")
    published.hand(other)
    published.let_go(mine)  # handed by another publisher: stays
    publish(TEXT.replace("value: 10", "value: 20"), other.catalog.version)
    assert published.newer() is other


def _away(*_):
    raise UnavailableError("ledger", "away")


def test_what_is_compiled_already_is_not_compiled_again(compiler, publish, monkeypatch):
    publish(TEXT)
    published = PublishedCatalogs(compiler)
    published.first()
    mine = compiler.compile(TEXT.replace("value: 10", "value: 14"), "x")
    publish(TEXT.replace("value: 10", "value: 14"), mine.catalog.version)
    published.hand(mine)
    assert published.newer() is mine
    published.hand(mine)  # overtaken by another publication
    version = publish(TEXT.replace("value: 10", "value: 15"))
    assert published.newer().catalog.version == version


def test_another_currency_than_the_workspaces_is_refused(engine):
    with pytest.raises(WorkspaceError, match=r"catalog\.yaml.*must be CHF, as in nbo\.toml"):
        CatalogCompiler(engine, SCHEMA, "CHF").compile(TEXT, "catalog.yaml")


def test_the_observed_rate_of_a_group_is_read_only_where_a_prior_is_missing(engine, monkeypatch):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    asked = []

    def rates(*arguments):
        asked.append(arguments[1:])
        return {"g": 0.37}

    monkeypatch.setattr(published_catalogs, "group_rates", rates)
    week = timedelta(days=7)
    compiler = CatalogCompiler(engine, SCHEMA, attribution=week, now=lambda: now)
    compiler.compile(TEXT, "x")
    assert asked == []
    undeclared = TEXT.replace(", prior: 0.2", "")
    catalog = compiler.compile(undeclared, "x").catalog
    assert catalog.offers["o"].prior == 0.37
    assert catalog.rates == {"g": 0.37}
    assert asked == [(datetime(2025, 9, 2, tzinfo=UTC), now, week, 30)]
    known = compiler.rates({"g": 0.5})
    assert compiler.compile(undeclared, "x", known).catalog.offers["o"].prior == 0.5


def test_a_ledger_that_does_not_answer_is_said(tmp_path):
    nowhere = open_ledger(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(UnavailableError):
        PublishedCatalogs(CatalogCompiler(nowhere, SCHEMA)).newer()
