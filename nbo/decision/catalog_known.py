"""What the things of one catalogue may refer to, as far as it was read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from nbo.decision.catalog_nodes import Section
from nbo.decision.rules import RuleLanguage


@dataclass(frozen=True, slots=True)
class Known:
    """Names that may be referred to; grows (by `dataclasses.replace`) in the order of reading.

    Attributes:
        rules: What rules may say, and the facts there are.
        currency: Of every amount.
        languages: The first is the default.
        channels: Ids.
        issues: Ids; those that groups name when the catalogue lists none.
        groups: Ids.
        products: Ids.
        purposes: Ids.
        incentives: Ids.
        offers: Ids.
    """

    rules: RuleLanguage
    currency: str = ""
    languages: tuple[str, ...] = ("en",)
    channels: Collection[str] = ()
    issues: Collection[str] = ()
    groups: Collection[str] = ()
    products: Collection[str] = ()
    purposes: Collection[str] = ()
    incentives: Collection[str] = ()
    offers: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where each thing of a catalogue stands, for what is checked once all was read.

    Attributes:
        sections: By kind (``"offer"``), then id.
    """

    sections: dict[str, dict[str, Section]] = field(default_factory=dict)

    def put(self, kind: str, identity: str, section: Section) -> None:
        """Remember where a thing stands."""
        self.sections.setdefault(kind, {})[identity] = section

    def problem(self, kind: str, identity: str, where: str, message: str) -> None:
        """Note a mistake in a field of a thing."""
        self.sections[kind][identity].problem(where, message)

    def warn(self, kind: str, identity: str, where: str, message: str) -> None:
        """Note what is allowed in a field of a thing and probably not meant."""
        self.sections[kind][identity].warn(where, message)


def check_currency(section: Section, known: Known) -> None:
    """A thing may repeat the catalogue's currency; amounts in another are refused."""
    currency = section.text("currency", "")
    if currency and currency != known.currency:
        section.problem("currency", f"must be the catalogue's {known.currency}, was {currency!r}")
