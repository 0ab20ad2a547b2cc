"""A web application whose users sign in and see their profile at Microsoft Graph: `python sample_flask.py`, then
http://localhost:5000.

It has no client secret, no token and no state file: a user's session holds the `state` of a sign-in under way, then the id of the
account. Each request asks the daemon for a token of that account.
"""

import json
import os

from flask import Flask, Response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

import config
from token_broker import (
    AccountNotFound,
    Application,
    AuthorityUnavailable,
    BrokerError,
    Declined,
    InteractionRequired,
    Interrupted,
    Locked,
    NoDaemon,
    Refused,
    StateMismatch,
)
from token_broker.graph import GraphError, GraphSession

#: What a page may load and be part of.
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'"


def create_app(broker: Application, graph: str = config.GRAPH) -> Flask:
    """The application, on this door to the daemon and this address of Microsoft Graph."""
    app = Flask(__name__)
    # New at each start, which ends the sessions; a real deployment keeps one, outside of its source.
    app.secret_key = os.urandom(32)
    app.config.update(SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_HTTPONLY=True)

    @app.get("/")
    def homepage() -> str:
        """The way in."""
        return render_template("homepage.html", sample="Flask", signed_in="account" in session)

    @app.get("/login")
    def login() -> AnyResponse:
        """Sends the browser to the provider."""
        return begin(None)

    def begin(claims: str | None) -> AnyResponse:
        flow = broker.initiate_auth_code_flow(
            config.SCOPES, config.REDIRECT_URI, prompt="select_account", claims_challenge=claims
        )
        session["flow"] = flow.session
        return redirect(flow.auth_uri)

    @app.get("/login/authorized")
    def authorized() -> AnyResponse:
        """Where the provider sends it back."""
        answer = request.query_string.decode("ascii", "replace")
        token = broker.acquire_token_by_auth_code_flow(session.pop("flow", {}), answer, config.SCOPES)
        if token.account is None:
            raise StateMismatch
        challenged = session.get("challenged", False)
        session.clear()
        session.update(account=token.account.home_account_id, challenged=challenged)
        return redirect(url_for("graphcall"))

    @app.get("/graphcall")
    def graphcall() -> str | AnyResponse:
        """The profile of the user of this session."""
        if "account" not in session:
            return redirect(url_for("login"))
        try:
            with GraphSession(broker, config.SCOPES, session["account"], base=graph) as calls:
                profile = calls.get("me").json()
        except InteractionRequired as error:
            # The user signs in again, with the claims that were asked for; once, since a second time would not help either.
            if session.pop("challenged", False):
                raise
            session["challenged"] = True
            return begin(error.claims)
        except AccountNotFound:
            # Signed out elsewhere.
            session.clear()
            return redirect(url_for("login"))
        session.pop("challenged", None)
        shown = json.dumps(profile, indent=4, sort_keys=True, ensure_ascii=False)
        return render_template("graphcall.html", sample="Flask", endpoint=f"{graph}/me", graphdata=shown)

    @app.post("/logout")
    def logout() -> AnyResponse:
        """Forgets the user, here and at the daemon. Another site cannot send this form along with our cookie (SameSite)."""
        account = session.pop("account", None)
        session.clear()
        if account is not None:
            try:
                broker.remove_account(account, revoke=True)
            except AccountNotFound:
                pass
        return redirect(url_for("homepage"))

    @app.errorhandler(BrokerError)
    def refused(error: BrokerError) -> tuple[str, int]:
        """What went wrong, for people."""
        return render_template("error.html", title=title_of(error), message=words_of(error)), status_of(error)

    @app.errorhandler(GraphError)
    def graph_failed(error: GraphError) -> tuple[str, int]:
        """The same for Microsoft Graph's refusals."""
        status = error.status if error.status in (403, 404, 429) else 502
        return render_template("error.html", title="Microsoft Graph did not answer as hoped", message=str(error)), status

    @app.after_request
    def guard(response: Response) -> Response:
        """Nothing of a user's page is kept, framed or run."""
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


def title_of(error: BrokerError) -> str:
    """A headline for what went wrong."""
    match error:
        case Declined():
            return "You declined"
        case StateMismatch() | InteractionRequired():
            return "Please sign in again"
        case NoDaemon() | Interrupted() | Locked():
            return "Sign-in is not available now"
        case AuthorityUnavailable():
            return "The provider cannot be reached"
        case _:
            return "That did not work"


def words_of(error: BrokerError) -> str:
    """What a visitor may read of it: the paths and commands in the other texts are for the server's owner."""
    match error:
        case StateMismatch():
            return str(error)
        case Refused(correlation_id=known) if known:
            return f"If it happens again, tell the site's owner this id: {known}"
        case _:
            return "Try again in a moment."


def status_of(error: BrokerError) -> int:
    """The HTTP status that fits."""
    match error:
        case StateMismatch():
            return 400
        case Declined() | InteractionRequired():
            return 403
        case NoDaemon() | Interrupted() | Locked() | AuthorityUnavailable():
            return 503
        case _:
            return 502


if __name__ == "__main__":
    create_app(Application(config.APPLICATION)).run(host="localhost", port=5000)
