"""A web application in Flask with an extension that does the work: `python sample_flask.py`, then http://localhost:5000.

A view says which scopes it needs, and reads.
"""

from flask import Flask, redirect, session
from werkzeug.wrappers import Response

import config
from flask_broker import Broker
from shared import flask_site, pages
from shared.serve import serve
from token_broker import Application

SAMPLE = "Flask extension"


def create_app(application: Application) -> Flask:
    """The application, on this door to the daemon."""
    app = flask_site.create_site()
    broker = Broker(app, application)

    @app.get("/")
    def homepage() -> str:
        """The way in."""
        return pages.homepage(SAMPLE, session)

    @app.get("/login")
    def login() -> Response:
        """Sends the browser to the provider."""
        return broker.authorize()

    @app.get("/login/authorized")
    def authorized() -> Response:
        """Where the provider sends it back."""
        return broker.authorized()

    @app.get("/graphcall")
    @broker.signed_in(config.SCOPES)
    def graphcall() -> str:
        """The profile of the user of this session."""
        return pages.graphcall(SAMPLE, session, f"{config.GRAPH}/me", broker.get("me").json())

    @app.get("/messages")
    @broker.signed_in(config.MAIL_SCOPES)
    def messages() -> str:
        """The newest messages, once the user lets us read them."""
        return pages.messages(SAMPLE, session, f"{config.GRAPH}/me/messages", broker.get(config.NEWEST).json()["value"])

    @app.post("/logout")
    def logout() -> Response:
        """Forgets the user. Another site cannot send this form along with our cookie (SameSite)."""
        broker.sign_out()
        return redirect("/")

    return app


if __name__ == "__main__":
    serve(create_app(Application(config.APPLICATION)))
