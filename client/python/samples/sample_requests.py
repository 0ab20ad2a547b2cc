"""A web application in Bottle that reads with sessions of requests: `python sample_requests.py`, then http://localhost:5000.

`BrokerAuth` puts a fresh token into every request, answers a claims challenge, and sends no token elsewhere after a redirect.
"""

from typing import Any

import requests

import config
from shared import pages, visit
from shared.bottle_site import Site, query, redirect
from shared.serve import serve
from token_broker import Application
from token_broker.graph import GraphError
from token_broker.requests_auth import BrokerAuth

SAMPLE = "requests"


def create_app(broker: Application) -> Any:
    """The application, on this door to the daemon."""
    site = Site()

    @site.get("/")
    def homepage() -> str:
        """The way in."""
        return pages.homepage(SAMPLE, site.kept)

    @site.get("/login")
    def login() -> Any:
        """Sends the browser to the provider."""
        return redirect(visit.begin(broker, site.kept))

    @site.get("/login/authorized")
    def authorized() -> Any:
        """Where the provider sends it back."""
        return redirect(visit.complete(broker, site.kept, query()))

    @site.get("/graphcall")
    def graphcall() -> str:
        """The profile of the user of this session."""
        profile = read("me", "/graphcall", config.SCOPES)
        return pages.graphcall(SAMPLE, site.kept, f"{config.GRAPH}/me", profile)

    @site.get("/messages")
    def messages() -> str:
        """The newest messages, once the user lets us read them."""
        newest = read(config.NEWEST, "/messages", config.MAIL_SCOPES)["value"]
        return pages.messages(SAMPLE, site.kept, f"{config.GRAPH}/me/messages", newest)

    def read(path: str, page: str, scopes: list[str]) -> Any:
        with visit.user(broker, site.kept, page, scopes) as account, requests.Session() as session:
            session.auth = BrokerAuth(broker, scopes, account)
            response = session.get(f"{config.GRAPH}/{path}", timeout=30)
        if not response.ok:
            raise GraphError.from_response(response)
        return response.json()

    @site.post("/logout")
    def logout() -> Any:
        """Forgets the user. Another site cannot send this form along with our cookie (SameSite)."""
        visit.end(broker, site.kept)
        return redirect("/")

    return site.wsgi


if __name__ == "__main__":
    serve(create_app(Application(config.APPLICATION)))
