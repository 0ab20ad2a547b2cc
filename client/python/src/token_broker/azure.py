"""Credentials for the Azure SDK: `azure.core.credentials.TokenCredential` and its async twin, on the daemon's tokens."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import ClientAuthenticationError

from . import aio
from .answers import Token
from .application import Application
from .errors import BrokerError
from .exchanges import AccountName


def _plain(token: Token) -> AccessToken:
    return AccessToken(token.access_token, token.expires_on)


def _full(token: Token) -> AccessTokenInfo:
    return AccessTokenInfo(
        token.access_token, token.expires_on, token_type=token.token_type, refresh_on=token.refresh_on
    )


def _failed(error: BrokerError) -> ClientAuthenticationError:
    """What the Azure SDK expects; the `BrokerError` is its cause."""
    return ClientAuthenticationError(message=str(error))


class BrokerCredential:
    """Hands the daemon's tokens to a client of the Azure SDK. `claims` and `tenant_id` are passed on, so a claims challenge is
    answered. Whether a token can be ended early (`enable_cae`) is for the application's registration to say: `--capability CP1`.

    Failures are `ClientAuthenticationError`s with the `BrokerError` as cause.
    """

    def __init__(self, application: Application, account: AccountName = None, *, app_only: bool = False) -> None:
        self._application = application
        self._account = account
        self._app_only = app_only

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """A token for these scopes."""
        return _plain(self._token(scopes, claims, tenant_id))

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """The same, with its type and when to renew it."""
        asked = options or {}
        return _full(self._token(scopes, asked.get("claims"), asked.get("tenant_id")))

    def close(self) -> None:
        """Nothing: the application is its owner's to close."""

    def __enter__(self) -> BrokerCredential:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _token(self, scopes: tuple[str, ...], claims: str | None, tenant: str | None) -> Token:
        app = self._application
        try:
            if self._app_only:
                return app.acquire_token_for_client(scopes, claims_challenge=claims, tenant=tenant)
            return app.acquire_token_silent(scopes, self._account, claims_challenge=claims, tenant=tenant)
        except BrokerError as error:
            raise _failed(error) from error


class AsyncBrokerCredential:
    """The same for the Azure SDK's async clients."""

    def __init__(self, application: aio.Application, account: AccountName = None, *, app_only: bool = False) -> None:
        self._application = application
        self._account = account
        self._app_only = app_only

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """A token for these scopes."""
        return _plain(await self._token(scopes, claims, tenant_id))

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """The same, with its type and when to renew it."""
        asked = options or {}
        return _full(await self._token(scopes, asked.get("claims"), asked.get("tenant_id")))

    async def close(self) -> None:
        """Nothing: the application is its owner's to close."""

    async def __aenter__(self) -> AsyncBrokerCredential:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def _token(self, scopes: tuple[str, ...], claims: str | None, tenant: str | None) -> Token:
        app = self._application
        try:
            if self._app_only:
                return await app.acquire_token_for_client(scopes, claims_challenge=claims, tenant=tenant)
            return await app.acquire_token_silent(scopes, self._account, claims_challenge=claims, tenant=tenant)
        except BrokerError as error:
            raise _failed(error) from error


if TYPE_CHECKING:
    from azure.core.credentials import SupportsTokenInfo, TokenCredential
    from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

    # The type checker proves that they are what the Azure SDK asks for.
    def _sync(credential: BrokerCredential) -> tuple[TokenCredential, SupportsTokenInfo]:
        return credential, credential

    def _async(credential: AsyncBrokerCredential) -> tuple[AsyncTokenCredential, AsyncSupportsTokenInfo]:
        return credential, credential
