"""Catalogue versions: every publication is kept, the last one is in force."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Select, insert, select

from nbo.ledger import tables
from nbo.ledger.engine import in_one_statement, in_transaction

_PUBLICATION_LOCK = 0x6E626F63  # "nboc"; any number, the same in every process


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


def publish(engine: Engine, version: str, text: str, author: str, comment: str) -> Publication:
    """Put a catalogue in force; publishing the one in force again changes nothing.

    A rollback is the publication of an earlier version.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    table = tables.catalogue_version
    row = {"version": version, "text": text, "author": author, "comment": comment}

    def write(connection: Connection) -> Publication:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_PUBLICATION_LOCK})")
        in_force = connection.execute(_latest(1)).one_or_none()
        if in_force is not None and in_force.version == version:
            return Publication._make(in_force)
        written = connection.execute(insert(table).values(row).returning(*table.c))
        return Publication._make(written.one())

    return in_transaction(engine, write)


def current(engine: Engine) -> Publication | None:
    """Find the catalogue in force; None before the first publication."""
    publications = history(engine, 1)
    return publications[0] if publications else None


def history(engine: Engine, n: int) -> list[Publication]:
    """Find the last `n` publications, latest first."""
    return in_one_statement(
        engine, lambda c: [Publication._make(row) for row in c.execute(_latest(n))]
    )


def _latest(n: int) -> Select[tuple[int, str, str, str, str, datetime]]:
    table = tables.catalogue_version
    return select(*table.c).order_by(table.c.publication.desc()).limit(n)
