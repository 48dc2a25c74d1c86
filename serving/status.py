"""From our error tree to gRPC statuses with google.rpc details; the only place codes are chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from nbo.errors import (
    BadInputError,
    ConflictError,
    NboError,
    NotEnoughDataError,
    NotFoundError,
    OvertakenError,
    UnavailableError,
    WorkspaceError,
)

log = structlog.get_logger()

MAX_DETAIL_BYTES = 5_000
"""gRPC clients refuse headers above 8 KiB, in which this stands in base 64."""

MAX_DESCRIPTION = 1_000
"""Characters; of a longer message, with a long rule for an excerpt, the first line is told."""

WRONG_FILE = "WRONG_WORKSPACE_FILE"
"""Reason of an INVALID_ARGUMENT that is about the text of a file, not a field."""


def status_of(error: NboError) -> status_pb2.Status:
    """The status a client gets for one of our errors."""
    code, details = _code_and_details(error)
    message = _summary(error) if isinstance(error, WorkspaceError) else str(error)
    status = status_pb2.Status(code=code, message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _code_and_details(error: NboError) -> tuple[int, list[Message]]:  # noqa: PLR0911  # one per kind
    if isinstance(error, BadInputError):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.constraint
        )
        bad = error_details_pb2.BadRequest(field_violations=[violation])
        return code_pb2.INVALID_ARGUMENT, [bad]
    if isinstance(error, WorkspaceError):
        return code_pb2.INVALID_ARGUMENT, [*_located(error)]
    if isinstance(error, NotFoundError):
        info = error_details_pb2.ResourceInfo(
            resource_type=error.kind, resource_name=error.key, description=error.remedy
        )
        return code_pb2.NOT_FOUND, [info]
    if isinstance(error, OvertakenError):
        return code_pb2.ABORTED, []
    if isinstance(error, ConflictError):
        return code_pb2.ALREADY_EXISTS, []
    if isinstance(error, UnavailableError):
        return code_pb2.UNAVAILABLE, [error_details_pb2.RetryInfo()]
    if isinstance(error, NotEnoughDataError):
        return code_pb2.FAILED_PRECONDITION, []
    return code_pb2.UNKNOWN, []


def _summary(error: WorkspaceError) -> str:
    """One line: a status travels in a header, which holds no page of excerpts."""
    first, count = str(error.problems[0]).splitlines()[0][:300], len(error.problems)
    return first if count == 1 else f"{count} mistakes; the first: {first}"


def _located(error: WorkspaceError) -> Iterator[Message]:
    """Every mistake as a violation whose field is ``file:line:column``, as far as they fit."""
    bad = error_details_pb2.BadRequest()
    told = 0
    for problem in error.problems:
        whole = len(problem.message) <= MAX_DESCRIPTION
        description = problem.message if whole else problem.message.splitlines()[0][:300]
        bad.field_violations.add(
            field=f"{problem.file}:{problem.line}:{problem.column}", description=description
        )
        if bad.ByteSize() > MAX_DETAIL_BYTES:
            bad.field_violations.pop()
            break
        told += whole
    yield bad
    count = len(error.problems)
    yield error_details_pb2.ErrorInfo(
        reason=WRONG_FILE, domain="nbo", metadata={"problems": str(count), "told": str(told)}
    )


class StatusInterceptor(grpc.aio.ServerInterceptor):
    """Turns raised errors into statuses; an unexpected one is logged whole and told briefly."""

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Wrap unary calls; streams (reflection, health) pass through."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        answer: Any = handler.unary_unary
        parse = handler.request_deserializer
        method = handler_call_details.method

        async def guarded(raw: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            try:
                return await answer(_parsed(parse, raw), context)
            except NboError as error:
                await context.abort_with_status(rpc_status.to_status(status_of(error)))
            except grpc.aio.AbortError:
                raise
            except Exception:
                log.exception("unexpected error", method=method)
                await context.abort(
                    grpc.StatusCode.UNKNOWN, "unexpected error; the server's log has the details"
                )

        return grpc.unary_unary_rpc_method_handler(
            guarded,
            request_deserializer=None,  # parsed above: grpc answers INTERNAL to malformed bytes
            response_serializer=handler.response_serializer,
        )


def _parsed(parse: Callable[[bytes], Any] | None, raw: bytes) -> Any:
    try:
        return parse(raw) if parse else raw
    except DecodeError as error:
        raise BadInputError("request", f"must be a message of this method, {error}") from error
