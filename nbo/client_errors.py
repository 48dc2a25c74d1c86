"""From the gRPC statuses a server answers with to our error tree."""

from __future__ import annotations

from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from nbo.errors import (
    BadInputError,
    ConflictError,
    NboError,
    NotEnoughDataError,
    NotFoundError,
    OvertakenError,
    Problem,
    UnavailableError,
    WorkspaceError,
)


def error_of(error: Any) -> NboError:
    """The error of our own tree that a status stands for.

    Args:
        error: A `grpc.RpcError` of a call.
    """
    code, message = error.code(), error.details() or ""
    details = getattr(rpc_status.from_call(error), "details", ())
    if code == grpc.StatusCode.INVALID_ARGUMENT and (found := _wrong(details)) is not None:
        return found
    if code == grpc.StatusCode.NOT_FOUND:
        for detail in details:
            info = error_details_pb2.ResourceInfo()
            if detail.Unpack(info):
                return NotFoundError(info.resource_type, info.resource_name, info.description)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return UnavailableError("server", message or code.name)
    if code in _PLAIN:
        return _PLAIN[code](message)
    return NboError(f"{code.name}: {message}")


_PLAIN: dict[grpc.StatusCode, type[NboError]] = {
    grpc.StatusCode.ABORTED: OvertakenError,
    grpc.StatusCode.ALREADY_EXISTS: ConflictError,
    grpc.StatusCode.FAILED_PRECONDITION: NotEnoughDataError,
}


def _wrong(details: Any) -> NboError | None:
    """What is wrong with a field, or with the files of a workspace; None if it is not said."""
    bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
    about_a_file = False
    for detail in details:
        detail.Unpack(bad)
        about_a_file |= detail.Unpack(info)
    if not bad.field_violations:
        return None
    if about_a_file:
        problems = [_located(violation) for violation in bad.field_violations]
        return WorkspaceError(problems, whole=info.metadata["told"] == info.metadata["problems"])
    first = bad.field_violations[0]
    return BadInputError(first.field, first.description)


def _located(violation: error_details_pb2.BadRequest.FieldViolation) -> Problem:
    """A mistake in a file; the field is ``file:line:column``."""
    file, line, column = violation.field.rsplit(":", 2)
    return Problem(file, int(line), int(column), violation.description)
