"""Two thousand people who do not exist, their numbers and their last year, the same every time.

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

N = 2000
SEED = 7
# Numbers that the German regulator keeps free for films and books: nobody is ever called.
FREE_NUMBERS = ("+493023125", "+496990009", "+494066969", "+492214710", "+498999998")
DAMAGES = ("collision", "parking", "glass", "storm", "theft")


def customers(rng: np.random.Generator, now: datetime) -> pl.DataFrame:
    """One row per customer, as of last night."""
    motor = rng.random(N) < 0.72
    age = np.round(np.clip(rng.normal(48, 16, N), 18, 92))
    cover = rng.choice(["liability", "partial", "full"], N, p=[0.3, 0.42, 0.28])
    tenure = np.minimum(np.round(rng.exponential(7, N)), age - 18)
    car_age = np.round(rng.gamma(2.2, 3.2, N))
    return pl.DataFrame(
        {
            "customer_id": ids(),
            "event_timestamp": [now - timedelta(hours=12)] * N,
            "household": [f"h-{n:05d}" for n in rng.integers(0, int(N * 0.7), N)],
            "age": age,
            "tenure_years": tenure,
            "yearly_premium": np.round(120 + motor * rng.gamma(6, 90, N), 2),
            "claim_free_years": np.round(tenure * rng.random(N)),
            "has_motor": motor,
            "motor_cover": np.where(motor, cover, "none"),
            "car_age_years": pl.Series(car_age).set(pl.Series(~motor), None),
            "has_rental_cover": motor & (rng.random(N) < 0.18),
            "has_breakdown_cover": motor & (rng.random(N) < 0.45),
            "has_legal": rng.random(N) < 0.3,
            "has_home": rng.random(N) < 0.48,
            "has_travel": rng.random(N) < 0.2,
            "consent_voice": rng.random(N) < 0.85,
            "consent_app": rng.random(N) < 0.6,
            "refused_mail": rng.random(N) < 0.25,
            "do_not_contact": rng.random(N) < 0.02,
        }
    )


def identities(rng: np.random.Generator) -> pl.DataFrame:
    """A phone for four in five, some shared within a family; an account for everybody."""
    free = [f"{area}{line:03d}" for area in FREE_NUMBERS for line in range(1000)]
    numbers = rng.permutation(free)[:N]
    owners = np.flatnonzero(rng.random(N) < 0.8)
    sharing = owners[:150]
    rows = [
        *((f"i-{n:05d}", "phone", str(numbers[n]), 1.0) for n in owners),
        *(
            (f"i-{n:05d}", "phone", str(numbers[owners[-1 - k]]), 0.5)
            for k, n in enumerate(sharing)
        ),
        *((f"i-{n:05d}", "account", f"VS-{n:06d}", 1.0) for n in range(N)),
    ]
    return pl.DataFrame(rows, schema=["customer_id", "kind", "value", "score"], orient="row")


def events(rng: np.random.Generator, people: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """What happened to them in the last year."""
    drivers = people.filter("has_motor")["customer_id"].to_numpy()
    parts = [
        happened(rng, "claim.reported", rng.choice(drivers, 330), now).with_columns(
            pl.Series("damage", rng.choice(DAMAGES, 330)),
            pl.Series("amount", np.round(rng.gamma(1.6, 1300, 330), 2)),
            pl.Series("injured", rng.random(330) < 0.06),
        ),
        happened(rng, "assist.tow_requested", rng.choice(drivers, 120), now),
        happened(rng, "web.quote_viewed", rng.choice(ids(), 900), now).with_columns(
            pl.Series("product", rng.choice(["legal", "home", "travel", "motor"], 900))
        ),
        happened(rng, "trip.booked", rng.choice(ids(), 400), now).with_columns(
            pl.Series("country", rng.choice(["Norway", "Spain", "Greece", "Japan"], 400))
        ),
        happened(rng, "web.cancellation_viewed", rng.choice(ids(), 90), now),
        happened(rng, "payment.missed", rng.choice(ids(), 140), now),
    ]
    told = pl.concat(parts, how="diagonal").sort("at")
    return told.with_columns(pl.format("i-e{}", pl.int_range(pl.len())).alias("event_id"))


def happened(rng: np.random.Generator, kind: str, whom: np.ndarray, now: datetime) -> pl.DataFrame:
    """Events of one type, spread over the last year."""
    ago = rng.uniform(0, 365 * 86_400, len(whom))
    at = [now - timedelta(seconds=float(seconds)) for seconds in ago]
    return pl.DataFrame({"customer_id": whom, "at": at}).with_columns(pl.lit(kind).alias("type"))


def ids() -> list[str]:
    """Customer ids."""
    return [f"i-{n:05d}" for n in range(N)]


if __name__ == "__main__":
    data = Path(__file__).parent / "data"
    data.mkdir(exist_ok=True)
    random = np.random.default_rng(SEED)
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    everybody = customers(random, today)
    everybody.write_parquet(data / "customers.parquet")
    identities(random).write_parquet(data / "identities.parquet")
    events(random, everybody, today).write_parquet(data / "events.parquet")
    print(f"{N:,} customers in {data}")
