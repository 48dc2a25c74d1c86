"""A rollback leaves what its caller saw in force, and nothing that was published meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbo.decision.facts import FactSchema, FactType
from nbo.errors import OvertakenError
from nbo.ledger import catalogs
from nbo.v1 import catalog_pb2
from serving.catalog_service import CatalogService
from serving.published_catalogs import CatalogCompiler, PublishedCatalogs

SCHEMA = FactSchema({"customer.years": FactType.NUMBER})
TEXT = """
currency: EUR
languages: [en]
channels: {voice: {fallback: none}}
groups: [{id: g}]
offers:
  - {id: o, group: g, name: {en: O}, script: {en: O}, channels: [voice], value: 10, prior: 0.2}
"""


class Overtaken(CatalogCompiler):
    """Somebody publishes while a text is compiled."""

    def compile(self, text, file, rates=None):
        compiled = CatalogCompiler.compile(self, text, file, rates)
        catalogs.publish(self.ledger, "bo-s-change", TEXT + "# Bo\n", "Bo", "")
        return compiled


@pytest.mark.parametrize("named", [False, True])
def test_what_was_published_meanwhile_is_not_rolled_back(engine, named):
    first = CatalogCompiler(engine, SCHEMA).compile(TEXT, "x").catalog.version
    catalogs.publish(engine, first, TEXT, "Ada", "")
    catalogs.publish(engine, "second", TEXT + "# second\n", "Ada", "")
    compiler = Overtaken(engine, SCHEMA)
    request = catalog_pb2.RollbackCatalogRequest(author="Ada", version=first if named else "")
    with ThreadPoolExecutor(1) as threads:
        service = CatalogService(compiler, PublishedCatalogs(compiler), None, threads, None)
        with pytest.raises(OvertakenError, match=r"second.*bo-s-change.*Bo"):
            asyncio.run(service.RollbackCatalog(request, None))
    assert catalogs.current(engine).version == "bo-s-change"
