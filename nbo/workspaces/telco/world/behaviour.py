"""How the simulated customers answer an offer. The hidden truth of the whole simulation.

For a customer x, an offer o with an incentive i, at an instant t:

    P(accept) = sigmoid( base[o]                      how popular the offer is
                       + 1.35 · need(x, o, t)         what they use, hold and go through
                       + 0.15 · taste(x, o)           what nothing explains
                       - price[o] · sensitivity(x)    dear offers put the price-sensitive off
                       + sweet(x, i, o, t)            incentives work, on some far more than others
                       + timing(event, o)             the minute after an event is not any minute
                       - fatigue(past of x, o)        asked too often, or declined before
                       + 0.4 · openness(x) + call )  the person, the reason for the call, the agent

Only this module, the history it generates and the oracle read `People`. A model sees the profile,
the windows over events and the past answers, and has to infer the rest. All functions are
vectorised: n customers (rows) × the offers and incentives of `Terms` (columns), numpy only,
without randomness. A bad experience costs more than a lost sale: see `churn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from world.population import Array, People, Profile, Rows
from world.terms import Terms

BASE: Mapping[str, float] = {
    "mobile-5gb": -0.65,
    "mobile-unlimited": -0.75,
    "family-sim": -1.10,
    "internet-100": -0.25,
    "fibre-500": -0.35,
    "fibre-1g": -0.50,
    "landline-flat": -1.35,
    "calls-abroad": -1.40,
    "tv-home": -0.65,
    "cinema": -0.65,
    "net-security": -0.55,
    "device-cover": -0.70,
    "wifi-mesh": -0.80,
    "loyalty-24": -0.45,
}

# (event, offer) -> logit, while the event is at most an hour old.
TIMING: Mapping[str, Mapping[str, float]] = {
    "billing.address_changed": {
        "internet-100": 1.3,
        "fibre-500": 1.3,
        "fibre-1g": 0.9,
        "tv-home": 0.6,
        "wifi-mesh": 0.9,
        "loyalty-24": -0.5,
    },
    "usage.cap_reached": {"mobile-unlimited": 1.6, "family-sim": 0.5, "wifi-mesh": 0.3},
    "device.contract_ending": {"mobile-unlimited": 1.3, "loyalty-24": 1.0, "device-cover": -0.6},
    "network.dropped_call": {
        "wifi-mesh": 1.4,
        "mobile-5gb": -0.8,
        "mobile-unlimited": -0.8,
        "family-sim": -0.8,
    },
    "care.complaint_closed": {"loyalty-24": 0.8, "net-security": 0.2},
    "web.clicked:price": {"loyalty-24": 0.7},
    "web.clicked:tv": {"tv-home": 1.3, "cinema": 1.3},
    "web.clicked:mobile": {"mobile-5gb": 1.2, "mobile-unlimited": 1.0, "family-sim": 0.8},
    "web.clicked:internet": {"internet-100": 1.2, "fibre-500": 1.2, "fibre-1g": 1.2},
    "web.clicked:security": {"net-security": 1.4, "device-cover": 0.8},
}
TRIGGERS = ("", *TIMING)
INTENTS: Mapping[str, float] = {
    "billing": -0.1,
    "technical": -0.35,
    "order": 0.5,
    "question": 0.05,
    "moving": 0.2,
    "complaint": -0.5,
}
AGENTS = tuple(f"agent-{number:02d}" for number in range(1, 21))
NOTICE_DAYS = 30  # before the contract of a phone ends, the customer is told
NEED, TASTE, OPENNESS, AGENT_SPREAD = 1.35, 0.15, 0.4, 0.2


@dataclass(frozen=True)
class Situation:
    """The n calls being answered; shape (n,) unless said.

    Attributes:
        at: World day.
        trigger: Index into `TRIGGERS`.
        mood: Logit of the reason for the call and of the agent, see `mood`.
        past_day: (n, r) world day of each earlier exposure, -inf where there is none.
        past_offer: (n, r) its offer's column.
        past_declined: (n, r) whether it was declined.
    """

    at: Array
    trigger: NDArray[np.intp]
    mood: Array
    past_day: Array
    past_offer: NDArray[np.intp]
    past_declined: NDArray[np.bool_]

    def take(self, rows: Rows) -> Situation:
        """The calls at these rows."""
        return Situation(**{name: getattr(self, name)[rows] for name in self.__annotations__})


def probability(people: People, profile: Profile, calls: Situation, terms: Terms) -> Array:
    """The truth: (n, offers, incentives) probability of acceptance if presented now."""
    offer_part = (
        np.array([BASE[offer] for offer in terms.offers])
        + NEED * need(people, profile, calls.at, terms)
        + TASTE * people.taste
        - 0.022 * terms.monthly * people.sensitivity[:, None]
        + _timing_table(terms)[calls.trigger]
        - fatigue(calls, terms)
        + (OPENNESS * people.openness + calls.mood)[:, None]
    )
    return _sigmoid(offer_part[:, :, None] + sweet(people, calls, terms))


def need(people: People, profile: Profile, at: Array, terms: Terms) -> Array:
    """(n, offers) logit of wanting it, from life rather than from the deal."""
    p, x = people, {name: np.asarray(profile[name]) for name in ("senior", "partner", "dependents")}
    senior, partner, children = (x[name].astype(float) for name in x)
    moved = _fading(at - p.moves_at, 30.0)
    device_old = _fading(at - p.device_ends_at + NOTICE_DAYS, 45.0)
    fresh = (profile["tenure_months"] < 6).astype(float)
    wants: Mapping[str, Array] = {
        "mobile-5gb": 0.5 * p.appetite - 0.5 * senior + 0.4 * p.sensitivity - 0.3 * fresh,
        "mobile-unlimited": 1.1 * p.appetite + 1.4 * device_old - 0.7 * senior,
        "family-sim": 1.2 * children + 0.3 * p.appetite - 0.3 * p.caution,
        "internet-100": 0.6 * p.appetite + 0.5 * p.screen - 0.5 * senior + 1.2 * moved,
        "fibre-500": 1.0 * p.appetite + 0.5 * p.screen * children + 1.0 * moved,
        "fibre-1g": 1.1 * p.appetite + 0.7 * children - 0.6 * senior,
        "landline-flat": 1.3 * senior - 0.6 * p.appetite + 0.6 * p.abroad,
        "calls-abroad": 2.3 * p.abroad - 0.3,
        "tv-home": 1.1 * p.screen + 0.3 * partner + 0.5 * moved,
        "cinema": 1.2 * p.screen - 0.3 * senior,
        "net-security": 1.0 * p.caution + 0.6 * senior + 0.4 * children,
        "device-cover": 0.8 * p.caution - 1.0 * device_old + 0.3 * children,
        "wifi-mesh": -0.9 * p.coverage + 0.5 * children + 0.5 * p.appetite,
        "loyalty-24": 0.5 * p.sensitivity - 0.7 * moved - 0.8 * fresh + 0.3 * device_old,
    }
    return np.column_stack([wants[offer] for offer in terms.offers])


def sweet(people: People, calls: Situation, terms: Terms) -> Array:
    """(n, offers, incentives) logit an incentive adds; deals move the price-sensitive."""
    s = people.sensitivity
    event = (calls.trigger > 0).astype(float)
    effects: Mapping[str, Array] = {
        "none": np.zeros_like(s),
        "half-price-3m": np.clip(0.2 + 1.2 * s, -0.1, None),
        "free-month": np.clip(0.2 + 0.35 * s, -0.1, None),
        "phone-bonus": 0.3 + 0.5 * people.appetite,
        "start-today": -0.05 + 1.0 * event,
    }
    gain = np.column_stack([effects[incentive] for incentive in terms.incentives])
    dear = np.clip(0.4 + terms.monthly / 20, 0.4, 1.3)
    scale = np.ones((len(terms.offers), len(terms.incentives)))
    for column, incentive in enumerate(terms.incentives):
        if incentive in {"half-price-3m", "free-month"}:
            scale[:, column] = dear
    return gain[:, None, :] * scale[None]


def fatigue(calls: Situation, terms: Terms) -> Array:
    """(n, offers) logit lost by having asked before."""
    age = calls.at[:, None] - calls.past_day
    recent, season = (age >= 0) & (age < 30), (age >= 0) & (age < 90)
    offers = np.arange(len(terms.offers))
    this = calls.past_offer[:, :, None] == offers
    kin = terms.same_group[calls.past_offer]
    declined = (season & calls.past_declined)[:, :, None]
    return (
        0.16 * recent.sum(axis=1)[:, None]
        + 0.8 * np.minimum((declined & this).sum(axis=1), 2)
        + 0.25 * np.minimum((declined & kin).sum(axis=1), 3)
    )


def mood(intent: NDArray[np.intp], agent: NDArray[np.intp]) -> Array:
    """(n,) logit of the reason for the call and of who answers it (indices, -1 for unknown)."""
    reason = np.array([*INTENTS.values(), 0.0])[intent]
    skill = AGENT_SPREAD * np.sin(2.4 * np.arange(len(AGENTS)))  # fixed, mean about 0
    return reason + np.append(skill, 0.0)[agent]


def churn(declined: Array, dropped_calls: Array, stays: Array) -> Array:
    """(n,) probability of leaving within the month.

    Args:
        declined: Offers declined in the month: being pushed drives people away.
        dropped_calls: Dropped calls in the month.
        stays: 1.0 for those bound by a two-year contract or a loyalty offer.
    """
    risk = 0.012 + 0.006 * declined + 0.004 * np.minimum(dropped_calls, 5)
    return risk * np.where(stays > 0, 0.25, 1.0)


def _fading(days: Array, lasting: float) -> Array:
    """1 on the day something happened, fading within `lasting` days; 0 before it."""
    return np.where(days >= 0, np.exp(-np.maximum(days, 0.0) / lasting), 0.0)


def _timing_table(terms: Terms) -> Array:
    """(triggers, offers) logit right after each event."""
    rows = [[TIMING.get(t, {}).get(offer, 0.0) for offer in terms.offers] for t in TRIGGERS]
    return np.array(rows)


def _sigmoid(logit: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-logit))
