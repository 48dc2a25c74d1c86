"""The online model on real calls: 28,831 calls of a bank for a term deposit, in order of time.

Prequential: each call is predicted before its answer is learnt; the first quarter only trains.
Data: UCI Bank Marketing, Moro, Cortez, Rita (2014). It lies beside the project; the test skips
where it is absent.
"""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from models.online import OnlineLearner
from nbo.decision.request import Request
from nbo.measure.probabilities import calibration_error, log_loss
from nbo.measure.ranking import auc
from training.baselines import moving_average

CALLS = Path(__file__).parents[3] / "shared" / "data" / "bank_marketing_first_28831.csv.gz"
NUMBERS = frozenset(
    {
        "age",
        "campaign",
        "pdays",
        "previous",
        "emp.var.rate",
        "cons.price.idx",
        "cons.conf.idx",
        "euribor3m",
        "nr.employed",
    }
)
AFTERWARDS = frozenset({"y", "duration"})
"""Known only after the call."""


def call(number: int, row: dict[str, str]) -> Request:
    facts = {
        f"customer.{name}": float(value) if name in NUMBERS else value
        for name, value in row.items()
        if name not in AFTERWARDS
    }
    at = datetime(2008, 5, 1, tzinfo=UTC) + timedelta(minutes=number)
    return Request(
        f"d{number}", f"c{number}", f"i{number}", at, "voice", "en", 1, facts, (), seed=0
    )


@pytest.mark.skipif(not CALLS.exists(), reason=f"{CALLS} is not here")
def test_real_calls_are_learnt_one_by_one() -> None:
    with gzip.open(CALLS, "rt") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    accepted = np.array([row["y"] == "yes" for row in rows])
    facts = [f"customer.{name}" for name in rows[0] if name not in AFTERWARDS]
    learner = OnlineLearner(facts=facts)
    predictions = np.empty(len(rows))
    for number, row in enumerate(rows):
        request = call(number, row)
        predictions[number] = learner.predict(request, "deposit", "none", None)
        learner.learn(request, "deposit", "none", None, bool(accepted[number]))

    start = len(rows) // 4
    order = np.arange(float(len(rows)))
    baseline = moving_average(order, order + 0.5, accepted, start)[start:]
    ours, later = predictions[start:], accepted[start:]
    # The base rate moves a lot here, and a moving average of it ranks as well as the model does;
    # the model must at least mean what it says.
    assert log_loss(ours, later) < log_loss(baseline, later)
    assert 0.62 < auc(ours, later) < 0.70
    assert calibration_error(ours, later) < 0.02
