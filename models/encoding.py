"""From facts and treatments to the numbers a model reads.

The columns of one request are its own facts, the same in every row, then the treatment's
columns, then what the customer's history says about the treatment's offer. Who the customer
or the agent is, is never a column: a model may not learn people by name.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nbo.decision.catalog import Catalog, Treatment
from nbo.decision.facts import Fact, FactSchema, FactType
from nbo.decision.history import OfferHistory, offer_histories
from nbo.decision.propensity import Array
from nbo.decision.request import Request

MAX_CATEGORIES = 64
"""Most categories of one text fact that are told apart; the rarer ones are unknown."""

_PREFIXES = ("customer.", "interaction.", "history.")
_PEOPLE = frozenset({"customer_id", "agent_id", "interaction_id", "decision_id", "agent"})
_OFFER_HISTORY = tuple(f"offer_history.{name}" for name in OfferHistory._fields)
_NOTHING_SHOWN = OfferHistory(0.0, 0.0, 0.0)

Vocabulary = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Encoding:
    """Names of a model's inputs in order, and the categories it tells apart.

    Attributes:
        facts: Facts read from a request, with their types.
        offer_attributes: Attribute names of offers that are inputs.
        incentive_attributes: Attribute names of incentives that are inputs.
        vocabularies: Input name to category to code, for every categorical input.
    """

    facts: tuple[tuple[str, FactType], ...]
    offer_attributes: tuple[str, ...]
    incentive_attributes: tuple[str, ...]
    vocabularies: Mapping[str, Vocabulary]
    _rows: dict[tuple[str, str], tuple[Treatment, Array]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def fit(
        cls, schema: FactSchema, catalog: Catalog, requests: Iterable[Request] = ()
    ) -> Encoding:
        """Choose the inputs and their categories.

        Args:
            schema: Which facts exist.
            catalog: Offers, groups, incentives and channels become categories.
            requests: Seen in training; the categories of text facts come from them. Without
                any, every text fact but the channel is unknown to the model.
        """
        facts = tuple(
            (name, schema.types[name]) for name in sorted(schema.types) if _is_input(name)
        )
        vocabularies = {
            "offer.id": _codes(sorted(catalog.offers)),
            "offer.group": _codes(sorted(catalog.groups)),
            "incentive.id": _codes(sorted({"none", *catalog.incentives})),
            "incentive.kind": _codes(
                sorted({"none"} | {one.kind for one in catalog.incentives.values()})
            ),
        }
        seen = _categories([name for name, kind in facts if kind is FactType.TEXT], requests)
        if "interaction.channel" in seen:
            seen["interaction.channel"] = sorted(catalog.channels)
        vocabularies |= {name: _codes(values) for name, values in seen.items()}
        return cls(
            facts=facts,
            offer_attributes=_attributes(offer.attributes for offer in catalog.offers.values()),
            incentive_attributes=_attributes(one.attributes for one in catalog.incentives.values()),
            vocabularies=vocabularies,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return (
            *(name for name, _ in self.facts),
            *("offer.id", "offer.group", "offer.value", "offer.monthly_revenue"),
            *(f"offer.{name}" for name in self.offer_attributes),
            *("incentive.id", "incentive.kind", "incentive.cost", "incentive.monthly_cost"),
            *(f"incentive.{name}" for name in self.incentive_attributes),
            *_OFFER_HISTORY,
        )

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the categorical columns."""
        return tuple(at for at, name in enumerate(self.inputs) if name in self.vocabularies)

    def encode(self, request: Request, treatments: Sequence[Treatment]) -> Array:
        """Build the rows of one request.

        Returns:
            (n, d) one row per treatment; NaN where a fact is unknown or a category was never
            seen in training.
        """
        customer = np.array([self._fact(request.facts, name, kind) for name, kind in self.facts])
        static = [self._treatment(treatment) for treatment in treatments]
        known, offered = len(customer), len(static[0]) if static else 0
        rows = np.empty((len(static), known + offered + len(_OFFER_HISTORY)))
        rows[:, :known] = customer
        if static:
            rows[:, known:-3] = np.concatenate(static).reshape(len(static), offered)
            rows[:, -3:] = _histories(request, treatments)
        return rows

    def to_json(self) -> str:
        """Text from which `from_json` builds an equal encoding."""
        return json.dumps(
            {
                "facts": [[name, kind.value] for name, kind in self.facts],
                "offer_attributes": self.offer_attributes,
                "incentive_attributes": self.incentive_attributes,
                "vocabularies": {name: dict(codes) for name, codes in self.vocabularies.items()},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Encoding:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        return cls(
            facts=tuple((name, FactType(kind)) for name, kind in raw["facts"]),
            offer_attributes=tuple(raw["offer_attributes"]),
            incentive_attributes=tuple(raw["incentive_attributes"]),
            vocabularies=raw["vocabularies"],
        )

    def _fact(self, facts: Mapping[str, Fact], name: str, kind: FactType) -> float:
        value = facts.get(name)
        if value is None:
            return np.nan
        if kind is FactType.TEXT:
            return self.vocabularies[name].get(value, np.nan) if isinstance(value, str) else np.nan
        if isinstance(value, str):
            return np.nan
        return float(value) if abs(value) < np.inf else np.nan

    def _treatment(self, treatment: Treatment) -> Array:
        """Build the treatment's own columns, once per offer and incentive object.

        A catalogue's objects are immutable, so that a row may be kept as long as the same two
        objects ask for it; a new catalogue version brings new objects and replaces it.
        """
        offer, incentive = treatment
        key = (offer.offer_id, incentive.incentive_id)
        kept = self._rows.get(key)
        if kept is not None and kept[0].offer is offer and kept[0].incentive is incentive:
            return kept[1]
        codes = self.vocabularies
        row = np.array(
            [
                codes["offer.id"].get(offer.offer_id, np.nan),
                codes["offer.group"].get(offer.group_id, np.nan),
                offer.value,
                offer.monthly_revenue,
                *(offer.attributes.get(name, np.nan) for name in self.offer_attributes),
                codes["incentive.id"].get(incentive.incentive_id, np.nan),
                codes["incentive.kind"].get(incentive.kind, np.nan),
                incentive.cost,
                incentive.monthly_cost,
                *(incentive.attributes.get(name, np.nan) for name in self.incentive_attributes),
            ],
            dtype=np.float64,
        )
        self._rows[key] = (treatment, row)
        return row


def _is_input(name: str) -> bool:
    if name.rsplit(".", 1)[-1] in _PEOPLE:
        return False
    return name == "event.type" or name.startswith(_PREFIXES)


def _codes(values: Iterable[str]) -> dict[str, int]:
    return {value: code for code, value in enumerate(values)}


def _attributes(attributes: Iterable[Mapping[str, float]]) -> tuple[str, ...]:
    return tuple(sorted({name for one in attributes for name in one}))


def _categories(names: Sequence[str], requests: Iterable[Request]) -> dict[str, list[str]]:
    """Find the most frequent categories of each text fact, in alphabetical order."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for request in requests:
        for name, count in counts.items():
            value = request.facts.get(name)
            if isinstance(value, str):
                count[value] += 1
    return {
        name: sorted(sorted(count, key=lambda value: (-count[value], value))[:MAX_CATEGORIES])
        for name, count in counts.items()
    }


def _histories(request: Request, treatments: Sequence[Treatment]) -> Array | OfferHistory:
    """(n, 3) what the history says about each treatment's offer."""
    seen = offer_histories(request.history, request.at) if request.history else {}
    if not seen:
        return _NOTHING_SHOWN
    return np.array(
        [
            seen.get(offer.offer_id) or seen.get(f"group:{offer.group_id}", _NOTHING_SHOWN)
            for offer, _ in treatments
        ]
    )
