"""Scoring: a broken model costs the answer's quality, never the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nbo.decision.catalog import Treatment
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.prior import PriorPropensity
from nbo.decision.propensity import Scores
from nbo.decision.request import Request
from nbo.decision.scoring import score, smooth

Ask = Callable[..., Request]


class Constant:
    """Says the same of every treatment."""

    def __init__(self, p: float, evidence: float = 100.0, batch: float = 0.5, n: int = -1) -> None:
        self.version = f"constant/{p}"
        self._values = (p, evidence, batch)
        self._n = n

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        n = self._n if self._n >= 0 else len(treatments)
        return Scores(*(np.full(n, value) for value in self._values))


class Failing(Constant):
    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        raise ValueError("weights are lost")


def test_the_champion_scores(ask: Ask, compiled: CompiledCatalog) -> None:
    scored = score(ask(), compiled.treatments, Constant(0.2), {}, "")
    assert scored.scores.probability.tolist() == [0.2] * len(compiled.treatments)
    assert (scored.model, scored.degraded) == ("constant/0.2", ())


def test_an_arm_may_want_another_model(ask: Ask, compiled: CompiledCatalog) -> None:
    others = {"other": Constant(0.7)}
    scored = score(ask(), compiled.treatments, Constant(0.2), others, "other")
    assert (scored.model, scored.degraded) == ("constant/0.7", ())
    missing = score(ask(), compiled.treatments, Constant(0.2), others, "gone")
    assert (missing.model, missing.degraded) == ("constant/0.2", ("model gone missing",))


EVIDENCE = "gave evidence that is not one finite number >= 0 per treatment"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (Constant(float("nan")), "gave a probability outside [0, 1] or not a number"),
        (Constant(float("inf")), "gave a probability outside [0, 1] or not a number"),
        (Constant(1.01), "gave a probability outside [0, 1] or not a number"),
        (Constant(-0.01), "gave a probability outside [0, 1] or not a number"),
        (Constant(0.5, batch=float("nan")), "gave a batch outside [0, 1] or not a number"),
        (Constant(0.5, evidence=float("inf")), EVIDENCE),
        (Constant(0.5, evidence=-1.0), EVIDENCE),
        (Constant(0.5, n=1), "gave probability of shape (1,), must be (5,)"),
        (Failing(0.5), "failed: ValueError: weights are lost"),
    ],
)
def test_implausible_scores_fall_back_to_the_priors_and_say_why(
    ask: Ask, compiled: CompiledCatalog, broken: Constant, reason: str
) -> None:
    scored = score(ask(), compiled.treatments, broken, {}, "")
    assert scored.scores.probability.tolist() == compiled.prior.tolist()
    assert scored.scores.evidence.tolist() == [0.0] * len(compiled.treatments)
    assert scored.model == "prior"
    assert scored.degraded == (f"model {broken.version} {reason}", "prior propensity")


def test_a_models_complaint_is_told_in_one_short_line(ask: Ask, compiled: CompiledCatalog) -> None:
    class Wordy(Constant):
        def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
            raise RuntimeError("first line\nsecond line " + "x" * 1000)

    told = score(ask(), compiled.treatments, Wordy(0.5), {}, "").degraded[0]
    assert "first line second line" in told
    assert len(told) < 250


def test_both_steps_down_are_told(ask: Ask, compiled: CompiledCatalog) -> None:
    scored = score(ask(), compiled.treatments, Failing(0.5), {}, "gone")
    assert scored.degraded[::2] == ("model gone missing", "prior propensity")
    assert scored.degraded[1].endswith("weights are lost")


def test_priors_as_champion_are_a_step_down_that_is_told(
    ask: Ask, compiled: CompiledCatalog
) -> None:
    scored = score(ask(), compiled.treatments, PriorPropensity(), {}, "")
    assert (scored.model, scored.degraded) == ("prior", ("prior propensity",))


def test_nothing_to_score_asks_no_model(ask: Ask) -> None:
    scored = score(ask(), [], Failing(0.5), {}, "")
    assert (scored.scores.probability.shape, scored.degraded) == ((0,), ())


def test_smoothing_by_hand() -> None:
    scores = Scores(np.array([0.5, 0.5, 0.5]), np.array([0.0, 50.0, 150.0]), np.zeros(3))
    prior = np.array([0.1, 0.1, 0.1])
    assert smooth(scores, prior, 50.0) == pytest.approx([0.1, 0.3, 0.4])


def test_without_any_evidence_the_model_is_believed() -> None:
    scores = Scores(np.array([0.5]), np.array([0.0]), np.zeros(1))
    assert smooth(scores, np.array([0.1]), 0.0).tolist() == [0.5]


def test_priors_have_no_evidence(ask: Ask, compiled: CompiledCatalog) -> None:
    scores = PriorPropensity().score(ask(), compiled.treatments)
    assert scores.probability.tolist() == [t.offer.prior for t in compiled.treatments]
    assert not scores.evidence.any()
