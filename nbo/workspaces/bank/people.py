"""Three thousand people who do not exist, their money and their last quarter, the same every time.

Writes the tables that `feature_repo/definitions.py` names, and events:

    python people.py
    nbo features materialize
    nbo features import-events data/events.parquet

Nothing here is measured; replace the tables by your own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

N = 3000
SEED = 11
DAYS = 90
# Numbers that the British regulator keeps free for films and books: nobody is ever called.
FREE_NUMBERS = ("+44207946", "+44161496", "+44131496", "+44292018", "+44289018")
SEGMENTS = ("student", "everyday", "premier")


def customers(rng: np.random.Generator, now: datetime) -> pl.DataFrame:
    """One row per customer, as of last night."""
    segment = rng.choice(SEGMENTS, N, p=[0.2, 0.6, 0.2])
    student, premier = segment == "student", segment == "premier"
    age = np.where(student, rng.integers(18, 27, N), rng.integers(22, 88, N))
    score = rng.normal(660, 110, N) + premier * 90 - student * 60
    return pl.DataFrame(
        {
            "customer_id": ids(),
            "event_timestamp": [now - timedelta(hours=9)] * N,
            "age": age,
            "segment": segment,
            "tenure_years": np.round(np.minimum(rng.exponential(8, N), age - 17), 1),
            "has_account": rng.random(N) < 0.93,
            "has_card": rng.random(N) < 0.35 + 0.3 * premier - 0.25 * student,
            "has_savings": rng.random(N) < 0.4 + 0.2 * premier,
            "has_loan": rng.random(N) < 0.15,
            "has_mortgage": ~student & (rng.random(N) < 0.22),
            "credit_score": np.clip(score, 0, 999).astype(int),
            "consent_voice": rng.random(N) < 0.8,
            "consent_app": rng.random(N) < 0.65,
            "consent_web": rng.random(N) < 0.75,
            "do_not_contact": rng.random(N) < 0.02,
        }
    )


def money(rng: np.random.Generator, people: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """What comes in and goes out in a month; not known of one in twenty."""
    typical = people["segment"].replace_strict({"student": 900, "everyday": 2400, "premier": 6200})
    income = typical.to_numpy() * rng.lognormal(0, 0.3, N)
    frame = pl.DataFrame(
        {
            "customer_id": people["customer_id"],
            "as_of": [now - timedelta(days=3)] * N,
            "monthly_income": np.round(income, 2),
            "monthly_spending": np.round(income * rng.normal(0.85, 0.15, N), 2),
            "average_balance": np.round(rng.normal(0.7, 0.9, N) * income, 2),
        }
    )
    return frame.filter(pl.Series(rng.random(N) < 0.95))


def identities(rng: np.random.Generator) -> pl.DataFrame:
    """A phone for most, an account for everybody."""
    free = [f"{area}0{line:03d}" for area in FREE_NUMBERS for line in range(1000)]
    numbers = rng.permutation(free)[:N]
    rows = [
        *((f"b-{n:05d}", "phone", str(numbers[n])) for n in range(N) if n % 5),
        *((f"b-{n:05d}", "phone", str(numbers[n + 1])) for n in range(0, N - 1, 40)),
        *((f"b-{n:05d}", "account", f"20-{n:06d}") for n in range(N)),
    ]
    return pl.DataFrame(rows, schema=["customer_id", "kind", "value"], orient="row")


def events(rng: np.random.Generator, people: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """What happened to them in the last quarter."""
    offers = ["credit-card", "savings-plan", "personal-loan"]
    clicks = happened(rng, "web.offer_clicked", rng.choice(ids(), 1500), now).with_columns(
        pl.Series("offer", rng.choice(offers, 1500))
    )
    left = clicks.filter(pl.Series(rng.random(1500) < 0.7)).with_columns(
        pl.lit("web.offer_closed").alias("type"),
        (pl.col("at") + pl.duration(minutes=3)).alias("at"),
        pl.lit("the income page").alias("step"),
    )
    holders = people.filter("has_account")["customer_id"].to_numpy()
    owners = people.filter("has_card")["customer_id"].to_numpy()
    salary = happened(rng, "account.salary_received", np.repeat(holders, 3), now).with_columns(
        pl.Series("amount", np.round(rng.lognormal(7.7, 0.4, 3 * len(holders)), 2))
    )
    parts = [
        clicks,
        left,
        salary,
        happened(rng, "account.overdrawn", rng.choice(holders, 600), now),
        happened(rng, "card.declined", rng.choice(owners, 150), now),
        happened(rng, "loan.instalment_missed", rng.choice(ids(), 60), now),
    ]
    told = pl.concat(parts, how="diagonal").filter(pl.col("at") < now).sort("at")
    return told.with_columns(pl.format("b-e{}", pl.int_range(pl.len())).alias("event_id"))


def happened(rng: np.random.Generator, kind: str, whom: np.ndarray, now: datetime) -> pl.DataFrame:
    """Events of one type, spread over the last quarter."""
    ago = rng.uniform(0, DAYS * 86_400, len(whom))
    at = [now - timedelta(seconds=float(seconds)) for seconds in ago]
    return pl.DataFrame({"customer_id": whom, "at": at}).with_columns(pl.lit(kind).alias("type"))


def ids() -> list[str]:
    """Customer ids."""
    return [f"b-{n:05d}" for n in range(N)]


if __name__ == "__main__":
    data = Path(__file__).parent / "data"
    data.mkdir(exist_ok=True)
    random = np.random.default_rng(SEED)
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    everybody = customers(random, today)
    everybody.write_parquet(data / "customers.parquet")
    money(random, everybody, today).write_parquet(data / "money.parquet")
    identities(random).write_parquet(data / "identities.parquet")
    events(random, everybody, today).write_parquet(data / "events.parquet")
    print(f"{N:,} customers in {data}")
