from token_broker.v1 import account_pb2 as _account_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TokenScheme(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOKEN_SCHEME_UNSPECIFIED: _ClassVar[TokenScheme]
    TOKEN_SCHEME_BEARER: _ClassVar[TokenScheme]
    TOKEN_SCHEME_POP: _ClassVar[TokenScheme]
    TOKEN_SCHEME_SSH_CERT: _ClassVar[TokenScheme]
    TOKEN_SCHEME_DPOP: _ClassVar[TokenScheme]

class TokenSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOKEN_SOURCE_UNSPECIFIED: _ClassVar[TokenSource]
    TOKEN_SOURCE_CACHE: _ClassVar[TokenSource]
    TOKEN_SOURCE_IDENTITY_PROVIDER: _ClassVar[TokenSource]

class SignInMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIGN_IN_METHOD_UNSPECIFIED: _ClassVar[SignInMethod]
    SIGN_IN_METHOD_BROWSER: _ClassVar[SignInMethod]
    SIGN_IN_METHOD_DEVICE_CODE: _ClassVar[SignInMethod]
    SIGN_IN_METHOD_PASSWORD: _ClassVar[SignInMethod]
    SIGN_IN_METHOD_USER_FEDERATED_IDENTITY_CREDENTIAL: _ClassVar[SignInMethod]
    SIGN_IN_METHOD_REFRESH_TOKEN: _ClassVar[SignInMethod]

class ResponseMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONSE_MODE_UNSPECIFIED: _ClassVar[ResponseMode]
    RESPONSE_MODE_QUERY: _ClassVar[ResponseMode]
    RESPONSE_MODE_FORM_POST: _ClassVar[ResponseMode]

class Revocation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVOCATION_UNSPECIFIED: _ClassVar[Revocation]
    REVOCATION_NOT_REQUESTED: _ClassVar[Revocation]
    REVOCATION_ACCEPTED: _ClassVar[Revocation]
    REVOCATION_FAILED: _ClassVar[Revocation]
TOKEN_SCHEME_UNSPECIFIED: TokenScheme
TOKEN_SCHEME_BEARER: TokenScheme
TOKEN_SCHEME_POP: TokenScheme
TOKEN_SCHEME_SSH_CERT: TokenScheme
TOKEN_SCHEME_DPOP: TokenScheme
TOKEN_SOURCE_UNSPECIFIED: TokenSource
TOKEN_SOURCE_CACHE: TokenSource
TOKEN_SOURCE_IDENTITY_PROVIDER: TokenSource
SIGN_IN_METHOD_UNSPECIFIED: SignInMethod
SIGN_IN_METHOD_BROWSER: SignInMethod
SIGN_IN_METHOD_DEVICE_CODE: SignInMethod
SIGN_IN_METHOD_PASSWORD: SignInMethod
SIGN_IN_METHOD_USER_FEDERATED_IDENTITY_CREDENTIAL: SignInMethod
SIGN_IN_METHOD_REFRESH_TOKEN: SignInMethod
RESPONSE_MODE_UNSPECIFIED: ResponseMode
RESPONSE_MODE_QUERY: ResponseMode
RESPONSE_MODE_FORM_POST: ResponseMode
REVOCATION_UNSPECIFIED: Revocation
REVOCATION_NOT_REQUESTED: Revocation
REVOCATION_ACCEPTED: Revocation
REVOCATION_FAILED: Revocation

class GetTokenRequest(_message.Message):
    __slots__ = ("application", "client_id", "authority", "scopes", "account", "app_only", "on_behalf_of", "tenant", "force_refresh", "min_validity_seconds", "claims", "scheme", "include_id_token", "correlation_id", "session_key", "audience", "resource", "fmi_path", "kerberos_service_principal", "client_claims", "public_key")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    APP_ONLY_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_OF_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    FORCE_REFRESH_FIELD_NUMBER: _ClassVar[int]
    MIN_VALIDITY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_KEY_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    FMI_PATH_FIELD_NUMBER: _ClassVar[int]
    KERBEROS_SERVICE_PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    application: str
    client_id: str
    authority: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    account: str
    app_only: bool
    on_behalf_of: str
    tenant: str
    force_refresh: bool
    min_validity_seconds: int
    claims: str
    scheme: TokenScheme
    include_id_token: bool
    correlation_id: str
    session_key: str
    audience: str
    resource: str
    fmi_path: str
    kerberos_service_principal: str
    client_claims: str
    public_key: str
    def __init__(self, application: _Optional[str] = ..., client_id: _Optional[str] = ..., authority: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., account: _Optional[str] = ..., app_only: _Optional[bool] = ..., on_behalf_of: _Optional[str] = ..., tenant: _Optional[str] = ..., force_refresh: _Optional[bool] = ..., min_validity_seconds: _Optional[int] = ..., claims: _Optional[str] = ..., scheme: _Optional[_Union[TokenScheme, str]] = ..., include_id_token: _Optional[bool] = ..., correlation_id: _Optional[str] = ..., session_key: _Optional[str] = ..., audience: _Optional[str] = ..., resource: _Optional[str] = ..., fmi_path: _Optional[str] = ..., kerberos_service_principal: _Optional[str] = ..., client_claims: _Optional[str] = ..., public_key: _Optional[str] = ...) -> None: ...

class GetTokenResponse(_message.Message):
    __slots__ = ("access_token", "token_type", "expires_on", "refresh_on", "scopes", "account", "source", "id_token", "correlation_id", "session_key", "key_id")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    REFRESH_ON_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_KEY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    token_type: str
    expires_on: int
    refresh_on: int
    scopes: _containers.RepeatedScalarFieldContainer[str]
    account: _account_pb2.Account
    source: TokenSource
    id_token: str
    correlation_id: str
    session_key: str
    key_id: str
    def __init__(self, access_token: _Optional[str] = ..., token_type: _Optional[str] = ..., expires_on: _Optional[int] = ..., refresh_on: _Optional[int] = ..., scopes: _Optional[_Iterable[str]] = ..., account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ..., source: _Optional[_Union[TokenSource, str]] = ..., id_token: _Optional[str] = ..., correlation_id: _Optional[str] = ..., session_key: _Optional[str] = ..., key_id: _Optional[str] = ...) -> None: ...

class SignHttpRequestRequest(_message.Message):
    __slots__ = ("token", "method", "url", "nonce", "client_claims")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    token: GetTokenRequest
    method: str
    url: str
    nonce: str
    client_claims: str
    def __init__(self, token: _Optional[_Union[GetTokenRequest, _Mapping]] = ..., method: _Optional[str] = ..., url: _Optional[str] = ..., nonce: _Optional[str] = ..., client_claims: _Optional[str] = ...) -> None: ...

class SignHttpRequestResponse(_message.Message):
    __slots__ = ("authorization", "expires_on", "scopes", "account", "source", "key_id", "correlation_id")
    AUTHORIZATION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    authorization: str
    expires_on: int
    scopes: _containers.RepeatedScalarFieldContainer[str]
    account: _account_pb2.Account
    source: TokenSource
    key_id: str
    correlation_id: str
    def __init__(self, authorization: _Optional[str] = ..., expires_on: _Optional[int] = ..., scopes: _Optional[_Iterable[str]] = ..., account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ..., source: _Optional[_Union[TokenSource, str]] = ..., key_id: _Optional[str] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class SignInRequest(_message.Message):
    __slots__ = ("application", "scopes", "method", "login_hint", "prompt", "domain_hint", "claims", "timeout_seconds", "correlation_id", "max_age_seconds", "username", "password", "assertion", "user_object_id", "refresh_token")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    LOGIN_HINT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_HINT_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    ASSERTION_FIELD_NUMBER: _ClassVar[int]
    USER_OBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    application: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    method: SignInMethod
    login_hint: str
    prompt: str
    domain_hint: str
    claims: str
    timeout_seconds: int
    correlation_id: str
    max_age_seconds: int
    username: str
    password: str
    assertion: str
    user_object_id: str
    refresh_token: str
    def __init__(self, application: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., method: _Optional[_Union[SignInMethod, str]] = ..., login_hint: _Optional[str] = ..., prompt: _Optional[str] = ..., domain_hint: _Optional[str] = ..., claims: _Optional[str] = ..., timeout_seconds: _Optional[int] = ..., correlation_id: _Optional[str] = ..., max_age_seconds: _Optional[int] = ..., username: _Optional[str] = ..., password: _Optional[str] = ..., assertion: _Optional[str] = ..., user_object_id: _Optional[str] = ..., refresh_token: _Optional[str] = ...) -> None: ...

class SignInResponse(_message.Message):
    __slots__ = ("open_url", "user_code", "signed_in")
    OPEN_URL_FIELD_NUMBER: _ClassVar[int]
    USER_CODE_FIELD_NUMBER: _ClassVar[int]
    SIGNED_IN_FIELD_NUMBER: _ClassVar[int]
    open_url: OpenUrl
    user_code: UserCode
    signed_in: SignedIn
    def __init__(self, open_url: _Optional[_Union[OpenUrl, _Mapping]] = ..., user_code: _Optional[_Union[UserCode, _Mapping]] = ..., signed_in: _Optional[_Union[SignedIn, _Mapping]] = ...) -> None: ...

class OpenUrl(_message.Message):
    __slots__ = ("url",)
    URL_FIELD_NUMBER: _ClassVar[int]
    url: str
    def __init__(self, url: _Optional[str] = ...) -> None: ...

class UserCode(_message.Message):
    __slots__ = ("verification_uri", "verification_uri_complete", "user_code", "expires_on")
    VERIFICATION_URI_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_URI_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    USER_CODE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    verification_uri: str
    verification_uri_complete: str
    user_code: str
    expires_on: int
    def __init__(self, verification_uri: _Optional[str] = ..., verification_uri_complete: _Optional[str] = ..., user_code: _Optional[str] = ..., expires_on: _Optional[int] = ...) -> None: ...

class SignedIn(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: _account_pb2.Account
    def __init__(self, account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ...) -> None: ...

class BeginAuthorizationRequest(_message.Message):
    __slots__ = ("application", "redirect_uri", "scopes", "login_hint", "prompt", "domain_hint", "claims", "correlation_id", "response_mode")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    LOGIN_HINT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_HINT_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_MODE_FIELD_NUMBER: _ClassVar[int]
    application: str
    redirect_uri: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    login_hint: str
    prompt: str
    domain_hint: str
    claims: str
    correlation_id: str
    response_mode: ResponseMode
    def __init__(self, application: _Optional[str] = ..., redirect_uri: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., login_hint: _Optional[str] = ..., prompt: _Optional[str] = ..., domain_hint: _Optional[str] = ..., claims: _Optional[str] = ..., correlation_id: _Optional[str] = ..., response_mode: _Optional[_Union[ResponseMode, str]] = ...) -> None: ...

class BeginAuthorizationResponse(_message.Message):
    __slots__ = ("url", "state", "expires_on")
    URL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    url: str
    state: str
    expires_on: int
    def __init__(self, url: _Optional[str] = ..., state: _Optional[str] = ..., expires_on: _Optional[int] = ...) -> None: ...

class CompleteAuthorizationRequest(_message.Message):
    __slots__ = ("application", "parameters", "correlation_id")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    application: str
    parameters: str
    correlation_id: str
    def __init__(self, application: _Optional[str] = ..., parameters: _Optional[str] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class CompleteAuthorizationResponse(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: _account_pb2.Account
    def __init__(self, account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ...) -> None: ...

class SignOutRequest(_message.Message):
    __slots__ = ("application", "account", "revoke", "correlation_id")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REVOKE_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    application: str
    account: str
    revoke: bool
    correlation_id: str
    def __init__(self, application: _Optional[str] = ..., account: _Optional[str] = ..., revoke: _Optional[bool] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class SignOutResponse(_message.Message):
    __slots__ = ("account", "revocation", "revocation_failure")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REVOCATION_FIELD_NUMBER: _ClassVar[int]
    REVOCATION_FAILURE_FIELD_NUMBER: _ClassVar[int]
    account: _account_pb2.Account
    revocation: Revocation
    revocation_failure: str
    def __init__(self, account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ..., revocation: _Optional[_Union[Revocation, str]] = ..., revocation_failure: _Optional[str] = ...) -> None: ...

class ListAccountsRequest(_message.Message):
    __slots__ = ("application",)
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    application: str
    def __init__(self, application: _Optional[str] = ...) -> None: ...

class ListAccountsResponse(_message.Message):
    __slots__ = ("accounts",)
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[_account_pb2.Account]
    def __init__(self, accounts: _Optional[_Iterable[_Union[_account_pb2.Account, _Mapping]]] = ...) -> None: ...

class WatchTokenRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: GetTokenRequest
    def __init__(self, token: _Optional[_Union[GetTokenRequest, _Mapping]] = ...) -> None: ...

class WatchTokenResponse(_message.Message):
    __slots__ = ("token", "sign_in_needed", "token_expired")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SIGN_IN_NEEDED_FIELD_NUMBER: _ClassVar[int]
    TOKEN_EXPIRED_FIELD_NUMBER: _ClassVar[int]
    token: GetTokenResponse
    sign_in_needed: SignInNeeded
    token_expired: TokenExpired
    def __init__(self, token: _Optional[_Union[GetTokenResponse, _Mapping]] = ..., sign_in_needed: _Optional[_Union[SignInNeeded, _Mapping]] = ..., token_expired: _Optional[_Union[TokenExpired, _Mapping]] = ...) -> None: ...

class SignInNeeded(_message.Message):
    __slots__ = ("message", "claims", "token_expires_on")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    message: str
    claims: str
    token_expires_on: int
    def __init__(self, message: _Optional[str] = ..., claims: _Optional[str] = ..., token_expires_on: _Optional[int] = ...) -> None: ...

class TokenExpired(_message.Message):
    __slots__ = ("expires_on", "reason", "message")
    EXPIRES_ON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    expires_on: int
    reason: str
    message: str
    def __init__(self, expires_on: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
