"""Reads a failed call: `google.rpc.ErrorInfo` and our own detail message in its trailers (`grpc-status-details-bin`)."""

from collections.abc import Iterable
from typing import Any, Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from .errors import BrokerError, Failure, Interrupted, ProtocolError, ProviderError, refused
from .exchanges import read_account
from .v1 import error_pb2

_DOMAIN = "token-broker"
_DETAILS = "grpc-status-details-bin"


class FailedCall(Protocol):
    """What a failed call offers, sync or async."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Iterable[Any] | None: ...


def read(call: FailedCall) -> BrokerError:
    """The exception for a failed call; `Interrupted` when the connection broke."""
    failure = _failure(call)
    if failure is not None:
        return refused(failure)
    match call.code():
        case grpc.StatusCode.UNAVAILABLE:
            return Interrupted()
        case grpc.StatusCode.UNIMPLEMENTED:
            return ProtocolError("the daemon is older than this program and does not know this call")
        case code:
            return ProtocolError(f"the server does not answer as a token-broker daemon: {code.name} {call.details()!r}")


def _failure(call: FailedCall) -> Failure | None:
    """What the daemon said; none if these are not its words."""
    packed = dict(call.trailing_metadata() or ()).get(_DETAILS)
    if not isinstance(packed, bytes):
        return None
    info, detail = error_details_pb2.ErrorInfo(), error_pb2.ErrorDetail()
    try:
        status = status_pb2.Status.FromString(packed)
        for one in status.details:
            one.Unpack(info) or one.Unpack(detail)
    except DecodeError:
        return None
    if info.domain != _DOMAIN:
        return None
    return Failure(
        reason=info.reason,
        message=status.message,
        correlation_id=detail.correlation_id,
        advice=detail.advice,
        provider=_provider(detail.provider) if detail.provider.error else None,
        claims=detail.provider.claims or None,
        candidates=tuple(read_account(account) for account in detail.candidates),
        retry_after=detail.retry_after_seconds or None,
        field=detail.field,
        limit=detail.limit,
    )


def _provider(wire: error_pb2.ProviderError) -> ProviderError:
    return ProviderError(
        wire.error, wire.suberror, tuple(wire.error_codes), wire.description, wire.correlation_id
    )
