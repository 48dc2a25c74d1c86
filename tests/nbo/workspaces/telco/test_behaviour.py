"""The hidden truth: how likely people accept, and what it depends on."""

import numpy as np
import pytest
from world.behaviour import TRIGGERS, Situation, churn, probability
from world.eligibility import eligible
from world.past import situation
from world.population import take


def quiet(n, at=190.0):
    """n ordinary calls of customers who were never offered anything."""
    return Situation(
        at=np.full(n, at),
        trigger=np.zeros(n, dtype=int),
        mood=np.zeros(n),
        past_day=np.full((n, 1), -np.inf),
        past_offer=np.zeros((n, 1), dtype=int),
        past_declined=np.zeros((n, 1), dtype=bool),
    )


@pytest.fixture(scope="module")
def answers(lived):
    """The truth about every call of the play, as if each were the first: P, and what may be."""
    world, history = lived
    rows = world.calls["row"].to_numpy()
    profile, past = take(history.profile, rows), history.past.take(rows)
    truth = probability(world.people.take(rows), profile, situation(world.calls, past), world.terms)
    may = eligible(profile, np.full(len(rows), 5.0), world.terms)
    return truth, may, world.terms


def chosen(score, may):
    """Value of the best-scored allowed treatment's row and column per call that has one."""
    flat = np.where(may, score, -np.inf).reshape(len(may), -1)
    return flat.argmax(axis=1), may.any(axis=(1, 2))


def worth(answers, score):
    """Mean true acceptance and mean true margin of choosing by a score."""
    truth, may, terms = answers
    best, some = chosen(score, may)
    p = truth.reshape(len(best), -1)[np.arange(len(best)), best]
    margin = np.broadcast_to(terms.margin, truth.shape).reshape(len(best), -1)
    return p[some].mean(), (p * margin[np.arange(len(best)), best])[some].mean()


def generic(answers):
    truth, _, terms = answers
    plain = np.zeros(truth.shape)
    plain[:, :, 1:] = -1e6
    return plain + terms.margin


def test_the_generic_promotion_is_accepted_by_about_a_third(answers):
    acceptance, _ = worth(answers, generic(answers))
    assert acceptance == pytest.approx(0.35, abs=0.04)


def test_nothing_earns_more_than_the_truth(answers):
    truth, _, terms = answers
    _, oracle = worth(answers, truth * terms.margin)
    plain = np.where(np.arange(truth.shape[2]) == 0, 0.0, -1e6)
    for score in (
        generic(answers),
        truth + plain,
        truth,
        truth * terms.margin + np.random.default_rng(0).normal(0, 5, truth.shape),
        np.random.default_rng(1).random(truth.shape),
    ):
        assert worth(answers, score)[1] < oracle


def test_there_is_something_to_gain(answers):
    truth, _, terms = answers
    _, oracle = worth(answers, truth * terms.margin)
    assert oracle > 1.35 * worth(answers, generic(answers))[1]
    assert worth(answers, truth)[0] > worth(answers, truth * terms.margin)[0]


def test_an_event_makes_its_offer_welcome(lived):
    world, _ = lived
    rows = np.arange(500)
    people, profile = world.people.take(rows), take(world.profile, rows)
    calm = quiet(500)
    moving = Situation(
        **{
            **vars(calm),
            "trigger": np.full(500, TRIGGERS.index("billing.address_changed")),
        }
    )
    fibre = world.terms.offers.index("fibre-500")
    before = probability(people, profile, calm, world.terms)[:, fibre, 0]
    after = probability(people, profile, moving, world.terms)[:, fibre, 0]
    assert (after > before).all()


def test_asking_again_and_again_tires(lived):
    world, _ = lived
    rows = np.arange(500)
    people, profile = world.people.take(rows), take(world.profile, rows)
    calm = quiet(500)
    cinema = world.terms.offers.index("cinema")
    tired = Situation(
        **{
            **vars(calm),
            "past_day": np.tile([185.0, 180.0], (500, 1)),
            "past_offer": np.full((500, 2), cinema),
            "past_declined": np.ones((500, 2), dtype=bool),
        }
    )
    before = probability(people, profile, calm, world.terms)[:, :, 0]
    after = probability(people, profile, tired, world.terms)[:, :, 0]
    assert (after < before).all()
    drop = (before - after).mean(axis=0)
    assert drop.argmax() == cinema


def test_deals_move_the_price_sensitive(lived):
    world, _ = lived
    n = len(world.ids)
    truth = probability(world.people, world.profile, quiet(n), world.terms)
    tv = world.terms.offers.index("tv-home")
    half = world.terms.incentives.index("half-price-3m")
    gain = truth[:, tv, half] - truth[:, tv, 0]
    thrifty = world.people.sensitivity > 1
    assert gain[thrifty].mean() > gain[world.people.sensitivity < -1].mean() + 0.1


def test_bad_experience_drives_people_away():
    one = np.ones(1)
    base = churn(0 * one, 0 * one, 0 * one)
    assert churn(3 * one, 0 * one, 0 * one) > base
    assert churn(0 * one, 3 * one, 0 * one) > base
    assert churn(3 * one, 3 * one, one) < churn(3 * one, 3 * one, 0 * one)
