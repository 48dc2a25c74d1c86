"""How the ledger's tables came to be, step by step; run by `nbo.ledger.engine.migrate`."""
