from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from nbo.decision.history import Outcome
from nbo.decision.record import Record
from nbo.errors import UnavailableError
from nbo.ledger import outbox, outcomes
from nbo.ledger.engine import migrate, open_ledger
from nbo.ledger.outcomes import OutcomeInput
from serving.embedded_postgres import EmbeddedPostgres

CALLERS = 4
EACH = 60


def test_a_crash_loses_no_outcome_and_doubles_none(
    fresh_dir: Path, make_record: Callable[..., Record]
) -> None:
    """Callers repeat each report until it is acknowledged; PostgreSQL is killed meanwhile."""
    server = EmbeddedPostgres(fresh_dir)
    engine = open_ledger(server.start())
    migrate(engine)
    acknowledged: dict[str, str] = {}
    refused: list[UnavailableError] = []

    def call(caller: int) -> None:
        for n in range(EACH):
            key = f"{caller}-{n}"
            record = make_record(f"d-{key}")
            at = datetime(2026, 3, 1, 11, tzinfo=UTC)
            given = OutcomeInput(key, f"d-{key}", 1, Outcome.ACCEPTED, "", at)
            while key not in acknowledged:
                try:
                    acknowledged[key] = outcomes.record(engine, given, record).outcome_id
                except UnavailableError as error:
                    refused.append(error)
                    time.sleep(0.02)

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        while len(acknowledged) < CALLERS * EACH // 3:
            time.sleep(0.005)
        pid = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
        os.kill(int(pid), signal.SIGKILL)
        while not refused:
            time.sleep(0.005)
        server.start()
        for caller in callers:
            caller.join(60)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT idempotency_key, outcome_id FROM outcome")
            assert dict(rows.all()) == acknowledged
        waiting = [payload["outcome_id"] for _, payload in outbox.pending(engine, 10_000)]
        assert sorted(waiting) == sorted(acknowledged.values())
        assert len(acknowledged) == CALLERS * EACH
    finally:
        engine.dispose()
        server.stop()
