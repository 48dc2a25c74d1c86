"""What a workspace writes down about events and windows, beside its Feast definitions.

A `feature_repo/definitions.py` holds Feast objects and, by these names, three values of ours:

    events = [EventType("care.called", {"topic": "text", "minutes": "number"})]
    windows = [Window("calls_30d", "care.called", "count", over="30d")]
    identities = IdentitySource("../data/identities.parquet")

A window named ``calls_30d`` becomes the fact ``customer.calls_30d``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from nbo.decision.durations import parse_duration
from nbo.decision.facts import Fact, FactType

BUCKETS = 60
"""A window is exact to one bucket, which is this part of it."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_PATTERN = re.compile(r"[a-z0-9_.*?\[\]!-]+")


class Kind(StrEnum):
    """What a window tells about the events in it.

    `count`, `sum` and `distinct` are 0 without an event; `mean`, `last` and `seconds_since`
    are unknown then.
    """

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    LAST = "last"
    SECONDS_SINCE = "seconds_since"
    DISTINCT = "distinct"


_NEED_ATTRIBUTE = frozenset({Kind.SUM, Kind.MEAN, Kind.LAST, Kind.DISTINCT})


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event that may happen to a customer.

    Attributes:
        name: Dotted lower-case name, e.g. ``"billing.address_changed"``.
        attributes: Attribute name to ``"number"``, ``"text"`` or ``"flag"``. An event may leave
            attributes out, but has no others.
    """

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _EVENT.fullmatch(self.name):
            raise ValueError(f"event type == {self.name!r}, must be like 'billing.address_changed'")
        for attribute, kind in self.attributes.items():
            if not _NAME.fullmatch(attribute) or attribute == "type":
                raise ValueError(
                    f"event type {self.name!r}: attribute == {attribute!r}, "
                    "must be lower case like 'topic', and not 'type'"
                )
            if kind not in set(FactType):
                raise ValueError(
                    f"event type {self.name!r}: type of {attribute!r} == {kind!r}, "
                    "must be 'number', 'text' or 'flag'"
                )

    @property
    def types(self) -> dict[str, FactType]:
        """Attribute name to fact type."""
        return {name: FactType(kind) for name, kind in self.attributes.items()}


@dataclass(frozen=True, slots=True)
class Window:
    """One number (or text) about the events of one customer in a trailing window.

    An event at e counts at t when e <= t and its bucket starts after the bucket of t - over,
    so the trailing edge is aligned to buckets of over / 60 and the leading edge is exact.

    Attributes:
        name: Becomes the fact ``customer.<name>``.
        event: Event type; ``*`` and ``?`` match as in file names, e.g. ``"web.*"``.
        kind: See `Kind`.
        over: Length of the window, a timedelta or text like ``"30d"``; at least a second.
        attribute: What is summed, averaged, remembered or told apart; events without it do not
            count. Empty for `count` and `seconds_since`.
        where: Only events with exactly these attribute values count.
        over_us: `over` in microseconds.
        width_us: Length of one bucket in microseconds.
        fingerprint: Four bytes that change with the definition, so that state kept under
            another definition is never misread.
    """

    name: str
    event: str
    kind: str
    over: timedelta | str
    attribute: str = ""
    where: Mapping[str, Fact] = field(default_factory=dict)
    over_us: int = field(init=False, compare=False)
    width_us: int = field(init=False, compare=False)
    fingerprint: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        over = parse_duration(self.over) if isinstance(self.over, str) else self.over
        self._check(over)
        over_us = over // timedelta(microseconds=1)
        where = {
            name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
            for name, value in sorted(self.where.items())
        }
        meaning = json.dumps([self.event, self.kind, over_us, self.attribute, where])
        for name, value in {
            "over": over,
            "kind": Kind(self.kind),
            "where": where,
            "over_us": over_us,
            "width_us": over_us // BUCKETS,
            "fingerprint": hashlib.blake2b(meaning.encode(), digest_size=4).digest(),
        }.items():
            object.__setattr__(self, name, value)

    def _check(self, over: timedelta) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"window == {self.name!r}, must be lower case like 'calls_30d'")
        if not _PATTERN.fullmatch(self.event):
            raise ValueError(f"window {self.name!r}: event == {self.event!r}, must be like 'web.*'")
        if self.kind not in set(Kind):
            known = ", ".join(Kind)
            raise ValueError(f"window {self.name!r}: kind == {self.kind!r}, must be one of {known}")
        if over < timedelta(seconds=1):
            raise ValueError(f"window {self.name!r}: over == {over}, must be at least a second")
        if (self.kind in _NEED_ATTRIBUTE) != bool(self.attribute):
            needed = "needs" if self.kind in _NEED_ATTRIBUTE else "takes no"
            raise ValueError(f"window {self.name!r}: {self.kind} {needed} attribute")


@dataclass(frozen=True, slots=True)
class IdentitySource:
    """Where the identities of the customers are listed.

    Attributes:
        path: Parquet file, relative to the feature repo, with the columns `customer_id`,
            `kind` (``"phone"``, ``"email"`` or ``"account"``), `value`, and optionally `score`
            (how likely this customer is meant, higher first; 1.0 when absent).
    """

    path: str
