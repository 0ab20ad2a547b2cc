"""A web application in Flask that asks the daemon itself, with the token in hand: `python sample_direct.py`, then
http://localhost:5000.

It has no client secret, no token and no state file. Each request asks the daemon for a token of the user of its session.
"""

from flask import Flask, redirect, request, session
from werkzeug.wrappers import Response

import config
from shared import flask_site, graph_call, pages, visit
from shared.serve import serve
from token_broker import Application

SAMPLE = "Flask"


def create_app(broker: Application) -> Flask:
    """The application, on this door to the daemon."""
    app = flask_site.create_site()

    @app.get("/")
    def homepage() -> str:
        """The way in."""
        return pages.homepage(SAMPLE, session)

    @app.get("/login")
    def login() -> Response:
        """Sends the browser to the provider."""
        return redirect(visit.begin(broker, session))

    @app.get("/login/authorized")
    def authorized() -> Response:
        """Where the provider sends it back."""
        return redirect(visit.complete(broker, session, request.query_string.decode("ascii", "replace")))

    @app.get("/graphcall")
    def graphcall() -> str:
        """The profile of the user of this session."""
        endpoint = f"{config.GRAPH}/me"
        with visit.user(broker, session, "/graphcall", config.SCOPES) as account:
            profile = graph_call.read(broker, config.SCOPES, account, endpoint)
        return pages.graphcall(SAMPLE, session, endpoint, profile)

    @app.get("/messages")
    def messages() -> str:
        """The newest messages, once the user lets us read them."""
        with visit.user(broker, session, "/messages", config.MAIL_SCOPES) as account:
            newest = graph_call.read(broker, config.MAIL_SCOPES, account, f"{config.GRAPH}/{config.NEWEST}")["value"]
        return pages.messages(SAMPLE, session, f"{config.GRAPH}/me/messages", newest)

    @app.post("/logout")
    def logout() -> Response:
        """Forgets the user. Another site cannot send this form along with our cookie (SameSite)."""
        visit.end(broker, session)
        return redirect("/")

    return app


if __name__ == "__main__":
    serve(create_app(Application(config.APPLICATION)))
