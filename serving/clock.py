"""The server's clock, and whether a client may name another instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from nbo.errors import BadInputError
from serving.request_checks import not_in_the_future, since_1970


class Clock:
    """Tells the instant a request is decided for.

    Args:
        accept_request_time: Whether a request may carry its own instant (replays, simulations).
        now: The time source, UTC.
    """

    def __init__(
        self, accept_request_time: bool, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._accept = accept_request_time
        self.now = now

    def asked(self, at: datetime | None) -> datetime:
        """The named instant if that is allowed, else now.

        Raises:
            BadInputError: naming one is not allowed here, or it lies before 1970 or ahead.
        """
        if at is None:
            return self.now()
        if not self._accept:
            raise BadInputError(
                "at",
                "is refused: this server decides for its own clock; set "
                "serving.accept_request_time = true in nbo.toml for replays",
            )
        return since_1970("at", not_in_the_future("at", at, self.now()))
