"""From the ledger to a champion: training sets, fit, evaluation, promotion."""
