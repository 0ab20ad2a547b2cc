"""Bottle, as the samples use it. It brings no session, so that one is kept here: a signed cookie, as Flask has. Besides a page for
whatever goes wrong, and headers that keep a page to its user.
"""

import os
from collections.abc import Callable
from typing import Any

import bottle
from itsdangerous import BadSignature, URLSafeTimedSerializer

import config
from shared import pages
from shared.visit import Away, Kept

Handler = Callable[[], Any]
_COOKIE = "session"
_SECONDS = 8 * 3600


class Site:
    """A Bottle application; `kept` is the session of the browser that asks."""

    def __init__(self) -> None:
        self.wsgi: Any = bottle.Bottle()
        self.wsgi.default_error_handler = self._not_served
        self.wsgi.route("/static/<path:path>", callback=lambda path: bottle.static_file(path, root=pages.STATIC))
        # New at each start, which ends the sessions; a real deployment keeps one, outside of its source.
        self._signer = URLSafeTimedSerializer(os.urandom(32), salt="session")

    @property
    def kept(self) -> Kept:
        """The session of the browser that asks."""
        kept: Kept = bottle.request.kept
        return kept

    def get(self, path: str) -> Callable[[Handler], Handler]:
        """Serves a page, a string."""
        return self._route("GET", path)

    def post(self, path: str) -> Callable[[Handler], Handler]:
        """Serves a form."""
        return self._route("POST", path)

    def _route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        def serve(handler: Handler) -> Handler:
            self.wsgi.route(path, method, callback=lambda: self._answer(handler))
            return handler

        return serve

    def _answer(self, handler: Handler) -> Any:
        bottle.request.kept = self._read(bottle.request.get_cookie(_COOKIE, ""))
        try:
            answer = handler()
        except Away as away:
            answer = redirect(away.url)
        except pages.PROBLEMS as error:
            status, page = pages.problem(error)
            answer = bottle.HTTPResponse(page, status)
        if not isinstance(answer, bottle.HTTPResponse):
            answer = bottle.HTTPResponse(answer)
        answer.headers.update(pages.HEADERS)
        secure = config.REDIRECT_URI.startswith("https:")
        cookie = self._signer.dumps(dict(self.kept))
        answer.set_cookie(_COOKIE, cookie, path="/", httponly=True, samesite="lax", secure=secure)
        return answer

    def _read(self, cookie: str) -> Kept:
        try:
            kept: Kept = self._signer.loads(cookie, max_age=_SECONDS)
        except BadSignature:
            return {}
        return kept

    def _not_served(self, error: Any) -> str:
        bottle.response.headers.update(pages.HEADERS)
        return pages.not_served(error.status_code)


def redirect(url: str) -> Any:
    """Sends the browser elsewhere."""
    return bottle.HTTPResponse(status=303, headers={"Location": url})


def query() -> str:
    """The raw query string of this request."""
    text: str = bottle.request.query_string
    return text
