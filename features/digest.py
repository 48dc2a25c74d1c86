"""What a batch of events changes: from stream entries to new fields of the customers' hashes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from features.definitions import Window
from features.events import Event, decode
from features.window_state import Point, update
from features.windows import contribution, from_us, matches, to_us
from nbo.errors import BadInputError

LATEST = "e"
"""Field of the customer's hash that holds the latest event."""

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Entry(NamedTuple):
    """One entry of the stream: its id there and the event's bytes."""

    entry_id: bytes
    data: bytes


class Digested(NamedTuple):
    """An event with what it contributes, by window name."""

    event: Event
    points: tuple[tuple[str, Point], ...]


class CustomerChange(NamedTuple):
    """All that a batch brings for one customer.

    Attributes:
        latest: The latest of the events.
        points: Contributions by window name.
    """

    latest: Event
    points: dict[str, list[Point]]

    @property
    def fields(self) -> list[str]:
        """Fields of the customer's hash that may change."""
        return [LATEST, *(f"w:{name}" for name in self.points)]


class Digester:
    """Works out what events contribute to windows; pure."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = {window.name: window for window in windows}
        self._by_type: dict[str, tuple[Window, ...]] = {}

    def digest(self, entry: Entry) -> Digested:
        """Read one entry.

        Raises:
            ValueError: It cannot be worked, with the reason.
        """
        try:
            event = decode(entry.data)
            at_us = to_us(event.at)
            points = []
            for window in self._windows_of(event.type):
                value = contribution(window, event.attributes)
                if value is not None:
                    points.append((window.name, (at_us, value)))
        except (BadInputError, TypeError, OverflowError) as error:
            raise ValueError(str(error)) from error
        return Digested(event, tuple(points))

    @staticmethod
    def by_customer(digested: Iterable[Digested]) -> dict[str, CustomerChange]:
        """Gather what belongs to each customer."""
        changes: dict[str, CustomerChange] = {}
        for event, points in digested:
            change = changes.get(event.customer_id)
            if change is None:
                change = CustomerChange(event, {})
                changes[event.customer_id] = change
            elif _order(event) > _order(change.latest):
                change = CustomerChange(event, change.points)
                changes[event.customer_id] = change
            for name, point in points:
                change.points.setdefault(name, []).append(point)
        return changes

    def apply(self, change: CustomerChange, present: Sequence[bytes | None]) -> dict[str, bytes]:
        """New values of the fields that differ.

        Args:
            change: What happened to the customer.
            present: Present value of each of `change.fields`.
        """
        fresh: dict[str, bytes] = {}
        latest, *states = present
        encoded = encode_latest(change.latest)
        if latest is None or encoded > latest:
            fresh[LATEST] = encoded
        for (name, points), state in zip(change.points.items(), states, strict=True):
            updated = update(state, points, self._windows[name])
            if updated is not None and updated != state:
                fresh[f"w:{name}"] = updated
        return fresh

    def _windows_of(self, event_type: str) -> tuple[Window, ...]:
        windows = self._by_type.get(event_type)
        if windows is None:
            windows = tuple(w for w in self._windows.values() if matches(w, event_type))
            self._by_type[event_type] = windows
        return windows


def encode_latest(event: Event) -> bytes:
    """Twenty digits of the event's time, its id, and JSON: the bytes sort as `_order` does."""
    body = _dumps([event.type, event.attributes])
    return f"{to_us(event.at):020d}{event.event_id}\n{body}".encode()


def decode_latest(data: bytes, customer_id: str) -> Event:
    """Read what `encode_latest` wrote."""
    head, _, body = data.decode().partition("\n")
    kind, attributes = json.loads(body)
    return Event(head[20:], customer_id, kind, from_us(int(head[:20])), attributes)


def _order(event: Event) -> tuple[datetime, str]:
    """Later events are greater; at the same instant the id decides, always alike."""
    return event.at, event.event_id
