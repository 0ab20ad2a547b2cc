"""What each call sends and how its answer is read, as values: the one description that `Application` and `aio.Application`
share. No input or output here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlencode

from .answers import (
    Account,
    AuthCodeFlow,
    OpenUrl,
    Revocation,
    SignedHttpRequest,
    SignedOut,
    SignInNeeded,
    Token,
    TokenExpired,
    TokenOrigin,
    UserCode,
)
from .errors import ProtocolError, StateMismatch
from .v1 import account_pb2, token_broker_pb2 as wire

Answer = TypeVar("Answer")
#: An account as callers may name it: what `get_accounts` returned, a username or a home_account_id.
AccountName = Account | str | None
#: Scopes as callers may give them; a string is split at spaces.
Scopes = Iterable[str] | None
_RESPONSE_MODES = {
    None: wire.RESPONSE_MODE_UNSPECIFIED,
    "query": wire.RESPONSE_MODE_QUERY,
    "form_post": wire.RESPONSE_MODE_FORM_POST,
}


@dataclass(frozen=True, slots=True)
class Exchange(Generic[Answer]):
    """One call: its name, what is sent, and how what comes back is read."""

    method: str
    #: Any generated message; it may hold a secret, so there is no repr of it.
    request: Any
    #: The class of what comes back.
    response: Any
    read: Callable[[Any], Answer]
    #: Whether it may be sent again when the connection broke on the way: it asks, or twice is the same as once.
    harmless: bool = False

    def __repr__(self) -> str:
        return f"Exchange({self.method})"


def token_request(
    application: str,
    scopes: Scopes,
    account: AccountName = None,
    *,
    app_only: bool = False,
    force_refresh: bool = False,
    claims_challenge: str | None = None,
    tenant: str | None = None,
    min_validity: int = 0,
    include_id_token: bool = False,
    ssh_public_key: str | None = None,
    user_assertion: str | None = None,
    session_key: str | None = None,
    audience: str | None = None,
    resource: str | None = None,
    fmi_path: str | None = None,
    client_claims: str | None = None,
) -> wire.GetTokenRequest:
    """Asks for a token; with a public key for an SSH certificate over it."""
    return wire.GetTokenRequest(
        application=application,
        scopes=_scopes(scopes),
        account=_name(account),
        app_only=app_only,
        force_refresh=force_refresh,
        claims=claims_challenge or "",
        tenant=tenant or "",
        min_validity_seconds=min_validity,
        include_id_token=include_id_token,
        scheme=wire.TOKEN_SCHEME_UNSPECIFIED if ssh_public_key is None else wire.TOKEN_SCHEME_SSH_CERT,
        public_key=ssh_public_key or "",
        on_behalf_of=user_assertion or "",
        session_key=session_key,
        audience=audience or "",
        resource=resource or "",
        fmi_path=fmi_path or "",
        client_claims=client_claims or "",
    )


def token(request: wire.GetTokenRequest) -> Exchange[Token]:
    """A valid access token; never opens a user interface."""
    # A session whose key the daemon makes would begin twice, and nobody would know the first key.
    makes_key = bool(request.on_behalf_of) and request.HasField("session_key") and not request.session_key
    return Exchange("GetToken", request, wire.GetTokenResponse, _token, harmless=not makes_key)


def sign_http_request(
    token: wire.GetTokenRequest, method: str, url: str, *, nonce: str | None = None, client_claims: str | None = None
) -> Exchange[SignedHttpRequest]:
    """One HTTP request, signed with the daemon's key."""

    def read(answer: wire.SignHttpRequestResponse) -> SignedHttpRequest:
        if not answer.authorization:
            raise ProtocolError("the answer has no authorization")
        return SignedHttpRequest(
            authorization=answer.authorization,
            expires_on=answer.expires_on,
            scopes=tuple(answer.scopes),
            account=read_account(answer.account) if answer.HasField("account") else None,
            source=_origin(answer.source),
            key_id=answer.key_id,
            correlation_id=answer.correlation_id,
        )

    request = wire.SignHttpRequestRequest(
        token=token, method=method, url=url, nonce=nonce or "", client_claims=client_claims or ""
    )
    return Exchange("SignHttpRequest", request, wire.SignHttpRequestResponse, read, harmless=True)


def accounts(application: str, username: str | None) -> Exchange[list[Account]]:
    """The accounts that are signed in, all or those of one name."""

    def read(answer: wire.ListAccountsResponse) -> list[Account]:
        found = (read_account(account) for account in answer.accounts)
        return [account for account in found if username is None or account.username.lower() == username.lower()]

    request = wire.ListAccountsRequest(application=application)
    return Exchange("ListAccounts", request, wire.ListAccountsResponse, read, harmless=True)


def sign_in(
    application: str,
    scopes: Scopes,
    method: wire.SignInMethod,
    *,
    login_hint: str | None = None,
    prompt: str | None = None,
    domain_hint: str | None = None,
    claims_challenge: str | None = None,
    max_age: int | None = None,
    timeout: int | None = None,
) -> Exchange[OpenUrl | UserCode | Account]:
    """A sign-in: what the user has to do, then who signed in."""
    request = wire.SignInRequest(
        application=application,
        scopes=_scopes(scopes),
        method=method,
        login_hint=login_hint or "",
        prompt=prompt or "",
        domain_hint=domain_hint or "",
        claims=claims_challenge or "",
        max_age_seconds=max_age,
        timeout_seconds=timeout or 0,
    )
    return Exchange("SignIn", request, wire.SignInResponse, _sign_in_event)


def sign_in_without_page(
    application: str,
    scopes: Scopes,
    method: wire.SignInMethod,
    *,
    username: str | None = None,
    password: str | None = None,
    assertion: str | None = None,
    user_object_id: str | None = None,
    refresh_token: str | None = None,
    claims_challenge: str | None = None,
    timeout: int | None = None,
) -> Exchange[OpenUrl | UserCode | Account]:
    """A sign-in with nobody in front of a page: who signed in."""
    request = wire.SignInRequest(
        application=application,
        scopes=_scopes(scopes),
        method=method,
        username=username or "",
        password=password or "",
        assertion=assertion or "",
        user_object_id=user_object_id or "",
        refresh_token=refresh_token or "",
        claims=claims_challenge or "",
        timeout_seconds=timeout or 0,
    )
    return Exchange("SignIn", request, wire.SignInResponse, _sign_in_event)


def begin_authorization(
    application: str,
    scopes: Scopes,
    redirect_uri: str,
    *,
    login_hint: str | None = None,
    prompt: str | None = None,
    domain_hint: str | None = None,
    claims_challenge: str | None = None,
    response_mode: str | None = None,
) -> Exchange[AuthCodeFlow]:
    """Starts the sign-in of a web application's user."""
    if response_mode not in _RESPONSE_MODES:
        raise ValueError("response_mode is `query` or `form_post`")
    request = wire.BeginAuthorizationRequest(
        application=application,
        redirect_uri=redirect_uri,
        scopes=_scopes(scopes),
        login_hint=login_hint or "",
        prompt=prompt or "",
        domain_hint=domain_hint or "",
        claims=claims_challenge or "",
        response_mode=_RESPONSE_MODES[response_mode],
    )

    def read(answer: wire.BeginAuthorizationResponse) -> AuthCodeFlow:
        return AuthCodeFlow(answer.url, answer.state, answer.expires_on)

    return Exchange("BeginAuthorization", request, wire.BeginAuthorizationResponse, read, harmless=True)


def complete_authorization(
    application: str, session: Mapping[str, str] | AuthCodeFlow, auth_response: Mapping[str, str] | str
) -> Exchange[Account]:
    """Finishes it, once the `state` of the answer is the one of this user's session; raises `StateMismatch` otherwise.

    The daemon cannot check that: it does not see browsers.
    """
    began = session.state if isinstance(session, AuthCodeFlow) else session.get("state", "")
    parameters = auth_response if isinstance(auth_response, str) else urlencode(auth_response)
    came = parse_qs(parameters, keep_blank_values=True).get("state", [])
    if not began or len(came) != 1 or not compare_digest(began.encode(), came[0].encode()):
        raise StateMismatch
    request = wire.CompleteAuthorizationRequest(application=application, parameters=parameters)
    return Exchange("CompleteAuthorization", request, wire.CompleteAuthorizationResponse, _completed)


def sign_out(application: str, account: AccountName, *, revoke: bool) -> Exchange[SignedOut]:
    """Forgets an account with all its tokens."""
    request = wire.SignOutRequest(application=application, account=_name(account), revoke=revoke)
    return Exchange("SignOut", request, wire.SignOutResponse, _signed_out)


def watch(request: wire.GetTokenRequest) -> Exchange[Token | SignInNeeded | TokenExpired]:
    """The current token and then each newer one."""
    followed = wire.WatchTokenRequest(token=request)
    return Exchange("WatchToken", followed, wire.WatchTokenResponse, _watch_event, harmless=True)


def _scopes(scopes: Scopes) -> list[str]:
    if scopes is None:
        return []
    return scopes.split() if isinstance(scopes, str) else list(scopes)


def _name(account: AccountName) -> str:
    return account.home_account_id if isinstance(account, Account) else account or ""


def read_account(account: account_pb2.Account) -> Account:
    """An account from the wire."""
    return Account(
        home_account_id=account.home_account_id,
        username=account.username,
        name=account.name,
        environment=account.environment,
        tenant=account.tenant,
        application=account.application,
    )


def _token(answer: wire.GetTokenResponse) -> Token:
    if not answer.access_token:
        raise ProtocolError("the server is not a token-broker daemon of this version: its answer has no access token")
    return Token(
        access_token=answer.access_token,
        token_type=answer.token_type,
        expires_on=answer.expires_on,
        refresh_on=answer.refresh_on or None,
        scopes=tuple(answer.scopes),
        account=read_account(answer.account) if answer.HasField("account") else None,
        source=_origin(answer.source),
        id_token=answer.id_token or None,
        correlation_id=answer.correlation_id,
        key_id=answer.key_id or None,
        session_key=answer.session_key or None,
    )


def _origin(source: wire.TokenSource) -> TokenOrigin:
    from_provider = source == wire.TOKEN_SOURCE_IDENTITY_PROVIDER
    return TokenOrigin.IDENTITY_PROVIDER if from_provider else TokenOrigin.CACHE


def _sign_in_event(answer: wire.SignInResponse) -> OpenUrl | UserCode | Account:
    match answer.WhichOneof("event"):
        case "open_url":
            return OpenUrl(answer.open_url.url)
        case "user_code":
            code = answer.user_code
            return UserCode(
                code.verification_uri, code.verification_uri_complete or None, code.user_code, code.expires_on
            )
        case "signed_in":
            return read_account(answer.signed_in.account)
        case _:
            raise ProtocolError("the daemon is newer than this program: it sent an unknown step of a sign-in")


def _completed(answer: wire.CompleteAuthorizationResponse) -> Account:
    return read_account(answer.account)


def _signed_out(answer: wire.SignOutResponse) -> SignedOut:
    account = read_account(answer.account) if answer.HasField("account") else None
    revocations = {wire.REVOCATION_ACCEPTED: Revocation.ACCEPTED, wire.REVOCATION_FAILED: Revocation.FAILED}
    revocation = revocations.get(answer.revocation, Revocation.NOT_REQUESTED)
    return SignedOut(account, revocation, answer.revocation_failure or None)


def _watch_event(answer: wire.WatchTokenResponse) -> Token | SignInNeeded | TokenExpired:
    match answer.WhichOneof("event"):
        case "token":
            return _token(answer.token)
        case "sign_in_needed":
            needed = answer.sign_in_needed
            return SignInNeeded(needed.message, needed.claims or None, needed.token_expires_on or None)
        case "token_expired":
            expired = answer.token_expired
            return TokenExpired(expired.expires_on, expired.reason, expired.message)
        case _:
            raise ProtocolError("the daemon is newer than this program: it sent an unknown event of a token")
