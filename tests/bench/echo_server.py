"""The yardstick: a bare grpc.aio server that answers every call with the bytes of a file.

python tests/bench/echo_server.py REPLY_FILE PORT
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc


async def serve(reply: bytes, port: str) -> None:
    """Answer `/bench/Echo` for ever."""

    async def echo(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return reply

    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler(
        "bench", {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    )
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_bytes(), sys.argv[2]))
