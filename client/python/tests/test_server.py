"""Who serves and where: the order of the socket's places, and a server of another user."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

import token_broker
from token_broker import socket_path, threshold


def test_the_most_explicit_place_wins(monkeypatch):
    both = {"TOKEN_BROKER_SOCKET": "/v/s", "XDG_RUNTIME_DIR": "/x"}
    assert str(socket_path.resolve("/e/s", both)) == "/e/s"
    assert str(socket_path.resolve(None, both)) == "/v/s"
    below = {"TOKEN_BROKER_SOCKET": "", "XDG_RUNTIME_DIR": "/x"}
    assert str(socket_path.resolve(None, below)) == "/x/token-broker/broker.sock"
    monkeypatch.setattr(socket_path, "own_default", lambda: None)
    for environment in ({}, {"XDG_RUNTIME_DIR": "relative"}):
        with pytest.raises(token_broker.NoSocketPath):
            socket_path.resolve(None, environment)


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A socket whose server seems to be of user 4711; it keeps what it is sent."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    received = []

    def serve():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            received.append(connection.recv(100))

    server = threading.Thread(target=serve)
    server.start()
    monkeypatch.setattr(threshold, "peer_uid", lambda _connection: 4711)
    yield tmp_path / "s", received, server
    listener.close()


def test_nothing_is_sent_to_a_server_of_another_user(foreign, monkeypatch):
    path, received, server = foreign
    monkeypatch.delenv("TOKEN_BROKER_SERVER_UID", raising=False)
    with pytest.raises(token_broker.ForeignServer) as caught:
        token_broker.Application("mail", path).acquire_token_silent(None)
    server.join()
    assert received == [b""] and caught.value.uid == 4711 and "TOKEN_BROKER_SERVER_UID=4711" in str(caught.value)


@pytest.mark.parametrize("by_variable", [True, False])
def test_another_user_is_accepted_on_purpose(foreign, monkeypatch, by_variable):
    path, _, server = foreign
    monkeypatch.setenv("TOKEN_BROKER_SERVER_UID", "4711" if by_variable else "1")
    entrance = threshold.Threshold(path, None if by_variable else 4711)
    entrance.look()
    assert entrance.is_as_seen()
    server.join()
    path.rename(path.with_name("old"))
    assert not entrance.is_as_seen()


def test_the_kernel_says_who_serves(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        client.connect(str(tmp_path / "s"))
        assert threshold.peer_uid(client) == os.geteuid()


@pytest.fixture
def stranger(tmp_path):
    """A gRPC server that knows none of our calls."""
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_insecure_port(f"unix:{tmp_path}/s")
    server.start()
    yield tmp_path / "s"
    server.stop(None).wait()


def test_another_server_is_not_taken_for_ours(stranger):
    with token_broker.Application("mail", stranger) as application:
        with pytest.raises(token_broker.ProtocolError, match="older"):
            application.get_accounts()


def test_a_server_that_takes_the_sockets_place_is_looked_at(stranger, monkeypatch):
    with token_broker.Application("mail", stranger) as application:
        with pytest.raises(token_broker.ProtocolError):
            application.get_accounts()
        stranger.rename(stranger.with_name("old"))
        with socket.socket(socket.AF_UNIX) as another:
            another.bind(str(stranger))
            another.listen()
            monkeypatch.setattr(threshold, "peer_uid", lambda _connection: 4711)
            with pytest.raises(token_broker.ForeignServer):
                application.get_accounts()
