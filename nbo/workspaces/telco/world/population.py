"""Who the customers are: a profile everyone may see, and what only the simulation knows.

The *profile* follows the IBM sample (`marginals`). The *people* behind it, their sensitivity to
prices, their appetite for data, their tastes, are hidden: they are read by the behaviour
and the oracle alone. Events and past answers are all that a model ever sees of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from world import marginals as m
from world.calendar import WORLD_DAYS

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Profile = dict[str, NDArray]  # column name to (n,) values, as of one instant


@dataclass(frozen=True)
class People:
    """The hidden side of n customers; standard normal unless said, shape (n,).

    Attributes:
        sensitivity: To prices: a deal moves those with a high value, a price puts them off.
        openness: Readiness to buy anything at all on a call.
        appetite: For data.
        screen: Interest in films, series and sports.
        caution: Concern about security and accidents.
        abroad: 1.0 for those with family abroad, else 0.0.
        coverage: Quality of the radio signal at home; low means dropped calls.
        moves_at: Day of the world on which they move house; beyond the end for most.
        device_ends_at: Day on which the contract of their phone ends.
        taste: (n, offers) liking of one offer that nothing explains.
    """

    sensitivity: Array
    openness: Array
    appetite: Array
    screen: Array
    caution: Array
    abroad: Array
    coverage: Array
    moves_at: Array
    device_ends_at: Array
    taste: Array

    def take(self, rows: Rows) -> People:
        """The people at these rows, in that order."""
        return People(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def take(profile: Profile, rows: Rows) -> Profile:
    """The profile at these rows, in that order."""
    return {name: column[rows] for name, column in profile.items()}


def create_profile(n: int, rng: Generator) -> Profile:
    """Draw n profiles along the tables of `marginals`."""
    contract = rng.choice(list(m.CONTRACT), n, p=list(m.CONTRACT.values()))
    internet = _along(m.INTERNET, contract, rng)
    lines = _along(m.LINES, internet, rng)
    partner = _chance(m.PARTNER, contract, rng)
    mobile = (lines == "several") | ((lines == "one") & (rng.random(n) < m.ONE_LINE_IS_MOBILE))
    family = np.where(partner, m.DEPENDENTS_WITH_PARTNER, m.DEPENDENTS_ALONE)
    dependents = rng.random(n) < family
    tv = _chance(m.TV, internet, rng)
    cinema = rng.random(n) < np.where(tv, m.CINEMA_WITH_TV, m.CINEMA_WITHOUT_TV)
    fibre = internet == "fibre"
    several = rng.random(n) < m.FAMILY_SIM
    plan = rng.choice(list(m.MOBILE_PLAN), n, p=list(m.MOBILE_PLAN.values()))
    profile: Profile = {
        "senior": _chance(m.SENIOR, internet, rng),
        "partner": partner,
        "dependents": dependents,
        "tenure_months": _tenure(contract, rng),
        "contract": contract,
        "payment": _along(m.PAYMENT, internet, rng),
        "paperless": _chance(m.PAPERLESS, internet, rng),
        "has_mobile": mobile,
        "mobile_plan": np.where(mobile, plan, "none"),
        "has_family_sim": mobile & (partner | dependents) & several,
        "has_fixed_line": (lines == "several") | ((lines == "one") & ~mobile),
        "has_abroad_pack": (lines != "no") & (rng.random(n) < m.ABROAD_PACK),
        "internet": internet,
        "fibre_available": fibre | (rng.random(n) < m.FIBRE_IN_THE_STREET),
        "has_gigabit": fibre & (rng.random(n) < m.GIGABIT_ON_FIBRE),
        "has_wifi_mesh": (internet != "none") & (rng.random(n) < m.WIFI_MESH),
        "has_tv": tv,
        "has_cinema": (internet != "none") & cinema,
        "has_security": _chance(m.SECURITY, internet, rng),
        "has_backup": _chance(m.BACKUP, internet, rng),
        "has_support": _chance(m.SUPPORT, internet, rng),
        "has_device_cover": _chance(m.DEVICE_COVER, internet, rng),
        "consent_voice": rng.random(n) < m.CONSENT_VOICE,
        "consent_web": rng.random(n) < m.CONSENT_WEB,
        "do_not_contact": rng.random(n) < m.DO_NOT_CONTACT,
    }
    profile["monthly_charges"] = _bill(profile, lines == "several", rng)
    return profile


def create_people(profile: Profile, offers: int, rng: Generator) -> People:
    """Draw the hidden side; some of it leans on the profile, as it does in life."""
    n = len(profile["contract"])

    def lean(reason: NDArray, strength: float) -> Array:
        """Standard normal whose mean moves with a reason of the profile."""
        shift = strength * (reason - reason.mean()) / reason.std()
        return shift + np.sqrt(1 - strength**2) * rng.standard_normal(n)

    thrift = (profile["payment"] == "e_check") * 1.0 + (profile["contract"] == "monthly") * 0.7
    return People(
        sensitivity=lean(thrift, 0.75),
        openness=rng.standard_normal(n),
        appetite=lean(profile["dependents"] * 0.7 - profile["senior"] * 1.0, 0.35),
        screen=lean(profile["has_tv"] * 1.0 + profile["partner"] * 0.5, 0.35),
        caution=lean(profile["has_backup"] * 1.0 + profile["has_support"] * 1.0, 0.5),
        abroad=(rng.random(n) < 0.22).astype(float),
        coverage=rng.standard_normal(n),
        moves_at=rng.uniform(-30, 2.2 * WORLD_DAYS, n),
        device_ends_at=rng.uniform(-60, 730, n),
        taste=rng.standard_normal((n, offers)),
    )


def _along(table: Mapping[str, m.Shares], given: NDArray, rng: Generator) -> NDArray:
    """Draw a value per row along the shares of that row's given value."""
    drawn = np.empty(len(given), dtype="<U12")
    for key, shares in table.items():
        rows = np.flatnonzero(given == key)
        drawn[rows] = rng.choice(list(shares), len(rows), p=list(shares.values()))
    return drawn


def _chance(table: m.Shares, given: NDArray, rng: Generator) -> NDArray[np.bool_]:
    """True with the share that belongs to each row's given value."""
    share: Callable[[str], float] = table.__getitem__
    return rng.random(len(given)) < np.array([share(key) for key in given])


def _tenure(contract: NDArray, rng: Generator) -> Array:
    """Whole months since they joined, along the deciles of their contract."""
    at = rng.uniform(0, 10, len(contract))
    months = np.empty(len(contract))
    for key, deciles in m.TENURE_DECILES.items():
        rows = contract == key
        months[rows] = np.interp(at[rows], np.arange(11), deciles)
    return np.round(months)


def _bill(profile: Profile, several_lines: NDArray, rng: Generator) -> Array:
    """EUR a month for what they hold, with a little spread for old tariffs."""
    p = m.PRICES
    add_ons = ("has_security", "has_backup", "has_support", "has_device_cover")
    bill = p["phone"] * (profile["has_mobile"] | profile["has_fixed_line"])
    bill = bill + p["several_lines"] * several_lines
    bill = (
        bill
        + p["dsl"] * (profile["internet"] == "dsl")
        + p["fibre"] * (profile["internet"] == "fibre")
    )
    bill = bill + p["add_on"] * sum(profile[name].astype(float) for name in add_ons)
    bill = bill + p["streaming"] * (profile["has_tv"] * 1.0 + profile["has_cinema"] * 1.0)
    return np.round(np.maximum(bill + rng.normal(0, 0.8, len(bill)), 18.0), 2)
