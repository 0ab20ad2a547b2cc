"""Authentication for requests: `requests.get(url, auth=BrokerAuth(application, scopes))`."""

from typing import Any

import requests
from requests.auth import AuthBase

from .application import Application
from .challenge import claims_of, origin, require_safe
from .exchanges import AccountName, Scopes


class BrokerAuth(AuthBase):
    """A fresh token for each request, by https only. A 401 with a claims challenge is answered once with a token that has them;
    `InteractionRequired` is raised with the claims if that needs the user.
    """

    def __init__(
        self, application: Application, scopes: Scopes, account: AccountName = None, *, app_only: bool = False
    ) -> None:
        self._application = application
        self._scopes = scopes.split() if isinstance(scopes, str) else None if scopes is None else list(scopes)
        self._account = account
        self._app_only = app_only

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        require_safe(url)
        request.headers["Authorization"] = self._header(None)
        body: Any = request.body
        place = body.tell() if hasattr(body, "tell") else None

        def answer(response: requests.Response, **options: Any) -> requests.Response:
            claims = claims_of(response.headers.get("WWW-Authenticate"))
            # A redirect may have led elsewhere, where the token must not go.
            elsewhere = origin(response.request.url or "") != origin(url)
            if response.status_code != 401 or claims is None or elsewhere:
                return response
            again = response.request.copy()
            again.hooks["response"] = [hook for hook in again.hooks["response"] if hook is not answer]
            if place is not None:
                body.seek(place)
            response.content  # reads it to its end, so that the connection can be used again
            response.close()
            again.headers["Authorization"] = self._header(claims)
            last: requests.Response = response.connection.send(again, **options)
            last.history.append(response)
            last.request = again
            return last

        request.hooks["response"].append(answer)
        return request

    def _header(self, claims: str | None) -> str:
        if self._app_only:
            token = self._application.acquire_token_for_client(self._scopes, claims_challenge=claims)
        else:
            token = self._application.acquire_token_silent(self._scopes, self._account, claims_challenge=claims)
        return f"{token.token_type} {token.access_token}"
