"""One row of a feature view as bytes: small, exact, and never misread.

Layout: view fingerprint (8 bytes), time of the row (i64 microseconds), bitmap of known columns,
fixed-width columns in order (little-endian, no padding), then each text as length (u32) and
UTF-8.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from features.schema import View
from nbo.decision.facts import Fact, FactType

_CODES = {"f4": "f", "f8": "d", "i8": "q", "bool": "?", "time": "q"}
_LENGTH = struct.Struct("<I")

Cell = float | int | str | bool | None


class Row(NamedTuple):
    """One unpacked row.

    Attributes:
        at_us: From when it holds, microseconds since 1970.
        cells: Column name to value; unknown columns are left out.
    """

    at_us: int
    cells: dict[str, Cell]


class Packing:
    """Packs and unpacks the rows of one view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._fixed = [(i, c) for i, c in enumerate(view.columns) if c.dtype != "text"]
        self._texts = [(i, c) for i, c in enumerate(view.columns) if c.dtype == "text"]
        bitmap = (len(view.columns) + 7) // 8
        codes = "".join(_CODES[column.dtype] for _, column in self._fixed)
        self._struct = struct.Struct(f"<8sq{bitmap}s{codes}")
        self._bitmap = bitmap

    def pack(self, at_us: int, cells: Mapping[str, Cell]) -> bytes:
        """Bytes of one row; None, NaN and missing columns are unknown."""
        known = 0
        values: list[Cell] = []
        for index, column in self._fixed:
            cell = cells.get(column.name)
            if cell is None or (isinstance(cell, float) and math.isnan(cell)):
                values.append(0)
            else:
                known |= 1 << index
                values.append(cell)
        tail = []
        for index, column in self._texts:
            cell = cells.get(column.name)
            if cell is not None:
                known |= 1 << index
                text = str(cell).encode()
                tail.append(_LENGTH.pack(len(text)) + text)
        bitmap = known.to_bytes(self._bitmap, "little")
        return self._struct.pack(self._view.fingerprint, at_us, bitmap, *values) + b"".join(tail)

    def unpack(self, data: bytes) -> Row | None:
        """Return the row, or None when it was packed under another schema."""
        if data[:8] != self._view.fingerprint or len(data) < self._struct.size:
            return None
        _, at_us, bitmap, *values = self._struct.unpack_from(data)
        known = int.from_bytes(bitmap, "little")
        cells: dict[str, Cell] = {
            column.name: value
            for (index, column), value in zip(self._fixed, values, strict=True)
            if known >> index & 1
        }
        offset = self._struct.size
        for index, column in self._texts:
            if known >> index & 1:
                (length,) = _LENGTH.unpack_from(data, offset)
                offset += _LENGTH.size
                cells[column.name] = data[offset : offset + length].decode()
                offset += length
        return Row(at_us, cells)

    def facts(self, data: bytes, at_us: int) -> dict[str, Fact]:
        """Give the row as `customer.*` facts; none when expired or of another schema."""
        row = self.unpack(data)
        if row is None or self._expired(row.at_us, at_us):
            return {}
        facts: dict[str, Fact] = {}
        for name, (fact, number) in self._fact_names.items():
            cell = row.cells.get(name)
            if cell is None:
                continue
            facts[fact] = float(cell) if number else cell
        return facts

    def _expired(self, row_us: int, at_us: int) -> bool:
        ttl = self._view.ttl_seconds
        return bool(ttl) and row_us < at_us - ttl * 1e6

    @cached_property
    def _fact_names(self) -> dict[str, tuple[str, bool]]:
        """Column name to fact name and whether it is a number."""
        return {
            column.name: (f"customer.{column.name}", column.fact_type is FactType.NUMBER)
            for column in self._view.columns
        }
