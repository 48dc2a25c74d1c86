"""What the month was worth, arm by arm, with intervals. All figures are simulated.

Every interval resamples customers. Exposures differ between arms in number and in whom they
reached, so what a way of choosing does to the bill is told from all customers who called: whoever
calls does so whatever the arm, which makes their bills comparable between arms. The change of a
bill within an arm is a plain before and after, and holds what would have happened anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nbo.measure.intervals import Estimate, bootstrap_draws, bootstrap_mean, interval
from world.play import Answer, Play
from world.population import Array

ARMS = ("generic", "propensity", "engine", "oracle")


class ArmFigures(NamedTuple):
    """One arm of the experiment.

    Attributes:
        exposures: Offers presented.
        customers: Who called, whether or not anything was offered.
        acceptance: Accepted ÷ presented.
        margin: True probability × (V - cost) per exposure, EUR: what the choice was worth, free
            of the luck of the draw.
        margin_realised: Accepted × (V - cost) per exposure, EUR.
        bill_before: Mean monthly bill of these customers before the month, EUR.
        bill_change: Mean change of that bill over the month, EUR; who left pays 0 afterwards.
        margin_draws: Bootstrap replications of `margin`.
        bill_draws: Bootstrap replications of `bill_change`.
    """

    exposures: int
    customers: int
    acceptance: Estimate
    margin: Estimate
    margin_realised: float
    bill_before: float
    bill_change: Estimate
    margin_draws: Array
    bill_draws: Array


class Scoreboard(NamedTuple):
    """All arms, and how much of the way from generic to oracle the engine went.

    Attributes:
        bill_gain: By arm other than generic: its change of the bill less that of generic, EUR a
            month per customer who called.
    """

    arms: Mapping[str, ArmFigures]
    bill_gain: Mapping[str, Estimate]
    gap_closed: Estimate
    p50_ms: float
    p99_ms: float

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        plain = {arm: _plain(figures) for arm, figures in self.arms.items()}
        for arm, gain in self.bill_gain.items():
            plain[arm]["arpu_against_generic"] = round(gain.value, 3)
            plain[arm]["arpu_against_generic_ci"] = _ends(gain)
        return {
            "arms": plain,
            "gap_closed": round(self.gap_closed.value, 4),
            "gap_closed_ci": _ends(self.gap_closed),
            "latency_ms": {"p50": round(self.p50_ms, 2), "p99": round(self.p99_ms, 2)},
        }


def score(play: Play, answers: Sequence[Answer], latencies: Sequence[float]) -> Scoreboard:
    """Judge the month.

    Args:
        latencies: Seconds that each GetOffers took, as the client saw it.
    """
    arms = {
        arm: _figures(play, [a for a in answers if a.arm == arm], seed)
        for seed, arm in enumerate(ARMS, start=1)
    }
    low, mid, high = (arms[arm] for arm in ("generic", "engine", "oracle"))
    value = (mid.margin.value - low.margin.value) / (high.margin.value - low.margin.value)
    draws = (mid.margin_draws - low.margin_draws) / (high.margin_draws - low.margin_draws)
    # Arms share no customer: their draws are independent, and so is each pair of them.
    gain = {
        arm: interval(
            figures.bill_change.value - low.bill_change.value,
            figures.bill_draws - low.bill_draws,
        )
        for arm, figures in arms.items()
        if arm != "generic"
    }
    p50, p99 = np.percentile(np.asarray(latencies) * 1000, [50, 99])
    return Scoreboard(arms, gain, interval(value, draws), float(p50), float(p99))


def _figures(play: Play, answers: Sequence[Answer], seed: int) -> ArmFigures:
    shown = [a for a in answers if a.offer_id]
    customers = sorted({a.row for a in answers})
    rows = [a.row for a in shown]
    truth = np.array([a.truth * a.margin for a in shown])
    accepted = np.array([a.outcome == "ACCEPTED" for a in shown])
    margins = np.array([a.margin for a in shown])
    change = play.bill_change(customers)
    margin_draws = bootstrap_draws(truth, rows, seed=seed)
    bill_draws = bootstrap_draws(change, customers, seed=seed)
    return ArmFigures(
        exposures=len(shown),
        customers=len(customers),
        acceptance=bootstrap_mean(accepted, rows, seed=seed),
        margin=interval(float(truth.mean()), margin_draws),
        margin_realised=float((accepted * margins).mean()),
        bill_before=float(play.first_bill[customers].mean()),
        bill_change=interval(float(change.mean()), bill_draws),
        margin_draws=margin_draws,
        bill_draws=bill_draws,
    )


def _plain(figures: ArmFigures) -> dict[str, Any]:
    """One arm as plain values; `arpu` is the bill of the customers who called, before and after."""
    return {
        "exposures": figures.exposures,
        "customers": figures.customers,
        "acceptance": round(figures.acceptance.value, 4),
        "acceptance_ci": _ends(figures.acceptance),
        "margin_per_exposure": round(figures.margin.value, 3),
        "margin_ci": _ends(figures.margin),
        "margin_realised": round(figures.margin_realised, 3),
        "arpu_delta": round(figures.bill_change.value, 3),
        "arpu_ci": _ends(figures.bill_change),
        "arpu_before": round(figures.bill_before, 2),
    }


def _ends(estimate: Estimate) -> list[float]:
    return [round(estimate.low, 4), round(estimate.high, 4)]
