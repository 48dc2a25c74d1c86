"""What the month was worth, arm by arm, with intervals. All figures are simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nbo.measure.intervals import Estimate, bootstrap_draws, bootstrap_mean, interval, wilson
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
        arpu_delta: Change of the monthly bill per customer, EUR, those who left counted as 0.
        arpu_before: Mean monthly bill before, EUR.
        draws: Bootstrap replications of the margin.
    """

    exposures: int
    customers: int
    acceptance: Estimate
    margin: Estimate
    margin_realised: float
    arpu_delta: Estimate
    arpu_before: float
    draws: Array


class Scoreboard(NamedTuple):
    """All arms, and how much of the way from generic to oracle the engine went."""

    arms: Mapping[str, ArmFigures]
    gap_closed: Estimate
    p50_ms: float
    p99_ms: float

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {
            "arms": {arm: _plain(figures) for arm, figures in self.arms.items()},
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
    draws = (mid.draws - low.draws) / (high.draws - low.draws)
    p50, p99 = np.percentile(np.asarray(latencies) * 1000, [50, 99])
    return Scoreboard(arms, interval(value, draws), float(p50), float(p99))


def _figures(play: Play, answers: Sequence[Answer], seed: int) -> ArmFigures:
    shown = [a for a in answers if a.offer_id]
    customers = sorted({a.row for a in answers})
    rows = [a.row for a in shown]
    truth = np.array([a.truth * a.margin for a in shown])
    accepted = np.array([a.outcome == "ACCEPTED" for a in shown])
    margins = np.array([a.margin for a in shown])
    change = play.bill_change(customers)
    return ArmFigures(
        exposures=len(shown),
        customers=len(customers),
        acceptance=wilson(int(accepted.sum()), len(shown)),
        margin=bootstrap_mean(truth, rows, seed=seed),
        margin_realised=float((accepted * margins).mean()),
        arpu_delta=bootstrap_mean(change, customers, seed=seed),
        arpu_before=float(play.first_bill[customers].mean()),
        draws=bootstrap_draws(truth, rows, seed=seed),
    )


def _plain(figures: ArmFigures) -> dict[str, Any]:
    return {
        "exposures": figures.exposures,
        "customers": figures.customers,
        "acceptance": round(figures.acceptance.value, 4),
        "acceptance_ci": _ends(figures.acceptance),
        "margin_per_exposure": round(figures.margin.value, 3),
        "margin_ci": _ends(figures.margin),
        "margin_realised": round(figures.margin_realised, 3),
        "arpu_delta": round(figures.arpu_delta.value, 3),
        "arpu_ci": _ends(figures.arpu_delta),
        "arpu_before": round(figures.arpu_before, 2),
    }


def _ends(estimate: Estimate) -> list[float]:
    return [round(estimate.low, 4), round(estimate.high, 4)]
