"""What CatalogService answers, as messages of a size every client takes."""

from __future__ import annotations

from collections.abc import Sequence

from nbo.decision.catalog_text import CompiledCatalog
from nbo.errors import Problem
from nbo.ledger.catalogs import Entry, Publication
from nbo.v1 import catalog_pb2
from serving.catalog_preview import Preview
from serving.wire import from_time

MAX_TOLD_BYTES = 1_000_000
"""Of mistakes or warnings in one reply; gRPC clients refuse messages above 4 MiB by default."""

MAX_MESSAGE = 2_000
"""Characters of one mistake: its excerpt may be a rule of a megabyte."""


def refused(problems: Sequence[Problem]) -> catalog_pb2.ValidateCatalogResponse:
    """A catalogue that is wrong."""
    return catalog_pb2.ValidateCatalogResponse(problems=told(problems))


def valid(
    compiled: CompiledCatalog, unlikely: Sequence[Problem], sampled: int
) -> catalog_pb2.ValidateCatalogResponse:
    """A catalogue that may be published, and what is probably not meant in it."""
    return catalog_pb2.ValidateCatalogResponse(
        version=compiled.catalog.version,
        warnings=told((*compiled.warnings, *unlikely)),
        sampled=sampled,
    )


def told(problems: Sequence[Problem]) -> list[catalog_pb2.CatalogProblem]:
    """As many as fit a reply; the last then says how many more there are."""
    found: list[catalog_pb2.CatalogProblem] = []
    size = 0
    for problem in problems:
        message = _problem(problem)
        size += message.ByteSize()
        if size > MAX_TOLD_BYTES:
            more = f"and {len(problems) - len(found):,} more"
            return [*found, _problem(Problem(problem.file, 0, 0, more))]
        found.append(message)
    return found


def publication(found: Publication | Entry) -> catalog_pb2.Publication:
    """A publication without its text."""
    return catalog_pb2.Publication(
        number=found.publication,
        version=found.version,
        author=found.author,
        comment=found.comment,
        at=from_time(found.published_at),
    )


def previewed(preview: Preview) -> catalog_pb2.PreviewCatalogResponse:
    """What would be offered instead."""
    return catalog_pb2.PreviewCatalogResponse(
        decisions=preview.decisions,
        changed=preview.changed,
        offers=[catalog_pb2.PreviewCount(**count._asdict()) for count in preview.offers()],
        groups=[catalog_pb2.PreviewCount(**count._asdict()) for count in preview.groups()],
        examples=[catalog_pb2.PreviewExample(**example._asdict()) for example in preview.examples],
    )


def _problem(problem: Problem) -> catalog_pb2.CatalogProblem:
    message = problem.message
    if len(message) > MAX_MESSAGE:
        message = message[: MAX_MESSAGE - 1] + "…"
    return catalog_pb2.CatalogProblem(
        file=problem.file, line=problem.line, column=problem.column, message=message
    )
