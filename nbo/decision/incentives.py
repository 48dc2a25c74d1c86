"""Which incentives a customer may get: by the arm, by their rules, by their budgets."""

from __future__ import annotations

from collections.abc import Iterator

from nbo.decision.arms import Arm
from nbo.decision.caps_stage import budget_failure
from nbo.decision.catalog import NO_INCENTIVE
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.failure import Failure, Lacking
from nbo.decision.request import Request
from nbo.decision.rules import Activation


def incentive_failures(
    incentive_id: str,
    request: Request,
    compiled: CompiledCatalog,
    activation: Activation,
    arm: Arm,
) -> Iterator[Failure]:
    """List why the customer may not get an incentive, with whatever offer it comes."""
    if not arm.incentives and incentive_id != NO_INCENTIVE.incentive_id:
        told = f"arm {arm.arm_id!r} gives no incentives"
        yield Failure("eligibility", "incentives", told, incentive_id=incentive_id)
    for stage, name, rule in compiled.incentive_conditions[incentive_id]:
        verdict = rule.check(activation)
        if not verdict.passed:
            yield Failure(
                stage,
                name,
                verdict.detail,
                rule.expression,
                incentive_id=incentive_id,
                lacking=Lacking.RULE,
            )
    if used_up := budget_failure(compiled.catalog.incentives[incentive_id], request):
        yield used_up._replace(incentive_id=incentive_id)
