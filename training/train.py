"""One training run: ledger in, registered model out, champion only if it earns it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from models.registry import CHALLENGER, CHAMPION, Registry
from nbo.decision.catalog import Catalog
from nbo.decision.facts import FactSchema
from nbo.ledger.exposures import labelled_exposures
from training.examples import Example, examples_from
from training.fit import MODEL, FitReport, fit
from training.grow import FitParams
from training.maturity import matured


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What one training run brought.

    Attributes:
        name: Registered name.
        version: Registered version.
        promoted: Whether it is the champion now.
        reason: Why, or why not.
        fit: See `training.fit.FitReport`.
        seconds: Wall time of the whole run.
        immature: Exposures left out as too young, see `training.maturity`.
    """

    name: str
    version: str
    promoted: bool
    reason: str
    fit: FitReport
    seconds: float
    immature: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values; intervals as ``[value, low, high]``."""
        fitted = self.fit
        return {
            "name": self.name,
            "version": self.version,
            "promoted": self.promoted,
            "reason": self.reason,
            "exposures": fitted.exposures,
            "dropped": fitted.dropped,
            "immature": self.immature,
            "accepted": fitted.accepted,
            "parts": list(fitted.parts),
            "starts": [start.isoformat() for start in fitted.starts],
            "trees": fitted.trees,
            "figures": {
                name: {metric: list(figure) for metric, figure in figures._asdict().items()}
                for name, figures in fitted.figures.items()
            },
            "importance": dict(fitted.importance),
            "never_observed": list(fitted.never_observed),
            "seed": fitted.seed,
            "seconds": round(self.seconds, 2),
        }


def train(
    engine: Engine,
    registry: Registry,
    schema: FactSchema,
    catalog: Catalog,
    name: str,
    *,
    attribution: timedelta,
    now: datetime,
    params: FitParams | None = None,
    seed: int = 0,
) -> TrainReport:
    """Fit a batch model on the ledger and register it.

    Args:
        engine: The ledger.
        registry: Where the model goes.
        schema: Facts the model may read.
        catalog: In force.
        name: Registered name, e.g. ``"propensity"``.
        attribution: How long after its exposure an acceptance may come; an unanswered exposure
            is a negative only then.
        now: Nothing later is read.
        params: Settings of the fit.
        seed: Of every draw.

    Raises:
        NotEnoughDataError: too few exposures with a known answer.
        UnavailableError: ledger or registry does not answer.
    """
    started = time.perf_counter()
    examples = list(examples_from(labelled_exposures(engine, now, attribution)))
    old_enough = matured(examples, now)
    report = train_on(old_enough, registry, schema, catalog, name, params=params, seed=seed)
    seconds = time.perf_counter() - started
    return replace(report, immature=len(examples) - len(old_enough), seconds=seconds)


def train_on(
    examples: Iterable[Example],
    registry: Registry,
    schema: FactSchema,
    catalog: Catalog,
    name: str,
    *,
    params: FitParams | None = None,
    seed: int = 0,
) -> TrainReport:
    """Fit a batch model on given examples and register it; see `train`."""
    started = time.perf_counter()
    params = params or FitParams()
    result = fit(examples, schema, catalog, params, seed)
    promoted, reason = worth_promoting(result.report)
    with tempfile.TemporaryDirectory() as scratch:
        result.model.save(Path(scratch))
        version = registry.register(
            Path(scratch),
            name,
            params=asdict(params) | {"seed": seed, "catalog": catalog.version},
            metrics=_metrics(result.report),
            alias=CHAMPION if promoted else CHALLENGER,
        )
    seconds = time.perf_counter() - started
    return TrainReport(name, version, promoted, reason, result.report, seconds)


def worth_promoting(report: FitReport) -> tuple[bool, str]:
    """Whether the model may serve: no baseline is clearly better.

    A baseline is clearly better when the whole interval of its log loss minus the model's lies
    below zero on the test part.
    """
    baselines = [(name, one.excess) for name, one in report.figures.items() if name != MODEL]
    best, excess = min(baselines, key=lambda pair: pair[1].value)
    verdict = "is not clearly better or worse: its log loss is the model's plus"
    if excess.high < 0.0:
        verdict = "has a lower log loss than the model, the difference is"
    elif excess.low > 0.0:
        verdict = "has a higher log loss than the model, the difference is"
    return excess.high >= 0.0, f"the best baseline, {best}, {verdict} {excess}"


def _metrics(report: FitReport) -> dict[str, float]:
    """Figures by MLflow's metric names, with the ends of their intervals."""
    metrics = {"exposures": float(report.exposures), "accepted": float(report.accepted)}
    for name, figures in report.figures.items():
        prefix = name.replace(" ", "_")
        for metric, figure in figures._asdict().items():
            metrics[f"{prefix}.{metric}"] = figure.value
            metrics[f"{prefix}.{metric}_low"] = figure.low
            metrics[f"{prefix}.{metric}_high"] = figure.high
    return metrics
