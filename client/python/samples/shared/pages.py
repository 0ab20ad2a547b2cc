"""The pages, for any framework: three of them, and a readable one for whatever goes wrong. No page shows a token, a path or a
command of the server's owner, or a traceback.
"""

import json
import pathlib
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import jinja2
import requests

from shared.visit import Kept
from token_broker import (
    AuthorityUnavailable,
    BrokerError,
    Declined,
    Interrupted,
    InteractionRequired,
    Locked,
    NoDaemon,
    Refused,
    StateMismatch,
)
from token_broker.graph import GraphError

#: What a handler may raise; `problem` has a page for each.
PROBLEMS = (BrokerError, GraphError, requests.RequestException)
#: Style sheets are here.
STATIC = pathlib.Path(__file__).resolve().parents[1] / "static"
#: With every page: nothing of it is kept, framed or run, and no address of ours is told to another site.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(STATIC.parent / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
)


def homepage(sample: str, kept: Kept) -> str:
    """The way in."""
    return _page("homepage.html", f"{sample} sample", sample=sample, username=kept.get("username"))


def graphcall(sample: str, kept: Kept, endpoint: str, profile: Any) -> str:
    """A user's profile, as it came."""
    shown = json.dumps(profile, indent=4, sort_keys=True, ensure_ascii=False)
    return _page("graphcall.html", f"{sample} sample", sample=sample, username=kept["username"], endpoint=endpoint, graphdata=shown)


def messages(sample: str, kept: Kept, endpoint: str, newest: Iterable[dict[str, Any]]) -> str:
    """A user's newest messages."""
    shown = [_shown(message) for message in newest]
    return _page("messages.html", f"{sample} sample", username=kept["username"], endpoint=endpoint, messages=shown)


def problem(error: Exception) -> tuple[int, str]:
    """What went wrong, for people, and the HTTP status that fits."""
    status, title = _title(error)
    return status, _page("error.html", title, message=_words(error))


def not_served(status: int) -> str:
    """A page that is not there, or another fault of a request."""
    phrase = HTTPStatus(status).phrase
    return _page("error.html", phrase, message="There is nothing to see at this address." if status == 404 else "")


def _shown(message: dict[str, Any]) -> dict[str, str]:
    """What a list shows of a message. A draft has no sender, and need not have a subject."""
    sender = (message.get("from") or {}).get("emailAddress") or {}
    return {
        "subject": message.get("subject") or "",
        "sender": sender.get("name") or "",
        "day": (message.get("receivedDateTime") or "")[:10],
    }


def _page(template: str, title: str, **facts: Any) -> str:
    return _TEMPLATES.get_template(template).render({"title": title, "username": None, **facts})


def _title(error: Exception) -> tuple[int, str]:
    match error:
        case StateMismatch():
            return 400, "Please sign in again"
        case InteractionRequired():
            return 403, "Please sign in again"
        case Declined():
            return 403, "You declined"
        case NoDaemon() | Interrupted() | Locked():
            return 503, "Sign-in is not available now"
        case AuthorityUnavailable():
            return 503, "The provider cannot be reached"
        case GraphError(status=403):
            return 403, "Microsoft Graph does not let you see this"
        case GraphError(status=429):
            return 429, "Microsoft Graph asks you to wait"
        case GraphError() | requests.RequestException():
            return 502, "Microsoft Graph did not answer as hoped"
        case _:
            return 502, "That did not work"


def _words(error: Exception) -> str:
    match error:
        case StateMismatch() | GraphError():
            return str(error)
        case Declined():
            return "Nothing was changed. You can go on as before, or try again."
        case Refused(correlation_id=known) if known:
            return f"If it happens again, tell the site's owner this id: {known}"
        case _:
            return "Try again in a moment."
