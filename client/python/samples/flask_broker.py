"""A Flask extension in the manner of Flask-OAuthlib, on the daemon: copy it into your application.

    broker = Broker(app, Application("graph-sample"))

    @app.get("/profile")
    @broker.signed_in(["User.Read"])
    def profile():
        return broker.get("me").json()
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import requests
from flask import Flask, g, redirect, request, session
from werkzeug.wrappers import Response

import config
from shared import visit
from token_broker import Application
from token_broker.graph import GraphSession

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Broker:
    """Signs the users of a Flask application in, and calls Microsoft Graph for the one whose request it is."""

    def __init__(self, app: Flask, application: Application) -> None:
        self._application = application
        app.teardown_appcontext(lambda _error: self._close())

    def authorize(self) -> Response:
        """What `/login` answers."""
        return redirect(visit.begin(self._application, session))

    def authorized(self) -> Response:
        """What the redirect URI answers."""
        return redirect(visit.complete(self._application, session, request.query_string.decode("ascii", "replace")))

    def sign_out(self) -> None:
        """Forgets the user of this request."""
        visit.end(self._application, session)

    def signed_in(self, scopes: list[str]) -> Callable[[Callable[Arguments, Answer]], Callable[Arguments, Answer]]:
        """Only a signed-in user who consented to these scopes sees the view; anybody else is sent to the provider and back."""

        def required(view: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
            @functools.wraps(view)
            def guarded(*args: Arguments.args, **names: Arguments.kwargs) -> Answer:
                with visit.user(self._application, session, request.path, scopes) as account:
                    self._close()
                    g.graph = GraphSession(self._application, scopes, account, base=config.GRAPH)
                    return view(*args, **names)

            return guarded

        return required

    def get(self, path: str) -> requests.Response:
        """Reads from Microsoft Graph as the user of this request, in a `signed_in` view."""
        graph: GraphSession = g.graph
        return graph.get(path)

    @staticmethod
    def _close() -> None:
        graph = g.pop("graph", None)
        if graph is not None:
            graph.close()
