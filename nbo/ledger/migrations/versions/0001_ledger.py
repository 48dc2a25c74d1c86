"""Catalogue versions, decisions, slots, outcomes, outbox."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    _catalogue_version()
    _decision()
    _slot()
    _outcome()
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("payload", sa.JSON, nullable=False),
        _now("created_at"),
    )


def downgrade() -> None:
    """Drop the tables, and with them everything the ledger holds."""
    for name in ("outbox", "outcome", "slot", "decision", "catalogue_version"):
        op.drop_table(name)


def _now(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _catalogue_version() -> None:
    op.create_table(
        "catalogue_version",
        sa.Column("publication", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("version", sa.Text, nullable=False, comment="content hash of the text"),
        sa.Column("text", sa.Text, nullable=False, comment="catalog.yaml as published"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        _now("published_at"),
    )
    op.create_index("ix_catalogue_version_version", "catalogue_version", ["version"])


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("interaction_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("arms", JSONB, nullable=False, comment="experiment id to arm id"),
        sa.Column("catalog_version", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("degraded", JSONB, nullable=False, comment="list of steps down the ladder"),
        sa.Column("record", sa.JSON, nullable=False, comment="see nbo.decision.record"),
        sa.Column("imported", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.create_index("ix_decision_customer_at", "decision", ["customer_id", "at"])
    op.create_index("ix_decision_at", "decision", ["at"])


def _slot() -> None:
    op.create_table(
        "slot",
        sa.Column("decision_id", sa.Text, sa.ForeignKey("decision.decision_id"), primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offer_id", sa.Text, nullable=False),
        sa.Column("group_id", sa.Text, nullable=False),
        sa.Column("incentive_id", sa.Text, nullable=False),
        sa.Column(
            "probability", sa.Double, comment="NULL: imported from a log that did not keep it"
        ),
        sa.Column("propensity", sa.Double, comment="NULL: imported"),
        sa.Column("value", sa.Numeric, nullable=False, comment="value - incentive cost"),
        sa.Column("priority", sa.Double, comment="NULL: imported"),
    )
    op.create_index("ix_slot_offer", "slot", ["offer_id"])


def _outcome() -> None:
    op.create_table(
        "outcome",
        sa.Column("outcome_id", sa.Text, primary_key=True),
        sa.Column("idempotency_key", sa.Text, nullable=False, unique=True),
        sa.Column("body_hash", sa.Text, nullable=False),
        sa.Column("decision_id", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("defer_until", sa.DateTime(timezone=True)),
        sa.Column("margin", sa.Numeric, comment="money it moves; NULL when it moves none"),
        sa.Column(
            "monthly_revenue", sa.Numeric, comment="change of the bill; NULL when it moves none"
        ),
        _now("recorded_at"),
        sa.ForeignKeyConstraint(["decision_id", "rank"], ["slot.decision_id", "slot.rank"]),
    )
    op.create_index("ix_outcome_slot", "outcome", ["decision_id", "rank"])
    op.create_index("ix_outcome_at", "outcome", ["at"])
    op.create_index(
        "ux_outcome_money_once",
        "outcome",
        ["decision_id", "rank", "kind"],
        unique=True,
        postgresql_where=sa.text("margin IS NOT NULL"),
    )
