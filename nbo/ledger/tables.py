"""The ledger's tables; `nbo.ledger.migrations` creates them, a test keeps both equal.

Money is NUMERIC in the catalogue's currency. A decision's record is JSON, not JSONB: kept as
written, so that it can be decided again bit for bit.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

catalogue_version = Table(
    "catalogue_version",
    metadata,
    Column("publication", BigInteger, Identity(always=True), primary_key=True),
    Column("version", Text, nullable=False, comment="content hash of the text"),
    Column("text", Text, nullable=False, comment="catalog.yaml as published"),
    Column("author", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_catalogue_version_version", "version"),
)
"""Every publication, in order; the last row is in force. A rollback is a publication too."""

decision = Table(
    "decision",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("interaction_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("arms", JSONB, nullable=False, comment="experiment id to arm id"),
    Column("catalog_version", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("degraded", JSONB, nullable=False, comment="list of steps down the ladder"),
    Column("record", JSON, nullable=False, comment="see nbo.decision.record"),
    Column("imported", Boolean, nullable=False, server_default=text("false")),
    Index("ix_decision_customer_at", "customer_id", "at"),
    Index("ix_decision_at", "at"),
)

slot = Table(
    "slot",
    metadata,
    Column("decision_id", Text, ForeignKey(decision.c.decision_id), primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("offer_id", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("incentive_id", Text, nullable=False),
    Column("probability", Double, comment="NULL: imported from a log that did not keep it"),
    Column("propensity", Double, comment="NULL: imported"),
    Column("value", Numeric, nullable=False, comment="value - incentive cost"),
    Column("priority", Double, comment="NULL: imported"),
    Index("ix_slot_offer", "offer_id"),
)

outcome = Table(
    "outcome",
    metadata,
    Column("outcome_id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("body_hash", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("defer_until", DateTime(timezone=True)),
    Column("margin", Numeric, comment="money it moves; NULL when it moves none"),
    Column("monthly_revenue", Numeric, comment="change of the bill; NULL when it moves none"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["decision_id", "rank"], ["slot.decision_id", "slot.rank"]),
    Index("ix_outcome_slot", "decision_id", "rank"),
    Index("ix_outcome_at", "at"),
    Index(
        "ux_outcome_money_once",
        "decision_id",
        "rank",
        "kind",
        unique=True,
        postgresql_where=text("margin IS NOT NULL"),
    ),
)
"""What came of slots. One slot is paid for once, however often its acceptance is reported."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("payload", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""What still has to be carried to Redis; a row is deleted once it is there."""
