"""Catalogue versions: every publication is kept, the last one is in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, func, insert, select

from nbo.errors import NotFoundError, OvertakenError
from nbo.ledger import tables
from nbo.ledger.engine import in_one_statement, in_transaction
from nbo.ledger.storable import plain_text

_PUBLICATION_LOCK = 0x6E626F63  # "nboc"; any number, the same in every process
_TABLE = tables.catalogue_version


class Publication(NamedTuple):
    """A catalogue as it was put in force.

    Attributes:
        publication: Rises with every publication.
        version: Content hash, see `nbo.decision.catalog.Catalog.version`.
        text: The YAML, as published.
        author: Who published it.
        comment: Why.
        published_at: When, UTC.
    """

    publication: int
    version: str
    text: str
    author: str
    comment: str
    published_at: datetime


class Entry(NamedTuple):
    """A publication without its text; the fields are those of `Publication`."""

    publication: int
    version: str
    author: str
    comment: str
    published_at: datetime


class Published(NamedTuple):
    """What came of publishing.

    Attributes:
        publication: What is in force now.
        changed: Whether this call put it in force.
    """

    publication: Publication
    changed: bool


def publish(
    engine: Engine, version: str, text: str, author: str, comment: str, based_on: str = ""
) -> Published:
    """Put a catalogue in force; publishing the one in force again changes nothing.

    A rollback is the publication of an earlier version.

    Args:
        engine: The ledger.
        version: Content hash of the text.
        text: The YAML.
        author: Who publishes it.
        comment: Why.
        based_on: The version that must be in force until now; empty for any.

    Raises:
        OvertakenError: another version than `based_on` is in force; nothing was published.
        UnavailableError: PostgreSQL does not answer.
    """
    row = {
        "version": version,
        "text": text,
        "author": plain_text(author),
        "comment": plain_text(comment),
    }

    def write(connection: Connection) -> Published:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_PUBLICATION_LOCK})")
        in_force = connection.execute(_latest().limit(1)).one_or_none()
        if in_force is not None and in_force.version == version:
            return Published(Publication._make(in_force), changed=False)
        _require(based_on, in_force)
        written = connection.execute(insert(_TABLE).values(row).returning(*_TABLE.c))
        return Published(Publication._make(written.one()), changed=True)

    return in_transaction(engine, write)


def current(engine: Engine) -> Publication | None:
    """Find the catalogue in force; None before the first publication."""
    return _first(engine, _latest())


def latest_number(engine: Engine) -> int:
    """The number of the latest publication; 0 before the first. Reads one row of the index."""
    query = select(func.coalesce(func.max(_TABLE.c.publication), 0))
    return in_one_statement(engine, lambda c: int(c.execute(query).scalar_one()))


def find(engine: Engine, version: str) -> Publication:
    """Find the latest publication of a version. Raises NotFoundError when there is none."""
    found = _first(engine, _latest().where(_TABLE.c.version == plain_text(version)))
    if found is None:
        raise NotFoundError("catalogue version", version, "`nbo catalog history` lists those")
    return found


def before(engine: Engine) -> Publication:
    """Find what the present catalogue replaced, passing over what was withdrawn by a rollback.

    Going back twice goes back two versions, never forth to the one just withdrawn.

    Raises:
        NotFoundError: The catalogue in force is the first.
    """
    query = select(_TABLE.c.version).order_by(_TABLE.c.publication)
    versions = in_one_statement(engine, lambda c: c.execute(query).scalars().all())
    trail: list[str] = []
    for version in versions:
        # A version that comes again withdraws everything published since it was in force.
        del trail[trail.index(version) if version in trail else len(trail) :]
        trail.append(version)
    if len(trail) < 2:
        raise NotFoundError("catalogue version", "before this one", "this is the first publication")
    return find(engine, trail[-2])


def was_published(engine: Engine, version: str) -> bool:
    """Whether this version was ever in force."""
    query = select(_TABLE.c.publication).where(_TABLE.c.version == version).limit(1)
    return in_one_statement(engine, lambda c: c.execute(query).first()) is not None


def history(engine: Engine, n: int) -> list[Entry]:
    """Find the last `n` publications, latest first, without their texts."""
    columns = [_TABLE.c[name] for name in Entry._fields]
    query = select(*columns).order_by(_TABLE.c.publication.desc()).limit(n)
    return in_one_statement(engine, lambda c: [Entry._make(row) for row in c.execute(query)])


def _require(based_on: str, in_force: Any) -> None:
    """Refuse a change made on another version than the one in force."""
    if not based_on or (in_force is not None and in_force.version == based_on):
        return
    seen = f"{in_force.version}, published by {in_force.author}" if in_force else "none"
    raise OvertakenError(
        f"the change was made on catalogue {based_on}, but in force is {seen}: look at what "
        "changed meanwhile with `nbo catalog diff`, then publish again on top of it"
    )


def _first(engine: Engine, query: Select[Any]) -> Publication | None:
    row = in_one_statement(engine, lambda c: c.execute(query.limit(1)).one_or_none())
    return Publication._make(row) if row is not None else None


def _latest() -> Select[Any]:
    return select(*_TABLE.c).order_by(_TABLE.c.publication.desc())
