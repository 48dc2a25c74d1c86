"""The learner on its own: which answers it learns, once, and beside which base model."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import redis

from models.weights import OnlineWeights
from nbo.decision.decision import Decision, Slot
from nbo.decision.record import to_record
from nbo.decision.request import Request
from serving.embedded_redis import EmbeddedRedis
from serving.keys import CHAMPION_BASE, OUTCOME_STREAM, WEIGHTS, WEIGHTS_VERSION, decision_key
from serving.learner import Learner

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def redis_url(short_dir):
    store = EmbeddedRedis(short_dir / "learner")
    yield store.start()
    store.stop()


@pytest.fixture
def live(redis_url):
    with redis.Redis.from_url(redis_url) as connected:
        connected.flushdb()
        yield connected


@pytest.fixture
def learner(live, engine):
    return Learner(live, engine)


def decide(live, decision_id="d-1", model="prior"):
    """A decision of two slots that waits in Redis."""
    request = Request(decision_id, "c-1", "i-1", AT, "voice", "en", 2, {}, (), 7)
    slots = tuple(
        Slot(rank, f"offer-{rank}", "g", "none", 1.0, 0.3, 0.3, 10.0, 3.0, 1.0, 1.0, ())
        for rank in (1, 2)
    )
    record = to_record(Decision(request, {}, slots, (), {"model": model}))
    live.set(decision_key(decision_id), json.dumps(record))


def answer(live, kind, decision_id="d-1", rank=1):
    outcome = {"kind": kind, "decision_id": decision_id, "rank": rank}
    outcome |= {"offer_id": f"offer-{rank}", "incentive_id": "none"}
    live.xadd(OUTCOME_STREAM, {"e": json.dumps(outcome)})


def learnt(live):
    """(base, outcomes learnt, offer to how many of them); None before the first."""
    text = live.get(WEIGHTS)
    if text is None:
        return None
    weights = OnlineWeights.from_json(text.decode())
    assert live.get(WEIGHTS_VERSION).decode() == f"{weights.base}+online/{weights.learnt}"
    return weights.base, weights.learnt, dict(weights.counts)


def test_before_the_first_champion_the_priors_are_corrected(live, learner):
    decide(live, model="prior")
    decide(live, "d-2", model="prior+online/1")
    answer(live, "ACCEPTED")
    answer(live, "DECLINED", "d-2", 2)
    assert learner.step() == 2
    assert learnt(live) == ("prior", 2, {"offer-1": 1, "offer-2": 1})


def test_a_champion_ends_what_was_learnt_beside_the_priors(live, learner):
    decide(live)
    answer(live, "ACCEPTED")
    learner.step()
    live.set(CHAMPION_BASE, "champion/1")
    decide(live, "d-2", model="prior+online/1")
    decide(live, "d-3", model="champion/1+online/0")
    answer(live, "ACCEPTED", "d-2")
    answer(live, "ACCEPTED", "d-3")
    learner.step()
    assert learnt(live) == ("champion/1", 1, {"offer-1": 1})


def test_a_restarted_learner_goes_on(live, learner, engine):
    decide(live)
    decide(live, "d-2")
    answer(live, "ACCEPTED")
    learner.step()
    again = Learner(live, engine)
    answer(live, "ACCEPTED", "d-2")
    again.step()
    assert learnt(live) == ("prior", 2, {"offer-1": 2})


def test_without_the_announcement_the_learner_keeps_its_base(live, learner):
    live.set(CHAMPION_BASE, "champion/1")
    learner.step()
    live.delete(CHAMPION_BASE)
    decide(live, model="champion/1+online/0")
    answer(live, "ACCEPTED")
    learner.step()
    assert learnt(live) == ("champion/1", 1, {"offer-1": 1})


def test_what_a_plug_in_decided_is_not_learnt(live, learner):
    decide(live, model="oracle")
    answer(live, "ACCEPTED")
    assert learner.step() == 1
    assert learnt(live) is None


@pytest.mark.parametrize("apart", [False, True])
def test_a_slot_is_learnt_from_its_first_answer_alone(live, learner, engine, apart):
    decide(live)
    for kind in ("PRESENTED", "DEFERRED", "ACCEPTED", "ACCEPTED"):
        answer(live, kind)
        if apart:
            learner.step()
            learner = Learner(live, engine)  # the marks are in Redis, not in the process
    learner.step()
    assert learnt(live) == ("prior", 1, {"offer-1": 1})
    weights = OnlineWeights.from_json(live.get(WEIGHTS).decode())
    assert weights.weights["offer", "offer-1"] < 0.0  # the deferral, not the acceptance


def test_the_slots_of_a_decision_are_learnt_apart(live, learner):
    decide(live)
    for rank in (1, 2, 1, 2):
        answer(live, "DECLINED", rank=rank)
    learner.step()
    assert learnt(live) == ("prior", 2, {"offer-1": 1, "offer-2": 1})


def test_what_was_not_committed_is_learnt_again_and_once(live, learner, monkeypatch):
    decide(live)
    answer(live, "ACCEPTED")

    def fail(*_):
        raise redis.ConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(learner._group, "done", fail)
        with pytest.raises(redis.ConnectionError):
            learner.step()
    assert learnt(live) is None
    assert learner.step() == 1
    assert learner.step() == 0
    assert learnt(live) == ("prior", 1, {"offer-1": 1})
