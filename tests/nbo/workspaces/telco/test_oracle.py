"""The oracle says the truth, and nothing when there is no world."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from world.oracle import Oracle
from world.play import Play

from nbo.decision.history import Contact, Outcome
from nbo.decision.request import Request


def ask(call, play, history=(), **facts):
    row = np.array([call.row])
    known = {f"customer.{name}": column[row][0].item() for name, column in play.profile.items()}
    known |= {"interaction.intent": call.intent, **facts}
    if call.event:
        known["event.type"] = call.event.type
        known |= {f"event.{name}": value for name, value in call.event.attributes.items()}
    return Request(
        decision_id="d",
        customer_id=call.customer_id,
        interaction_id=call.interaction_id,
        at=call.at,
        channel="voice",
        language="en",
        slots=3,
        facts=known,
        history=history,
        seed=1,
        agent_id=call.agent_id,
    )


def past_contacts(play, call):
    """The customer's past as the live store would return it, two contacts per exposure."""
    contacts = []
    past, world = play.past, play.world
    for slot in np.argsort(past.day[call.row]):
        if not np.isfinite(past.day[call.row, slot]):
            continue
        offer = past.offer[call.row, slot]
        at = call.at - timedelta(days=float(play_day(play, call) - past.day[call.row, slot]))
        one = (
            "voice", f"i-{slot}", f"d-{slot}", world.terms.offers[offer], world.terms.groups[offer]
        )  # fmt: skip
        outcome = Outcome.DECLINED if past.declined[call.row, slot] else Outcome.ACCEPTED
        contacts.append(Contact(at, *one, Outcome.PRESENTED))
        contacts.append(Contact(at + timedelta(minutes=1), *one, outcome))
    return tuple(contacts)


def play_day(play, call):
    return play.world.calls["day"][call.index]


def test_it_knows_exactly_what_the_customer_will_do(lived, written, compiled):
    play, oracle = Play(*lived), Oracle(written)
    terms = play.world.terms
    calls = [call for day in play.days() for call in day]
    for call in calls[:: len(calls) // 150]:
        truth = play.truth(call)
        scores = oracle.score(ask(call, play, past_contacts(play, call)), compiled.treatments)
        wanted = [
            truth[terms.offers.index(o.offer_id), terms.incentives.index(i.incentive_id)]
            for o, i in compiled.treatments
        ]
        assert scores.probability == pytest.approx(wanted, abs=1e-5)


def test_without_a_world_it_does_not_pretend(lived, compiled, tmp_path):
    play = Play(*lived)
    call = next(play.days())[0]
    scores = Oracle(tmp_path).score(ask(call, play), compiled.treatments)
    assert np.isnan(scores.probability).all()


def test_a_stranger_is_unknown(lived, written, compiled):
    play = Play(*lived)
    call = next(play.days())[0]._replace(customer_id="somebody-else")
    assert np.isnan(Oracle(written).score(ask(call, play), compiled.treatments).probability).all()


def test_what_was_not_on_offer_is_unknown(lived, written, compiled):
    play = Play(*lived)
    call = next(play.days())[0]
    known = compiled.treatments[0]
    new = known._replace(offer=replace(known.offer, offer_id="satellite"))
    scores = Oracle(written).score(ask(call, play), [new, known])
    assert np.isnan(scores.probability).tolist() == [True, False]
