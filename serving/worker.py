"""The worker process: windows, recorder, relay, learner and caps, a thread each.

    python -m serving.worker WORKSPACE --redis URL --ledger URL --mlflow URI

Started and watched by the supervisor (`nbo up`). Every role may be killed at any instant:
each step's effect and its acknowledgement are one transaction, or repeating it is harmless.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable

import redis
import structlog

from nbo.errors import NboError
from serving.bootstrap import worker_roles
from serving.keys import BEATS
from serving.process import leave, parse_arguments, write_ready
from serving.redis_clients import open_for_work

log = structlog.get_logger()

IDLE_SECONDS = 0.02
AFTER_ERROR_SECONDS = 0.5
BEAT_EVERY = 1.0


def run_role(role: str, step: Callable[[], int], live: redis.Redis, stop: threading.Event) -> None:
    """Step for ever; an error is logged and the step tried again."""
    beaten = 0.0
    while not stop.is_set():
        try:
            busy = step() > 0
            if time.monotonic() - beaten > BEAT_EVERY:
                beaten = time.monotonic()
                live.hset(BEATS, role, repr(time.time()))
            if not busy:
                stop.wait(IDLE_SECONDS)
        except Exception:
            log.exception("step failed, trying again", role=role)
            stop.wait(AFTER_ERROR_SECONDS)


def main() -> None:
    """Run every role until SIGTERM or SIGINT."""
    arguments = parse_arguments(__doc__ or "")
    live = open_for_work(arguments.stores.redis_url)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    roles = worker_roles(arguments.settings, arguments.stores)
    threads = [
        threading.Thread(target=run_role, args=(role, step, live, stop), name=role)
        for role, step in roles.items()
    ]
    for thread in threads:
        thread.start()
    write_ready(arguments.ready, "worker")
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    try:
        main()
    except NboError as error:
        sys.exit(str(error))
    leave()
