"""Consent: whether this customer may be offered anything at all on this channel."""

from __future__ import annotations

from typing import NamedTuple

from nbo.decision.catalog import Catalog
from nbo.decision.facts import Facts


class Objection(NamedTuple):
    """Why nothing may be said: the policy's name and the fact that decided."""

    rule: str
    detail: str


def consent_objection(facts: Facts, channel_id: str, catalog: Catalog) -> Objection | None:
    """Find what speaks against contacting the customer here; None if they allow it.

    Consent that is not known is not given: an unknown fact objects, as does one that is not
    a flag.
    """
    do_not_contact = catalog.policies.do_not_contact
    if do_not_contact and facts.get(do_not_contact) is not False:
        return Objection("do not contact", _detail(facts, do_not_contact))
    channel = catalog.channels.get(channel_id)
    if channel and channel.consent and facts.get(channel.consent) is not True:
        return Objection(f"consent for {channel_id}", _detail(facts, channel.consent))
    return None


def _detail(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return f"{name} is {str(value).lower()}" if isinstance(value, bool) else f"{name} is unknown"
