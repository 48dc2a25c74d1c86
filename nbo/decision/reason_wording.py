"""How reasons are worded in each language; the catalogue's own names stand in them unchanged."""

from __future__ import annotations

from typing import NamedTuple


class ReasonWording(NamedTuple):
    """The sentences of one language.

    Attributes:
        mandatory: Of offers that must be said.
        happened: Holds ``{event}``, the type of the triggering event.
        favoured: Holds ``{rule}``, the name of a context rule.
        fits: Holds ``{rule}``, the name of a condition of the offer.
        likely: Holds ``{chance}`` and ``{usual}``, both as `percent` writes them.
        unlikely: Holds the same.
        usual: Holds ``{chance}``.
        percent: Holds a number between 0 and 100.
    """

    mandatory: str
    happened: str
    favoured: str
    fits: str
    likely: str
    unlikely: str
    usual: str
    percent: str


FALLBACK = "en"
"""Of languages that have no wording here."""

WORDINGS = {
    "en": ReasonWording(
        mandatory="Must be said",
        happened="Just happened: {event}",
        favoured="Favoured now: {rule}",
        fits="Fits: {rule}",
        likely="Likely to accept: {chance}, {usual} is usual for this offer",
        unlikely="Less likely than most: {chance}, {usual} is usual for this offer",
        usual="Accepted about as often as usual: {chance}",
        percent="{:.0f}%",
    ),
    "de": ReasonWording(
        mandatory="Muss gesagt werden",
        happened="Gerade geschehen: {event}",
        favoured="Jetzt bevorzugt: {rule}",
        fits="Passt: {rule}",
        likely="Zusage wahrscheinlich: {chance}, üblich sind bei diesem Angebot {usual}",
        unlikely="Zusage weniger wahrscheinlich: {chance}, üblich sind bei diesem Angebot {usual}",
        usual="Zusage etwa so wahrscheinlich wie üblich: {chance}",
        percent="{:.0f} %",
    ),
}


def reason_wording(language: str) -> ReasonWording:
    """Choose the wording of a language, else of what it is a variety of, else of `FALLBACK`."""
    base = language.partition("-")[0].lower()
    return WORDINGS.get(language) or WORDINGS.get(base) or WORDINGS[FALLBACK]
