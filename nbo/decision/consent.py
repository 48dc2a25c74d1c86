"""Consent: whether this customer may be offered something for a purpose on this channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from nbo.decision.catalog import Catalog
from nbo.decision.facts import Facts
from nbo.decision.failure import Failure, Lacking


class Objection(NamedTuple):
    """Why something may not be said.

    Attributes:
        rule: The policy's name.
        detail: The fact that decided.
        until: First instant from which it no longer objects, UTC; None when that does not depend
            on time alone.
        lacking: What would have had to differ, other than the time.
        fact: Which, where it lacks a fact.
    """

    rule: str
    detail: str
    until: datetime | None = None
    lacking: Lacking = Lacking.UNTOLD
    fact: str = ""

    def in_stage(self, stage: str) -> Failure:
        """What a stage of the screen finds with it."""
        rule, detail, until, lacking, fact = self
        return Failure(stage, rule, detail, until=until, lacking=lacking, fact=fact)


def do_not_contact(facts: Facts, catalog: Catalog) -> Objection | None:
    """Find whether the customer may not be contacted at all; unknown means they may not."""
    fact = catalog.policies.do_not_contact
    if fact and facts.get(fact) is not False:
        return _needs(Lacking.NO, fact, facts, "do not contact")
    return None


def consent_objections(
    facts: Facts, purpose_id: str, channel_id: str, catalog: Catalog
) -> Iterator[Objection]:
    """Find what speaks against offering something for this purpose here.

    Consent that is not known is not given: an unknown fact objects, as does one that is not
    a flag. A purpose that says nothing of this channel, though it does of others, and an offer
    without a purpose need the channel's own consent; a purpose that says nothing of any needs
    none.
    """
    purpose = catalog.purposes.get(purpose_id)
    if purpose is not None:
        opt_in, opt_out = purpose.opt_in.get(channel_id), purpose.opt_out.get(channel_id)
        if opt_in and facts.get(opt_in) is not True:
            yield _needs(Lacking.YES, opt_in, facts, f"{purpose_id} opt-in for {channel_id}")
        if opt_out and facts.get(opt_out) is not False:
            yield _needs(Lacking.NO, opt_out, facts, f"{purpose_id} opt-out for {channel_id}")
        if opt_in or opt_out or not (purpose.opt_in or purpose.opt_out):
            return
    channel = catalog.channels.get(channel_id)
    if channel and channel.consent and facts.get(channel.consent) is not True:
        yield _needs(Lacking.YES, channel.consent, facts, f"consent for {channel_id}")


def _needs(lacking: Lacking, name: str, facts: Facts, rule: str) -> Objection:
    value = facts.get(name)
    told = str(value).lower() if isinstance(value, bool) else "unknown"
    return Objection(rule, f"{name} is {told}", lacking=lacking, fact=name)
