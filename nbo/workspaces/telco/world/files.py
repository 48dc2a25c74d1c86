"""The world as files of the workspace: tables a telecom would have, and what nobody has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from world.create import World
from world.history import History
from world.population import People
from world.terms import Terms

# Numbers that the German regulator keeps free for films and books: nobody is ever called.
_FREE_NUMBERS = ("+493023125", "+496990009", "+494066969", "+492214710", "+498999998")
SHARED_PHONES = 0.1


def write_world(workspace: Path, world: World, history: History) -> None:
    """Write the tables that Feast and the identity index read, and the oracle's file."""
    data = workspace / "data"
    data.mkdir(parents=True, exist_ok=True)
    history.profiles.write_parquet(data / "customers.parquet")
    identities(world).write_parquet(data / "identities.parquet")
    hidden = {f.name: getattr(world.people, f.name) for f in fields(People)}
    terms = {f"terms.{f.name}": getattr(world.terms, f.name) for f in fields(Terms)}
    np.savez(data / "hidden.npz", ids=world.ids, **hidden, **terms)


class Hidden(NamedTuple):
    """The truth about a written world.

    Attributes:
        row_of: Row of `people` by customer id.
        terms: What was on offer when the world was drawn.
    """

    people: People
    row_of: Mapping[str, int]
    terms: Terms


def read_hidden(file: Path) -> Hidden:
    """The hidden side of a written world."""
    with np.load(file) as stored:
        people = People(**{f.name: stored[f.name] for f in fields(People)})
        terms = {f.name: stored[f"terms.{f.name}"] for f in fields(Terms)}
        names = {name: tuple(terms[name].tolist()) for name in ("offers", "groups", "incentives")}
        row_of = {name: row for row, name in enumerate(stored["ids"].tolist())}
        return Hidden(people, row_of, Terms(**{**terms, **names}))


def identities(world: World) -> pl.DataFrame:
    """Who may be behind a phone number, an e-mail or an account; some share a phone.

    Returns:
        Columns customer_id, kind, value, score (likelier first).
    """
    rng = np.random.default_rng([world.seed, 7])
    numbers = _numbers(len(world.ids), rng)
    order = rng.permutation(world.ids)
    owners, others = order[: len(numbers)], order[len(numbers) :]
    sharing = min(int(len(numbers) * SHARED_PHONES), len(others))
    parts = [
        _rows(owners, "phone", list(numbers), 1.0),
        _rows(others[:sharing], "phone", list(numbers[:sharing]), 0.6),
        _rows(world.ids, "email", [f"{name}@example.com" for name in world.ids], 1.0),
        _rows(world.ids, "account", [f"DE-{name[2:]}" for name in world.ids], 1.0),
    ]
    return pl.concat(parts)


def _numbers(customers: int, rng: Generator) -> NDArray:
    """One number for about three customers in four; the others never told us theirs."""
    free = np.array([f"{area}{line:03d}" for area in _FREE_NUMBERS for line in range(1000)])
    return rng.permutation(free)[: int(0.77 * customers)]


def _rows(ids: NDArray, kind: str, values: list[str], score: float) -> pl.DataFrame:
    frame = pl.DataFrame({"customer_id": ids, "value": values})
    return frame.select(
        "customer_id", pl.lit(kind).alias("kind"), "value", pl.lit(score).alias("score")
    )
