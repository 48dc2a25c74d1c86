"""Run by Alembic: the connection, and its transaction, are `migrate`'s."""

from __future__ import annotations

from alembic import context

from nbo.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="ledger_version",
)
with context.begin_transaction():
    context.run_migrations()
