from token_broker.v1 import account_pb2 as _account_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorDetail(_message.Message):
    __slots__ = ("correlation_id", "provider", "candidates", "advice", "retry_after_seconds", "field", "limit")
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    correlation_id: str
    provider: ProviderError
    candidates: _containers.RepeatedCompositeFieldContainer[_account_pb2.Account]
    advice: str
    retry_after_seconds: int
    field: str
    limit: str
    def __init__(self, correlation_id: _Optional[str] = ..., provider: _Optional[_Union[ProviderError, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[_account_pb2.Account, _Mapping]]] = ..., advice: _Optional[str] = ..., retry_after_seconds: _Optional[int] = ..., field: _Optional[str] = ..., limit: _Optional[str] = ...) -> None: ...

class ProviderError(_message.Message):
    __slots__ = ("error", "suberror", "error_codes", "description", "claims", "correlation_id", "error_uri", "trace_id", "timestamp")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SUBERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_URI_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    error: str
    suberror: str
    error_codes: _containers.RepeatedScalarFieldContainer[int]
    description: str
    claims: str
    correlation_id: str
    error_uri: str
    trace_id: str
    timestamp: str
    def __init__(self, error: _Optional[str] = ..., suberror: _Optional[str] = ..., error_codes: _Optional[_Iterable[int]] = ..., description: _Optional[str] = ..., claims: _Optional[str] = ..., correlation_id: _Optional[str] = ..., error_uri: _Optional[str] = ..., trace_id: _Optional[str] = ..., timestamp: _Optional[str] = ...) -> None: ...
