"""Baselines read no label before it was known."""

from __future__ import annotations

import numpy as np
import pytest

from training.baselines import moving_average, offer_rates


def test_moving_average_follows_the_rate() -> None:
    generator = np.random.default_rng(0)
    presented = np.arange(4000.0)
    accepted = generator.random(4000) < np.where(presented < 2000, 0.1, 0.5)
    predicted = moving_average(presented, presented + 0.5, accepted, start=3000)
    assert predicted[1900:2000].mean() == pytest.approx(0.1, abs=0.05)
    assert predicted[3500:].mean() == pytest.approx(0.5, abs=0.08)


def test_a_label_changes_no_prediction_before_it_was_known() -> None:
    generator = np.random.default_rng(1)
    presented = np.arange(500.0)
    known = presented + generator.uniform(0, 100, 500)
    accepted = generator.random(500) < 0.3
    changed = accepted.copy()
    changed[200] = ~changed[200]
    # Nothing is judged before exposure 1, so that both use the same memory.
    ours, theirs = (moving_average(presented, known, one, start=1) for one in (accepted, changed))
    before = presented <= known[200]
    assert np.array_equal(ours[before], theirs[before])
    assert not np.array_equal(ours[~before], theirs[~before])


def test_offer_rates_by_hand() -> None:
    offers = ["a"] * 10 + ["b"] * 10 + ["a", "b", "new"]
    accepted = np.array([True] * 5 + [False] * 15 + [True, True, True])
    known = np.arange(23.0)
    predicted = offer_rates(offers, known, accepted, upto=20.0)
    overall = (5 + 1) / (20 + 2)
    assert predicted[20] == pytest.approx((5 + 20 * overall) / 30)
    assert predicted[21] == pytest.approx((0 + 20 * overall) / 30)
    assert predicted[22] == pytest.approx(overall)
