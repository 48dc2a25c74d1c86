"""A deadline divided among steps, and what is not awaited beyond it."""

from __future__ import annotations

import asyncio
import time

import pytest

from serving.deadline import PATIENCE_SECONDS, Deadline, within


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_step_may_use_what_the_former_left():
    clock = Clock()
    deadline = Deadline(0.3, clock)
    assert deadline.keeping(0.6) == pytest.approx(0.12)
    clock.now += 0.02
    assert deadline.keeping(0.6) == pytest.approx(0.1)
    assert deadline.keeping(0.15) == pytest.approx(0.235)
    clock.now += 0.5
    assert (deadline.keeping(0.0), deadline.remaining()) == (0.0, 0.0)


def test_no_step_waits_longer_than_its_patience():
    assert Deadline(60.0, Clock()).keeping(0.5) == PATIENCE_SECONDS


def test_what_takes_too_long_is_cancelled():
    cancelled = []

    async def slow():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def main():
        with pytest.raises(TimeoutError, match="50 ms"):
            await within(0.05, slow())
        await asyncio.sleep(0)

    asyncio.run(main())
    assert cancelled


def test_who_awaits_takes_what_is_awaited_along():
    ended = []

    async def slow():
        try:
            await asyncio.sleep(5)
        finally:
            ended.append(True)

    async def main():
        caller = asyncio.ensure_future(within(5, slow()))
        await asyncio.sleep(0.01)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert ended


def test_an_answer_that_came_while_the_loop_was_busy_counts():
    async def main():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        waiting = asyncio.ensure_future(within(0.05, reader.readline()))
        await asyncio.sleep(0)
        writer.write(b"hello\n")
        time.sleep(0.2)  # the answer arrives, and so does the end of patience
        answer = await waiting
        writer.close()
        return answer

    async def echo(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()

    async def serve_elsewhere():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        address.append(server.sockets[0].getsockname()[1])
        started.set()
        await stop.wait()
        server.close()

    import threading

    address, started = [], threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve_elsewhere(),))
    thread.start()
    started.wait()
    (port,) = address
    try:
        assert asyncio.run(main()) == b"hello\n"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
