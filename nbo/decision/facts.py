"""Facts: anything a rule or model may read about one customer at one instant.

A fact has a dotted name and one of three types. `customer.*` is the profile and the
windows, `interaction.*` the contact, `event.*` the triggering event, `history.*` what was
offered before. A fact that is not in the mapping is unknown, and unknown refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Fact = float | str | bool
Facts = Mapping[str, Fact]


class FactType(StrEnum):
    """Type of a fact; every number is a double, so that rules never mix int and double."""

    NUMBER = "number"
    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class FactSchema:
    """Which facts exist and of what type; rules are checked and models encoded against it.

    Attributes:
        types: Dotted fact name to type, e.g. ``{"customer.tenure_months": FactType.NUMBER}``.
        events: Types of events there are, e.g. ``{"claim.reported"}``; empty when not known.
    """

    types: Mapping[str, FactType]
    events: frozenset[str] = frozenset()

    def of_type(self, wanted: FactType) -> tuple[str, ...]:
        """Names of all facts of one type, sorted."""
        return tuple(sorted(name for name, kind in self.types.items() if kind is wanted))


INTERACTION_FACTS: Mapping[str, FactType] = {
    "interaction.channel": FactType.TEXT,
    "interaction.intent": FactType.TEXT,
    "interaction.hour": FactType.NUMBER,
    "interaction.weekday": FactType.NUMBER,
    "event.type": FactType.TEXT,
}
"""Facts every workspace has. The agent is logged but is no fact: models may not learn it.

`interaction.hour` (0-23) and `interaction.weekday` (0 = Monday) are in UTC."""
