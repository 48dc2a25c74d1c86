"""From the ledger to a registered model: training sets, fit, evaluation."""
