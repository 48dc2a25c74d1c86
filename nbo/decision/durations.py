"""Lengths of time as workspaces write them, in the catalogue and in the feature definitions."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=36_525)
"""A hundred years; more is a slip of the keyboard, and soon more than a calendar holds."""

PATTERN = r"[0-9]{1,10}\s*[smhdw]"
"""What a length of time looks like, without space around it."""

_DURATION = re.compile(PATTERN)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_duration(text: str) -> timedelta:
    """Read ``"30d"``, ``"12h"``, ``"15m"``, ``"90s"`` or ``"2w"``.

    >>> parse_duration("12h")
    datetime.timedelta(seconds=43200)

    Raises:
        ValueError: Not a whole number followed by s, m, h, d or w, or longer than `LONGEST`.
    """
    written = text.strip()
    if not _DURATION.fullmatch(written):
        raise ValueError(f"duration == {text!r}, must be a number and s, m, h, d or w, like '30d'")
    seconds = int(written[:-1]) * _SECONDS[written[-1]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"duration == {text!r}, must be at most {LONGEST.days} days")
    return timedelta(seconds=seconds)
