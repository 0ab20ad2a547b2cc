"""What every test has at hand: the stage that tests/it/python sets (a provider, the daemon, users) and applications on it."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import token_broker

REDIRECT = "http://localhost:5000/login/authorized"
#: The subjects of every user's messages, the newest first, two on a page when nobody says how many; a draft without one follows.
MESSAGES = ["Minutes of Monday", "Lunch on Thursday?", "Welcome"]
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


class Stage:
    """Tells tests/it/python/stage.rs what to do, and returns what it answers."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._answers = self._socket.makefile()
        self.socket = self("socket")

    def __call__(self, do: str, **facts: Any) -> Any:
        with self._lock:
            self._socket.sendall(json.dumps({"do": do, **facts}).encode() + b"\n")
            return json.loads(self._answers.readline())

    def fail_token(self, status: int, error: str, retry_after: str | None = None, **more: Any) -> None:
        """The next request for a token meets this answer."""
        self("fail_token", status=status, body={"error": error, **more}, retry_after=retry_after)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


class Graph:
    """One of the stage's two stand-ins for Microsoft Graph (tests/harness/graph): it checks each token, answers, and fails as told."""

    def __init__(self, stage: Stage, number: int = 0) -> None:
        self._stage = stage
        self._number = number
        self.base: str = self._tell("graph")
        self._before = len(self._tell("graph_asked_with"))

    @property
    def tokens(self) -> list[str | None]:
        """The tokens that it was asked with in this test; None for a request without."""
        tokens: list[str | None] = self._tell("graph_asked_with")
        return tokens[self._before :]

    def answer_next(self, status: int, body: Any, **headers: str) -> None:
        """The next request is answered like this."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._tell("graph_answer", status=status, body=body, headers=named)

    def fail_next(self, status: int, code: str = "", **headers: str) -> None:
        """The next request fails like this."""
        self.answer_next(status, {"error": {"code": code, "message": "planned by a test"}}, **headers)

    def challenge_next(self) -> None:
        """The next request is answered with a claims challenge, and its token is not good any more."""
        self._tell("graph_challenge", claims=CLAIMS)

    def _tell(self, do: str, **facts: Any) -> Any:
        return self._stage(do, graph=self._number, **facts)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    path = os.environ.get("TOKEN_BROKER_TEST_STAGE")
    if path is None:
        pytest.fail("there is no stage: `cargo test -p token-broker-tests --test it python` sets it", pytrace=False)
    stage = Stage(path)
    yield stage
    stage.close()


@pytest.fixture
def open_application(stage: Stage) -> Iterator[Any]:
    """Opens applications by name; afterwards nobody is signed in to them."""
    opened: list[token_broker.Application] = []

    def open_one(name: str) -> token_broker.Application:
        opened.append(token_broker.Application(name, stage.socket))
        return opened[-1]

    yield open_one
    for application in opened:
        for account in application.get_accounts():
            application.remove_account(account)
        application.close()


@pytest.fixture
def mail(open_application: Any) -> token_broker.Application:
    """An application on a desktop, nobody signed in."""
    application: token_broker.Application = open_application("mail")
    return application


@pytest.fixture
def site(open_application: Any) -> token_broker.Application:
    """A web application, nobody signed in."""
    application: token_broker.Application = open_application("site")
    return application


@pytest.fixture
def graph(stage: Stage) -> Graph:
    """Microsoft Graph."""
    return Graph(stage)


@pytest.fixture
def ada(mail: token_broker.Application, stage: Stage) -> token_broker.Account:
    """A user who is signed in to `mail`."""
    token = mail.acquire_token_interactive(None, on_open_url=lambda url: stage("sign_in", url=url, user="ada"))
    assert token.account is not None
    return token.account
