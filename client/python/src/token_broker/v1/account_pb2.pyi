from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Account(_message.Message):
    __slots__ = ("home_account_id", "username", "name", "environment", "tenant", "application")
    HOME_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    home_account_id: str
    username: str
    name: str
    environment: str
    tenant: str
    application: str
    def __init__(self, home_account_id: _Optional[str] = ..., username: _Optional[str] = ..., name: _Optional[str] = ..., environment: _Optional[str] = ..., tenant: _Optional[str] = ..., application: _Optional[str] = ...) -> None: ...
