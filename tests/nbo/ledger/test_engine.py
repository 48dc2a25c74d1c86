from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from nbo.errors import UnavailableError
from nbo.ledger.engine import in_one_statement, in_transaction, open_ledger


class Fails:
    """Loses its connection the first time, and fails otherwise the second."""

    def __init__(self, second: Exception) -> None:
        self.second = second
        self.attempts = 0

    def __call__(self, connection: Connection) -> int:
        self.attempts += 1
        if self.attempts == 1:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        raise self.second


@pytest.mark.parametrize("run", [in_one_statement, in_transaction])
def test_a_second_attempt_speaks_the_same_errors(engine: Engine, run: object) -> None:
    assert callable(run)
    work = Fails(PoolTimeoutError("every connection is busy"))
    with pytest.raises(UnavailableError, match="busy"):
        run(engine, work)
    assert work.attempts == 2


def test_a_lost_connection_is_replaced_once(engine: Engine) -> None:
    killed = []

    def work(connection: Connection) -> None:
        killed.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(UnavailableError):
        in_one_statement(engine, work)
    assert len(set(killed)) == 2


def test_a_mistake_is_no_outage(engine: Engine) -> None:
    with pytest.raises(ProgrammingError):
        in_one_statement(engine, lambda c: c.exec_driver_sql("SELECT nothing FROM nowhere"))


def test_an_exhausted_pool_is_unavailable(engine: Engine) -> None:
    small = open_ledger(engine.url.render_as_string(hide_password=False), pool_size=1)
    small.pool._timeout = 0.05  # type: ignore[attr-defined]  # five seconds are long in a test
    held = [small.connect() for _ in range(3)]
    with pytest.raises(UnavailableError, match="every connection is busy"):
        in_one_statement(small, lambda c: c.exec_driver_sql("SELECT 1").scalar_one())
    for connection in held:
        connection.close()
    small.dispose()
