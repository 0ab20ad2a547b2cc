"""The async twin of `token_broker.Application`, over grpc.aio. Callbacks may be coroutines.

Generated from application.py by generate.py: change that.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType

from . import exchanges
from .answers import (
    Account,
    AuthCodeFlow,
    OpenUrl,
    SignedHttpRequest,
    SignedOut,
    SignInNeeded,
    Token,
    TokenExpired,
    UserCode,
)
from .application import open_in_browser
from .door import AsyncDoor, AsyncStream
from .errors import ProtocolError
from .exchanges import AccountName, Exchange, Scopes
from .socket_path import resolve
from .threshold import Threshold
from .v1 import token_broker_pb2 as wire


class Application:
    """An application by its name in the broker (`broker-cli app list`). Belongs to the event loop of the first call.

    It holds no token, no secret and no cache. Calls raise `BrokerError`s.
    """

    def __init__(
        self, name: str, socket: str | os.PathLike[str] | None = None, *, server_uid: int | None = None
    ) -> None:
        """`socket`: the daemon's, if it is not the usual one. `server_uid`: a user whose daemon is accepted besides ours and
        root's, else `$TOKEN_BROKER_SERVER_UID`.
        """
        self.name = name
        self._door = AsyncDoor(Threshold(resolve(socket), server_uid))

    async def get_accounts(self, username: str | None = None) -> list[Account]:
        """The accounts that are signed in to this application, or those with this username."""
        return await self._door.call(exchanges.accounts(self.name, username))

    async def acquire_token_silent(
        self,
        scopes: Scopes,
        account: AccountName = None,
        *,
        force_refresh: bool = False,
        claims_challenge: str | None = None,
        tenant: str | None = None,
        min_validity: int = 0,
        include_id_token: bool = False,
        forwarded_client_claims: str | None = None,
    ) -> Token:
        """A valid token from the cache, else by refresh; raises `InteractionRequired` when the user has to sign in.

        `account`: the one of `get_accounts`, a username or a home_account_id; None: the only one. `scopes`: None for the
        application's own list. `forwarded_client_claims`: claims of the application's own wish, JSON; cached apart.
        """
        request = exchanges.token_request(
            self.name,
            scopes,
            account,
            force_refresh=force_refresh,
            claims_challenge=claims_challenge,
            tenant=tenant,
            min_validity=min_validity,
            include_id_token=include_id_token,
            client_claims=forwarded_client_claims,
        )
        return await self._door.call(exchanges.token(request))

    async def acquire_token_for_client(
        self,
        scopes: Scopes,
        *,
        force_refresh: bool = False,
        claims_challenge: str | None = None,
        tenant: str | None = None,
        min_validity: int = 0,
        fmi_path: str | None = None,
        forwarded_client_claims: str | None = None,
    ) -> Token:
        """A token of the application itself (RFC 6749, section 4.4). `fmi_path`: of a federated managed identity (Entra ID)."""
        request = exchanges.token_request(
            self.name,
            scopes,
            app_only=True,
            force_refresh=force_refresh,
            claims_challenge=claims_challenge,
            tenant=tenant,
            min_validity=min_validity,
            fmi_path=fmi_path,
            client_claims=forwarded_client_claims,
        )
        return await self._door.call(exchanges.token(request))

    async def acquire_token_on_behalf_of(
        self,
        user_assertion: str | None,
        scopes: Scopes,
        *,
        claims_challenge: str | None = None,
        forwarded_client_claims: str | None = None,
        session_key: str | None = None,
        force_refresh: bool = False,
        tenant: str | None = None,
        min_validity: int = 0,
        include_id_token: bool = False,
        audience: str | None = None,
        resource: str | None = None,
    ) -> Token:
        """A token of the user whose access token a client has sent to this service, cached for that very token; elsewhere than at
        Microsoft an exchange (RFC 8693) for the service named by `audience` or `resource`. Raises `InteractionRequired` when the
        client has to sign the user in again: hand its `claims` over to the client.

        `session_key` begins a session that goes on after `user_assertion` has expired: then pass None and the key. An empty key
        lets the daemon make one, which is in the answer. `remove_account(key)` ends it.
        """
        request = exchanges.token_request(
            self.name,
            scopes,
            user_assertion=user_assertion,
            session_key=session_key,
            claims_challenge=claims_challenge,
            client_claims=forwarded_client_claims,
            force_refresh=force_refresh,
            tenant=tenant,
            min_validity=min_validity,
            include_id_token=include_id_token,
            audience=audience,
            resource=resource,
        )
        return await self._door.call(exchanges.token(request))

    async def acquire_ssh_certificate(
        self,
        scopes: Scopes,
        public_key: str,
        account: AccountName = None,
        *,
        app_only: bool = False,
        force_refresh: bool = False,
        min_validity: int = 0,
    ) -> Token:
        """An SSH certificate over a public key, a line of OpenSSH or a JWK, at Microsoft Entra ID: its base64 is the access token.
        `broker-cli token --ssh-cert` writes it to a file.
        """
        request = exchanges.token_request(
            self.name,
            scopes,
            account,
            app_only=app_only,
            force_refresh=force_refresh,
            min_validity=min_validity,
            ssh_public_key=public_key,
        )
        return await self._door.call(exchanges.token(request))

    async def sign_http_request(
        self,
        method: str,
        url: str,
        scopes: Scopes = None,
        account: AccountName = None,
        *,
        app_only: bool = False,
        nonce: str | None = None,
        client_claims: str | None = None,
    ) -> SignedHttpRequest:
        """Signs one HTTP request with the daemon's key around a token that is bound to it (Microsoft Entra ID): send its
        `authorization` as the header `Authorization`. `nonce` is the server's, from `WWW-Authenticate: PoP nonce="..."`.
        """
        token = exchanges.token_request(self.name, scopes, account, app_only=app_only)
        exchange = exchanges.sign_http_request(token, method, url, nonce=nonce, client_claims=client_claims)
        return await self._door.call(exchange)

    async def acquire_token_interactive(
        self,
        scopes: Scopes,
        *,
        on_open_url: Callable[[str], object] = open_in_browser,
        login_hint: str | None = None,
        prompt: str | None = None,
        domain_hint: str | None = None,
        claims_challenge: str | None = None,
        max_age: int | None = None,
        timeout: int | None = None,
    ) -> Token:
        """Signs a user in by browser (RFC 8252) and returns a token of theirs. The daemon listens for the browser's return;
        `on_open_url` opens the browser, which must run on the same machine. An exception in it ends the sign-in.
        """
        exchange = exchanges.sign_in(
            self.name,
            scopes,
            wire.SIGN_IN_METHOD_BROWSER,
            login_hint=login_hint,
            prompt=prompt,
            domain_hint=domain_hint,
            claims_challenge=claims_challenge,
            max_age=max_age,
            timeout=timeout,
        )
        account = await self._sign_in(exchange, lambda step: on_open_url(step.url) if isinstance(step, OpenUrl) else None)
        return await self.acquire_token_silent(scopes, account)

    async def acquire_token_by_device_flow(
        self,
        scopes: Scopes,
        *,
        on_user_code: Callable[[UserCode], object],
        claims_challenge: str | None = None,
        timeout: int | None = None,
    ) -> Token:
        """Signs a user in on another device (RFC 8628) and returns a token of theirs. `on_user_code` shows the code."""
        exchange = exchanges.sign_in(
            self.name,
            scopes,
            wire.SIGN_IN_METHOD_DEVICE_CODE,
            claims_challenge=claims_challenge,
            timeout=timeout,
        )
        account = await self._sign_in(exchange, lambda step: on_user_code(step) if isinstance(step, UserCode) else None)
        return await self.acquire_token_silent(scopes, account)

    async def acquire_token_by_username_password(
        self,
        username: str,
        password: str,
        scopes: Scopes,
        *,
        claims_challenge: str | None = None,
        timeout: int | None = None,
    ) -> Token:
        """Signs a user in by their password (RFC 6749, section 4.3) and returns a token of theirs. The daemon keeps no password.

        Prefer a browser or a device code: who needs a second factor gets `InteractionRequired` here.
        """
        exchange = exchanges.sign_in_without_page(
            self.name,
            scopes,
            wire.SIGN_IN_METHOD_PASSWORD,
            username=username,
            password=password,
            claims_challenge=claims_challenge,
            timeout=timeout,
        )
        account = await self._sign_in(exchange, lambda step: None)
        return await self.acquire_token_silent(scopes, account)

    async def acquire_token_by_user_federated_identity_credential(
        self,
        scopes: Scopes,
        assertion: str,
        *,
        username: str | None = None,
        user_object_id: str | None = None,
        claims_challenge: str | None = None,
        timeout: int | None = None,
    ) -> Token:
        """Signs a user in by a federated identity credential that stands for them (`user_fic` of Microsoft Entra ID, confidential
        clients) and returns a token of theirs. The user is named by exactly one of `username` and `user_object_id`.
        """
        exchange = exchanges.sign_in_without_page(
            self.name,
            scopes,
            wire.SIGN_IN_METHOD_USER_FEDERATED_IDENTITY_CREDENTIAL,
            assertion=assertion,
            username=username,
            user_object_id=user_object_id,
            claims_challenge=claims_challenge,
            timeout=timeout,
        )
        account = await self._sign_in(exchange, lambda step: None)
        return await self.acquire_token_silent(scopes, account)

    async def acquire_token_by_refresh_token(
        self, refresh_token: str, scopes: Scopes, *, timeout: int | None = None
    ) -> Token:
        """Moves a refresh token that was issued to this client elsewhere to the broker, and returns a token. It is sent once; from
        then on the broker's own counts, so throw it away.
        """
        exchange = exchanges.sign_in_without_page(
            self.name, scopes, wire.SIGN_IN_METHOD_REFRESH_TOKEN, refresh_token=refresh_token, timeout=timeout
        )
        account = await self._sign_in(exchange, lambda step: None)
        return await self.acquire_token_silent(scopes, account)

    async def initiate_auth_code_flow(
        self,
        scopes: Scopes,
        redirect_uri: str,
        *,
        login_hint: str | None = None,
        prompt: str | None = None,
        domain_hint: str | None = None,
        claims_challenge: str | None = None,
        response_mode: str | None = None,
    ) -> AuthCodeFlow:
        """Begins the sign-in of a web application's user: keep `flow.session` in the user's session, and send the browser to
        `flow.auth_uri`. Code verifier and nonce stay in the daemon.
        """
        return await self._door.call(
            exchanges.begin_authorization(
                self.name,
                scopes,
                redirect_uri,
                login_hint=login_hint,
                prompt=prompt,
                domain_hint=domain_hint,
                claims_challenge=claims_challenge,
                response_mode=response_mode,
            )
        )

    async def acquire_token_by_auth_code_flow(
        self,
        auth_code_flow: Mapping[str, str] | AuthCodeFlow,
        auth_response: Mapping[str, str] | str,
        scopes: Scopes = None,
    ) -> Token:
        """Finishes it with what came to the redirect URI, the raw query (or form body) or its parameters; `auth_code_flow` is what
        was kept in this user's session. Keep the answer's `account.home_account_id` in the session, and take the flow out of it.
        """
        account = await self._door.call(exchanges.complete_authorization(self.name, auth_code_flow, auth_response))
        return await self.acquire_token_silent(scopes, account)

    async def remove_account(self, account: AccountName = None, *, revoke: bool = False) -> SignedOut:
        """Forgets an account with all its tokens; `revoke` asks the provider to revoke the refresh token, too (RFC 7009)."""
        return await self._door.call(exchanges.sign_out(self.name, account, revoke=revoke))

    def watch_token(
        self, scopes: Scopes, account: AccountName = None, *, app_only: bool = False, min_validity: int = 0
    ) -> AsyncStream[Token | SignInNeeded | TokenExpired]:
        """The current token, then each newer one as the daemon pushes it; ends when the daemon stops. See `TokenSource`."""
        request = exchanges.token_request(self.name, scopes, account, app_only=app_only, min_validity=min_validity)
        return self._door.stream(exchanges.watch(request))

    async def close(self) -> None:
        """Closes the connection."""
        await self._door.close()

    async def __aenter__(self) -> Application:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _sign_in(
        self,
        exchange: Exchange[OpenUrl | UserCode | Account],
        on_step: Callable[[OpenUrl | UserCode], object],
    ) -> Account:
        async with self._door.stream(exchange) as steps:
            async for step in steps:
                if isinstance(step, Account):
                    return step
                answer = on_step(step)
                if isinstance(answer, Awaitable):
                    await answer
        raise ProtocolError("the daemon ended the sign-in without an outcome")
