"""`nbo doctor`: what is configured, reachable and stale, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from nbo.cli.output import console, print_json
from nbo.cli.workspace import JsonOption, WorkspaceOption
from nbo.errors import NboError
from nbo.settings import Settings

if TYPE_CHECKING:
    from serving.running import Running

STALE_BEAT_SECONDS = 10.0
MANY_WAITING = 10_000


class Finding(NamedTuple):
    """One thing looked at.

    Attributes:
        what: e.g. ``"catalogue"``.
        state: ``"ok"``, ``"warning"`` or ``"error"``.
        detail: What was found.
        remedy: What to do; empty when nothing.
    """

    what: str
    state: str
    detail: str
    remedy: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog="Examples:  nbo doctor   ·   nbo doctor -w my-nbo --json")(doctor)


def doctor(workspace: WorkspaceOption = Path(), as_json: JsonOption = False) -> None:
    """Check the workspace and what runs of it; exit code 1 when something is wrong."""
    findings = list(examine(workspace))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        marks = {"ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "error": "[red]✗[/red]"}
        for finding in findings:
            console.print(f"{marks[finding.state]} [bold]{finding.what}[/bold]  {finding.detail}")
            if finding.remedy:
                console.print(f"    → {finding.remedy}")
    if any(finding.state == "error" for finding in findings):
        raise typer.Exit(1)


def examine(workspace: Path) -> Iterator[Finding]:
    """Everything worth telling, in the order in which things depend on each other."""
    try:
        settings = Settings.load(workspace)
    except NboError as error:
        yield Finding("settings", "error", str(error))
        return
    yield Finding("settings", "ok", f"workspace {settings.workspace.name} in {settings.directory}")
    yield from _definitions(settings)
    yield from _plugins(settings)
    yield from _running(settings)


def _definitions(settings: Settings) -> Iterator[Finding]:
    """The feature repo and the catalogue as they stand, whatever was compiled before."""
    from serving.workspace_state import is_schema_current, read_catalog, read_schema

    current = is_schema_current(settings)
    try:
        schema = read_schema(settings)
    except NboError as error:
        yield Finding("features", "error", str(error), "correct feature_repo at the place named")
        return
    count = f"{len(schema.views)} views, {len(schema.windows)} windows"
    if current:
        yield Finding("features", "ok", count)
    else:
        seen = (
            "changed since they were compiled"
            if settings.schema_file.is_file()
            else "not loaded yet"
        )
        remedy = "nbo features materialize, then (re)start nbo up"
        yield Finding("features", "warning", f"{count}; {seen}", remedy)
    try:
        _, compiled = read_catalog(settings, schema)
    except NboError as error:
        yield Finding("catalogue", "error", str(error), "correct the catalogue at the place named")
        return
    catalog = compiled.catalog
    yield Finding("catalogue", "ok", f"{len(catalog.offers)} offers, version {catalog.version}")


def _running(settings: Settings) -> Iterator[Finding]:
    from serving.running import read_running

    running = read_running(settings.state_dir)
    if running is None:
        yield Finding("engine", "warning", "does not run", "nbo up")
        return
    yield Finding("engine", "ok", f"process {running.pid} serves {running.target}")
    yield from _features_behind(settings, running)
    from serving.stores import open_stores

    yield from _guarded("server", lambda: _server(running.target))
    try:
        with open_stores(settings) as stores:  # joins those the engine started
            yield from _guarded("redis", lambda: _redis(stores.redis_url))
            yield from _guarded("ledger", lambda: _ledger(settings, stores.ledger_url))
            yield from _guarded("model", lambda: _model(settings, stores))
    except NboError as error:
        yield Finding("stores", "error", str(error), "see the logs; restart nbo up")


def _features_behind(settings: Settings, running: Running) -> Iterator[Finding]:
    """Whether the engine knows the features as the files define them now."""
    from serving.workspace_state import feature_source

    if running.features != feature_source(settings.feature_repo):
        seen = "feature_repo changed since the start"
        yield Finding("features in force", "warning", seen, "restart nbo up")


def _catalog_in_force(settings: Settings, ledger: Any) -> Iterator[Finding]:
    """Whether the engine decides with what the files say now."""
    from features.schema import FeatureSchema
    from nbo.ledger import catalogs
    from serving.workspace_state import read_catalog

    in_force = catalogs.current(ledger)
    if in_force is None:
        yield Finding("in force", "error", "no catalogue was published", "nbo catalog publish")
        return
    try:
        _, compiled = read_catalog(settings, FeatureSchema.load(settings.schema_file))
    except NboError:
        return  # told above, with its place
    who = f"{in_force.version}, published by {in_force.author}"
    if compiled.catalog.version == in_force.version:
        yield Finding("in force", "ok", f"catalogue {who}, as in the files")
    else:
        seen = f"catalogue {who}; the files hold {compiled.catalog.version}"
        remedy = "nbo catalog diff, then nbo catalog publish"
        yield Finding("in force", "warning", seen, remedy)


def _plugins(settings: Settings) -> Iterator[Finding]:
    from serving.plugins import load_models

    if not settings.models.plugins:
        return
    try:
        names = sorted(load_models(settings.directory, settings.models.plugins))
    except NboError as error:
        yield Finding("plug-ins", "error", str(error), "correct [models.plugins] in nbo.toml")
    else:
        yield Finding("plug-ins", "ok", ", ".join(names))


def _guarded(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # a doctor reports what it trips over
        yield Finding(what, "error", _brief(error), "what `nbo up` prints says more")


def _brief(error: Exception) -> str:
    """One line of an error; a gRPC one prints a page."""
    import grpc

    if isinstance(error, grpc.RpcError):
        return f"does not answer: {error.code().name}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _server(target: str) -> Iterator[Finding]:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=3.0)
    healthy = reply.status == health_pb2.HealthCheckResponse.SERVING
    yield Finding("server", "ok" if healthy else "error", "healthy" if healthy else "not serving")


def _redis(url: str) -> Iterator[Finding]:
    import redis

    from features.stream import EventStream
    from serving.keys import BEATS, DECISION_STREAM

    live = redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0)
    memory: Any = live.info("memory")
    yield Finding("redis", "ok", f"{memory['used_memory_human']} used")
    beats: Any = live.hgetall(BEATS)
    late = [
        role.decode() for role, at in beats.items() if time.time() - float(at) > STALE_BEAT_SECONDS
    ]
    if late or not beats:
        names = ", ".join(late) or "no role"
        yield Finding("worker", "error", f"no sign of life: {names}", "see the worker's log")
    else:
        yield Finding("worker", "ok", ", ".join(sorted(role.decode() for role in beats)))
    waiting = EventStream(live).backlog()
    unrecorded: Any = live.xlen(DECISION_STREAM)
    state = "warning" if max(waiting, unrecorded) > MANY_WAITING else "ok"
    yield Finding("queues", state, f"{waiting:,} events, {unrecorded:,} decisions waiting")


def _ledger(settings: Settings, url: str) -> Iterator[Finding]:
    from nbo.ledger import outbox
    from nbo.ledger.engine import open_ledger

    ledger = open_ledger(url)
    try:
        behind = outbox.backlog(ledger)
        state = "warning" if behind >= MANY_WAITING else "ok"
        yield Finding("ledger", state, f"reachable, {behind:,} outcomes on their way to Redis")
        yield from _catalog_in_force(settings, ledger)
    finally:
        ledger.dispose()


def _model(settings: Settings, stores: Any) -> Iterator[Finding]:
    from serving.bootstrap import open_registry

    version = open_registry(stores).champion_version(settings.workspace.name)
    if version is None:
        yield Finding("model", "warning", "no champion; declared priors decide", "nbo train")
    else:
        yield Finding("model", "ok", f"champion version {version}")
