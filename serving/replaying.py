"""Decides logged decisions again, each with the catalogue version it was made with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from nbo.decision.compiled import CompiledCatalog
from nbo.decision.replay import Difference, other_engine, replay
from nbo.errors import BadInputError, NotEnoughDataError, NotFoundError
from nbo.ledger.decisions import Logged
from serving.past_catalogs import PastCatalogs

IMPORTED = "imported from another system's log"
WITHOUT_SCORES = "logged before scores were kept"
UNREADABLE = "not readable as a decision"


class Replayed(NamedTuple):
    """What came of deciding one decision again.

    Attributes:
        differences: Empty when it came out the same, bit for bit.
        skipped: Why it was not decided again; empty if it was.
        engine: Version of the software that decided, if it was another one.
    """

    decision_id: str
    differences: tuple[Difference, ...] = ()
    skipped: str = ""
    engine: str = ""


def replay_all(
    logged: Iterable[Logged], past: PastCatalogs, engine_version: str
) -> Iterator[Replayed]:
    """Decide each again as it comes, holding none of them.

    Args:
        logged: From the ledger.
        past: Where the catalogue versions come from.
        engine_version: Of this software.

    Raises:
        UnavailableError: the ledger does not answer.
    """
    missing: dict[str, str] = {}
    for record, imported in logged:
        decision_id = str(record["request"]["decision_id"])
        if imported:
            yield Replayed(decision_id, skipped=IMPORTED)
        elif "scores" not in record:
            yield Replayed(decision_id, skipped=WITHOUT_SCORES)
        else:
            compiled = _catalog(record, past, missing)
            if isinstance(compiled, str):
                yield Replayed(decision_id, skipped=compiled)
            else:
                yield _again(decision_id, record, compiled, engine_version)


def _again(
    decision_id: str, record: Mapping[str, Any], compiled: CompiledCatalog, engine_version: str
) -> Replayed:
    try:
        differences = replay(record, compiled, engine_version)
    except BadInputError:
        return Replayed(decision_id, skipped=UNREADABLE)
    return Replayed(decision_id, differences, engine=other_engine(record, engine_version))


def _catalog(
    record: Mapping[str, Any], past: PastCatalogs, missing: dict[str, str]
) -> CompiledCatalog | str:
    """The catalogue a record was made with, or why there is none; each is missed only once."""
    version = str(record["versions"].get("catalog", ""))
    if version not in missing:
        try:
            return past.get(version, record.get("rates", {}))
        except NotFoundError:
            missing[version] = f"catalogue version {version!r} is not in this ledger"
        except NotEnoughDataError as error:
            missing[version] = str(error)
    return missing[version]
