"""Which facts say what a customer consents to, by a catalogue."""

from __future__ import annotations

from nbo.decision.catalog import Catalog


def consent_facts(catalog: Catalog) -> frozenset[str]:
    """Names of the facts that allow or forbid contacts: do-not-contact, channels', purposes'."""
    named = {channel.consent for channel in catalog.channels.values()}
    named.add(catalog.policies.do_not_contact)
    for purpose in catalog.purposes.values():
        named.update(purpose.opt_in.values(), purpose.opt_out.values())
    return frozenset(filter(None, named))
