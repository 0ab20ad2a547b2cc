"""The same in Bottle, which brings no session of its own: `python sample_direct_bottle.py`, then http://localhost:5000."""

from typing import Any

import config
from shared import graph_call, pages, visit
from shared.bottle_site import Site, query, redirect
from shared.serve import serve
from token_broker import Application

SAMPLE = "Bottle"


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
        endpoint = f"{config.GRAPH}/me"
        with visit.user(broker, site.kept, "/graphcall", config.SCOPES) as account:
            profile = graph_call.read(broker, config.SCOPES, account, endpoint)
        return pages.graphcall(SAMPLE, site.kept, endpoint, profile)

    @site.get("/messages")
    def messages() -> str:
        """The newest messages, once the user lets us read them."""
        with visit.user(broker, site.kept, "/messages", config.MAIL_SCOPES) as account:
            newest = graph_call.read(broker, config.MAIL_SCOPES, account, f"{config.GRAPH}/{config.NEWEST}")["value"]
        return pages.messages(SAMPLE, site.kept, f"{config.GRAPH}/me/messages", newest)

    @site.post("/logout")
    def logout() -> Any:
        """Forgets the user. Another site cannot send this form along with our cookie (SameSite)."""
        visit.end(broker, site.kept)
        return redirect("/")

    return site.wsgi


if __name__ == "__main__":
    serve(create_app(Application(config.APPLICATION)))
