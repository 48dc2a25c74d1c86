"""How Redis is connected to: for requests, which have a deadline, and for background work.

A connection that Redis closed, e.g. by a restart, is replaced and its command sent once more;
everything sent may be done twice. Otherwise an error is an error at once: requests have the next
step of the ladder, and work its own pause before it tries again.
"""

from __future__ import annotations

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_SECONDS = 2.0
REQUEST_SECONDS = 5.0
"""Longest wait of a call that has no shorter deadline of its own."""
WORK_SECONDS = 30.0
"""Longer than the slowest step of the worker."""
PROBE_SECONDS = 0.25
"""In which a Redis that can be used answers PING."""

_TRIES_AGAIN = 1


def open_for_requests(url: str) -> redis.asyncio.Redis:
    """A client for the event loop; its replies are bytes."""
    return redis.asyncio.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=REQUEST_SECONDS,
        retry=AsyncRetry(NoBackoff(), _TRIES_AGAIN),
    )


def open_for_work(url: str) -> redis.Redis:
    """A client for a thread of the worker; its replies are bytes."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=WORK_SECONDS,
        retry=Retry(NoBackoff(), _TRIES_AGAIN),
    )
