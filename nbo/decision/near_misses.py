"""Near misses: offers that would have passed but for one condition.

Each is tried out: with the one thing changed, and all else as it was, the offer must pass the
screen, else it is no near miss. What cannot be tried out, such as a rule that is more than
comparisons, is told in its own words.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from nbo.decision.arms import Arm
from nbo.decision.catalog import Offer
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import AFTER_SCORING, Decision, Refusal
from nbo.decision.explanation import NearMiss
from nbo.decision.failure import Failure, Lacking
from nbo.decision.failures import all_failures
from nbo.decision.lacks import asked_later, lack
from nbo.decision.request import Request
from nbo.decision.screen import screen

_MOST_TRIED = 200
"""So many of the most valuable offers that fell are looked at: each takes a screen or two."""

_MOST_LIMITS = 8
"""So many limits that end one after the other are waited for."""


def near_misses(
    decision: Decision,
    compiled: CompiledCatalog,
    arm: Arm,
    failures: Mapping[str, Sequence[Failure]],
    most: int,
) -> tuple[NearMiss, ...]:
    """Find the offers one condition away, the most valuable first, at most `most`.

    A rule is one condition, and so is time: limits that all end by waiting count together. An
    offer that fell with each of its incentives needs only one of them: the one it may come with
    the earliest, else any.

    Args:
        decision: As logged.
        compiled: The catalogue version that decided.
        arm: The customer's, combined. A holdout has no near misses: nothing would change it.
        failures: Of every offer in the screen, by offer id.
        most: 0 or more.
    """
    if arm.holdout or decision.request.only is not None:
        return ()
    worth = _worth(compiled)
    search = _Search(decision.request, compiled, arm, worth)
    unworthy = {
        refusal.offer_id: refusal
        for refusal in decision.refusals
        if refusal.stage in AFTER_SCORING and not refusal.incentive_id
    }
    fallen = [offer_id for offer_id, found in failures.items() if found or offer_id in unworthy]
    fallen.sort(key=lambda offer_id: (-worth.get(offer_id, 0.0), offer_id))

    def found() -> Iterator[NearMiss]:
        for offer_id in fallen[:_MOST_TRIED]:
            if failures[offer_id]:
                miss = search.miss(compiled.catalog.offers[offer_id], failures[offer_id])
                if miss is not None:
                    yield miss
            else:
                yield _unworthy(unworthy[offer_id], compiled, worth)

    return tuple(islice(found(), most))


class _Search:
    """Looks for what one offer lacks, and tries it out."""

    def __init__(
        self,
        request: Request,
        compiled: CompiledCatalog,
        arm: Arm,
        worth: Mapping[str, float],
    ) -> None:
        self._request = request
        self._compiled = compiled
        self._arm = arm
        self._worth = worth
        self._activation = compiled.language.activate(request.facts)
        self._passing: dict[Hashable, set[str]] = {}

    def miss(self, offer: Offer, failures: Sequence[Failure]) -> NearMiss | None:
        """Find what an offer lacks; None when it is more than one thing with every incentive."""
        incentives = dict.fromkeys(one.incentive_id for one in failures if one.incentive_id)
        found = [
            self._with(offer, incentive, _concerning(incentive, failures))
            for incentive in incentives or ("",)
        ]
        misses = [miss for miss in found if miss is not None]
        return min(misses, key=_how_soon, default=None)

    def _with(self, offer: Offer, incentive: str, failures: Sequence[Failure]) -> NearMiss | None:
        """Find what it lacks to be made with an incentive; empty: with whichever is left."""
        waiting = [one for one in failures if one.until is not None]
        silenced = any(one.lacking is Lacking.INTERACTION for one in failures)
        if waiting and all(one.until or one.lacking is Lacking.INTERACTION for one in failures):
            return self._by_waiting(offer, incentive, waiting, silenced=silenced)
        if len(failures) > 1:
            return None
        (failure,) = failures
        lacking = lack(failure, offer, self._request, self._compiled, self._activation)
        if lacking is None:
            return None
        if lacking.ways and not any(self._passes(offer, way) for way in lacking.ways):
            return None
        return self._near(offer, failure, lacking.needed, None)

    def _by_waiting(
        self, offer: Offer, incentive: str, waiting: Sequence[Failure], *, silenced: bool
    ) -> NearMiss | None:
        """Wait for the limit that ends last; another may have begun by then."""
        for _ in range(_MOST_LIMITS):
            until, last = max(((_until(one), one) for one in waiting), key=lambda found: found[0])
            later = asked_later(self._request, self._compiled, until, anew=silenced)
            if self._passes(offer, later):
                needed = f"{last.detail}, allowed from {until:%Y-%m-%d %H:%M} UTC"
                needed += " in another interaction" if silenced else ""
                return self._near(offer, last, needed, until)
            waiting = _concerning(incentive, self._failures(later)[offer.offer_id])
            if not waiting or any(_until(one) <= until for one in waiting):
                return None
        return None

    def _passes(self, offer: Offer, request: Request) -> bool:
        key = self._changes(request)
        if key not in self._passing:
            compiled = self._compiled
            activation = compiled.language.activate(request.facts)
            rows = screen(request, compiled, activation, self._arm).rows
            self._passing[key] = {compiled.treatments[row].offer.offer_id for row in rows}
        return offer.offer_id in self._passing[key]

    def _changes(self, request: Request) -> Hashable:
        """What differs from what was asked: offers often lack the same, and are tried together."""
        asked = self._request
        facts = frozenset(
            (name, fact) for name, fact in request.facts.items() if asked.facts.get(name) != fact
        )
        usage = "" if request.usage == asked.usage else repr(request.usage)
        where = (request.at, request.channel, request.language, request.interaction_id)
        return where, facts, usage

    def _failures(self, request: Request) -> Mapping[str, Sequence[Failure]]:
        activation = self._compiled.language.activate(request.facts)
        return all_failures(request, self._compiled, activation, self._arm)

    def _near(
        self, offer: Offer, failure: Failure, needed: str, allowed_from: datetime | None
    ) -> NearMiss:
        worth = self._worth.get(offer.offer_id, 0.0)
        if failure.incentive_id:
            needed = f"{failure.incentive_id}: {needed}"
        return NearMiss(offer.offer_id, failure.stage, failure.rule, needed, allowed_from, worth)


def _worth(compiled: CompiledCatalog) -> dict[str, float]:
    """p₀ × V × L by offer: what fell in the screen was never scored."""
    columns = zip(compiled.treatments, compiled.prior, compiled.value, compiled.lever, strict=True)
    return {
        treatment.offer.offer_id: float(prior * value * lever)
        for treatment, prior, value, lever in columns
    }


def _unworthy(refusal: Refusal, compiled: CompiledCatalog, worth: Mapping[str, float]) -> NearMiss:
    """Word what fell after scoring: there the one condition is the score itself."""
    was, _, _ = refusal.detail.partition(", ")
    floor = compiled.catalog.policies.propensity_floor
    needs = f"at least {floor:.4g}" if refusal.stage == "propensity floor" else "more than 0"
    offer_id, stage, rule = refusal.offer_id, refusal.stage, refusal.rule
    return NearMiss(offer_id, stage, rule, f"{was}, needs {needs}", None, worth.get(offer_id, 0.0))


def _concerning(incentive: str, failures: Sequence[Failure]) -> list[Failure]:
    """What keeps away the offer itself, or one incentive; not the others it could do without."""
    return [one for one in failures if one.incentive_id in ("", incentive)]


def _how_soon(miss: NearMiss) -> datetime:
    """When it is allowed by waiting alone; the end of time for what waiting does not mend."""
    return miss.allowed_from or datetime.max.replace(tzinfo=UTC)


def _until(failure: Failure) -> datetime:
    """When a failure ends; the beginning of time for one that time does not heal."""
    return failure.until or datetime.min.replace(tzinfo=UTC)
