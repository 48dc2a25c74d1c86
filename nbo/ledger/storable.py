"""Values made fit for PostgreSQL: a record with an odd character must not be lost for it."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

_CENTS = Decimal("0.000001")


def plain_text(value: str) -> str:
    """`value` without what a TEXT column refuses: NUL and lone surrogates."""
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def json_text(value: Any) -> str:
    """`value` as compact JSON; numbers that are not finite become null."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), separators=(",", ":"))


def money(amount: float) -> Decimal:
    """`amount` to a millionth of the currency's unit, without binary noise."""
    return Decimal(repr(amount)).quantize(_CENTS)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
