"""One suite of checks that every propensity passes, ours and a workspace's own.

    for check in yield_checks():
        check(model, requests, treatments)

Each check raises AssertionError with a sentence when the model breaks the contract of
`nbo.decision.propensity.Propensity`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nbo.decision.catalog import Treatment
from nbo.decision.propensity import Array, Propensity, Scores
from nbo.decision.request import Request

Check = Callable[[Propensity, Sequence[Request], Sequence[Treatment]], None]


def yield_checks() -> Iterator[Check]:
    """Yield every check; each takes a model, some requests and at least two treatments."""
    yield check_probabilities
    yield check_repeatable
    yield check_order_is_irrelevant
    yield check_batch_equals_single
    yield check_nothing_to_score
    yield check_missing_facts
    yield check_unseen_categories
    yield check_strange_numbers
    yield check_people_are_no_inputs
    yield check_threads
    yield check_save_and_load


def check_probabilities(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """Every probability lies in (0, 1), evidence is not negative, shapes fit."""
    for request in requests:
        _require_valid(model.score(request, treatments), len(treatments))
    assert model.version, "version is empty"


def check_repeatable(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """Scoring has no side effects: the same question gets the same answer."""
    first = _all(model, requests, treatments)
    again = _all(model, list(reversed(requests)), treatments)[::-1]
    assert np.array_equal(first, again), "scores depend on what was scored before"


def check_order_is_irrelevant(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """A treatment's score does not depend on its place."""
    backwards = list(reversed(treatments))
    for request in requests:
        _require_equal(
            model.score(request, treatments).probability,
            model.score(request, backwards).probability[::-1],
            "scores depend on the order of the treatments",
        )


def check_batch_equals_single(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """Scored together or alone, a treatment gets the same probability."""
    for request in requests:
        alone = [model.score(request, [one]).probability[0] for one in treatments]
        _require_equal(
            model.score(request, treatments).probability,
            np.array(alone),
            "scores depend on the other treatments",
        )


def check_nothing_to_score(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """No treatments, no scores, no error."""
    _require_valid(model.score(requests[0], []), 0)


def check_missing_facts(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """A customer of whom nothing is known still gets probabilities."""
    for request in requests[:3]:
        unknown = replace(request, facts={}, history=())
        _require_valid(model.score(unknown, treatments), len(treatments))


def check_unseen_categories(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """New categories, channels, offers and incentives still get probabilities."""
    new = [
        Treatment(
            replace(offer, offer_id="never-seen", group_id="never-seen", attributes={}),
            replace(incentive, incentive_id="never-seen", kind="never-seen"),
        )
        for offer, incentive in treatments[:2]
    ]
    for request in requests[:3]:
        facts = {
            name: "never seen" if isinstance(value, str) else value
            for name, value in request.facts.items()
        }
        strange = replace(request, facts=facts, channel="never-seen")
        _require_valid(model.score(strange, [*treatments, *new]), len(treatments) + len(new))


def check_strange_numbers(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """Numbers far outside what was seen, and not finite ones, still give probabilities."""
    for extreme in (1e30, -1e30, float("inf"), float("nan")):
        facts = {
            name: extreme if isinstance(value, float) else value
            for name, value in requests[0].facts.items()
        }
        scores = model.score(replace(requests[0], facts=facts), treatments)
        _require_valid(scores, len(treatments))


def check_people_are_no_inputs(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """Who the customer or the agent is changes nothing; only facts do."""
    for request in requests[:3]:
        other = replace(request, customer_id="someone-else", agent_id="another-agent")
        _require_equal(
            model.score(request, treatments).probability,
            model.score(other, treatments).probability,
            "scores depend on the customer's or the agent's id",
        )


def check_threads(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """Eight threads scoring at once get what one gets."""
    alone = _all(model, requests, treatments)
    with ThreadPoolExecutor(8) as pool:
        rounds = pool.map(lambda _: _all(model, requests, treatments), range(16))
        assert all(np.array_equal(alone, one) for one in rounds), "scores differ between threads"


def check_save_and_load(
    model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]
) -> None:
    """A model that can be saved scores the same after loading."""
    saved: Any = model
    if not (hasattr(saved, "save") and hasattr(saved, "load")):
        return
    with tempfile.TemporaryDirectory() as folder:
        saved.save(Path(folder))
        loaded = saved.load(Path(folder))
    before, after = _all(model, requests, treatments), _all(loaded, requests, treatments)
    assert np.array_equal(before, after), "scores differ after saving and loading"


def _all(model: Propensity, requests: Sequence[Request], treatments: Sequence[Treatment]) -> Array:
    return np.array([model.score(request, treatments).probability for request in requests])


def _require_valid(scores: Scores, count: int) -> None:
    for name in ("probability", "evidence", "batch"):
        shape = getattr(scores, name).shape
        assert shape == (count,), f"{name} has shape {shape}, must be ({count},)"
    for name in ("probability", "batch"):
        values = getattr(scores, name)
        assert ((values > 0.0) & (values < 1.0)).all(), f"{name} == {values}, must be in (0, 1)"
    assert (scores.evidence >= 0.0).all(), f"evidence == {scores.evidence}, must be >= 0"


def _require_equal(one: Array, other: Array, otherwise: str) -> None:
    assert np.allclose(one, other, rtol=0.0, atol=1e-12), otherwise
