"""What must never be lost: decisions, outcomes, catalogue versions (PostgreSQL)."""
