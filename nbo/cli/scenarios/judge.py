"""An answer beside what was expected of it: every difference, with what came instead and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from nbo.cli.scenarios.story import Expectation

USUAL_STEP = "prior propensity"
"""Scenarios are told without a trained model: every answer takes this step."""

OUTRANKED = "outranked"
"""Where an offer ends that passed and found no slot left."""


def judge(expect: Expectation, reply: Any) -> Iterator[str]:
    """Yield each difference between an answer and what was expected, in words.

    Args:
        reply: A `GetOffersResponse` with its refusals.
    """
    answer = _Reply(reply)
    yield from _which(expect, answer)
    for offer, incentive in expect.incentive.items():
        if (slot := answer.slot(offer)) is None:
            yield answer.absent(offer)
        elif slot.incentive_id != incentive:
            yield f"{offer} came with {slot.incentive_id}, expected {incentive}"
    for offer, why in expect.because.items():
        yield from _because(answer, offer, why)
    for offer, text in expect.reason.items():
        yield from _says(answer, offer, text, "reasons")
    for offer, text in expect.script.items():
        yield from _says(answer, offer, text, "script")
    yield from _marks(expect, answer)
    yield from _steps_down(expect, reply.degraded)


class _Reply:
    """An answer, by offer."""

    def __init__(self, reply: Any) -> None:
        self.offers = [slot.offer_id for slot in reply.slots]
        self._slots = {slot.offer_id: slot for slot in reply.slots}
        self._refusals: dict[str, Any] = {}
        for refusal in reply.refusals:
            known = self._refusals.get(refusal.offer_id)
            if known is None or (known.incentive_id and not refusal.incentive_id):
                self._refusals[refusal.offer_id] = refusal

    def slot(self, offer: str) -> Any:
        return self._slots.get(offer)

    def refusal(self, offer: str) -> Any:
        return self._refusals.get(offer) if offer not in self._slots else None

    @property
    def shown(self) -> str:
        return ", ".join(self.offers) or "nothing"

    def absent(self, offer: str) -> str:
        refusal = self.refusal(offer)
        why = fell(refusal) if refusal else "passed, and others took the slots"
        return f"{offer} was not offered ({why}); offered: {self.shown}"


def fell(refusal: Any) -> str:
    """A refusal in words: stage, rule, detail."""
    detail = f": {refusal.detail}" if refusal.detail else ""
    return f"{refusal.stage}, {refusal.rule}{detail}"


def _which(expect: Expectation, answer: _Reply) -> Iterator[str]:
    for offer in expect.offered:
        if answer.slot(offer) is None:
            yield answer.absent(offer)
    for offer in expect.not_offered:
        if (slot := answer.slot(offer)) is not None:
            yield f"{offer} was offered, in slot {slot.rank} of {len(answer.offers)}"
    if expect.only is not None and set(expect.only) != set(answer.offers):
        yield f"offered: {answer.shown}; expected only {', '.join(expect.only) or 'nothing'}"
    if expect.first and answer.offers[:1] != [expect.first]:
        if answer.slot(expect.first) is None:
            yield answer.absent(expect.first)
        else:
            yield f"{answer.offers[0]} came first, expected {expect.first}; offered: {answer.shown}"
    if expect.nothing and answer.offers:
        yield f"offered: {answer.shown}; expected nothing"


def _because(answer: _Reply, offer: str, why: str) -> Iterator[str]:
    stage, _, text = (part.strip() for part in why.partition(":"))
    refusal = answer.refusal(offer)
    if refusal is None and not answer.slot(offer) and stage == OUTRANKED:
        return
    if refusal is None:
        happened = "was offered" if answer.slot(offer) else "passed, and others took the slots"
        yield f"{offer} {happened}, expected to fall at {why}"
    elif refusal.stage != stage or text not in f"{refusal.rule}: {refusal.detail}":
        yield f"{offer} fell at {fell(refusal)}; expected {why}"


def _says(answer: _Reply, offer: str, text: str, part: str) -> Iterator[str]:
    if (slot := answer.slot(offer)) is None:
        yield answer.absent(offer)
        return
    said = slot.script if part == "script" else "; ".join(slot.reasons)
    if text not in said:
        yield f"{offer}: its {part} hold no {text!r}, they are {said!r}"


def _steps_down(expect: Expectation, taken: Collection[str]) -> Iterator[str]:
    """Whatever else holds, holds for a wrong reason where something was missing or failed."""
    for step in taken:
        if step != USUAL_STEP and step not in expect.degraded:
            yield f"the answer is degraded, which nobody expected: {step}"
    for step in expect.degraded:
        if step not in taken:
            yield f"the answer is not degraded by {step!r}; its steps: {', '.join(taken) or 'none'}"


def _marks(expect: Expectation, answer: _Reply) -> Iterator[str]:
    for offer in (*expect.immediate_use, *expect.mandatory, *expect.bundle):
        if answer.slot(offer) is None:
            yield answer.absent(offer)
    for offer in expect.immediate_use:
        if (slot := answer.slot(offer)) and not slot.immediate_use:
            yield f"{offer} came with {slot.incentive_id}, which cannot be used at once"
    for offer in expect.mandatory:
        if (slot := answer.slot(offer)) and not slot.mandatory:
            yield f"{offer} was offered for what it is worth, expected as mandatory"
    for offer, members in expect.bundle.items():
        if (slot := answer.slot(offer)) and set(slot.bundle) != set(members):
            held = ", ".join(slot.bundle) or "nothing else"
            yield f"{offer} holds {held}; expected {', '.join(members)}"
