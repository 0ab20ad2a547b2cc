"""A stand-in for Microsoft Graph: checks the bearer token at its issuer, then answers /me and /me/messages in two pages, echoes
what is written, and fails once where a test says so.
"""

import base64
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


class Graph:
    """Runs until it is closed. `is_active` asks the issuer about a token, `whose` says whose it is."""

    def __init__(self, is_active: Callable[[str], bool], whose: Callable[[str], str] = lambda _token: "ada") -> None:
        self.is_active = is_active
        self.whose = whose
        #: The tokens it was asked with, in order; None for a request without.
        self.tokens: list[str | None] = []
        #: What the next requests meet: status, headers, body.
        self.faults: list[tuple[int, dict[str, str], Any]] = []
        graph = self

        class Handler(_Handler):
            pass

        Handler.graph = graph
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.base = f"{self.origin}/v1.0"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def fail_next(self, status: int, code: str = "", **headers: str) -> None:
        """The next request fails like this."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append((status, named, {"error": {"code": code, "message": "planned by a test"}}))

    def challenge_next(self) -> None:
        """The next request is answered with a claims challenge."""
        claims = base64.b64encode(CLAIMS.encode()).decode()
        challenge = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
        self.fail_next(401, "TokenCreatedWithOutdatedPolicies", WWW_Authenticate=challenge)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    graph: Graph

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        self.graph.tokens.append(token or None)
        if self.graph.faults:
            status, headers, fault = self.graph.faults.pop(0)
            self.reply(status, fault, headers)
        elif scheme != "Bearer" or not self.graph.is_active(token):
            self.reply(401, {"error": {"code": "InvalidAuthenticationToken", "message": "no"}})
        elif self.command == "DELETE":
            self.reply(204, None)
        elif self.command != "GET":
            self.reply(200, {"method": self.command, "body": json.loads(body)})
        else:
            self.read(token)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def read(self, token: str) -> None:
        path, _, query = self.path.partition("?")
        match path, query:
            case "/v1.0/me", "":
                self.reply(200, {"displayName": self.graph.whose(token)})
            case "/v1.0/me/messages", "$skip=2":
                self.reply(200, {"value": [{"subject": "three"}]})
            case "/v1.0/me/messages", _:
                following = f"{self.graph.base}/me/messages?$skip=2"
                self.reply(200, {"value": [{"subject": "one"}, {"subject": "two"}], "@odata.nextLink": following})
            case "/v1.0/elsewhere", _:
                self.reply(200, {"value": [1], "@odata.nextLink": "http://127.0.0.2/v1.0/me/messages"})
            case _:
                self.reply(404, {"error": {"code": "Request_ResourceNotFound", "message": "no"}})

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        sent = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None:
        """Nothing: a test reads what it needs from the stand-in."""
