"""Catalogue versions as decisions were once made with them, compiled when first asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from sqlalchemy import Engine

from nbo.decision.catalog_text import CompiledCatalog
from nbo.decision.facts import FactSchema
from nbo.errors import NotEnoughDataError, WorkspaceError
from nbo.ledger import catalogs
from serving.catalog_loading import load_undisturbed

KEPT = 4
"""Compiled catalogues that are kept, the latest used."""

_Key = tuple[str, tuple[tuple[str, float], ...]]


class PastCatalogs:
    """Finds and compiles published versions; blocks, safe to use from several threads.

    Args:
        ledger: Where every published version is.
        schema: The facts rules may read.
    """

    def __init__(self, ledger: Engine, schema: FactSchema) -> None:
        self._ledger = ledger
        self._schema = schema
        self._kept: OrderedDict[_Key, CompiledCatalog] = OrderedDict()
        self._lock = threading.Lock()  # compiling is work for a whole core: one at a time

    def get(self, version: str, rates: Mapping[str, float]) -> CompiledCatalog:
        """Find a version, with the observed rates that then stood in for undeclared priors.

        Raises:
            NotFoundError: it was never published here.
            NotEnoughDataError: it does not fit the facts the workspace has now.
            UnavailableError: the ledger does not answer.
        """
        key = (version, tuple(sorted(rates.items())))
        with self._lock:
            compiled = self._kept.pop(key, None) or self._compile(version, rates)
            self._kept[key] = compiled
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return compiled

    def _compile(self, version: str, rates: Mapping[str, float]) -> CompiledCatalog:
        text = catalogs.find(self._ledger, version).text
        try:
            return load_undisturbed(text, f"catalogue {version}", self._schema, rates)
        except WorkspaceError as error:
            raise NotEnoughDataError(
                f"catalogue version {version!r} does not fit the facts the workspace has now, so "
                f"nothing can be decided with it again; its first mistake: {error.problems[0]}"
            ) from error
