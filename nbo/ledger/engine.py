"""The way to PostgreSQL: one engine per process, migrations, one retry, one error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from nbo.errors import BadInputError, UnavailableError

Result = TypeVar("Result")

_MIGRATION_LOCK = 0x6E626F  # "nbo"; any number, the same in every process


def open_ledger(url: str, pool_size: int = 10) -> Engine:
    """Make the engine of a ledger; connects when first used.

    Args:
        url: ``postgresql://user@host/database``, with any SQLAlchemy or libpq parameters.
        pool_size: Connections kept open; twice as many more may be opened in a rush.

    Raises:
        BadInputError: the URL is not one of PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadInputError("stores.ledger", "must be a URL, e.g. postgresql://db/nbo") from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise BadInputError(
            "stores.ledger", f"must be a postgresql:// URL, was {parsed.drivername}://"
        )
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=2 * pool_size,
        pool_timeout=5,
        connect_args={"connect_timeout": 5, "application_name": "nbo"},
    )


def migrate(engine: Engine) -> None:
    """Bring the ledger's tables up to date; processes starting together wait for each other.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))

    def upgrade(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    in_transaction(engine, upgrade)


def in_transaction(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Run `work` in one transaction; see `_attempt`."""

    def attempt() -> Result:
        with engine.begin() as connection:
            return work(connection)

    return _attempt(attempt)


def in_one_statement(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Run `work`, whose every statement commits by itself: no round trip but its own."""

    def attempt() -> Result:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return work(connection)

    return _attempt(attempt)


def _attempt(work: Callable[[], Result]) -> Result:
    """Run `work`, and once more when the connection had died in the pool meanwhile.

    Everything the ledger does may be done twice, so a commit whose answer was lost is safe.

    Raises:
        UnavailableError: PostgreSQL does not answer.
    """
    try:
        with our_errors():
            return work()
    except UnavailableError as error:
        if not _died_in_the_pool(error.__cause__):
            raise
    with our_errors():
        return work()


@contextmanager
def our_errors() -> Iterator[None]:
    """Turn what an absent PostgreSQL raises into UnavailableError; mistakes stay as they are."""
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError("ledger", "every connection is busy") from error
    except DBAPIError as error:
        away = isinstance(error, OperationalError | InterfaceError)
        if not away and not error.connection_invalidated:
            raise
        raise UnavailableError("ledger", " ".join(str(error.orig).split())) from error


def _died_in_the_pool(cause: BaseException | None) -> bool:
    return isinstance(cause, DBAPIError) and cause.connection_invalidated
