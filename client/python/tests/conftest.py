"""What every test has at hand: the stage that tests/it/python sets (a provider, the daemon, users) and applications on it."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import token_broker
from graph_stand_in import Graph

REDIRECT = "http://localhost:5000/login/authorized"


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
def site_graph(stage: Stage, site: token_broker.Application) -> Iterator[Graph]:
    """Microsoft Graph for the users of `site`."""

    def whose(token: str) -> str:
        held = {site.acquire_token_silent(None, one).access_token: one.username for one in site.get_accounts()}
        return held[token]

    graph = Graph(lambda token: bool(stage("is_active", token=token)), whose)
    yield graph
    graph.close()


@pytest.fixture
def ada(mail: token_broker.Application, stage: Stage) -> token_broker.Account:
    """A user who is signed in to `mail`."""
    token = mail.acquire_token_interactive(None, on_open_url=lambda url: stage("sign_in", url=url, user="ada"))
    assert token.account is not None
    return token.account
