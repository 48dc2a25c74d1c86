"""What the things of one catalogue may refer to, as far as it was read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from nbo.decision.catalog import Group, Offer
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
        groups: By id.
        products: Ids.
        purposes: Ids.
        incentives: Ids.
        offers: By id.
    """

    rules: RuleLanguage
    currency: str = ""
    languages: tuple[str, ...] = ("en",)
    channels: Collection[str] = ()
    issues: Collection[str] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    products: Collection[str] = ()
    purposes: Collection[str] = ()
    incentives: Collection[str] = ()
    offers: Mapping[str, Offer] = field(default_factory=dict)


@dataclass(slots=True)
class Places:
    """Where each thing of a catalogue stands, for what is checked once all was read.

    Attributes:
        sections: By kind (``"offer"``), then id.
        products: Where all products stand.
    """

    sections: dict[str, dict[str, Section]] = field(default_factory=dict)
    products: Section | None = None

    def put(self, kind: str, identity: str, section: Section) -> None:
        """Remember where a thing stands."""
        self.sections.setdefault(kind, {})[identity] = section

    def problem(self, kind: str, identity: str, where: str, message: str) -> None:
        """Note a mistake in a field of a thing."""
        self.sections[kind][identity].problem(where, message)

    def warn(self, kind: str, identity: str, where: str, message: str) -> None:
        """Note what is allowed in a field of a thing and probably not meant."""
        self.sections[kind][identity].warn(where, message)

    def warn_of_product(self, product: str, message: str) -> None:
        """Note the same of a product, which is a field and no section."""
        if self.products is not None:
            self.products.warn(product, message, called="")


def check_currency(section: Section, known: Known) -> None:
    """A thing may repeat the catalogue's currency; amounts in another are refused."""
    currency = section.text("currency", "")
    if currency and currency != known.currency:
        section.problem("currency", f"must be the catalogue's {known.currency}, was {currency!r}")
