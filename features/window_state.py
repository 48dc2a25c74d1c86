"""The state of one window of one customer, as bytes; pure functions.

The state is a list of entries by time, so it does not depend on the order in which events
arrive. Entries of one bucket are merged only when there are many of them: until then a window
can be asked about any instant up to one window before its latest event, afterwards about the
past to one bucket. Two windows' worth of events are kept.

Layout: window fingerprint (4 bytes), number of entries (u32), then one column after the other:
times (i64 microseconds) and, by kind, counts (i64), sums (f64), value hashes (i64), or values
(JSON list).
"""

from __future__ import annotations

import hashlib
import json
import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from features.definitions import Kind, Window
from features.windows import earliest, empty_value
from nbo.decision.facts import Fact

MERGE_ABOVE = 240
"""Entries kept one by one; two windows have 121 buckets, so merging always makes room."""

MAX_DISTINCT = 4000
"""Entries of a `distinct` window; beyond it the oldest fall out and the count is a lower bound."""

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_HEADER = struct.Struct("<4sI")
_COLUMNS = {
    Kind.COUNT: "qq",
    Kind.SUM: "qqd",
    Kind.MEAN: "qqd",
    Kind.SECONDS_SINCE: "q",
    Kind.DISTINCT: "qq",
    Kind.LAST: "q",
}


Point = tuple[int, Fact]
"""Time in microseconds since 1970, and what the event contributes to the window."""


def update(state: bytes | None, points: Iterable[Point], window: Window) -> bytes | None:
    """Add some events to a state; None as long as nothing was kept.

    Args:
        state: What `update` returned before; ignored when kept under another definition.
        points: Times and contributions of events of this window, in any order; each event once.
        window: Whose state it is.
    """
    columns = _decode(state, window)
    times = columns[0]
    join, put = _ENTRY[Kind(window.kind)]
    for at_us, value in sorted(points, key=_time):
        index = len(times) if not times or at_us > times[-1] else bisect_right(times, at_us)
        if index and times[index - 1] == at_us and join(columns, index - 1, value):
            continue
        times.insert(index, at_us)
        put(columns, index, value)
    if not times:
        return None
    gone = bisect_left(times, _oldest_kept(times[-1], window))
    if gone:
        for column in columns:
            del column[:gone]
    if len(columns[0]) > MERGE_ABOVE:
        columns = _merge(columns, window)
    return _encode(columns, window)


def value(state: bytes | None, window: Window, at_us: int) -> Fact | None:
    """Evaluate the window as of an instant; None when unknown."""
    if state is None or state[:4] != window.fingerprint:
        return empty_value(window)
    count = _HEADER.unpack_from(state)[1]
    body = memoryview(state)[_HEADER.size :]
    times = body[: 8 * count].cast("q")
    first = bisect_left(times, earliest(window, at_us))
    end = bisect_right(times, at_us)
    if first >= end:
        return empty_value(window)
    if window.kind == Kind.SECONDS_SINCE:
        return (at_us - times[end - 1]) / 1e6
    if window.kind == Kind.LAST:
        newest: Fact = json.loads(bytes(body[8 * count :]))[end - 1]
        return newest
    return _total(body, count, slice(first, end), window)


def _total(body: memoryview, count: int, inside: slice, window: Window) -> float:
    """Count, sum, mean or number of distinct values of the entries inside; at least one."""
    size = 8 * count
    second = body[size : 2 * size].cast("q")[inside]
    if window.kind == Kind.DISTINCT:
        return float(len(set(second)))
    if window.kind == Kind.COUNT:
        return float(sum(second))
    total = float(sum(body[2 * size : 3 * size].cast("d")[inside]))
    return total / sum(second) if window.kind == Kind.MEAN else total


def _time(point: Point) -> int:
    return point[0]


def _oldest_kept(newest_us: int, window: Window) -> int:
    """Start of the bucket two windows before the latest event."""
    return (newest_us - 2 * window.over_us) // window.width_us * window.width_us


def _decode(state: bytes | None, window: Window) -> list[Any]:
    columns: list[Any] = [array(code) for code in _COLUMNS[Kind(window.kind)]]
    known = state is not None and state[:4] == window.fingerprint
    offset = _HEADER.size
    if state is not None and known:
        size = 8 * _HEADER.unpack_from(state)[1]
        for column in columns:
            column.frombytes(state[offset : offset + size])
            offset += size
    if window.kind == Kind.LAST:
        columns.append(json.loads(state[offset:]) if state is not None and known else [])
    return columns


def _encode(columns: list[Any], window: Window) -> bytes:
    parts = [_HEADER.pack(window.fingerprint, len(columns[0]))]
    for column in columns:
        if isinstance(column, list):
            parts.append(_dumps(column).encode())
        else:
            parts.append(column.tobytes())
    return b"".join(parts)


def _join_count(columns: list[Any], index: int, value: Fact) -> bool:
    columns[1][index] += 1
    return True


def _put_count(columns: list[Any], index: int, value: Fact) -> None:
    columns[1].insert(index, 1)


def _join_sum(columns: list[Any], index: int, value: Fact) -> bool:
    columns[1][index] += 1
    columns[2][index] += value
    return True


def _put_sum(columns: list[Any], index: int, value: Fact) -> None:
    columns[1].insert(index, 1)
    columns[2].insert(index, value)


def _join_time(columns: list[Any], index: int, value: Fact) -> bool:
    return True


def _put_time(columns: list[Any], index: int, value: Fact) -> None:
    pass


def _join_distinct(columns: list[Any], index: int, value: Fact) -> bool:
    return bool(columns[1][index] == _hash(value))


def _put_distinct(columns: list[Any], index: int, value: Fact) -> None:
    columns[1].insert(index, _hash(value))


def _join_last(columns: list[Any], index: int, value: Fact) -> bool:
    # Two events at the same instant have no order: the greater value stands, whichever arrived
    # first, here and in the frames.
    columns[1][index] = max(columns[1][index], value, key=_rank)
    return True


def _put_last(columns: list[Any], index: int, value: Fact) -> None:
    columns[1].insert(index, value)


_Join = Callable[[list[Any], int, Fact], bool]
_Put = Callable[[list[Any], int, Fact], None]
_ENTRY: dict[Kind, tuple[_Join, _Put]] = {
    Kind.COUNT: (_join_count, _put_count),
    Kind.SUM: (_join_sum, _put_sum),
    Kind.MEAN: (_join_sum, _put_sum),
    Kind.SECONDS_SINCE: (_join_time, _put_time),
    Kind.DISTINCT: (_join_distinct, _put_distinct),
    Kind.LAST: (_join_last, _put_last),
}
"""Per kind: add an event to the entry of its microsecond, if it may share one; put a new entry."""


def _rank(value: Fact) -> tuple[str, Fact]:
    """Order values of one type by value, of different types by type."""
    return type(value).__name__, value


def _merge(columns: list[Any], window: Window) -> list[Any]:
    """One entry per bucket; per bucket and value for `distinct`."""
    if window.kind == Kind.DISTINCT:
        return _merge_distinct(columns, window)
    merged: list[Any] = [type(c)() if isinstance(c, list) else array(c.typecode) for c in columns]
    bucket = None
    for row in zip(*columns, strict=True):
        adds = row[0] // window.width_us == bucket
        bucket = row[0] // window.width_us
        for position, (column, cell) in enumerate(zip(merged, row, strict=True)):
            if not adds:
                column.append(cell)
            elif position == 0 or window.kind == Kind.LAST:
                column[-1] = cell
            else:
                column[-1] += cell
    return merged


def _merge_distinct(columns: list[Any], window: Window) -> list[Any]:
    """Keep the first time of each value in each bucket, which loses nothing."""
    seen: set[tuple[int, int]] = set()
    times, hashes = array("q"), array("q")
    for at_us, hashed in zip(*columns, strict=True):
        key = (at_us // window.width_us, hashed)
        if key not in seen:
            seen.add(key)
            times.append(at_us)
            hashes.append(hashed)
    return [times[-MAX_DISTINCT:], hashes[-MAX_DISTINCT:]]


@lru_cache(65_536, typed=True)
def _hash(value: Fact) -> int:
    """Eight bytes that tell values apart; 1.0 and True are different values."""
    text = json.dumps(value).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little", signed=True)
