from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, make_url

from nbo.errors import BadInputError, UnavailableError
from nbo.ledger.engine import migrate, open_ledger
from nbo.ledger.tables import metadata


@pytest.fixture
def empty(ledger_url: str) -> Iterator[Engine]:
    """An engine on a new, empty database."""
    name = "nbo_migrations"
    owner = open_ledger(ledger_url)
    autocommit = owner.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    other = make_url(ledger_url).set(database=name)
    engine = open_ledger(other.render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with autocommit.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    owner.dispose()


def test_migrations_make_the_tables_the_code_knows(empty: Engine) -> None:
    migrate(empty)
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "version_table": "ledger_version",
    }
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        indexes = {index["name"] for index in inspect(connection).get_indexes("outcome")}
    assert "ux_outcome_money_once" in indexes


def test_processes_that_start_together_migrate_once(empty: Engine) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            migrate(empty)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with empty.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ledger_version").scalar() == 1


def test_what_is_no_postgresql_is_refused() -> None:
    for url in ("sqlite:///x.db", "not a url", "mysql://db/nbo"):
        with pytest.raises(BadInputError, match="postgresql"):
            open_ledger(url)


def test_plain_urls_use_the_installed_driver() -> None:
    assert open_ledger("postgresql://db/nbo").url.drivername == "postgresql+psycopg"
    assert open_ledger("postgres://db/nbo").url.drivername == "postgresql+psycopg"


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="ledger is not available"):
        migrate(open_ledger(f"postgresql://nbo@/nbo?host={tmp_path}"))
