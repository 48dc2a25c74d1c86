"""CatalogService: check, compare, preview, publish and roll back what may be offered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

import grpc
import structlog

from nbo.decision.catalog_text import CompiledCatalog
from nbo.errors import NboError, Problem, WorkspaceError
from nbo.ledger import catalogs
from nbo.ledger.catalogs import Entry, Publication, Published
from nbo.v1 import catalog_pb2, catalog_pb2_grpc
from serving import request_checks as check
from serving.catalog_files import CatalogFile, CatalogText, join, split
from serving.live_world import LiveWorld
from serving.published_catalogs import CatalogCompiler, PublishedCatalogs
from serving.wire import from_time

log = structlog.get_logger()

Result = TypeVar("Result")

MAX_AUTHOR = 128
MAX_COMMENT = 1_000
MAX_PUBLICATIONS = 1_000
DEFAULT_PUBLICATIONS = 20


class CatalogService(catalog_pb2_grpc.CatalogServiceServicer):
    """The catalogue's life; whatever takes long runs on threads, one at a time.

    Args:
        compiler: Checks texts against the workspace's facts.
        published: What this server finds in force.
        world: What it decides with.
        threads: Where blocking work runs.
    """

    def __init__(
        self,
        compiler: CatalogCompiler,
        published: PublishedCatalogs,
        world: LiveWorld,
        threads: Executor,
    ) -> None:
        self._compiler = compiler
        self._published = published
        self._ledger = compiler.ledger
        self._world = world
        self._threads = threads
        self._compiling = asyncio.Semaphore(1)

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
            return catalog_pb2.ValidateCatalogResponse(problems=map(_problem, error.problems))
        return catalog_pb2.ValidateCatalogResponse(version=compiled.catalog.version)

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
        earlier = await self._earlier(request.version)
        name = f"catalogue {earlier.version}"
        compiled = await self._compile(CatalogText(earlier.text, name))
        return await self._publish(compiled, earlier.text, author, comment, "")

    async def GetCatalog(  # noqa: N802
        self, request: catalog_pb2.GetCatalogRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.GetCatalogResponse:
        """See proto/nbo/v1/catalog.proto."""
        found = await self._found(request.version)
        return catalog_pb2.GetCatalogResponse(
            publication=_publication(found),
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
        return catalog_pb2.ListPublicationsResponse(publications=map(_publication, entries))

    async def _compile(self, given: CatalogText) -> CompiledCatalog:
        """Check a text off the event loop, one at a time: compiling is work for a whole core."""
        async with self._compiling:
            return await self._off_loop(self._compiler.compile, given.text, given.name)

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
            publication=_publication(published.publication), changed=published.changed
        )

    async def _switch(self, compiled: CompiledCatalog) -> None:
        """Decide with it here before the publisher is told; other servers find it by themselves."""
        self._published.hand(compiled)
        try:
            await self._world.refresh_catalog(self._threads)
        except NboError as error:  # it is published: this server will find it too
            log.warning("catalogue not switched at once", reason=str(error))

    async def _found(self, version: str) -> Publication:
        """A publication by version, by default the one in force."""
        version = check.identifier("version", version, required=False)
        version = version or self._world.current.compiled.catalog.version
        return await self._off_loop(catalogs.find, self._ledger, version)

    async def _earlier(self, version: str) -> Publication:
        """What to go back to, by default what was in force before."""
        if not version:
            return await self._off_loop(catalogs.before, self._ledger)
        return await self._found(version)

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


def _problem(problem: Problem) -> catalog_pb2.CatalogProblem:
    return catalog_pb2.CatalogProblem(
        file=problem.file, line=problem.line, column=problem.column, message=problem.message
    )


def _publication(found: Publication | Entry) -> catalog_pb2.Publication:
    return catalog_pb2.Publication(
        number=found.publication,
        version=found.version,
        author=found.author,
        comment=found.comment,
        at=from_time(found.published_at),
    )
