"""Loading a catalogue in a process that also serves: without looking for garbage meanwhile.

A tree that only grows holds none, and looking through it again and again takes most of the time
that loading thousands of offers takes.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping

from nbo.decision.catalog_text import CompiledCatalog, load_catalog
from nbo.decision.facts import FactSchema

_NO_RATES: Mapping[str, float] = {}


def load_undisturbed(
    text: str, file: str, schema: FactSchema, rates: Mapping[str, float] = _NO_RATES
) -> CompiledCatalog:
    """Read, check and compile a catalogue as `load_catalog` does, sooner.

    Raises:
        WorkspaceError: Holds every mistake found.
    """
    with _no_collection():
        return load_catalog(text, file, schema, rates)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Let nobody look for garbage meanwhile; what is counted by reference is still freed at once.

    Loadings may overlap on several threads: the first to begin switches it on again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
