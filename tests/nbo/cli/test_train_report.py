"""What `nbo train` prints fits a terminal of 80 columns and keeps every interval whole."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from nbo.cli import train
from nbo.measure.intervals import Estimate
from training.evaluate import Figures
from training.fit import MODEL, MOVING_AVERAGE, OFFER_RATE, FitReport
from training.train import TrainReport

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIGURES = Figures(
    auc=Estimate(0.7, 0.65, 0.75),
    log_loss=Estimate(0.4, 0.35, 0.45),
    ece=Estimate(0.0123, 0.001, 0.03),
    lift=Estimate(12.346, 11.0, 14.0),
    excess=Estimate(0.0, 0.0, 0.0),
)
INPUTS = [f"customer.input_{number}" for number in range(10)]


def report(never_observed=()):
    fitted = FitReport(
        exposures=600,
        dropped=0,
        accepted=120,
        parts=(360, 120, 120),
        starts=(NOW, NOW, NOW),
        trees=40,
        figures=dict.fromkeys((MODEL, MOVING_AVERAGE, OFFER_RATE), FIGURES),
        importance={name: 100.0 - at for at, name in enumerate(INPUTS)},
        never_observed=never_observed,
        seed=0,
    )
    return TrainReport("telco", "3", True, "the best baseline [x] is worse", fitted, 1.25)


@pytest.fixture
def shown(monkeypatch):
    def show(a_report):
        console = Console(width=80, record=True, file=io.StringIO())
        monkeypatch.setattr(train, "console", console)
        train.show_report(a_report)
        return console.export_text()

    return show


def test_the_table_fits_80_columns_with_its_intervals_whole(shown):
    text = shown(report())
    table = text[: text.index("telco version")].splitlines()
    assert max(map(len, table)) <= 80
    numbers = [line.split() for line in table if "0.700 [0.650, 0.750]" in line]
    assert len(numbers) == 3
    for line in numbers:
        assert " ".join(line).endswith("0.700 [0.650, 0.750] 0.400 [0.350, 0.450] 0.012 12.35")
    words = " ".join(text.split())
    for word in ("on the newest", "exposures", "calib.", "error", "moving", "acceptance"):
        assert word in words
    assert "…" not in text


def test_the_most_used_inputs_stand_in_one_line(shown):
    text = shown(report())
    lines = text.splitlines()
    assert f"most used inputs: {', '.join(INPUTS[:8])}" in lines
    assert not any("never observed" in line for line in lines)
    assert "(the best baseline [x] is worse). 600 exposures, 40 trees" in " ".join(text.split())


def test_facts_never_observed_are_named(shown):
    lines = shown(report(("customer.clicks_7d", "customer.topic"))).splitlines()
    assert "never observed in the log: customer.clicks_7d, customer.topic" in lines
