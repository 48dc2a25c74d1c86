"""Experiments as the catalogue declares them: selection policies, arms, who is divided how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """How slots are chosen from the ranking.

    Attributes:
        policy: ``"greedy"``, ``"epsilon"``, ``"softmax"`` or ``"thompson"``.
        epsilon: For ``epsilon``: share of the slots chosen uniformly, in [0, 1].
        temperature: For ``softmax``: in the catalogue's currency, > 0. Two offers whose
            priorities differ by it are chosen e : 1.
        draws: For ``thompson``: posterior draws, which the probability is counted in.
    """

    policy: str = "greedy"
    epsilon: float = 0.0
    temperature: float = 1.0
    draws: int = 200


GREEDY = Selection()


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant of an experiment: what it overrides in the decision.

    Attributes:
        arm_id: e.g. ``"holdout"``.
        share: Part of the units, > 0; shares of one experiment add up to 1.
        holdout: Nothing is offered; the decision is still logged.
        random: Uniform among eligible treatments' offers.
        propensity: False switches P off (a factor that is switched off is 1).
        value: False switches V and the incentive's cost off.
        levers: False switches levers off.
        context: False switches context weights off.
        incentives: False leaves only `none`.
        model: Name of a model other than the champion; empty for the champion.
        selection: Instead of the catalogue's; None for the catalogue's.
        variant: Of the catalogue: offers marked with it are available too; empty for none.
    """

    arm_id: str
    share: float
    holdout: bool = False
    random: bool = False
    propensity: bool = True
    value: bool = True
    levers: bool = True
    context: bool = True
    incentives: bool = True
    model: str = ""
    selection: Selection | None = None
    variant: str = ""


DEFAULT_ARM = Arm(arm_id="", share=1.0)


@dataclass(frozen=True, slots=True)
class Experiment:
    """Arms among which units are divided by a salted hash, stable for ever.

    Attributes:
        layer: Experiments of one layer exclude each other, those of different layers are
            independent; empty for a layer of its own.
        buckets: Stretch of the layer's [0, 1) whose units take part; stretches of one layer do
            not overlap.
        unit: TEXT fact that names the unit, e.g. ``"customer.household"``; empty for the
            customer. Whose unit is unknown takes no part, and is offered nothing where an arm
            is a holdout and the facts could not be read.
    """

    experiment_id: str
    salt: str
    arms: tuple[Arm, ...]
    layer: str = ""
    buckets: tuple[float, float] = (0.0, 1.0)
    unit: str = ""
