"""Authentication for httpx: `httpx.Client(auth=BrokerAuth(application, scopes))`, and `AsyncBrokerAuth` with an `aio.Application`."""

from collections.abc import AsyncGenerator, Generator

import httpx

from . import aio
from .answers import Token
from .application import Application
from .challenge import claims_of, require_safe
from .exchanges import AccountName, Scopes


def _is_challenged(response: httpx.Response) -> str | None:
    return claims_of(response.headers.get("WWW-Authenticate")) if response.status_code == 401 else None


def _put(request: httpx.Request, token: Token) -> None:
    request.headers["Authorization"] = f"{token.token_type} {token.access_token}"


class BrokerAuth(httpx.Auth):
    """A fresh token for each request, by https only. A 401 with a claims challenge is answered once with a token that has them;
    `InteractionRequired` is raised with the claims if that needs the user.
    """

    requires_request_body = True

    def __init__(
        self, application: Application, scopes: Scopes, account: AccountName = None, *, app_only: bool = False
    ) -> None:
        self._application = application
        self._scopes = scopes.split() if isinstance(scopes, str) else None if scopes is None else list(scopes)
        self._account = account
        self._app_only = app_only

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sends a request with a token, and once more if it is challenged."""
        require_safe(str(request.url))
        _put(request, self._token(None))
        response = yield request
        if claims := _is_challenged(response):
            response.read()
            _put(request, self._token(claims))
            yield request

    def _token(self, claims: str | None) -> Token:
        if self._app_only:
            return self._application.acquire_token_for_client(self._scopes, claims_challenge=claims)
        return self._application.acquire_token_silent(self._scopes, self._account, claims_challenge=claims)


class AsyncBrokerAuth(httpx.Auth):
    """The same for `httpx.AsyncClient`."""

    requires_request_body = True

    def __init__(
        self, application: aio.Application, scopes: Scopes, account: AccountName = None, *, app_only: bool = False
    ) -> None:
        self._application = application
        self._scopes = scopes.split() if isinstance(scopes, str) else None if scopes is None else list(scopes)
        self._account = account
        self._app_only = app_only

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sends a request with a token, and once more if it is challenged."""
        require_safe(str(request.url))
        _put(request, await self._token(None))
        response = yield request
        if claims := _is_challenged(response):
            await response.aread()
            _put(request, await self._token(claims))
            yield request

    async def _token(self, claims: str | None) -> Token:
        if self._app_only:
            return await self._application.acquire_token_for_client(self._scopes, claims_challenge=claims)
        return await self._application.acquire_token_silent(self._scopes, self._account, claims_challenge=claims)
