"""The oracle: a propensity model that is told the truth. The yardstick, not a rival.

It reads the hidden side of the customers from `data/hidden.npz`, which the simulation writes
and no model sees. An arm that asks it shows what perfect knowledge would earn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nbo.decision.catalog import Treatment
from nbo.decision.history import Outcome
from nbo.decision.propensity import Scores
from nbo.decision.request import Request
from world.behaviour import AGENTS, INTENTS, TRIGGERS, Situation, mood, probability
from world.calendar import day_of
from world.files import read_hidden
from world.population import People, Profile
from world.terms import read_terms

CERTAIN = 1e12  # evidence, in outcomes: smoothing towards a prior must not blur the truth
_NEEDED = ("senior", "partner", "dependents", "tenure_months")


class Oracle:
    """Scores with the simulation's own acceptance probability.

    Without a simulated world in the workspace it knows nothing and says so with NaN; the
    decision then falls back to the offers' priors and reports that.
    """

    version = "oracle"

    def __init__(self, workspace: Path) -> None:
        self._file = workspace / "data" / "hidden.npz"
        self._terms = read_terms(workspace)
        self._loaded: tuple[int, People, dict[str, int]] | None = None
        self._offers = {offer: column for column, offer in enumerate(self._terms.offers)}
        self._incentives = {name: column for column, name in enumerate(self._terms.incentives)}

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """The truth about each treatment, for a customer of the simulated world."""
        people = self._person(request.customer_id)
        evidence = np.full(len(treatments), CERTAIN)
        if people is None:
            unknown = np.full(len(treatments), np.nan)
            return Scores(unknown, evidence, unknown)
        cube = probability(people, _profile(request), self._situation(request), self._terms)
        rows = [self._offers[offer.offer_id] for offer, _ in treatments]
        columns = [self._incentives[incentive.incentive_id] for _, incentive in treatments]
        truth = cube[0, rows, columns]
        return Scores(truth, evidence, truth)

    def _person(self, customer_id: str) -> People | None:
        """The hidden side of one customer, from the world written last."""
        try:
            written = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if self._loaded is None or self._loaded[0] != written:
            people, ids = read_hidden(self._file)
            self._loaded = (written, people, {name: row for row, name in enumerate(ids)})
        _, everyone, row_of = self._loaded
        row = row_of.get(customer_id)
        return None if row is None else everyone.take(np.array([row]))

    def _situation(self, request: Request) -> Situation:
        agent = AGENTS.index(request.agent_id) if request.agent_id in AGENTS else -1
        named = request.facts.get("interaction.intent")
        intent = list(INTENTS).index(str(named)) if named in INTENTS else -1
        past = self._past(request)
        return Situation(
            at=np.array([day_of(request.at)]),
            trigger=np.array([_trigger(request)]),
            mood=mood(np.array([intent]), np.array([agent])),
            past_day=np.array([[day for day, _, _ in past]], dtype=float),
            past_offer=np.array([[offer for _, offer, _ in past]], dtype=np.intp),
            past_declined=np.array([[declined for _, _, declined in past]], dtype=bool),
        )

    def _past(self, request: Request) -> list[tuple[float, int, bool]]:
        """One entry per exposure: world day, offer's column, whether declined."""
        seen: dict[tuple[str, str], tuple[float, int, bool]] = {}
        for contact in request.history:
            if contact.outcome.is_exposure and contact.offer_id in self._offers:
                key = (contact.decision_id or contact.interaction_id, contact.offer_id)
                day, declined = day_of(contact.at), contact.outcome is Outcome.DECLINED
                first, _, before = seen.get(key, (day, 0, False))
                seen[key] = min(first, day), self._offers[contact.offer_id], declined or before
        return list(seen.values()) or [(-np.inf, 0, False)]


def _profile(request: Request) -> Profile:
    """The columns of the profile that the behaviour reads."""
    return {name: np.array([request.facts[f"customer.{name}"]]) for name in _NEEDED}


def _trigger(request: Request) -> int:
    """Index of the triggering event; 0 for none that matters."""
    name = str(request.facts.get("event.type", ""))
    if name == "web.clicked":
        name = f"web.clicked:{request.facts.get('event.topic', '')}"
    return TRIGGERS.index(name) if name in TRIGGERS else 0
