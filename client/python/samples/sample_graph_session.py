"""A web application in Bottle on `GraphSession`: `python sample_graph_session.py`, then http://localhost:5000.

The session knows the address of Microsoft Graph, its errors and its pages: `items` asks for the next page when it is needed.
"""

from itertools import islice
from typing import Any

import config
from shared import pages, visit
from shared.bottle_site import Site, query, redirect
from shared.serve import serve
from token_broker import Application
from token_broker.graph import GraphSession

SAMPLE = "GraphSession"


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
        with visit.user(broker, site.kept, "/graphcall", config.SCOPES) as account, graph(config.SCOPES, account) as session:
            profile = session.get("me").json()
            return pages.graphcall(SAMPLE, site.kept, session.api_endpoint("me"), profile)

    @site.get("/messages")
    def messages() -> str:
        """The newest messages, once the user lets us read them."""
        scopes = config.MAIL_SCOPES
        with visit.user(broker, site.kept, "/messages", scopes) as account, graph(scopes, account) as session:
            newest = islice(session.items(config.NEWEST), 10)
            return pages.messages(SAMPLE, site.kept, session.api_endpoint("me/messages"), newest)

    def graph(scopes: list[str], account: str) -> GraphSession:
        return GraphSession(broker, scopes, account, base=config.GRAPH)

    @site.post("/logout")
    def logout() -> Any:
        """Forgets the user. Another site cannot send this form along with our cookie (SameSite)."""
        visit.end(broker, site.kept)
        return redirect("/")

    return site.wsgi


if __name__ == "__main__":
    serve(create_app(Application(config.APPLICATION)))
