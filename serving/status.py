"""From our error tree to gRPC statuses with google.rpc details; the only place codes are chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import structlog
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from nbo.errors import (
    BadInputError,
    ConflictError,
    NboError,
    NotEnoughDataError,
    NotFoundError,
    UnavailableError,
)

log = structlog.get_logger()


def status_of(error: NboError) -> status_pb2.Status:
    """The status a client gets for one of our errors."""
    code, detail = _code_and_detail(error)
    details = []
    if detail is not None:
        packed = any_pb2.Any()
        packed.Pack(detail)
        details.append(packed)
    return status_pb2.Status(code=code, message=str(error), details=details)


def _code_and_detail(error: NboError) -> tuple[int, Message | None]:
    if isinstance(error, BadInputError):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.constraint
        )
        return code_pb2.INVALID_ARGUMENT, error_details_pb2.BadRequest(field_violations=[violation])
    if isinstance(error, NotFoundError):
        info = error_details_pb2.ResourceInfo(
            resource_type=error.kind, resource_name=error.key, description=error.remedy
        )
        return code_pb2.NOT_FOUND, info
    if isinstance(error, ConflictError):
        return code_pb2.ALREADY_EXISTS, None
    if isinstance(error, UnavailableError):
        return code_pb2.UNAVAILABLE, error_details_pb2.RetryInfo()
    if isinstance(error, NotEnoughDataError):
        return code_pb2.FAILED_PRECONDITION, None
    return code_pb2.UNKNOWN, None


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
