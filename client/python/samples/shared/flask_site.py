"""Flask, as the samples use it: signed session cookies, a page for whatever goes wrong, and headers that keep a page to its user."""

import os

from flask import Flask, Response, redirect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

import config
from shared import pages, visit


def create_site() -> Flask:
    """A Flask application without routes of its own."""
    app = Flask("samples", static_folder=pages.STATIC, static_url_path="/static")
    # New at each start, which ends the sessions; a real deployment keeps one, outside of its source.
    app.secret_key = os.urandom(32)
    secure = config.REDIRECT_URI.startswith("https:")
    app.config.update(SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SECURE=secure)

    @app.errorhandler(visit.Away)
    def away(reason: visit.Away) -> AnyResponse:
        return redirect(reason.url)

    @app.errorhandler(HTTPException)
    def not_served(error: HTTPException) -> tuple[str, int]:
        return pages.not_served(error.code or 500), error.code or 500

    def problem(error: Exception) -> tuple[str, int]:
        status, page = pages.problem(error)
        return page, status

    for kind in pages.PROBLEMS:
        app.register_error_handler(kind, problem)

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.update(pages.HEADERS)
        return response

    return app
