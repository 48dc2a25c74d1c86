"""What a stage of the screen finds: which offers fail it, and why each of them does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from nbo.decision.arms import Arm
from nbo.decision.columns import Flags
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.request import Request
from nbo.decision.rules import Activation


class Lacking(StrEnum):
    """What would have to differ, other than the time, for a failure not to stand."""

    UNTOLD = "nothing that could be asked otherwise"
    RULE = "the expression to be true"
    NO_RULE = "the expression to be false"
    YES = "the fact to be true"
    NO = "the fact to be false"
    EVENT = "another event"
    CHANNEL = "another channel"
    LANGUAGE = "another language"
    CAP = "a higher cap"
    INTERACTION = "another interaction"
    KNOWLEDGE = "what could not be read, which may speak against the offer as well"


class Failure(NamedTuple):
    """Why one candidate fails one rule of one stage.

    Attributes:
        stage: Of the screen, e.g. ``"eligibility"``.
        rule: Name of the rule or policy that decided.
        detail: The facts and values that decided, for people.
        expression: The rule's own text, where it is one; else empty.
        until: First instant from which it no longer stands in the way, UTC; None when that does
            not depend on time alone.
        incentive_id: The incentive it keeps away; empty where it keeps away the offer itself.
        lacking: What would have had to differ.
        fact: Which, of a failure that lacks a fact.
        member: Whose failure it is, of a bundle that falls with a member; else empty.
    """

    stage: str
    rule: str
    detail: str
    expression: str = ""
    until: datetime | None = None
    incentive_id: str = ""
    lacking: Lacking = Lacking.UNTOLD
    fact: str = ""
    member: str = ""


class Finding(NamedTuple):
    """Offers that fail one rule.

    Attributes:
        failing: (n_offers,) by position in `CompiledCatalog.offers`; of offers that had fallen
            before it was found it may say anything.
        why: Of an offer that fails, by its position.
    """

    failing: Flags
    why: Callable[[int], Failure]


class Asked(NamedTuple):
    """One request as the stages of the screen see it.

    Attributes:
        left: (n_offers,) offers that have not fallen yet; changes while the stages run, so that
            no stage reckons for offers that are out already.
        evaluated: (n_rules + 1,) rules of `CompiledCatalog.rule_order` asked so far; the last
            stands for "no further condition".
        passed: (n_rules + 1,) those of them that hold.
    """

    request: Request
    compiled: CompiledCatalog
    activation: Activation
    arm: Arm
    left: Flags
    evaluated: Flags
    passed: Flags


def begin(request: Request, compiled: CompiledCatalog, activation: Activation, arm: Arm) -> Asked:
    """Begin the screen of one request: all offers are left, no rule is asked yet."""
    left = np.ones(len(compiled.offers), dtype=bool)
    evaluated = np.zeros(len(compiled.rule_order) + 1, dtype=bool)
    evaluated[-1] = True
    return Asked(request, compiled, activation, arm, left, evaluated, evaluated.copy())


def shared(failing: Flags, failure: Failure) -> Finding:
    """A finding that is worded alike for every offer that fails."""
    return Finding(failing, lambda _: failure)
