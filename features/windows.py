"""Which events count in a window at an instant: the one rule that online and offline share.

Times are whole microseconds since 1970, so that both sides cut at exactly the same place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from features.definitions import Kind, Window
from nbo.decision.facts import Fact

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SUMMED = (Kind.SUM, Kind.MEAN)
_ZERO = (Kind.COUNT, Kind.SUM, Kind.DISTINCT)


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exactly."""
    return (at - EPOCH) // _MICROSECOND


def from_us(at_us: int) -> datetime:
    """Turn back `to_us`: the UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at_us)


def earliest(window: Window, at_us: int) -> int:
    """First microsecond that counts at `at_us`: the start of the bucket after that of at - over.

    Events in ``[earliest, at_us]`` count.
    """
    return ((at_us - window.over_us) // window.width_us + 1) * window.width_us


def matches(window: Window, event_type: str) -> bool:
    """Whether events of this type are looked at by the window."""
    return fnmatchcase(event_type, window.event)


def contribution(window: Window, attributes: Mapping[str, Fact]) -> Fact | None:
    """Tell what an event of a matching type adds to the window; None when it does not count."""
    for name, wanted in window.where.items():
        if attributes.get(name) != wanted:
            return None
    if not window.attribute:
        return 1.0
    value = attributes.get(window.attribute)
    if value is None:
        return None
    if window.kind in _SUMMED:
        return float(value)
    return value


def empty_value(window: Window) -> float | None:
    """Value without any event: 0 for counts, sums and distinct values, else unknown."""
    return 0.0 if window.kind in _ZERO else None
