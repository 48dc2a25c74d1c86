"""Replay: a logged decision is decided again from its record, and must come out the same.

The record holds all that a decision depends on but the catalogue: the request with its facts,
history and use of caps, and what the model said. Stores and models are not asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision
from nbo.decision.logged_propensity import LoggedPropensity
from nbo.decision.record import from_record, to_record
from nbo.errors import BadInputError

__all__ = ["Difference", "LoggedPropensity", "other_engine", "replay"]

_ENGINE = "engine"
"""The one version that may differ: other software is to decide the same."""


class Difference(NamedTuple):
    """One field that came out differently.

    Attributes:
        path: Where it stands in the record, e.g. ``"slots[0].probability"``.
        logged: The value then; None if there was none.
        again: The value now; None if there is none.
    """

    path: str
    logged: Any
    again: Any


def replay(
    record: Mapping[str, Any], compiled: CompiledCatalog, engine_version: str
) -> tuple[Difference, ...]:
    """Decide a record's request again and compare the records, field by field, bit for bit.

    Args:
        record: As logged.
        compiled: The catalogue version the record names, read with the record's rates.
        engine_version: Of this software; see `other_engine` for whether another one decided.

    Returns:
        Every difference; empty when all is equal.

    Raises:
        BadInputError: It is no decision record, or one without scores: imported, or logged
            before they were.
    """
    if "scores" not in record:
        raise BadInputError(
            "scores",
            "missing from the record; it was imported, or logged before scores were, and cannot "
            "be decided again",
        )
    logged = from_record(record)
    world = World(compiled, LoggedPropensity(logged), engine_version=engine_version)
    then, now = _text(logged), _text(decide(logged.request, world))
    return () if then == now else tuple(_differences("", json.loads(then), json.loads(now)))


def other_engine(record: Mapping[str, Any], engine_version: str) -> str:
    """Name the version of the software that decided if it was another one; empty if not."""
    logged = str(record.get("versions", {}).get(_ENGINE, ""))
    return "" if logged == engine_version else logged


def _text(decision: Decision) -> str:
    """Write a decision as it is logged, but for the software that decided."""
    record = to_record(decision)
    record["versions"].pop(_ENGINE, None)
    return json.dumps(record, sort_keys=True)


def _differences(path: str, logged: Any, again: Any) -> Iterator[Difference]:
    if isinstance(logged, dict) and isinstance(again, dict):
        for name in dict.fromkeys([*logged, *again]):
            inner = f"{path}.{name}" if path else name
            yield from _differences(inner, logged.get(name), again.get(name))
    elif isinstance(logged, list) and isinstance(again, list):
        for index in range(max(len(logged), len(again))):
            pair = (row[index] if index < len(row) else None for row in (logged, again))
            yield from _differences(f"{path}[{index}]", *pair)
    elif logged != again or isinstance(logged, bool) != isinstance(again, bool):
        yield Difference(path, logged, again)
