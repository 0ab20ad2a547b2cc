"""A session for Microsoft Graph, on requests: a fresh token for each call, lists page after page, and failures as `GraphError`s."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

import requests

from .application import Application
from .challenge import origin, require_safe
from .exchanges import AccountName, Scopes
from .requests_auth import BrokerAuth

#: The service in Microsoft's public cloud.
GRAPH = "https://graph.microsoft.com/v1.0"
#: Seconds to wait for a connection, and for each part of an answer.
_TIMEOUT = 30


class GraphError(Exception):
    """Microsoft Graph answered with an error. The text is for people; it holds no token."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(status, code, message, retry_after)
        #: HTTP status.
        self.status = status
        #: The error's `code`, such as `Authorization_RequestDenied`; empty if it was not said.
        self.code = code
        self.message = message
        #: Seconds to wait before trying again, if Graph said so.
        self.retry_after = retry_after

    @classmethod
    def from_response(cls, response: requests.Response) -> GraphError:
        """The error in a response that is not `ok`."""
        try:
            error = response.json()["error"]
            code, message = str(error["code"]), str(error["message"])
        except (ValueError, KeyError, TypeError):
            code, message = "", response.reason or "no reason was given"
        wait = response.headers.get("Retry-After", "")
        return cls(response.status_code, code, message, int(wait) if wait.isascii() and wait.isdigit() else None)

    def __str__(self) -> str:
        wait = f"; try again in {self.retry_after} seconds" if self.retry_after is not None else ""
        return f"Microsoft Graph: {self.status} {self.code}: {self.message}{wait}"


class GraphSession:
    """Calls Microsoft Graph for one user of an application, or for the application itself.

    Paths are relative to `base`, such as `me` or `me/messages?$top=10`. A claims challenge is answered once by itself;
    `InteractionRequired` says that the user has to sign in, with `claims` for that sign-in. Use it in one thread at a time.
    """

    def __init__(
        self,
        application: Application,
        scopes: Scopes = None,
        account: AccountName = None,
        *,
        app_only: bool = False,
        base: str = GRAPH,
    ) -> None:
        require_safe(base)
        self._base = base.rstrip("/")
        self._session = requests.Session()
        self._session.auth = BrokerAuth(application, scopes, account, app_only=app_only)

    def api_endpoint(self, path: str) -> str:
        """The whole URL of a path. A whole URL is passed through if it is of this service: a token is not sent elsewhere."""
        if not path.startswith(("https://", "http://")):
            return f"{self._base}/{path.lstrip('/')}"
        if origin(path) != origin(self._base):
            raise ValueError(f"{path.split('?')[0]} is not at {self._base}: no token is sent there")
        return path

    def get(self, path: str, **options: Any) -> requests.Response:
        """Reads; `options` are those of `requests.request`."""
        return self._send("GET", path, options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        """Creates, or runs an action."""
        return self._send("POST", path, {"json": json, **options})

    def patch(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        """Changes."""
        return self._send("PATCH", path, {"json": json, **options})

    def put(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        """Replaces; `data` for bytes."""
        return self._send("PUT", path, {"json": json, **options})

    def delete(self, path: str, **options: Any) -> requests.Response:
        """Removes."""
        return self._send("DELETE", path, options)

    def items(self, path: str, **options: Any) -> Iterator[Any]:
        """The members of a list, one after the other; the next page (`@odata.nextLink`) is asked for when it is needed."""
        following: str | None = path
        while following is not None:
            page = self.get(following, **options).json()
            yield from page["value"]
            following = page.get("@odata.nextLink")
            options.pop("params", None)  # they are in the link

    def close(self) -> None:
        """Closes the connections to Graph; the application is its owner's to close."""
        self._session.close()

    def __enter__(self) -> GraphSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, method: str, path: str, options: dict[str, Any]) -> requests.Response:
        response = self._session.request(method, self.api_endpoint(path), **{"timeout": _TIMEOUT, **options})
        if response.ok:
            return response
        raise GraphError.from_response(response)
