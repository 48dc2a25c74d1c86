"""How two values of a catalogue that differ are told, short enough for a line and never alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

LONGEST_TEXT = 60
"""Of longer texts only so many characters are told, those around the first that differs."""

_LEAD = 20
"""So many characters are told before the first that differs."""


def turned(before: Any, after: Any) -> str:
    """Tell a value before and after: ``"120 → 150"``. They must differ."""
    was, now = _words(before), _words(after)
    if was == now:  # alike in words only, e.g. in the eleventh digit
        was, now = _exactly(before), _exactly(after)
    places = (place for place, (a, b) in enumerate(zip(was, now, strict=False)) if a != b)
    differ = next(places, min(len(was), len(now)))
    return f"{_cut(was, differ)} → {_cut(now, differ)}"


def moved(before: Sequence[Any], after: Sequence[Any]) -> str:
    """Tell what came to and left a list; all of both when only the order or number differs."""
    came = [_words(one) for one in after if one not in before]
    left = [_words(one) for one in before if one not in after]
    if not came and not left:
        return turned(tuple(before), tuple(after))
    shown = [*(f"+ {_cut(one)}" for one in came), *(f"- {_cut(one)}" for one in left)]
    if {_cut(one) for one in came} & {_cut(one) for one in left}:
        shown = [*(f"+ {one}" for one in came), *(f"- {one}" for one in left)]
    return ", ".join(shown)


def _words(value: Any) -> str:  # noqa: PLR0911  # one per kind
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | int):
        return f"{value:.10g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, timedelta):
        return _length(value)
    if isinstance(value, tuple):
        return ", ".join(map(_words, value))
    return str(value)


def _exactly(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _cut(text: str, differ: int = 0) -> str:
    """Leave of a long text what stands around the position at which it differs."""
    if len(text) <= LONGEST_TEXT:
        return text
    start = max(0, min(differ - _LEAD, len(text) - LONGEST_TEXT + 1))
    if start < 2:
        return text[: LONGEST_TEXT - 1] + "…"
    shown = text[start:]
    return f"…{shown}" if len(shown) < LONGEST_TEXT else f"…{shown[: LONGEST_TEXT - 2]}…"


def _length(length: timedelta) -> str:
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h")):
        if length % unit == timedelta(0):
            return f"{length // unit}{name}"
    return f"{length.total_seconds():.10g}s"
