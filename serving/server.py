"""The gRPC server process: one event loop, every service, health and reflection.

    python -m serving.server WORKSPACE --redis URL --ledger URL --mlflow URI --listen ADDRESS

Started and watched by the supervisor (`nbo up`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from nbo.errors import NboError
from nbo.settings import parse_listen
from nbo.v1 import (
    catalog_pb2,
    catalog_pb2_grpc,
    customers_pb2,
    customers_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    offers_pb2,
    offers_pb2_grpc,
)
from serving.bootstrap import Application, build_application
from serving.process import leave, parse_arguments, write_ready
from serving.status import StatusInterceptor

log = structlog.get_logger()

GRACE_SECONDS = 5.0
MAX_MESSAGE = 16 << 20
SWITCH_SECONDS = 0.0005
"""How long a thread that compiles a catalogue keeps the event loop waiting, each time: a tenth of
Python's default."""

SERVICES = (
    offers_pb2.DESCRIPTOR.services_by_name["OfferService"].full_name,
    events_pb2.DESCRIPTOR.services_by_name["EventService"].full_name,
    customers_pb2.DESCRIPTOR.services_by_name["CustomerService"].full_name,
    catalog_pb2.DESCRIPTOR.services_by_name["CatalogService"].full_name,
)


async def serve(application: Application, listen: str, ready: Path) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight."""
    server = grpc.aio.server(
        interceptors=[StatusInterceptor()],
        options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MAX_MESSAGE)],
    )
    offers_pb2_grpc.add_OfferServiceServicer_to_server(application.offers, server)
    events_pb2_grpc.add_EventServiceServicer_to_server(application.events, server)
    customers_pb2_grpc.add_CustomerServiceServicer_to_server(application.customers, server)
    catalog_pb2_grpc.add_CatalogServiceServicer_to_server(application.catalogs, server)
    await _add_health(server, ("", *SERVICES))
    reflection.enable_server_reflection((*SERVICES, reflection.SERVICE_NAME), server)
    port = _bind(server, listen)
    await server.start()
    refresher = asyncio.create_task(application.follow())
    write_ready(ready, str(parse_listen(listen)._replace(port=port)))
    await _stopped()
    refresher.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await refresher
    await server.stop(GRACE_SECONDS)
    await application.close()


async def _add_health(server: grpc.aio.Server, names: Iterable[str]) -> None:
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for name in names:
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)


def _bind(server: grpc.aio.Server, listen: str) -> int:
    """Open the port; returns it, which the system chose if `listen` says 0."""
    try:
        port: int = server.add_insecure_port(listen)
    except RuntimeError as error:
        raise NboError(
            f"cannot listen on {listen}: it is in use or not ours; "
            "stop the other server or set serving.listen in nbo.toml"
        ) from error
    return port


async def _stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def _main() -> None:
    arguments = parse_arguments(__doc__ or "")
    sys.setswitchinterval(SWITCH_SECONDS)
    application = await build_application(arguments.settings, arguments.stores)
    gc.freeze()  # what is there now stays: no collection need look through it again
    await serve(application, arguments.listen, arguments.ready)


if __name__ == "__main__":
    try:
        asyncio.run(_main())
    except NboError as error:
        sys.exit(str(error))
    leave()
