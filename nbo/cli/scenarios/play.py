"""A scenario told to the engine through its doors, step by step, and what did not hold."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from nbo.cli.scenarios.change import changed
from nbo.cli.scenarios.judge import USUAL_STEP, judge
from nbo.cli.scenarios.stage import Stage
from nbo.cli.scenarios.story import (
    Answer,
    Ask,
    Happening,
    Identify,
    Publish,
    Scenario,
    Screen,
    Step,
)
from nbo.client import outcome_name
from nbo.errors import NboError, UnavailableError

PROMISE_SECONDS = 1.0
"""A published catalogue is in force after so long; questions after it wait that long, no longer."""

TRIES = 3
"""How often the engine is asked where a busy machine, not the engine, may have been the cause."""

_AUTHOR = "nbo scenarios"


class Difference(NamedTuple):
    """Something expected that did not come.

    Attributes:
        line: Of the step, 1-based.
        message: What came instead, and why.
    """

    line: int
    message: str


class Told(NamedTuple):
    """How a scenario went.

    Attributes:
        differences: Empty when it holds.
        seconds: By the wall clock.
    """

    scenario: Scenario
    differences: Sequence[Difference]
    seconds: float


def tell(stage: Stage, scenario: Scenario) -> Told:
    """Tell one scenario; what goes wrong on the way is a difference, too."""
    started = time.monotonic()
    teller = _Teller(stage)
    differences: list[Difference] = []
    try:
        for step in scenario.steps:
            try:
                differences += [Difference(step_line(step), m) for m in teller.take(step)]
            except NboError as error:
                differences.append(Difference(step_line(step), str(error)))
                break
    finally:
        teller.clear()
    return Told(scenario, differences, time.monotonic() - started)


def step_line(step: Step) -> int:
    """Where a step stands in its file."""
    return step.line


class _Teller:
    """Takes the steps of one scenario."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._client = stage.client
        self._catalog = stage.catalog
        self._published = ""
        self._reply: Any = None
        self._open: dict[tuple[str, int], Ask] = {}

    def take(self, step: Step) -> Iterator[str]:
        """Take a step; yields what did not hold."""
        match step:
            case Ask():
                yield from self._ask(step)
            case Answer():
                yield from self._answer(step)
            case Happening():
                self._stage.publish([step.event])
            case Identify():
                yield from self._identify(step)
            case Screen():
                yield from self._screen(step)
            case Publish():
                self._publish(changed(self._catalog, step.change), f"line {step.line}")
                time.sleep(PROMISE_SECONDS)  # not until it decides: the wait is the statement
                self._stage.await_usage()

    def clear(self) -> None:
        """Leave what the next scenario may count on: no reservation open, the catalogue back."""
        for (decision_id, rank), asked in self._open.items():
            self._record(decision_id, rank, "SKIPPED", at=asked.at)
        if self._published:
            self._publish(self._stage.catalog, "back again")
            self._stage.await_usage(self._published)

    def _publish(self, files: Sequence[tuple[str, str]], comment: str) -> None:
        reply = self._client.publish_catalog(files, author=_AUTHOR, comment=comment)
        self._catalog = files
        self._published = reply.publication.version

    def _ask(self, step: Ask) -> Iterator[str]:
        reply = self._offers(step)
        if self._published and reply.versions["catalog"] != self._published:
            yield (
                f"catalogue {self._published} was published {PROMISE_SECONDS:g} s before, and "
                f"{reply.versions['catalog']} decided"
            )
        yield from judge(step.expect, reply)

    def _offers(self, step: Ask) -> Any:
        """Ask; again where a busy machine made the answer a step down that nobody expected."""
        for _ in range(TRIES):
            reply = self._asked(step)
            if set(reply.degraded) <= {USUAL_STEP, *step.expect.degraded}:
                break
        return reply

    def _asked(self, step: Ask) -> Any:
        reply = self._client.offers(
            step.customer_id,
            interaction_id=step.interaction_id,
            channel=step.channel,
            agent_id=step.agent_id,
            intent=step.intent,
            slots=step.slots,
            at=step.at,
            language=step.language,
            refusals=True,
            facts=step.facts,
        )
        self._reply = reply
        self._open |= {(reply.decision_id, slot.rank): step for slot in reply.slots}
        return reply

    def _record(self, decision_id: str, rank: int, outcome: str, **more: Any) -> None:
        """Record an outcome; again under the same key where a busy machine took too long."""
        key = f"{decision_id}:{rank}:{outcome}"
        for left in reversed(range(TRIES)):
            try:
                self._client.outcome(decision_id, rank, outcome, idempotency_key=key, **more)
            except UnavailableError:
                if not left:
                    raise
            else:
                return

    def _answer(self, step: Answer) -> Iterator[str]:
        slots = {slot.offer_id: slot.rank for slot in self._reply.slots} if self._reply else {}
        if step.offer_id not in slots:
            yield f"{step.offer_id} was not offered, so nobody can answer it"
            return
        rank = slots[step.offer_id]
        self._record(
            self._reply.decision_id,
            rank,
            step.outcome,
            at=step.at,
            reason=step.reason,
            defer_until=step.until,
        )
        self._open.pop((self._reply.decision_id, rank), None)

    def _identify(self, step: Identify) -> Iterator[str]:
        found = [match.customer_id for match in self._client.identify(step.value)]
        if step.expected is not None and found != list(step.expected):
            yield f"{step.value} is {_named(found, step)}, expected {_named(step.expected, step)}"

    def _screen(self, step: Screen) -> Iterator[str]:
        seen = self._client.customer(step.customer_id, at=step.at)
        for name, expected in step.facts.items():
            value = seen.facts.get(name)
            shown = getattr(value, value.WhichOneof("kind")) if value is not None else "unknown"
            if shown != expected:
                yield f"{name} is {shown}, expected {expected}"
        contacts = [(c.offer_id, outcome_name(c.outcome)) for c in seen.contacts]
        if step.contacts is not None and contacts != list(step.contacts):
            yield f"the contacts are {_pairs(contacts)}, expected {_pairs(step.contacts)}"
        if step.latest_event and seen.latest_event.type != step.latest_event:
            happened = seen.latest_event.type or "none"
            yield f"the latest event is {happened}, expected {step.latest_event}"


def _named(customers: Sequence[str], step: Identify) -> str:
    return ", then ".join(step.names.get(c, c) for c in customers) or "nobody's"


def _pairs(contacts: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{offer} {outcome}" for offer, outcome in contacts) or "none"
