"""The simulated customers look like the public sample, and a seed decides who they are."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from world.create import create_world
from world.population import create_profile

SAMPLE = Path(__file__).parents[5] / "shared" / "data" / "ibm_telco_customers.csv.gz"


@pytest.fixture(scope="module")
def profile():
    return create_profile(20_000, np.random.default_rng(3))


@pytest.fixture(scope="module")
def sample():
    if not SAMPLE.is_file():
        pytest.skip(f"needs {SAMPLE.name} beside the project")
    return pl.read_csv(SAMPLE, infer_schema_length=None)


def test_the_same_seed_gives_the_same_world(compiled):
    one, two = (create_world(compiled.catalog, seed=5, customers=300, scale=0.05) for _ in range(2))
    for name in one.profile:
        assert (one.profile[name] == two.profile[name]).all(), name
    assert (one.people.taste == two.people.taste).all()
    assert one.events.equals(two.events)
    assert one.calls.equals(two.calls)
    assert one.past_calls.equals(two.past_calls)


def test_another_seed_gives_another_world(compiled):
    one, two = (create_world(compiled.catalog, seed=s, customers=300, scale=0.05) for s in (5, 6))
    assert not one.events.equals(two.events)
    assert (one.profile["contract"] != two.profile["contract"]).any()


@pytest.mark.parametrize(
    ("ours", "value", "theirs", "their_value"),
    [
        ("contract", "monthly", "Contract", "Month-to-month"),
        ("contract", "two_years", "Contract", "Two year"),
        ("internet", "fibre", "InternetService", "Fiber optic"),
        ("internet", "dsl", "InternetService", "DSL"),
        ("has_tv", True, "StreamingTV", "Yes"),
        ("has_cinema", True, "StreamingMovies", "Yes"),
        ("has_security", True, "OnlineSecurity", "Yes"),
        ("has_device_cover", True, "DeviceProtection", "Yes"),
        ("senior", True, "SeniorCitizen", 1),
        ("partner", True, "Partner", "Yes"),
        ("dependents", True, "Dependents", "Yes"),
        ("paperless", True, "PaperlessBilling", "Yes"),
        ("payment", "e_check", "PaymentMethod", "Electronic check"),
        ("payment", "mail", "PaymentMethod", "Mailed check"),
    ],
)
def test_shares_are_those_of_the_sample(profile, sample, ours, value, theirs, their_value):
    assert (profile[ours] == value).mean() == pytest.approx(
        (sample[theirs] == their_value).mean(), abs=0.02
    )


def test_lines_are_those_of_the_sample(profile, sample):
    phone = profile["has_mobile"] | profile["has_fixed_line"]
    both = profile["has_mobile"] & profile["has_fixed_line"]
    assert phone.mean() == pytest.approx((sample["PhoneService"] == "Yes").mean(), abs=0.02)
    assert both.mean() == pytest.approx((sample["MultipleLines"] == "Yes").mean(), abs=0.02)


def test_tenure_and_bill_are_those_of_the_sample(profile, sample):
    for ours, theirs in (("tenure_months", "tenure"), ("monthly_charges", "MonthlyCharges")):
        real = sample[theirs].cast(pl.Float64).to_numpy()
        assert profile[ours].mean() == pytest.approx(real.mean(), rel=0.04), ours
        quarters = np.quantile(profile[ours], [0.25, 0.5, 0.75])
        assert quarters == pytest.approx(np.quantile(real, [0.25, 0.5, 0.75]), abs=5), ours


def test_fibre_costs_more_than_dsl_in_both(profile, sample):
    ours = profile["monthly_charges"]
    gap = ours[profile["internet"] == "fibre"].mean() - ours[profile["internet"] == "dsl"].mean()
    real = dict(sample.group_by("InternetService").agg(pl.col("MonthlyCharges").mean()).iter_rows())
    assert gap == pytest.approx(real["Fiber optic"] - real["DSL"], abs=4)


def test_nobody_holds_what_they_cannot_have(profile):
    offline = profile["internet"] == "none"
    for name in ("has_tv", "has_cinema", "has_security", "has_wifi_mesh", "has_gigabit"):
        assert not (profile[name] & offline).any(), name
    assert not (profile["has_gigabit"] & (profile["internet"] != "fibre")).any()
    assert ((profile["mobile_plan"] == "none") == ~profile["has_mobile"]).all()
    assert profile["fibre_available"][profile["internet"] == "fibre"].all()
