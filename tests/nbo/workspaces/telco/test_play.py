"""The simulated month: same answers whoever asks, and a world that moves on."""

import numpy as np
import pytest
from world.play import Play, Suggestion, run_day
from world.scoreboard import score


def first_eligible(play, arm="engine"):
    """A dull engine: it always suggests the customer's first eligible offer, once per customer."""
    from world.eligibility import eligible

    may = eligible(play.profile, np.full(len(play.world.ids), 5.0), play.world.terms)
    offers = play.world.terms.offers
    told = []

    def ask(call):
        allowed = np.flatnonzero(may[call.row, :, 0])
        offer = offers[allowed[0]] if len(allowed) else ""
        return Suggestion(arm, offer, "none", told.append)

    return ask, told


def test_desks_do_not_change_the_outcome(lived):
    from concurrent.futures import ThreadPoolExecutor

    results = []
    for desks in (1, 7):
        play = Play(*lived)
        ask, _ = first_eligible(play)
        with ThreadPoolExecutor(desks) as pool:
            days = [run_day(play, calls, ask, desks, pool) for calls in list(play.days())[:6]]
        results.append(sorted(answer for day in days for answer in day if answer.offer_id))
        bill = play.bill_change(range(len(play.world.ids)))
        results.append(bill.round(6).tolist())
    assert results[0] == results[2]
    assert results[1] == results[3]


def test_every_presented_offer_is_reported_once(lived):
    play = Play(*lived)
    ask, told = first_eligible(play)
    answers = [play.answer(call, ask) for call in next(play.days())]
    assert told == [answer.outcome for answer in answers if answer.offer_id]
    assert set(told) <= {"ACCEPTED", "DECLINED", "NO_RESPONSE"}


def test_answers_follow_the_truth(lived):
    play = Play(*lived)
    ask, _ = first_eligible(play)
    answers = [play.answer(call, ask) for day in play.days() for call in day]
    shown = [answer for answer in answers if answer.offer_id]
    accepted = np.mean([answer.outcome == "ACCEPTED" for answer in shown])
    assert accepted == pytest.approx(np.mean([answer.truth for answer in shown]), abs=0.02)


def test_a_purchase_shows_in_profile_and_bill(lived):
    play = Play(*lived)
    bought = {}

    def ask(call):
        return Suggestion("engine", "wifi-mesh", "none", lambda o: bought.setdefault(call.row, o))

    for call in [call for day in list(play.days())[:5] for call in day]:
        if call.row not in bought and not play.profile["has_wifi_mesh"][call.row]:
            play.answer(call, ask)
    yes = [row for row, outcome in bought.items() if outcome == "ACCEPTED"]
    no = [row for row, outcome in bought.items() if outcome != "ACCEPTED"]
    assert len(yes) > 20
    assert play.profile["has_wifi_mesh"][yes].all()
    assert not play.profile["has_wifi_mesh"][no].any()
    stayed = play.bill_change(yes)
    assert np.median(stayed) == pytest.approx(7.0)
    assert np.median(play.bill_change(no)) == pytest.approx(0.0)


@pytest.fixture(scope="module")
def eight_days(lived):
    """A play of eight days, every customer with one of the four arms."""
    play = Play(*lived)
    arms = ("generic", "propensity", "engine", "oracle")
    asks = {arm: first_eligible(play, arm)[0] for arm in arms}
    calls = [call for day in list(play.days())[:8] for call in day]
    return play, [play.answer(call, asks[arms[call.row % 4]]) for call in calls]


def test_the_scoreboard_adds_up(eight_days):
    play, answers = eight_days
    board = score(play, answers, [0.001] * 99 + [0.101])
    shown = [a for a in answers if a.offer_id and a.arm == "engine"]
    engine = board.as_json()["arms"]["engine"]
    assert engine["exposures"] == len(shown)
    wanted = np.mean([a.truth * a.margin for a in shown])
    assert engine["margin_per_exposure"] == pytest.approx(wanted, abs=1e-3)
    low, high = engine["margin_ci"]
    assert low < wanted < high
    assert engine["acceptance_ci"][0] < engine["acceptance"] < engine["acceptance_ci"][1]
    assert board.p50_ms == pytest.approx(1.0)
    assert {"arms", "gap_closed", "gap_closed_ci", "latency_ms"} == set(board.as_json())


def test_answers_of_one_customer_do_not_count_as_independent(eight_days):
    """The same answers four times over know nothing more."""
    play, answers = eight_days
    once, again = (
        score(play, many, [0.001]).as_json()["arms"]["engine"] for many in (answers, answers * 4)
    )
    for name in ("acceptance_ci", "margin_ci", "arpu_ci", "arpu_against_generic_ci"):
        assert again[name] == pytest.approx(once[name]), name


def test_bills_are_of_all_who_called_and_compared_with_generic(eight_days):
    play, answers = eight_days
    arms = score(play, answers, [0.001]).as_json()["arms"]
    change = {}
    for arm, figures in arms.items():
        callers = sorted({answer.row for answer in answers if answer.arm == arm})
        assert figures["customers"] == len(callers)
        change[arm] = play.bill_change(callers)
        assert figures["arpu_delta"] == pytest.approx(change[arm].mean(), abs=1e-3)
    assert "arpu_against_generic" not in arms["generic"]
    gain = change["oracle"].mean() - change["generic"].mean()
    low, high = arms["oracle"]["arpu_against_generic_ci"]
    assert arms["oracle"]["arpu_against_generic"] == pytest.approx(gain, abs=1e-3)
    error = np.sqrt(sum(np.var(change[arm]) / len(change[arm]) for arm in ("oracle", "generic")))
    assert (low, high) == pytest.approx((gain - 1.96 * error, gain + 1.96 * error), abs=error / 4)
