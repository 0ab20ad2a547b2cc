"""A web server for the samples: the standard library's, a thread for each connection, where the redirect URI says."""

import sys
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import config


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """A line for each request, without its query: that of a sign-in has a code and a state in it."""
        sys.stderr.write(f"{self.command} {self.path.partition('?')[0]} {code}\n")


def serve(application: Any) -> None:
    """Serves a WSGI application until it is stopped; the first line of output says that it is ready."""
    own = urlsplit(config.REDIRECT_URI)
    with make_server(own.hostname or "localhost", own.port or 80, application, _Server, _Handler) as server:
        print(f"Open {own.scheme}://{own.netloc}", flush=True)
        server.serve_forever()
