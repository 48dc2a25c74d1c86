"""From examples to a calibrated model and an honest report about it.

The exposures are split by time. Trees are grown on the oldest part; their number is chosen and
their probabilities calibrated on the next; figures come from the newest, which nothing touched.
The model that is handed out is the same recipe moved forward in time: grown on the first two
parts and calibrated on the newest, so that it knows what happened last. The figures therefore
describe its twin, which knew less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.batch import BatchPropensity
from models.encoding import Encoding
from nbo.decision.catalog import Catalog
from nbo.decision.facts import FactSchema
from nbo.decision.propensity import Array
from training.baselines import moving_average, offer_rates
from training.evaluate import Figures, evaluate
from training.examples import Example, customers, in_catalog, treatment_of
from training.grow import FitParams, Rows, calibrate, grow
from training.split import Split, require_enough, split_by_time

MODEL = "model"
MOVING_AVERAGE = "moving average of the base rate"
OFFER_RATE = "acceptance rate of the offer"


@dataclass(frozen=True, slots=True)
class FitReport:
    """What was learnt from what, and how good it is.

    Attributes:
        exposures: Used, over all parts.
        dropped: Left out because the catalogue no longer describes them.
        accepted: Of the exposures used.
        parts: Exposures in the fit, calibration and test parts.
        starts: First instant of each part.
        trees: Number chosen.
        figures: The model and its baselines on the test part, by name; see `training.evaluate`.
        importance: Inputs by loss reduction, largest first.
        never_observed: Facts the model may read that are unknown in every exposure used; until
            some exposure knows them they cannot matter. Sorted.
        seed: Of every draw.
    """

    exposures: int
    dropped: int
    accepted: int
    parts: tuple[int, int, int]
    starts: tuple[datetime, datetime, datetime]
    trees: int
    figures: Mapping[str, Figures]
    importance: Mapping[str, float]
    never_observed: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class FitResult:
    """A model ready to serve and the report of its fit."""

    model: BatchPropensity
    report: FitReport


def fit(
    examples: Iterable[Example],
    schema: FactSchema,
    catalog: Catalog,
    params: FitParams | None = None,
    seed: int = 0,
) -> FitResult:
    """Fit, calibrate and judge a batch model.

    Args:
        examples: In any order.
        schema: Facts the model may read.
        catalog: In force; describes the offers and incentives presented.
        params: Settings; the defaults suit thousands to hundreds of thousands of exposures.
        seed: Of every draw; the same examples and seed give the same model.

    Raises:
        NotEnoughDataError: too few exposures or answers, or too few instants to split.
    """
    params = params or FitParams()
    given = list(examples)
    used = in_catalog(given, catalog)
    accepted = _accepted(used)
    require_enough(accepted.tolist(), params.min_exposures, params.min_answers)
    presented = np.array([example.request.at.timestamp() for example in used])
    split = split_by_time(presented, params.calibration_share, params.test_share)
    for name, part in split._asdict().items():
        require_enough(accepted[part].tolist(), 2, 1, f"the {name} part of training")

    encoding, rows = _encode(used, used[split.fit], schema, catalog)
    calibration_rows = rows.part(split.calibration)
    trial = grow(rows.part(split.fit), calibration_rows, encoding, params, seed)
    judged = BatchPropensity(trial, encoding, calibrate(trial, calibration_rows), {})
    figures = _judge(used, judged.probability(rows.part(split.test).inputs), split, seed)
    trees = trial.num_trees()

    past = slice(0, split.test.start)
    encoding, rows = _encode(used, used[past], schema, catalog)
    booster = grow(rows.part(past), None, encoding, replace(params, trees=trees), seed)
    evidence = Counter(example.offer_id for example in used)
    calibration = calibrate(booster, rows.part(split.test))
    model = BatchPropensity(booster, encoding, calibration, evidence)
    report = FitReport(
        exposures=len(used),
        dropped=len(given) - len(used),
        accepted=int(accepted.sum()),
        parts=_sizes(split),
        starts=_starts(used, split),
        trees=trees,
        figures=figures,
        importance=model.importance(),
        never_observed=_never_observed(used, encoding),
        seed=seed,
    )
    return FitResult(model, report)


def _encode(
    used: Sequence[Example], seen: Sequence[Example], schema: FactSchema, catalog: Catalog
) -> tuple[Encoding, Rows]:
    """Choose the categories from the examples `seen`, encode all."""
    encoding = Encoding.fit(schema, catalog, (example.request for example in seen))
    rows = [encoding.encode(one.request, [treatment_of(one, catalog)]) for one in used]
    return encoding, Rows(np.concatenate(rows), _accepted(used))


def _judge(
    used: Sequence[Example],
    probability: Array,
    split: Split,
    seed: int,
) -> dict[str, Figures]:
    accepted = _accepted(used)
    presented = np.array([example.request.at.timestamp() for example in used])
    known = np.array([example.at.timestamp() for example in used])
    offers = [example.offer_id for example in used]
    test = split.test
    predictions = {
        MODEL: probability,
        MOVING_AVERAGE: moving_average(presented, known, accepted, test.start)[test],
        OFFER_RATE: offer_rates(offers, known, accepted, presented[test.start])[test],
    }
    return evaluate(predictions, accepted[test], customers(used[test]), seed)


def _never_observed(used: Sequence[Example], encoding: Encoding) -> tuple[str, ...]:
    observed = {name for one in used for name in one.request.facts}
    return tuple(name for name, _ in encoding.facts if name not in observed)


def _sizes(split: Split) -> tuple[int, int, int]:
    fit_part, calibration, test = (part.stop - part.start for part in split)
    return fit_part, calibration, test


def _starts(used: Sequence[Example], split: Split) -> tuple[datetime, datetime, datetime]:
    fit_part, calibration, test = (used[part.start].request.at for part in split)
    return fit_part, calibration, test


def _accepted(used: Sequence[Example]) -> NDArray[np.bool_]:
    return np.array([example.accepted for example in used], np.bool_)
