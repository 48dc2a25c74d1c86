"""Instants as they are typed."""

from __future__ import annotations

from datetime import datetime

from nbo.errors import BadInputError


def typed_instant(option: str, text: str) -> datetime | None:
    """Read an ISO 8601 instant; None when nothing was typed.

    Raises:
        BadInputError: it is no instant, or has no time zone.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(option, f"must be an ISO 8601 instant, was {text!r}") from error
    if at.tzinfo is None:
        raise BadInputError(option, f"must carry a time zone, e.g. {text}Z, was {text!r}")
    return at
