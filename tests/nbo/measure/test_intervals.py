"""Intervals: known values, coverage, and what makes them wrong."""

from __future__ import annotations

import numpy as np
import pytest

from nbo.errors import BadInputError, NotEnoughDataError
from nbo.measure.intervals import (
    Estimate,
    bootstrap_draws,
    bootstrap_mean,
    interval,
    resample,
)


def test_bootstrap_mean_agrees_with_theory_for_independent_rows() -> None:
    values = np.random.default_rng(1).normal(10, 3, 900)
    found = bootstrap_mean(values, np.arange(900), seed=2)
    half = 1.96 * values.std() / 30
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_rows_of_one_customer_do_not_count_as_independent() -> None:
    draw = np.random.default_rng(3)
    customers = np.repeat(np.arange(200), 5)
    values = np.repeat(draw.normal(0, 1, 200), 5)
    clustered = bootstrap_mean(values, customers, seed=4)
    naive = bootstrap_mean(values, np.arange(1000), seed=4)
    width = (clustered.high - clustered.low) / (naive.high - naive.low)
    assert width == pytest.approx(np.sqrt(5), rel=0.1)


def test_clustered_interval_covers_nineteen_times_in_twenty() -> None:
    inside = []
    for trial in range(300):
        draw = np.random.default_rng(trial)
        size = draw.integers(1, 4, 150)
        customers = np.repeat(np.arange(150), size)
        values = draw.normal(0, 1, 150)[customers] + draw.normal(0, 1, size.sum())
        found = bootstrap_mean(values, customers, seed=trial, resamples=400)
        inside.append(found.low <= 0.0 <= found.high)
    assert 0.90 < np.mean(inside) < 0.98


def test_order_of_rows_and_names_of_clusters_do_not_matter() -> None:
    values = np.random.default_rng(6).normal(0, 1, 30)
    names = np.array([f"c-{i // 3:02d}" for i in range(30)])
    shuffled = np.random.default_rng(0).permutation(30)
    one = bootstrap_mean(values, names, seed=7)
    assert one == pytest.approx(bootstrap_mean(values[shuffled], names[shuffled], seed=7))
    assert one == bootstrap_mean(values, names, seed=7)
    assert one != bootstrap_mean(values, names, seed=8)


def test_any_figure_of_weighted_rows_is_drawn_like_the_mean() -> None:
    draw = np.random.default_rng(12)
    values, names = draw.normal(0, 1, 90), draw.integers(0, 30, 90)
    draws = resample(
        lambda weight: (weight @ values) / weight.sum(axis=1), names, seed=3, resamples=150
    )
    assert draws == pytest.approx(bootstrap_draws(values, names, seed=3, resamples=150))
    several = resample(
        lambda weight: np.column_stack([weight.min(axis=1), weight.sum(axis=1)]),
        names,
        seed=3,
        resamples=150,
    )
    assert several.shape == (150, 2)


def test_draws_that_say_nothing_are_left_out() -> None:
    found = interval(0.0, [np.nan, *np.linspace(-1, 1, 201), np.nan])
    assert found == pytest.approx((0.0, -0.95, 0.95))


def test_draws_combine_into_a_difference() -> None:
    draw = np.random.default_rng(9)
    left, right = draw.normal(5, 1, 400), draw.normal(3, 1, 400)
    difference = bootstrap_draws(left, np.arange(400), seed=1) - bootstrap_draws(
        right, np.arange(400), seed=2
    )
    found = interval(float(left.mean() - right.mean()), difference)
    assert found.low < 2.0 < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(2 / 400), rel=0.1)


def test_too_little_says_how_much() -> None:
    with pytest.raises(NotEnoughDataError, match="at least 2 clusters, got 1"):
        bootstrap_mean([1.0, 2.0], ["c", "c"], seed=1)


def test_wrong_arrays_are_named() -> None:
    with pytest.raises(BadInputError, match="finite"):
        bootstrap_mean([1.0, float("nan")], [1, 2], seed=1)
    with pytest.raises(BadInputError, match="one entry per row, 2"):
        bootstrap_mean([1.0, 2.0], [1, 2, 3], seed=1)
    with pytest.raises(BadInputError, match="between 0 and 1"):
        interval(0.0, [1.0], level=95.0)


def test_an_estimate_reads_as_its_value_and_interval() -> None:
    assert str(Estimate(0.10649, 0.0931, 0.119)) == "0.106 [0.093, 0.119]"
    assert f"{Estimate(-0.5, -1, 0.25)}" == "-0.500 [-1.000, 0.250]"
