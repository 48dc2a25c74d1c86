"""What the agent reads out: the offer's script with the customer's own facts filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nbo.decision.catalog import Incentive, Offer
from nbo.decision.facts import Fact, Facts

_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_]+)+)\}")


def in_language(texts: Mapping[str, str], language: str, default: str) -> str:
    """The text in a language, else in the default one, else empty."""
    return texts.get(language) or texts.get(default, "")


def script(offer: Offer, incentive: Incentive, facts: Facts, language: str, default: str) -> str:
    """The offer's script in a language; ``{fact}`` placeholders are filled, unknown ones fall.

    ``{offer.name}`` and ``{incentive.name}`` are the names in that language.
    """
    words: dict[str, Fact] = dict(facts)
    words["offer.name"] = in_language(offer.name, language, default)
    words["incentive.name"] = in_language(incentive.name, language, default)
    text = in_language(offer.script, language, default)
    filled = _PLACEHOLDER.sub(lambda match: _spoken(words.get(match.group(1))), text)
    return re.sub(r"[ \t]{2,}", " ", filled).strip()


def _spoken(fact: Fact | None) -> str:
    if fact is None:
        return ""
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    if isinstance(fact, float):
        return f"{fact:,.2f}".rstrip("0").rstrip(".")
    return fact
