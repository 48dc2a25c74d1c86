"""CatalogService: check, compare, preview, publish and roll back what may be offered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeVar

import grpc
import structlog

from nbo.decision.catalog import Catalog
from nbo.decision.catalog_diff import diff
from nbo.decision.catalog_text import CompiledCatalog
from nbo.decision.facts import Facts
from nbo.decision.never_true import never_true
from nbo.errors import (
    BadInputError,
    NboError,
    NotEnoughDataError,
    UnavailableError,
    WorkspaceError,
)
from nbo.ledger import catalogs, decisions
from nbo.ledger.catalogs import Publication, Published
from nbo.v1 import catalog_pb2, catalog_pb2_grpc
from serving import catalog_reply as reply
from serving import request_checks as check
from serving.caps import CapCounters
from serving.catalog_files import CatalogFile, CatalogText, join, split
from serving.catalog_preview import Preview
from serving.live_world import LiveWorld
from serving.published_catalogs import CatalogCompiler, PublishedCatalogs
from serving.usage_report import usage_report
from serving.wire import to_time

log = structlog.get_logger()

Result = TypeVar("Result")

MAX_AUTHOR = 128
MAX_COMMENT = 1_000
MAX_PUBLICATIONS = 1_000
DEFAULT_PUBLICATIONS = 20
MAX_SAMPLE = 10_000
DEFAULT_SAMPLE = 500
MAX_EXAMPLES = 50
DEFAULT_EXAMPLES = 5
SAMPLED_DECISIONS = 1_000
USAGE_SECONDS = 2.0
FEWEST_SAMPLED = 30
"""Customers; that a rule is true for none of fewer says nothing."""


class CatalogService(catalog_pb2_grpc.CatalogServiceServicer):
    """The catalogue's life; whatever takes long runs on threads, one at a time.

    Args:
        compiler: Checks texts against the workspace's facts.
        published: What this server finds in force.
        world: What it decides with.
        threads: Where blocking work runs.
        caps: Knows what is used of caps and budgets.
    """

    def __init__(
        self,
        compiler: CatalogCompiler,
        published: PublishedCatalogs,
        world: LiveWorld,
        threads: Executor,
        caps: CapCounters,
    ) -> None:
        self._caps = caps
        self._compiler = compiler
        self._published = published
        self._ledger = compiler.ledger
        self._world = world
        self._threads = threads
        self._compiling = asyncio.Semaphore(1)
        self._previewing = asyncio.Semaphore(1)

    async def ValidateCatalog(  # noqa: N802
        self,
        request: catalog_pb2.ValidateCatalogRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> catalog_pb2.ValidateCatalogResponse:
        """See proto/nbo/v1/catalog.proto."""
        given = join(_files(request.files))
        try:
            compiled = await self._compile(given)
        except WorkspaceError as error:
            return await self._off_loop(reply.refused, error.problems)
        return await self._off_loop(self._valid, compiled)

    async def PublishCatalog(  # noqa: N802
        self,
        request: catalog_pb2.PublishCatalogRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> catalog_pb2.PublishCatalogResponse:
        """See proto/nbo/v1/catalog.proto."""
        author, comment = _signed(request)
        based_on = check.identifier("based_on", request.based_on, required=False)
        given = join(_files(request.files))
        compiled = await self._compile(given)
        return await self._publish(compiled, given.text, author, comment, based_on)

    async def RollbackCatalog(  # noqa: N802
        self,
        request: catalog_pb2.RollbackCatalogRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> catalog_pb2.PublishCatalogResponse:
        """See proto/nbo/v1/catalog.proto."""
        author, comment = _signed(request)
        wanted = check.identifier("version", request.version, required=False)
        left, earlier = await self._off_loop(self._way_back, wanted)
        name = f"catalogue {earlier.version}"
        compiled = await self._compile(CatalogText(earlier.text, name))
        comment = comment or f"back to {earlier.version}"
        return await self._publish(compiled, earlier.text, author, comment, left)

    async def GetCatalog(  # noqa: N802
        self, request: catalog_pb2.GetCatalogRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.GetCatalogResponse:
        """See proto/nbo/v1/catalog.proto."""
        found = await self._found(request.version)
        return catalog_pb2.GetCatalogResponse(
            publication=reply.publication(found),
            files=[catalog_pb2.CatalogFile(name=n, text=t) for n, t in split(found.text)],
        )

    async def ListPublications(  # noqa: N802
        self,
        request: catalog_pb2.ListPublicationsRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> catalog_pb2.ListPublicationsResponse:
        """See proto/nbo/v1/catalog.proto."""
        limit = request.limit if request.HasField("limit") else DEFAULT_PUBLICATIONS
        check.between("limit", limit, 1, MAX_PUBLICATIONS)
        entries = await self._off_loop(catalogs.history, self._ledger, limit)
        return catalog_pb2.ListPublicationsResponse(publications=map(reply.publication, entries))

    async def DiffCatalog(  # noqa: N802
        self, request: catalog_pb2.DiffCatalogRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.DiffCatalogResponse:
        """See proto/nbo/v1/catalog.proto."""
        if request.version and request.files:
            raise BadInputError("version", f"must be empty with files, was {request.version!r}")
        if request.version:
            after = await self._version(request.version)
        else:
            after = (await self._compile(join(_files(request.files)))).catalog
        changes = diff(await self._version(request.against), after)
        return catalog_pb2.DiffCatalogResponse(
            changes=[
                catalog_pb2.CatalogChange(kind=k, id=i, change=c, fields=f)
                for k, i, c, f in changes
            ]
        )

    async def PreviewCatalog(  # noqa: N802
        self,
        request: catalog_pb2.PreviewCatalogRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> catalog_pb2.PreviewCatalogResponse:
        """See proto/nbo/v1/catalog.proto."""
        sample = request.sample if request.HasField("sample") else DEFAULT_SAMPLE
        examples = request.examples if request.HasField("examples") else DEFAULT_EXAMPLES
        check.between("sample", sample, 1, MAX_SAMPLE)
        check.between("examples", examples, 0, MAX_EXAMPLES)
        by = check.fact_name("by", request.by, self._compiler.schema)
        given = join(_files(request.files))
        world = self._world.current
        # The rates in force stay: else they would seem to be a change of the catalogue.
        rates = self._compiler.rates(world.compiled.catalog.rates)
        compiled = await self._compile(given, rates)
        preview = Preview(world, replace(world, compiled=compiled), by, examples)
        async with self._previewing:
            await self._decide_again(preview, sample)
        if not preview.decisions:
            raise NotEnoughDataError(
                "no decision is logged that could be decided again: ask for offers first, and "
                "give the recorder a second"
            )
        return await self._off_loop(reply.previewed, preview)

    async def GetUsage(  # noqa: N802
        self, request: catalog_pb2.GetUsageRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.GetUsageResponse:
        """See proto/nbo/v1/catalog.proto."""
        if request.HasField("at"):
            at = check.countable("at", to_time("at", request.at))
        else:
            at = self._compiler.now()
        catalog = self._world.current.compiled.catalog
        try:
            async with asyncio.timeout(USAGE_SECONDS):
                usage = await self._caps.read(catalog, at)
        except TimeoutError as error:
            told = f"did not answer within {USAGE_SECONDS:.0f} s"
            raise UnavailableError("redis", told) from error
        return usage_report(catalog, usage, at)

    async def _decide_again(self, preview: Preview, sample: int) -> None:
        """Decide off the event loop, until the caller goes away."""
        gone = threading.Event()

        def decide_again() -> None:
            for logged in decisions.latest(self._ledger, sample, imported=False):
                if gone.is_set():
                    return
                preview.add(logged.record)

        try:
            await self._off_loop(decide_again)
        finally:
            gone.set()

    async def _version(self, version: str) -> Catalog:
        """A published version, by default the one this server decides with."""
        in_force = self._world.current.compiled.catalog
        if version in ("", in_force.version):
            return in_force
        found = await self._found(version)
        return (await self._compile(CatalogText(found.text, f"catalogue {version}"))).catalog

    def _valid(self, compiled: CompiledCatalog) -> catalog_pb2.ValidateCatalogResponse:
        """What is to be said of a catalogue without a mistake; blocks."""
        sample = self._sampled_facts()
        enough = len(sample) >= FEWEST_SAMPLED
        warnings = never_true(compiled, sample) if enough else []
        return reply.valid(compiled, warnings, len(sample) if enough else 0)

    def _sampled_facts(self) -> list[Facts]:
        """What was known of the customers decided for last, each once."""
        facts: dict[str, Facts] = {}
        for logged in decisions.latest(self._ledger, SAMPLED_DECISIONS, imported=False):
            request = logged.record["request"]
            facts.setdefault(request["customer_id"], request["facts"])
        return list(facts.values())

    async def _compile(
        self, given: CatalogText, rates: Mapping[str, float] | None = None
    ) -> CompiledCatalog:
        """Check a text off the event loop, one at a time: compiling is work for a whole core."""
        async with self._compiling:
            return await self._off_loop(self._compiler.compile, given.text, given.name, rates)

    async def _publish(
        self, compiled: CompiledCatalog, text: str, author: str, comment: str, based_on: str
    ) -> catalog_pb2.PublishCatalogResponse:
        version = compiled.catalog.version
        published: Published = await self._off_loop(
            catalogs.publish, self._ledger, version, text, author, comment, based_on
        )
        if published.changed:
            log.info("catalogue published", version=version, author=author)
            await self._switch(compiled)
        return catalog_pb2.PublishCatalogResponse(
            publication=reply.publication(published.publication), changed=published.changed
        )

    async def _switch(self, compiled: CompiledCatalog) -> None:
        """Decide with it here before the publisher is told; other servers find it by themselves."""
        self._published.hand(compiled)
        try:
            await self._world.refresh_catalog(self._threads)
        except NboError as error:  # it is published: this server will find it too
            log.warning("catalogue not switched at once", reason=str(error))
        finally:
            self._published.let_go(compiled)

    async def _found(self, version: str) -> Publication:
        """A publication by version, by default the one in force."""
        version = check.identifier("version", version, required=False)
        version = version or self._world.current.compiled.catalog.version
        return await self._off_loop(catalogs.find, self._ledger, version)

    def _way_back(self, version: str) -> tuple[str, Publication]:
        """The version in force, and what to go back to, by default what was in force before.

        Blocks. What is in force is read first: a publication after that is not what the caller
        meant to leave.
        """
        in_force = catalogs.current(self._ledger)
        ledger = self._ledger
        earlier = catalogs.find(ledger, version) if version else catalogs.before(ledger)
        return in_force.version if in_force else "", earlier

    async def _off_loop(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _files(files: Sequence[catalog_pb2.CatalogFile]) -> list[CatalogFile]:
    return [CatalogFile(file.name, file.text) for file in files]


def _signed(
    request: catalog_pb2.PublishCatalogRequest | catalog_pb2.RollbackCatalogRequest,
) -> tuple[str, str]:
    """Who and why, within their limits."""
    author = check.at_most("author", request.author.strip(), MAX_AUTHOR)
    check.required("author", author)
    return author, check.at_most("comment", request.comment.strip(), MAX_COMMENT)
