"""The catalogue's part of the Python client: check, compare, preview, publish, roll back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import grpc

from nbo.errors import BadInputError, NboError, Problem, WorkspaceError
from nbo.v1 import catalog_pb2, catalog_pb2_grpc

CATALOG_SECONDS = 60.0
PREVIEW_SECONDS = 300.0
"""Deadlines of calls that compile a catalogue or decide thousands of times."""

Files = Sequence[tuple[str, str]]
"""Name and text of every file of a catalogue, e.g. ``[("catalog.yaml", "currency: EUR…")]``."""


class CatalogCalls(ABC):
    """Calls of CatalogService.

    Args:
        channel: The connection.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self._catalogs = catalog_pb2_grpc.CatalogServiceStub(channel)

    def validate_catalog(self, files: Files) -> catalog_pb2.ValidateCatalogResponse:
        """Check a catalogue: mistakes, and warnings from the facts of sampled customers."""
        request = catalog_pb2.ValidateCatalogRequest(files=_files(files))
        reply: catalog_pb2.ValidateCatalogResponse = self._call(
            self._catalogs.ValidateCatalog, request, CATALOG_SECONDS
        )
        return reply

    def publish_catalog(
        self, files: Files, *, author: str, comment: str = "", based_on: str = ""
    ) -> catalog_pb2.PublishCatalogResponse:
        """Put a catalogue in force on every server.

        Args:
            files: Name and text of every file.
            author: Who publishes.
            comment: Why.
            based_on: The version the change was made on; by default whatever is in force.

        Raises:
            WorkspaceError: it is wrong; holds every mistake. The version in force stays.
            OvertakenError: another version than `based_on` is in force.
        """
        request = catalog_pb2.PublishCatalogRequest(
            files=_files(files), author=author, comment=comment, based_on=based_on
        )
        try:
            reply: catalog_pb2.PublishCatalogResponse = self._call(
                self._catalogs.PublishCatalog, request, CATALOG_SECONDS
            )
        except WorkspaceError as error:
            raise self._whole(error, files) from error
        return reply

    def rollback_catalog(
        self, version: str = "", *, author: str, comment: str = ""
    ) -> catalog_pb2.PublishCatalogResponse:
        """Put an earlier version in force again, by default the one before the present one.

        Raises:
            NotFoundError: it was never published.
            WorkspaceError: it no longer fits the workspace's facts.
        """
        request = catalog_pb2.RollbackCatalogRequest(
            version=version, author=author, comment=comment
        )
        reply: catalog_pb2.PublishCatalogResponse = self._call(
            self._catalogs.RollbackCatalog, request, CATALOG_SECONDS
        )
        return reply

    def catalog(self, version: str = "") -> catalog_pb2.GetCatalogResponse:
        """The text of a version, by default of the one in force."""
        request = catalog_pb2.GetCatalogRequest(version=version)
        reply: catalog_pb2.GetCatalogResponse = self._call(self._catalogs.GetCatalog, request)
        return reply

    def publications(self, limit: int = 20) -> list[catalog_pb2.Publication]:
        """The last publications, latest first: the first is in force."""
        request = catalog_pb2.ListPublicationsRequest(limit=limit)
        return list(self._call(self._catalogs.ListPublications, request).publications)

    def diff_catalog(
        self, files: Files = (), *, version: str = "", against: str = ""
    ) -> list[catalog_pb2.CatalogChange]:
        """What differs in `files`, or in a published version, from `against` or what is in force.

        Raises:
            WorkspaceError: the files are wrong.
            NotFoundError: no such version was ever published.
        """
        request = catalog_pb2.DiffCatalogRequest(
            files=_files(files), version=version, against=against
        )
        return list(self._call(self._catalogs.DiffCatalog, request, CATALOG_SECONDS).changes)

    def preview_catalog(
        self, files: Files, *, sample: int = 500, by: str = "", examples: int = 5
    ) -> catalog_pb2.PreviewCatalogResponse:
        """Decide the latest logged decisions again under these files, and compare.

        Raises:
            WorkspaceError: the files are wrong.
            NotEnoughDataError: no decision is logged that can be decided again.
        """
        request = catalog_pb2.PreviewCatalogRequest(
            files=_files(files), sample=sample, by=by, examples=examples
        )
        reply: catalog_pb2.PreviewCatalogResponse = self._call(
            self._catalogs.PreviewCatalog, request, PREVIEW_SECONDS
        )
        return reply

    def usage(self, at: datetime | None = None) -> catalog_pb2.GetUsageResponse:
        """How much of caps and budgets is used up at an instant, by default now."""
        request = catalog_pb2.GetUsageRequest()
        if at is not None:
            if at.tzinfo is None:
                raise BadInputError("at", f"must carry a time zone, was {at.isoformat()}")
            request.at.FromDatetime(at)
        reply: catalog_pb2.GetUsageResponse = self._call(self._catalogs.GetUsage, request)
        return reply

    def _whole(self, error: WorkspaceError, files: Files) -> WorkspaceError:
        """Ask for the mistakes that a status had no room for; without an answer, those it had."""
        if error.whole:
            return error
        try:
            problems = self.validate_catalog(files).problems
        except NboError:  # the mistakes in hand say more than that they could not be asked for
            return error
        return WorkspaceError(problems_of(problems)) if problems else error

    @abstractmethod
    def _call(self, method: Any, request: Any, at_least: float = 0.0) -> Any:
        """Call with a deadline of at least so many seconds, and turn a status into our error."""


def problems_of(found: Iterable[catalog_pb2.CatalogProblem]) -> list[Problem]:
    """The mistakes in a reply as values."""
    return [Problem(p.file, p.line, p.column, p.message) for p in found]


def _files(files: Files) -> list[catalog_pb2.CatalogFile]:
    return [catalog_pb2.CatalogFile(name=name, text=text) for name, text in files]
