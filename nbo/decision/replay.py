"""Replay: a logged decision is decided again from its record, and must come out the same.

The record holds all that a decision depends on but the catalogue: the request with its facts,
history and use of caps, and what the model said. Stores and models are not asked: what the model
was (``versions.model``) and how it failed (``degraded``) are taken from the record, and so cannot
differ from it.
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

__all__ = ["ABSENT", "Difference", "LoggedPropensity", "other_engine", "replay"]

_ENGINE = "engine"
"""The one version that may differ: other software is to decide the same."""


class Absent:
    """Stands for a field that is not there at all, where null would be one that is."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


class Difference(NamedTuple):
    """One field that came out differently.

    Attributes:
        path: Where it stands in the record, e.g. ``"slots[0].probability"``.
        logged: The value then; `ABSENT` if there was none.
        again: The value now; `ABSENT` if there is none.
    """

    path: str
    logged: Any
    again: Any

    def values(self) -> dict[str, Any]:
        """The two values by when they were; one that is absent is left out."""
        both = {"logged": self.logged, "again": self.again}
        return {when: value for when, value in both.items() if value is not ABSENT}


def replay(
    record: Mapping[str, Any], compiled: CompiledCatalog, engine_version: str
) -> tuple[Difference, ...]:
    """Decide a record's request again and compare the records, field by field, bit for bit.

    A number counts as its text does: 0 is not -0.0, 1 is not 1.0. A field that records of old
    do not have is compared by the value it stands for.

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
            yield from _differences(inner, logged.get(name, ABSENT), again.get(name, ABSENT))
    elif isinstance(logged, list) and isinstance(again, list):
        for index in range(max(len(logged), len(again))):
            pair = (row[index] if index < len(row) else ABSENT for row in (logged, again))
            yield from _differences(f"{path}[{index}]", *pair)
    elif type(logged) is not type(again) or repr(logged) != repr(again):
        yield Difference(path, logged, again)  # values that are equal may differ in their text
